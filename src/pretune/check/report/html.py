"""The report as one HTML page that opens offline: verdicts, findings with their fixes, the corpus's figures."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pretune import __version__
from pretune.check.finding import Level
from pretune.check.report.code_line import fitted
from pretune.check.report.place import place
from pretune.check.report.text import counted
from pretune.draw.page import Card, Entry, Fold, Page, Section, Statement, Words
from pretune.draw.page import render as written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.check.engine import Report
    from pretune.check.finding import Finding
    from pretune.corpus.figures import Profile

TONES = {Level.ERROR: "bad", Level.WARNING: "warn", Level.NOTE: "note"}
MOST, FOLDED = 5, 500
"""Places of one rule that are seen, and that are folded away below."""


def render(report: Report, *, verbose: bool = False) -> str:
    """The page as HTML; see page()."""
    return written(page(report, verbose=verbose))


def page(report: Report, *, verbose: bool = False) -> Page:
    """The page. Without matplotlib it has no pictures, and says so; the tables carry the same numbers.

    Args:
        report: what the engine found, with or without a profile of the corpus.
        verbose: let long lists stand open.
    """
    profile: Profile | None = getattr(report, "profile", None)
    statements = [_summary(report)]
    remarks = [*report.failed, *(f"{runs.file}: {runs.sentence}" for runs in report.runs), *report.remarks]
    sections = [_findings(report, verbose=verbose)]
    if profile is not None:
        from pretune.check.report import profile_page

        pictures = _can_draw()
        statements = [*profile_page.statements(profile), *statements]
        remarks = [*profile_page.remarks(profile), *remarks]
        sections += profile_page.sections(profile, pictures=pictures)
        if not pictures:
            remarks.append('This page has no pictures, as matplotlib is not installed: pip install "pretune[plot]".')
    sections += _not_checked(report)
    return Page(
        kicker="pretune check",
        title=report.subject or "report",
        statements=tuple(statements),
        remarks=tuple(remarks),
        sections=tuple(sections),
        foot=f"Made by pretune {__version__}; {counted(len(report.asked), 'rule')} asked.",
    )


def _can_draw() -> bool:
    """Whether matplotlib is there."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def _summary(report: Report) -> Statement:
    """How many findings of each level."""
    counts = [(level, report.count(level)) for level in sorted(Level, key=lambda level: -level.rank)]
    told = ", ".join(counted(count, level.value) for level, count in counts if count)
    asked = counted(len(report.asked), "rule")
    if told:
        gravest = next(level for level, count in counts if count)
        return Statement(TONES[gravest], told, f" found by {asked}")
    if report.asked:
        return Statement("good", "Nothing found", f" by {asked}")
    return Statement("warn", "Nothing could be checked")


def _findings(report: Report, *, verbose: bool) -> Section:
    """The findings as cards, gravest first, one for each rule and level."""
    cards = [
        _card(list(same), report.code, verbose=verbose)
        for _, same in groupby(report.findings, key=lambda finding: (finding.level, finding.code))
    ]
    allowed = tuple(
        Words(f"{finding.name} ({finding.code}), {finding.where or 'no place'}: {finding.message}. Allowed: {reason}")
        for finding, reason in report.allowed
    )
    folded = (Fold(f"{counted(len(allowed), 'finding')} allowed", allowed),) if allowed else ()
    nothing = () if cards else (Words("Nothing was found." if report.asked else "Nothing could be checked."),)
    return Section("Findings", "findings", (*nothing, *cards, *folded), told=str(len(report.findings)))


def _card(findings: list[Finding], code: Mapping[str, str], *, verbose: bool) -> Card:
    """What one rule found. A fix that is the same for all stands once, below; `code` has the lines of source."""
    first = findings[0]
    one_help = len({finding.help for finding in findings}) == 1
    entries = tuple(
        Entry(
            finding.where,
            finding.message,
            tuple(_way_out(finding, with_help=not one_help)),
            code=fitted(code[finding.where], place(finding.where).column)[0] if finding.where in code else "",
        )
        for finding in findings
    )
    seen = FOLDED if verbose else MOST
    lines = [("Fix:", first.help)] if one_help and first.help else []
    left = len(entries) - seen - FOLDED
    if left > 0:
        lines.append(("And", f"{left:,} more; --format json has all."))
    return Card(
        tone=TONES[first.level],
        mark=first.level.value,
        name=first.name,
        code=first.code,
        entries=entries[:seen],
        more=entries[seen : seen + FOLDED],
        lines=tuple(lines),
    )


def _way_out(finding: Finding, *, with_help: bool) -> Iterator[tuple[str, str]]:
    for where in finding.also:
        yield "Also:", where
    if with_help and finding.help:
        yield "Fix:", finding.help
    if finding.fix:
        yield ("--fix will:" if finding.fix.safe else "Not safe, so left to you:"), finding.fix.title


def _not_checked(report: Report) -> Iterator[Section]:
    """What could not be asked, a line for each reason, the commonest first."""
    reasons: dict[str, list[str]] = {}
    for rule in report.skipped:
        reasons.setdefault(rule.reason, []).append(rule.name)
    if reasons:
        parts = tuple(
            Fold(f"{counted(len(names), 'rule')}: {reason}", (Words(", ".join(names), dim=True),))
            for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))
        )
        yield Section("Not checked", "not-checked", parts, told=str(len(report.skipped)))
