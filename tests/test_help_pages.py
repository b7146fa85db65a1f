"""Help pages within 80 columns; what a Korean reader meets: help pages, mistakes and reports in Korean."""

import json
import sys
import unicodedata

import pytest

from pretune import cli
from pretune.check import render
from pretune.check.engine import Report
from pretune.check.finding import Finding, Level

PAGES = [
    *([part] for part in ("check", "tokens", "train", "pool", "knock", "doctor", "demo")),
    *(["tokens", name] for name in ("suggest", "spare", "add", "swap", "verify")),
    ["train", "mrc"],
]


def _columns(line: str) -> int:
    """Columns of a line; Hangul takes two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


@pytest.fixture
def korean(monkeypatch) -> None:
    """Whatever a command line asks for ends with the test."""
    import click

    monkeypatch.setenv("PRETUNE_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(click.Context, "formatter_class", click.HelpFormatter)


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("part", PAGES, ids=" ".join)
def test_a_help_page_fits(part: list[str], lang: str, capsys) -> None:
    """No line is wider than a terminal of 80 columns, and none moves a cursor."""
    with pytest.raises(SystemExit):
        cli.main([*part, "--lang", lang, "--help"] if part[:1] != ["knock"] else ["--lang", lang, *part, "--help"])
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert [line for line in told.split("\n") if _columns(line) > 80] == []


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("part", [[], ["check"], ["tokens", "add"], ["doctor"], ["demo"]])
def test_a_help_page_in_korean(part: list[str], capsys) -> None:
    """Headings and meanings are Korean, and no line is wider than the terminal."""
    with pytest.raises(SystemExit):
        cli.main([*part, "--lang", "ko", "--help"])
    told = capsys.readouterr().out
    assert "사용법" in told
    assert "옵션" in told or part == ["check"]


@pytest.mark.usefixtures("korean")
def test_a_mistake_in_korean(capsys) -> None:
    """The line and the way out are Korean."""
    with pytest.raises(SystemExit):
        cli.main(["--lang=ko", "chek"])
    assert capsys.readouterr().err == 'pretune: "chek" 명령은 pretune에 없습니다\n도움말: "check"을 뜻했나요?\n'


@pytest.mark.usefixtures("korean")
def test_an_unknown_language(capsys) -> None:
    """A language that there are no messages in is a mistake in the call."""
    with pytest.raises(SystemExit) as end:
        cli.main(["check", "--lang", "xx"])
    assert end.value.code == 2
    assert "--lang" in capsys.readouterr().err


def test_programs_are_told_english(monkeypatch) -> None:
    """Text for people is Korean; JSON, SARIF and annotations are the same in every language."""
    message = "vocab_size is 0, expected at least 1"
    finding = Finding(
        "CFG021", "value-out-of-range", Level.ERROR, message, "config.json:/vocab_size", "sizes are at least 1."
    )
    report = Report("model", (finding,))
    english = {form: render(report, form) for form in ("json", "sarif", "github")}
    monkeypatch.setenv("PRETUNE_LANG", "ko")
    assert english == {form: render(report, form) for form in english}
    assert json.loads(english["json"])
    told = render(report, "text")
    assert "vocab_size가 0입니다. 1 이상이어야 합니다" in told
    assert message not in told
    assert "pretune.core.translation" in sys.modules
