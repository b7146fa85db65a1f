"""Findings in scripts and notebooks, in each format: line, column, cell, further places and the line of source."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pretune.check.engine import Report, Runs
from pretune.check.finding import Finding, Fix, InsertAfter, Level, RenameArgument, Rule, SetArgument
from pretune.check.report import html, render, sarif, terminal
from pretune.script.values import Place

SCHEMA = json.loads((Path(__file__).parent / "sarif_as_written.schema.json").read_text(encoding="utf-8"))
SCRIPT, CELL = "학습/train.py:42:12", "note.ipynb:cell 3:2:1"


@pytest.fixture
def scripts(rules: tuple[Rule, ...]) -> Report:
    """An error in a script, a warning in a notebook, a note in a config, and a file that cannot be read."""
    rename = RenameArgument(Place("학습/train.py", 42, 12), "evaluation_strategy", "eval_strategy")
    insert = InsertAfter(Place("note.ipynb", 2, 1, 3), "x")
    findings = (
        Finding(
            "VOC001",
            "a",
            Level.ERROR,
            "100%: a,\nb",
            SCRIPT,
            "mend it",
            Fix("rename", (rename,)),
            ("m/config.json:/a",),
        ),
        Finding("DAT003", "b", Level.WARNING, "found 나", CELL, "", Fix("insert", (insert,))),
        Finding("CHT002", "c", Level.NOTE, "found c", "m/config.json:/a", ""),
        Finding("CHT002", "c", Level.NOTE, "found d", "", ""),
    )
    code = {SCRIPT: "    args = T(evaluation_strategy='no')", CELL: "나 = 1"}
    runs = (
        Runs(
            "학습/train.py",
            "transformers",
            "4.0",
            "4.45",
            "transformers<4.46",
            "runs with transformers up to 4.45",
            True,
        ),
    )
    return Report("2 scripts", findings, asked=rules, code=code, runs=runs, failed=("bad.py:1:1 cannot be parsed",))


def test_text(scripts: Report) -> None:
    """The line of source and the further places stand below the message; the range of versions near the end."""
    lines = render(scripts).splitlines()
    at = lines.index(f"  {SCRIPT}")
    assert lines[at + 3 : at + 5] == ["    | args = T(evaluation_strategy='no')", "    also: m/config.json:/a"]
    assert "학습/train.py: runs with transformers up to 4.45" in lines


@pytest.mark.parametrize("width", [24, 80])
def test_a_terminal_points_at_the_place(scripts: Report, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caret stands below the column, and no line is wider than the terminal."""
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    terminal.write(scripts, out, width=width)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.getvalue().splitlines()]
    assert "    |        ^" in lines
    assert lines[lines.index("    |        ^") - 1].startswith("    | args = T(")


def test_concise(scripts: Report) -> None:
    """`file:line:column:` leads, and a cell stands between."""
    first, second, *_ = render(scripts, "concise").splitlines()
    assert first == f"{SCRIPT}: error a 100%: a, b"
    assert second == f"{CELL}: warning b found 나"


def test_json(scripts: Report) -> None:
    """File, line, column, cell, source and further places are fields of their own; edits are data."""
    told = json.loads(render(scripts, "json"))
    first, second, third, _ = told["findings"]
    assert {key: first[key] for key in ("file", "line", "column", "also")} == {
        "file": "학습/train.py",
        "line": 42,
        "column": 12,
        "also": ["m/config.json:/a"],
    }
    assert first["patches"] == [
        {
            "file": "학습/train.py",
            "line": 42,
            "column": 12,
            "edit": "RenameArgument",
            "old": "evaluation_strategy",
            "new": "eval_strategy",
            "call": "",
        }
    ]
    assert (second["cell"], second["line"], second["source"]) == (3, 2, "나 = 1")
    assert second["patches"][0]["cell"] == 3
    assert "line" not in third
    assert told["runs_with"][0]["last"] == "4.45"
    assert told["failed"] == ["bad.py:1:1 cannot be parsed"]


def test_sarif(scripts: Report, rules: tuple[Rule, ...], tmp_path: Path) -> None:
    """Lines of scripts are regions, cells are said in words, further places are related, failures are told."""
    log = sarif.log(scripts, rules, tmp_path)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    first, second, *_ = log["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 42, "startColumn": 12}
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "m/config.json"
    assert second["locations"][0] == {
        "physicalLocation": {"artifactLocation": {"uri": "note.ipynb"}},
        "logicalLocations": [{"fullyQualifiedName": "cell 3, line 2, column 1", "kind": "module"}],
    }
    invocation = log["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][-1]["message"]["text"] == "bad.py:1:1 cannot be parsed"


def test_github(scripts: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workflow commands, escaped as the runner reads them; without a line where none is known."""
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert render(scripts, "github").splitlines() == [
        "::error file=학습/train.py,line=42,col=12,title=a (VOC001)::100%25: a, b%0Afix: mend it",
        "::warning file=note.ipynb,title=b (DAT003)::cell 3, line 2: found 나",
        "::notice file=m/config.json,title=c (CHT002)::/a: found c",
        "::notice title=c (CHT002)::found d",
        "::error title=pretune::bad.py:1:1 cannot be parsed",
    ]


def test_github_knows_files_from_the_workspace(
    scripts: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file is named from the repository's root wherever the command runs; one with a comma is escaped."""
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    finding = replace(scripts.findings[0], where="a,b.py:1:2")
    assert render(replace(scripts, findings=(finding,)), "github").startswith("::error file=sub/a%2Cb.py,line=1,col=2,")
    outside = replace(finding, where="/elsewhere/a.py:1:2")
    assert "file=/elsewhere/a.py," in render(replace(scripts, findings=(outside,)), "github")


def test_page(scripts: Report) -> None:
    """The page shows the line of source, escaped, the further places and what could not be read."""
    page = html.render(replace(scripts, code={SCRIPT: "x = '<script>'"}))
    assert '<pre class="source"><code>x = &#39;&lt;script&gt;&#39;</code></pre>' in page
    assert "Also:" in page
    assert "cannot be parsed" in page


def test_edits_are_told_in_json(scripts: Report) -> None:
    """An argument that is taken away has the expression null."""
    fix = Fix("take away", (SetArgument(Place("a.py", 1), "x", None),))
    told = json.loads(render(replace(scripts, findings=(replace(scripts.findings[0], fix=fix),)), "json"))
    assert told["findings"][0]["patches"][0]["expression"] is None
