"""Entries in letters for bytes are shown as the text that they are, in every table and message; JSON keeps them."""

import json

import pytest
from click.testing import CliRunner

from pretune.tokens.cli import command
from pretune.tokens.readable import in_line, readable
from tokens.placed import folder

WORD = "국회의원"


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("", ""),
        ("hello", "hello"),
        ("Ġhello", "▁hello"),
        ("íķĻêµĲ", "학교"),
        ("ĠíķĻ", "▁학"),
        ("íķ", "\\xed\\x95"),
        ("Ċ", "\\n"),
        ("학교", "학교"),  # an added token is plain text
        ("é", "\\xe9"),
    ],
)
def test_bytes_become_text(entry, shown):
    """A space as sentencepiece writes it, half a character as its bytes; other vocabularies are left alone."""
    assert readable(entry, byte_level=True) == shown
    assert readable(entry, byte_level=False) == entry


def test_a_line_of_entries():
    """With spaces between; an id without an entry is said."""
    assert in_line(["Ġa", "íķĻ", None], byte_level=True) == "▁a 학 None"


@pytest.mark.parametrize("name", ["gpt2", "llama3"])
def test_tables_show_text_and_json_entries(tmp_path, name):
    """Of the plan, the suggestions and the slots."""
    path = folder(tmp_path / "m", name)
    (tmp_path / "text.txt").write_text("국회의원들이 국회의원을 만났다. 국회의원실\n" * 20, encoding="utf-8")
    run = CliRunner().invoke
    for arguments in (
        ["add", str(path), WORD, "--dry-run", "--all", "--data", str(tmp_path / "text.txt")],
        ["suggest", str(path), "--data", str(tmp_path / "text.txt"), "--all"],
        ["spare", str(path)],
    ):
        said = run(command, arguments)
        assert said.exit_code == 0, said.output
        assert "Ġ" not in said.output
        assert "êµŃ" not in said.output
    assert WORD in run(command, ["add", str(path), WORD, "--dry-run"]).output
    told = json.loads(run(command, ["add", str(path), WORD, "--dry-run", "--format", "json"]).stdout)
    assert any("êµŃ" in entry["entry"] for entry in told["added"])
