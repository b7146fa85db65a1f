"""The report of one script: rules on the code asked once, all others once for each Setup that it comes to.

A finding about files names the line of the script that named them, and the file as a further place. What a rule on the
code suspects and a rule on the files can tell is left to the latter, where the files could be read.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pretune.artifacts.hub import cached
from pretune.artifacts.source import locate
from pretune.check.engine import Report, Skipped, allowed_by, run, stale
from pretune.check.facts import Facts
from pretune.check.facts.script import read_script_facts
from pretune.check.finding import Unavailable
from pretune.check.report.place import place
from pretune.check.rules.py_fixes import missing_resize
from pretune.check.sources.flags import said_by
from pretune.check.sources.script import Subject, subjects
from pretune.check.sources.script_values import plain
from pretune.check.sources.setup import Setup
from pretune.check.sources.setup_keys import merged, setup_from
from pretune.core.errors import UserError
from pretune.script.objects import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Finding, Rule
    from pretune.check.sources.setup_keys import Said
    from pretune.script.trace import Trace

_SAID = re.compile(r"(?P<line>.+:[0-9]+:[0-9]+)(?P<key>/.*)")
NOT_OF_SCRIPTS = {
    "unknown-argument", "removed-argument", "argument-of-a-later-version", "argument-about-to-go", "token-in-the-setup",
    "evaluation-without-data", "output-dir-left-out", "use-fast-ignored",
}  # fmt: skip
"""Rules on a setup's keys that rules on the code ask better, with the history of versions, or of which a script says
nothing: data that could not be followed are not missing."""

TOLD_BY_FILES = {
    "added-never-resized": "added-but-not-resized",
    "tokenizer-of-another-model": "another-vocabulary",
    "longer-than-the-positions": "max-length-beyond-positions",
    "hangul-lowercased": "hangul-taken-apart",
}
"""A rule on the code -> the rule on files that tells for sure what it suspects."""
MENDED = ("added-but-not-resized",)
"""Rules on files that a resize in the source mends."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The report of one Setup, and which rules could be asked of it."""

    subject: Subject
    report: Report


def report_of(
    trace: Trace,
    *,
    rules: Iterable[Rule],
    allow: Mapping[str, str],
    target: Mapping[str, str],
    over: Said | None = None,
    sample: int | None = None,
    debug: bool = False,
) -> Report:
    """What the rules find in a script.

    Args:
        trace: the walk through it.
        rules: the questions.
        allow: rule name or code -> why its findings are fine here.
        target: package -> version that the script is to run under; others: the installed ones.
        over: keys of a Setup that win over what the script says, or say what it leaves open.
        sample: how many rows of each data file are looked at; None: all.
        debug: let a crash inside a rule add its traceback to the finding.
    """
    rules = tuple(rules)
    script = read_script_facts(trace, target)
    facts = Facts(Setup())
    facts.script_facts = script
    on_code = tuple(rule for rule in rules if "script" in rule.needs)
    on_files = tuple(rule for rule in rules if "script" not in rule.needs and rule.name not in NOT_OF_SCRIPTS)
    code = run(on_code, facts, subject=trace.file, debug=debug)
    remarks: list[str] = []
    asked = [
        _Asked(one, _of_files(one, script, on_files, remarks, sample=sample, debug=debug))
        for one in (_under(subjects(script), over) if on_files else ())
    ]
    return _joined(script, code, asked, on_files, remarks=remarks, allow=allow)


def _under(subjects: list[Subject], over: Said | None) -> list[Subject]:
    """The subjects with the keys that win over theirs; where a script has none, the keys alone are one."""
    if over is None or not over.keys:
        return subjects
    return [
        replace(subject, setup=setup_from(merged(said_by(subject.setup), over)))
        for subject in subjects or [Subject(Setup())]
    ]


