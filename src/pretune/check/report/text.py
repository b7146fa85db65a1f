"""The report for people, as lines that are plain in a pipe and coloured in a terminal (terminal.py).

First whether the tokenizers read the corpus, where one was read; then the findings: the rule's name leads, then where,
what was found and expected, and the fix; gravest first. Then the corpus's tables. The last lines count, and say what
was not checked and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from pretune.check.finding import Level
from pretune.check.report.code_line import fitted
from pretune.check.report.place import place
from pretune.core.language import say
from pretune.draw.visible import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pretune.check.engine import Report, Skipped
    from pretune.check.finding import Finding
    from pretune.corpus.figures import Profile

MOST = 10
"""Findings of one rule that are shown; the machine formats have all."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the report: how far it is indented, and its pieces, each with its style (`name`, `where`, ...)."""

    indent: int
    pieces: tuple[tuple[str, str], ...] = ()


def render(report: Report, *, verbose: bool = False, plain: bool = False) -> str:
    """The report as plain text, one message on one line whatever its length; `plain`: drawn with ASCII."""
    found = lines(report, verbose=verbose, plain=plain)
    text = ("".join([" " * line.indent, *(text for text, _ in line.pieces)]) for line in found)
    return "".join(f"{line.rstrip()}\n" for line in text)


def lines(report: Report, *, verbose: bool = False, width: int | None = None, plain: bool = False) -> Iterator[Line]:
    """The report, line by line.

    Args:
        report: what the engine found.
        verbose: name every rule that was not asked, and every finding that was allowed; longer tables.
        width: columns that there are; None: as many as tables want, and no caret below a line of source.
        plain: draw with ASCII.
    """
    profile: Profile | None = getattr(report, "profile", None)
    if profile is not None:
        from pretune.check.report import profile_text  # imports rich, which a report without tables does not need

        yield from (Line(0, tuple(line)) for line in profile_text.verdicts(profile))
        yield Line(0)
    for level in sorted(Level, key=lambda level: -level.rank):
        findings = [finding for finding in report.findings if finding.level is level]
        if findings:
            yield Line(0, ((say(f"{level}s" if len(findings) > 1 else level.value), level.value),))
            yield Line(0)
        for _, same in groupby(findings, key=lambda finding: finding.code):
            yield from _rule(list(same), report.code, width)
            yield Line(0)
    if profile is not None:
        tables = profile_text.lines(profile, width=width, verbose=verbose, plain=plain)
        next(tables, None)  # the blank line before the first
        yield from (Line(0, tuple(line)) for line in tables)
        yield Line(0)
    for remark in report.remarks:
        yield Line(0, ((say("remark: "), "dim"), (say(one_line(remark)), "")))
    one_script = len({runs.file for runs in report.runs}) == 1
    for runs in report.runs if one_script or verbose else (runs for runs in report.runs if runs.bounded):
        yield Line(0, ((f"{one_line(runs.file)}: ", "dim"), (say(one_line(runs.sentence)), "")))
    yield from _counts(report)
    yield from _allowed(report, verbose=verbose)
    yield from _not_checked(report.skipped, verbose=verbose)


def counted(number: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _rule(findings: list[Finding], code: Mapping[str, str], width: int | None) -> Iterator[Line]:
    """What one rule found; `code` has the lines of source."""
    first = findings[0]
    yield Line(0, ((first.name, "name"), (f" ({first.code})", "dim")))
    one_help = len({finding.help for finding in findings}) == 1
    for finding in findings[:MOST]:
        indent = 2
        if finding.where:
            yield Line(2, ((one_line(finding.where), "where"),))
            indent = 4
        for part in visible(say(finding.message)).split("\n"):
            yield Line(indent, ((part, ""),))
        if finding.where in code:
            yield from _code(code[finding.where], finding.where, indent, width)
        for other in finding.also:
            yield Line(indent, ((say("also: "), "dim"), (one_line(other), "where")))
        if not one_help:
            yield from _way_out(finding, indent)
        elif finding.fix:
            yield _patch(finding, indent)
    if len(findings) > MOST:
        yield Line(2, ((say(f"... and {len(findings) - MOST} more (--format concise shows all)"), "dim"),))
    if one_help and first.help:
        yield Line(2, ((say("fix: "), "fix"), (say(one_line(first.help)), "")))


def _code(line: str, where: str, indent: int, width: int | None) -> Iterator[Line]:
    """The line of source, and in a terminal a caret below its place."""
    column = place(where).column
    text, before = fitted(line, column) if width is None else fitted(line, column, width - indent - 3)
    yield Line(indent, (("| ", "dim"), (text, "dim")))
    if width is not None and column is not None and before < width - indent - 3:
        yield Line(indent, (("| ", "dim"), (" " * before + "^", "where")))


def _way_out(finding: Finding, indent: int) -> Iterator[Line]:
    if finding.help:
        yield Line(indent, ((say("fix: "), "fix"), (say(one_line(finding.help)), "")))
    if finding.fix:
        yield _patch(finding, indent)


def _patch(finding: Finding, indent: int) -> Line:
    assert finding.fix is not None
    how = say("--fix will: " if finding.fix.safe else "not safe, so left to you: ")
    return Line(indent, ((how, "fix"), (say(one_line(finding.fix.title)), "")))


def _counts(report: Report) -> Iterator[Line]:
    subject = f"{one_line(report.subject)}: " if report.subject else ""
    asked = counted(len(report.asked), "rule")
    if not report.findings:
        if report.asked:
            yield Line(0, ((subject, ""), (say(f"nothing found by {asked}"), "ok")))
        else:
            yield Line(0, ((subject, ""), (say("nothing could be checked"), "warning")))
        return
    pieces: list[tuple[str, str]] = [(subject, "")]
    for level in sorted(Level, key=lambda level: -level.rank):
        number = report.count(level)
        if number:
            pieces += [(say(counted(number, level.value)), level.value), (", ", "")]
    many = len(report.asked)
    rules = f" from {many} rule" if many == 1 else f" from {many} rules"
    yield Line(0, (*pieces[:-1], (say(rules), "dim")))


def _allowed(report: Report, *, verbose: bool) -> Iterator[Line]:
    if not report.allowed:
        return
    names = ", ".join(dict.fromkeys(finding.name for finding, _ in report.allowed))
    yield Line(0, ((say(f"allowed: {counted(len(report.allowed), 'finding')}: "), "dim"), (names, "")))
    if verbose:
        for finding, reason in report.allowed:
            message = f"{finding.name}: {say(finding.message)} ({reason})"
            yield Line(2, ((one_line(message), "dim"),))


def _not_checked(skipped: Iterable[Skipped], *, verbose: bool) -> Iterator[Line]:
    """One line a reason, the commonest first."""
    reasons: dict[str, list[str]] = {}
    for rule in skipped:
        reasons.setdefault(rule.reason, []).append(rule.name)
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        yield Line(0, ((say(f"not checked: {counted(len(names), 'rule')}: "), "dim"), (say(one_line(reason)), "")))
        if verbose:
            yield from (Line(2, ((name, "dim"),)) for name in names)
