"""The command `pretune tokens`, as a user types it."""

import json
import re

import pytest

from pretune import cli
from tokens.placed import folder


def run(*arguments):
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as end:
        cli.main(["tokens", *map(str, arguments)])
    return end.value.code


def test_add_shows_the_plan_and_writes(tmp_path, capsys):
    """The plan on stdout, where it was written on stderr, exit code 0."""
    source = folder(tmp_path / "m", "wordpiece")
    assert run("add", source, "hospitalization", "--special", "<ent>", "--out", tmp_path / "out") == 0
    out, err = capsys.readouterr()
    assert "2 new tokens" in out
    assert "the embedding grows" in out
    assert "written to" in err
    assert (tmp_path / "out" / "tokenizer.json").exists()


def test_a_dry_run_writes_nothing(tmp_path, capsys):
    """The plan as JSON, and no folder."""
    source = folder(tmp_path / "m", "wordpiece")
    assert run("add", source, "hospitalization", "--dry-run", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["added"][0]["word"] == "hospitalization"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_refused_word_is_exit_code_1(tmp_path, capsys):
    """The others are added all the same; the reason stands in the plan."""
    source = folder(tmp_path / "m", "wordpiece")
    assert run("add", source, "e-mail", "hospitalization", "--out", tmp_path / "out") == 1
    assert "always cuts it" in capsys.readouterr().out
    assert (tmp_path / "out").exists()


def test_words_from_files(tmp_path, capsys):
    """One a line, comments and empty lines left out; suggestions as JSON; the same word once."""
    source = folder(tmp_path / "m", "wordpiece")
    (tmp_path / "words.txt").write_text("\ufeff# 말뭉치\n국회의원\n\nhospitalization # medical\n", encoding="utf-8")
    (tmp_path / "s.json").write_text(json.dumps({"words": [{"word": "quickfox"}, {"word": "국회의원"}]}))
    given = ("--file", tmp_path / "words.txt", "--from-suggestions", tmp_path / "s.json")
    assert run("add", source, *given, "--dry-run", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["word"] for row in told["added"]} == {"국회의원", "hospitalization", "quickfox"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "M", "word"), "no folder to write to"),
        (("add", "M", "--dry-run"), "no tokens to add"),
        (("add", "M", "--file", "none.txt", "--dry-run"), "none.txt cannot be read"),
        (("add", "M", "--from-suggestions", "none.json", "--dry-run"), "none.json cannot be read"),
        (("suggest", "M"), "no data to look at"),
        (("spare", "no/such/folder/here"), "no/such/folder/here"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, arguments, message):
    """And exit code 2."""
    source = folder(tmp_path / "m", "wordpiece")
    assert run(*(source if one == "M" else one for one in arguments)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("pretune: ")
    assert "Traceback" not in err


def test_suggest_feeds_add(tmp_path, capsys):
    """What suggest writes as JSON, add reads."""
    source = folder(tmp_path / "m", "wordpiece")
    text = "국회의원은 학교생활을 했다. 국회의원이 왔다. 국회의원을 봤다.\n" * 5
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    told = tmp_path / "s.json"
    assert run("suggest", source, "--data", tmp_path / "c.txt", "--format", "json", "-o", told) == 0
    words = [row["word"] for row in json.loads(told.read_text(encoding="utf-8"))["words"]]
    assert "국회의원" in words
    assert run("add", source, "--from-suggestions", tmp_path / "s.json", "--dry-run") == 0
    assert "국회의원" in capsys.readouterr().out


def test_words_in_the_singular_and_none(tmp_path, capsys):
    """One token is no tokens; a text in which nothing is worth a token says what a word needs."""
    source = folder(tmp_path / "m", "wordpiece")
    assert run("add", source, "국회의원", "--dry-run") == 0
    assert ": 1 new token\n" in capsys.readouterr().out
    (tmp_path / "c.txt").write_text("국회의원은 왔다.\n", encoding="utf-8")
    assert run("suggest", source, "--data", tmp_path / "c.txt") == 0
    told = capsys.readouterr().out.split("\n")
    assert told[0].endswith(": no word of this text is worth a token")
    assert told[1].startswith("a word must occur at least 3 times")


def test_verify_fits_a_terminal(tmp_path, capsys, monkeypatch):
    """In a terminal lines are folded; in a pipe each is one line with the same words."""
    source = folder(tmp_path / "m", "wordpiece")
    run("verify", source)
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    run("verify", source)
    narrow = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, narrow.splitlines())) <= 40 < max(map(len, plain.splitlines()))
    assert "".join(narrow.split()) == "".join(plain.split())


def test_spare_names_kinds(tmp_path, capsys):
    """How many of each kind, with examples."""
    assert run("spare", folder(tmp_path / "m", "wordpiece")) == 0
    assert "free" in capsys.readouterr().out