class _Forgiving:
    """Facts of which one that cannot be read is one that cannot be had: the script may be for another machine."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._facts, name)
        except UserError as mistake:
            self._facts.reasons[name] = mistake.message
            raise Unavailable(mistake.message) from None


def _of_files(
    subject: Subject, script: ScriptFacts, rules: Iterable[Rule], remarks: list[str], *, sample: int | None, debug: bool
) -> Report:
    """The report of one Setup; names that mean no files here are not asked about."""
    setup = subject.setup
    facts = Facts(setup, sample=sample)
    facts.script_facts = script
    written = _written(script)
    for key, name in (("model", setup.model), ("tokenizer", setup.tokenizer)):
        why = _absent(name) if name else ""
        if not why:
            continue
        facts.reasons[key] = why
        if key == "model" and setup.tokenizer is None:
            facts.reasons["tokenizer"] = why
        if name not in written:
            remarks.append(why)
    return run(rules, _Forgiving(facts), debug=debug)


def _written(script: ScriptFacts) -> set[str]:
    """Folders that the script itself saves into."""
    saves = script.trace.calls("save_pretrained", "save_model", "save_vocabulary", "save", "push_to_hub")
    found = {
        plain(call.argument(0, "save_directory") or call.argument(0, "output_dir")) for call in saves if call.arguments
    }
    return {one for one in found if isinstance(one, str)}


@cache
def _absent(name: str) -> str:
    """Why the files that a name means are not checked; empty: they are here or the hub gives them."""
    if os.path.exists(name) or cached(name) is not None:  # noqa: PTH110 - a name that can be no path is simply not there
        return ""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return f"{name} is not in the hub's cache: its files were not checked"
    try:
        locate(name)
    except UserError as mistake:
        return f"{mistake.message}: its files were not checked"
    return ""


def _joined(
    script: ScriptFacts,
    code: Report,
    asked: list[_Asked],
    on_files: tuple[Rule, ...],
    *,
    remarks: list[str],
    allow: Mapping[str, str],
) -> Report:
    """One report of the code and of all Setups."""
    trace = script.trace
    findings: dict[tuple[str, str, str], Finding] = {}
    for finding in code.findings:
        findings.setdefault((finding.code, finding.message, finding.where), finding)
    for one in asked:
        told = {rule.name for rule in one.report.asked}
        for key, finding in list(findings.items()):
            better = TOLD_BY_FILES.get(finding.name)
            if better in told and _is_about(finding, one.subject):
                del findings[key]
        for finding in one.report.findings:
            moved = _mended(_at_the_code(finding, trace, one.subject), script, one.subject)
            findings.setdefault((moved.code, moved.message, moved.where), moved)
        remarks += one.report.remarks
    left, allowed = allowed_by(allow, findings.values())
    all_asked = {rule.code: rule for report in (code, *(one.report for one in asked)) for rule in report.asked}
    left += stale(allow, allowed, all_asked.values())
    left.sort(key=lambda finding: -finding.level.rank)
    skipped: dict[str, Skipped] = {}
    for report in (code, *(one.report for one in asked)):
        for skip in report.skipped:
            if skip.code not in all_asked:
                skipped.setdefault(skip.code, skip)
    if not asked:
        skipped |= _without_setup(on_files)
    return Report(
        trace.file,
        tuple(left),
        tuple(allowed),
        tuple(skipped.values()),
        tuple(all_asked.values()),
        tuple(dict.fromkeys((*trace.notes, *remarks))),
    )


def _without_setup(rules: Iterable[Rule]) -> dict[str, Skipped]:
    reason = "the script names no model or tokenizer that can be followed"
    return {rule.code: Skipped(rule.code, rule.name, reason) for rule in rules}


def _mended(finding: Finding, script: ScriptFacts, subject: Subject) -> Finding:
    """The finding with the fix of the source, where a rule on files has found what is missing there."""
    if finding.name not in MENDED or finding.fix is not None or subject.model is None or subject.tokenizer is None:
        return finding
    return replace(finding, fix=missing_resize(script, value_of(subject.tokenizer), value_of(subject.model)))


def _is_about(finding: Finding, subject: Subject) -> bool:
    """Whether a finding on the code is about what a Setup holds: it names a place that the Setup came from."""
    loads = {str(call.place) for call in (subject.model, subject.tokenizer) if call is not None}
    return finding.where in subject.setup.places.values() or bool(loads & {finding.where, *finding.also})


def _at_the_code(finding: Finding, trace: Trace, subject: Subject) -> Finding:
    """The finding at the line of the script that it is about, with the file's own place as a further one."""
    said = _SAID.fullmatch(finding.where)  # a key within what a line says: `train.py:42:8/learning_rate`
    where = said["line"] if said else finding.where
    at = place(where)
    if at.line is not None and (at.file in trace.files or at.file == trace.file):
        return replace(finding, where=where)
    setup, tokenizer = subject.setup, subject.tokenizer
    call = subject.model or tokenizer
    named = bool(setup.tokenizer) and where.startswith(str(setup.tokenizer))
    if tokenizer is not None and (named or finding.name.startswith(("tokenizer", "vocabulary"))):
        call = tokenizer
    if call is None:
        return finding
    line = str(call.place)
    if at.file in (*setup.data.train, *setup.data.eval):
        line = setup.places.get("data", line)
    also = tuple(one for one in dict.fromkeys((where, *finding.also)) if one and not one.startswith("setup:"))
    return replace(finding, where=line, also=also)
