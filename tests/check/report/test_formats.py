"""The four formats: golden files, and what each must hold whatever it reports."""

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pretune import __version__
from pretune.check.engine import Report
from pretune.check.finding import Finding, Level, Rule
from pretune.check.report import FORMATS, render, sarif
from pretune.check.report.json_report import as_dict
from pretune.core.errors import UserError

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads((Path(__file__).parent / "sarif_as_written.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _planted_rules(rules: tuple[Rule, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare the planted rules instead of all."""
    monkeypatch.setattr(sarif, "all_rules", lambda: rules)


@pytest.mark.parametrize(
    ("form", "verbose", "file"),
    [
        ("text", False, "report.txt"),
        ("text", True, "report.verbose.txt"),
        ("concise", False, "report.concise.txt"),
        ("json", False, "report.json"),
    ],
)
def test_golden(planted: Report, form: str, verbose: bool, file: str) -> None:
    """Each format is, to the character, what the golden file holds (UPDATE_GOLDEN=1 writes it anew)."""
    written = render(planted, form, verbose=verbose).replace(__version__, "VERSION")
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / file).write_text(written, encoding="utf-8", newline="\n")
    assert written == (GOLDEN / file).read_text(encoding="utf-8")


def test_a_healthy_report_is_one_line(healthy: Report) -> None:
    """Nothing found and nothing skipped: one clear line, and nothing at all in concise."""
    assert render(healthy) == "klue/bert-base: nothing found by 3 rules\n"
    assert render(healthy, "concise") == ""


def test_nothing_asked_is_not_called_healthy() -> None:
    """A report in which no rule could be asked does not say that nothing was found."""
    assert "nothing could be checked" in render(Report(subject="x"))


def test_unknown_format() -> None:
    """A format that does not exist is one line with the nearest that does."""
    with pytest.raises(UserError, match='unknown format "jsn"') as error:
        render(Report(subject="x"), "jsn")
    assert error.value.hint == 'did you mean "json"?'


@pytest.mark.parametrize("form", FORMATS)
def test_no_escape_reaches_the_terminal(planted: Report, form: str) -> None:
    """An ESC that stands in a token of a stranger's model is written as an escape in every format."""
    assert "\x1b" not in render(planted, form)


@pytest.mark.parametrize("form", FORMATS)
def test_lone_surrogates_and_right_to_left(form: str) -> None:
    """Half a surrogate and a right-to-left override, as data rows hold them, can be written out in every format."""
    finding = Finding(
        "DAT001", "odd-text", Level.ERROR, "found \ud800 and \u202e, expected text", "a\ud800.jsonl:1", ""
    )
    text = render(Report(subject="\ud800", findings=(finding,)), form)
    assert text.encode("utf-8", "backslashreplace")
    if form in ("text", "concise"):
        assert "\u202e" not in text
        assert "\\ud800" in text


def test_concise_is_a_line_a_finding(planted: Report) -> None:
    """A message with line ends still takes one line."""
    assert len(render(planted, "concise").splitlines()) == len(planted.findings)


def test_json_has_the_promised_keys(planted: Report) -> None:
    """The JSON report has the keys of version 1, and severities are error, warning or note."""
    told = json.loads(render(planted, "json"))
    assert list(told) == ["version", "pretune", "subject", "remarks", "findings", "allowed", "skipped", "summary"]
    assert told["version"] == 1
    for finding in told["findings"]:
        assert {"code", "name", "severity", "message", "where", "fix"} <= set(finding)
        assert finding["severity"] in ("error", "warning", "note")
    assert told["findings"][0]["patches"] == [{"file": "모델/config.json", "pointer": "/vocab_size", "value": 32000}]
    assert told["findings"][1]["patches"] == [{"file": "모델/config.json", "pointer": "/a~1b", "remove": True}]
    assert told["summary"] == {"errors": 2, "warnings": 13, "notes": 1, "allowed": 1, "asked": 3, "skipped": 3}


def test_json_values_that_json_lacks(planted: Report) -> None:
    """A patch value that is NaN or of a foreign type becomes a word: the report stays JSON."""
    finding = planted.findings[0]
    assert finding.fix is not None
    patches = tuple(replace(finding.fix.patches[0], value=value) for value in (float("nan"), {1: {2}}, [None, True]))
    odd = replace(planted, findings=(replace(finding, fix=replace(finding.fix, patches=patches)),))
    values = [patch["value"] for patch in json.loads(render(odd, "json"))["findings"][0]["patches"]]
    assert values == ["nan", {"1": "{2}"}, [None, True]]
    json.dumps(as_dict(odd), allow_nan=False)


def test_sarif_is_valid(planted: Report, rules: tuple[Rule, ...], tmp_path: Path) -> None:
    """The SARIF log obeys the schema of what pretune writes, with every rule declared."""
    log = sarif.log(planted, rules, tmp_path)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    driver = log["runs"][0]["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [
        "VOC001",
        "DAT003",
        "CHT002",
        "PT000",
        "PT001",
        "PT002",
        "PT003",
    ]
    assert driver["rules"][0]["help"]["markdown"].startswith("# ids-outside-embedding\n")
    assert driver["rules"][1]["defaultConfiguration"] == {"level": "warning"}
    for result in log["runs"][0]["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_places(planted: Report, rules: tuple[Rule, ...], tmp_path: Path) -> None:
    """Paths are percent-encoded, lines are regions, JSON pointers and flags are logical locations."""
    results = sarif.log(planted, rules, tmp_path)["runs"][0]["results"]
    first = results[0]["locations"][0]
    assert first["physicalLocation"]["artifactLocation"]["uri"] == "%EB%AA%A8%EB%8D%B8/config.json"
    assert first["logicalLocations"][0]["fullyQualifiedName"] == "/vocab_size"
    assert results[1]["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "--add-tokens", "kind": "member"}]}]
    assert results[2]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert "locations" not in results[14]
    assert results[-1]["suppressions"] == [{"kind": "external", "justification": "a test of refusals"}]


@pytest.mark.parametrize(
    ("where", "uri"),
    [
        ("{root}/a b/config.json:/x", "a%20b/config.json"),
        ("/elsewhere/config.json:/x", "file:///elsewhere/config.json"),
        ("../up/train.jsonl:3", "../up/train.jsonl"),
        ("C:\\data\\train.jsonl:3", "file:///C:/data/train.jsonl"),
        ("a:b#c?.jsonl:3", "a%3Ab%23c%3F.jsonl"),
    ],
)
def test_sarif_uris(where: str, uri: str, tmp_path: Path) -> None:
    """Absolute paths below the root become relative, others file URIs, and odd characters are encoded."""
    finding = Finding("DAT001", "x", Level.NOTE, "m", where.format(root=tmp_path), "")
    log = sarif.log(Report(subject="", findings=(finding,)), (), tmp_path)
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_sarif_fingerprints_outlive_a_moved_line(tmp_path: Path) -> None:
    """The same problem two lines further down keeps its fingerprint; another message has another."""
    prints = []
    for where, message in (("a.jsonl:3", "m"), ("a.jsonl:5", "m"), ("a.jsonl:5", "n")):
        finding = Finding("DAT001", "x", Level.NOTE, message, where, "")
        log = sarif.log(Report(subject="", findings=(finding,)), (), tmp_path)
        prints.append(log["runs"][0]["results"][0]["partialFingerprints"]["pretune/v1"])
    assert prints[0] == prints[1] != prints[2]
