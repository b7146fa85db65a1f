"""The fault catalogue from end to end: each fault is built as files and found, its twin without the fault is quiet."""

import json
import re
from pathlib import Path

import pytest

from check.catalogue import (
    cases_config,
    cases_data,
    cases_files,
    cases_further,
    cases_labels,
    cases_spans,
    cases_tokenizer,
    cases_tokenizer_files,
    cases_training,
    cases_vocabulary,
    controls,
)
from check.catalogue.case import Case, World
from check.catalogue.places import PLACES
from check.catalogue.unseen import NOT_EXPRESSIBLE
from pretune import check

FAULTS = [
    case
    for module in (
        cases_tokenizer,
        cases_tokenizer_files,
        cases_config,
        cases_labels,
        cases_vocabulary,
        cases_data,
        cases_spans,
        cases_training,
        cases_files,
        cases_further,
    )
    for case in module.CASES
]


def checked(case: Case, root: Path, *, fault: bool) -> check.Report:
    """What the check says of the setup that the case writes in `root`, the current folder."""
    keys = case.build(World(root), fault)
    name = keys.get("setup") or "setup.json"
    if "setup" not in keys:
        (root / name).write_text(json.dumps(keys, ensure_ascii=False, indent=1), "utf-8")
    return check.run(setup=name)


def told(report: check.Report) -> str:
    """The findings, one a line."""
    return "\n".join(f"{it.level} {it.code} {it.name} [{it.where}] {it.message}" for it in report.findings) or "nothing"


def found(case: Case, report: check.Report) -> list[check.Finding]:
    """The findings that are the case's fault."""
    enough = report.at_least(check.Level(case.level))
    mine = [it for it in enough if it.code.startswith(case.families)]
    return [it for it in mine if re.search(case.says, f"{it.message} {it.where} {it.help}")]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_fault_is_found(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is found by a rule of its family, at its level, in words that name it, at its place."""
    monkeypatch.chdir(tmp_path)
    report = checked(case, tmp_path, fault=True)
    findings = found(case, report)
    assert findings, f"{case.name}: {case.what}\n{told(report)}"
    assert PLACES.get(case.name) in (None, *(it.where for it in findings))


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_twin_is_quiet(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same setup without the fault has neither errors nor warnings."""
    monkeypatch.chdir(tmp_path)
    report = checked(case, tmp_path, fault=False)
    assert not report.at_least(check.Level.WARNING), f"twin of {case.name}: {case.what}\n{told(report)}"


@pytest.mark.parametrize("case", controls.CASES, ids=lambda case: case.name)
def test_control_is_quiet(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A healthy setup that looks odd has neither errors nor warnings."""
    monkeypatch.chdir(tmp_path)
    report = checked(case, tmp_path, fault=False)
    assert not report.at_least(check.Level.WARNING), f"{case.name}: {case.what}\n{told(report)}"


def test_every_entry_has_a_case_or_a_reason() -> None:
    """No entry of the catalogue is left out without a word."""
    cases = {case.name.partition("-")[0] for case in FAULTS} | set(NOT_EXPRESSIBLE)
    numbers = {
        "T": [*range(1, 29), 30, 31, *range(36, 41), 42],
        "C": [*range(1, 25), *range(26, 29), *range(30, 35)],
        "V": range(1, 11),
        "D": [*range(2, 15), 16, *range(18, 23)],
        "A": [*range(1, 6), *range(7, 11), *range(14, 19)],
        "S": range(2, 16),
        "X": range(1, 63),
    }
    entries = {f"{letter}{number:02}" for letter, given in numbers.items() for number in given}
    assert sorted(entries - cases) == []
    assert set(PLACES) <= {case.name for case in FAULTS}
