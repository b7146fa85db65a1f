"""Checks several scripts and notebooks and joins what was found into one Report. Executes nothing of them.

A file that cannot be read is a line in `Report.failed`, and the others are checked all the same. A module that another
of the scripts imports is covered by the walk through that one, and is not checked a second time on its own, unless it
is a script itself.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pretune.check.allow import judged
from pretune.check.engine import Report, allowed_by, stale
from pretune.check.report.place import place
from pretune.check.script_text import Texts
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pretune.check.allow import Allowance
    from pretune.check.engine import Skipped
    from pretune.check.finding import Finding, Rule
    from pretune.check.sources.setup_keys import Said

_MAIN = re.compile(r"^if\s+\(?__name__\s*==|^if\s+[\"']__main__[\"']\s*==", re.MULTILINE)
_TARGET = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)\s*==\s*([0-9]+(?:\.[0-9]+){0,3}(?:\.?(?:a|b|rc|dev|post)[0-9]*)?)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about every script.

    Attributes:
        rules: the questions.
        known: every rule, asked or not, for their names.
        allow: the settings' allow table.
        target: package -> version that the script is to run with; packages not named: the installed ones.
        over: what the flags say, over what a script says.
        sample: how many rows of each data file are looked at; None: all.
        debug: let a crash be a traceback.
    """

    rules: tuple[Rule, ...]
    known: tuple[Rule, ...]
    allow: Mapping[str, str]
    target: Mapping[str, str]
    over: Said | None = None
    sample: int | None = None
    debug: bool = False


def targets(words: Sequence[str]) -> dict[str, str]:
    """`("transformers==5.23",)` as `{"transformers": "5.23"}`.

    Raises:
        UserError: a word is not PACKAGE==VERSION, or names a package twice.
    """
    found: dict[str, str] = {}
    for word in words:
        match = _TARGET.fullmatch(word.strip())
        if match is None:
            raise UserError(f'--target {word}: expected PACKAGE==VERSION, found "{word}"', hint=_TARGET_HINT)
        package = match[1].lower().replace("_", "-")
        if found.setdefault(package, match[2]) != match[2]:
            raise UserError(f"--target names {package} twice: {found[package]} and {match[2]}", hint=_TARGET_HINT)
    return found


_TARGET_HINT = "--target transformers==5.23"


def check_scripts(
    files: Sequence[str],
    asked: Asked,
    *,
    subject: str = "",
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Check each file and join the reports.

    Args:
        files: scripts and notebooks.
        asked: what is asked about each.
        subject: what was checked, in the user's words.
        progress: is told so many bytes more of so many were read.
        stop: says whether to stop; what was read until then is reported.
    """
    reports: dict[str, tuple[Report, tuple[str, ...]]] = {}
    failed: list[str] = []
    sizes = [_size(file) for file in files]
    for file, size in zip(files, sizes, strict=True):
        if stop():
            break
        try:
            reports[file] = _checked(file, asked)
        except UserError as mistake:
            failed.append(_told(file, mistake))
        except Exception as bug:  # one script that we cannot walk through must not take the others with it
            if asked.debug:
                raise
            what = " ".join(f"{type(bug).__name__}: {bug}".split())
            failed.append(f"{file}: this is a bug in pretune, report it with what --debug says: {what}")
        if progress is not None:
            progress(size, sum(sizes))
    texts = Texts()
    kept = {file: reports[file] for file in _kept({file: read for file, (_, read) in reports.items()}, texts)}
    joined = _joined([report for report, _ in kept.values()])
    read = list(dict.fromkeys(name for file, (_, names) in kept.items() for name in (file, *names)))
    report = _allowed(joined, texts.allowances(read), asked)
    code: dict[str, str] = {}
    for finding in sorted(report.findings, key=lambda finding: "secret" in finding.name):  # these have the last word
        code[finding.where] = texts.line(finding.where, secret="secret" in finding.name)
    return replace(
        report,
        subject=subject or (files[0] if len(files) == 1 else f"{len(files)} scripts"),
        code={where: line for where, line in code.items() if line.strip()},
        failed=tuple(failed),
    )


def check_named(
    subject: str,
    given: Mapping[str, Any],
    rules: tuple[Rule, ...],
    *,
    known: tuple[Rule, ...],
    allow: Mapping[str, str],
    sample: int | None = None,
) -> Report:
    """`check.run` of a script, a notebook or a folder of them.

    Args:
        subject: its path.
        given: the arguments by name: keys of a Setup that win over what a script says, and `target`.
        rules: what is asked.
        known: every rule.
        allow: rule name or code -> why its findings are fine here.
        sample: how many rows of each data file are looked at; None: all.

    Raises:
        UserError: no file could be read; a bad target; an unknown key.
    """
    from pretune.check.script_files import script_files
    from pretune.check.sources.flags import said_in_python

    keys = {name: value for name, value in given.items() if name not in ("model", "target")}
    words = given.get("target", ())
    target = targets((words,) if isinstance(words, str) else tuple(words))
    asked = Asked(rules, known, allow, target, said_in_python(keys), sample)
    report = check_scripts(script_files([subject]), asked, subject=subject)
    if report.failed and not report.asked:
        raise UserError(report.failed[0])
    return report


def _checked(file: str, asked: Asked) -> tuple[Report, tuple[str, ...]]:
    """A script's report, and the files that were read for it."""
    from pretune.check.script_report import report_of
    from pretune.check.script_versions import runs_of
    from pretune.script.read import read_script

    trace = read_script(file)
    report = report_of(
        trace,
        rules=asked.rules,
        allow={},
        target=asked.target,
        over=asked.over,
        sample=asked.sample,
        debug=asked.debug,
    )
    return replace(report, runs=tuple(runs_of(trace))), trace.files


def _told(file: str, mistake: UserError) -> str:
    """Why a file could not be read, in a line that names it."""
    message = " ".join(mistake.message.split())
    named = message if file in message else f"{file}: {message}"
    return f"{named} ({mistake.hint})" if mistake.hint else named


def _kept(read: Mapping[str, Sequence[str]], texts: Texts) -> list[str]:
    """The files that the walk through no other one has covered, or that are scripts themselves."""
    files = list(read)
    imports = {_real(file): {_real(name) for name in names} - {_real(file)} for file, names in read.items()}
    imported = {name for names in imports.values() for name in names}
    kept = [file for file in files if _real(file) not in imported or _MAIN.search(texts.of(file).get(None, ""))]
    reached = {name for file in kept for name in imports[_real(file)]}
    for file in files:  # two that import each other: the first one
        if file not in kept and _real(file) not in reached:
            kept.append(file)
            reached |= imports[_real(file)]
    return [file for file in files if file in kept]


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size  # noqa: PTH116 - pathlib would cost more than the call
    except (OSError, ValueError):
        return 0


def _real(file: str) -> str:
    return os.path.realpath(file)


def _joined(reports: Sequence[Report]) -> Report:
    """One report of all: findings once, gravest first and by place; a rule was asked where one script let it be."""
    findings: dict[tuple[object, ...], Finding] = {}
    for report in reports:
        for finding in report.findings:
            at = place(finding.where)
            same = finding.code, finding.message, _real(at.file), at.cell, at.line, at.column, at.pointer
            findings.setdefault(same, finding)
    asked = {rule.code: rule for report in reports for rule in report.asked}
    skipped: dict[str, Skipped] = {}
    for report in reports:
        for one in report.skipped:
            if one.code not in asked:
                skipped.setdefault(one.code, one)
    profiles = [report.profile for report in reports if report.profile is not None]
    return Report(
        "",
        tuple(findings.values()),
        skipped=tuple(skipped.values()),
        asked=tuple(asked.values()),
        remarks=tuple(dict.fromkeys(remark for report in reports for remark in report.remarks)),
        profile=profiles[0] if len(profiles) == 1 else None,
        runs=tuple(runs for report in reports for runs in report.runs),
    )


def _allowed(report: Report, comments: Sequence[Allowance], asked: Asked) -> Report:
    """The report after the comments' allowances and those of the settings."""
    names = {rule.name for rule in report.asked}
    told = judged(report.findings, comments, rules=asked.known, asked=names)
    left, allowed = allowed_by(asked.allow, told.findings)
    left += stale(asked.allow, allowed, report.asked)
    ordered = sorted(left, key=_order)
    return replace(report, findings=tuple(ordered), allowed=(*told.allowed, *allowed))


def _order(finding: Finding) -> tuple[object, ...]:
    at = place(finding.where)
    return -finding.level.rank, at.file, at.cell or 0, at.line or 0, at.column or 0
