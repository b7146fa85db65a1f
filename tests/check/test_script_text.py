"""Lines of source for a report: from scripts, cells and nothing, and without secrets."""

import json
from pathlib import Path

import pytest

from pretune.check.script_text import Texts, masked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('login("hf_abcDEF0123456789abcdef")', 'login("hf_***")'),
        (
            "requests.post('https://hooks.slack.com/services/T0/B0/xyz123')",
            "requests.post('https://hooks.slack.com/services/***')",
        ),
        ('token = "abcdefgh12345"', 'token = "***"'),
        ("os.environ['WANDB_API_KEY'] = 'something-l0ng'", "os.environ['WANDB_API_KEY'] = '***'"),
        ("wandb.login(key='0123456789abcdef0123456789abcdef01234567')", "wandb.login(key='***')"),
        ("openai = 'sk-proj-abcdefghijk'", "openai = 'sk-***'"),
        (
            "tokenizer = AutoTokenizer.from_pretrained('klue/bert-base')",
            "tokenizer = AutoTokenizer.from_pretrained('klue/bert-base')",
        ),
        ("model.resize_token_embeddings(len(tokenizer))", "model.resize_token_embeddings(len(tokenizer))"),
        ("tokenizer.pad_token = '<|endoftext_123|>'", "tokenizer.pad_token = '<|endoftext_123|>'"),
        ("password: 'hunter2'", "password: '***'"),
        ("", ""),
    ],
)
def test_secrets_are_masked(line: str, shown: str) -> None:
    """What looks like a token, a key, a webhook or a hash is not shown; model names and calls are."""
    assert masked(line) == shown


def test_lines(tmp_path: Path) -> None:
    """The line of a script or of a cell; empty where there is none, it is too long, or the file cannot be read."""
    script, note, broken = tmp_path / "a.py", tmp_path / "a.ipynb", tmp_path / "b.ipynb"
    script.write_bytes("\ufeff가 = 1\r\nb\n".encode() + b"x" * 600)
    cells = [
        {"cell_type": "markdown", "source": "x"},
        {"cell_type": "code", "source": ["a\n", "b"]},
        {"cell_type": "code", "source": "c"},
    ]
    note.write_text(json.dumps({"cells": cells}))
    broken.write_text("{")
    texts = Texts()
    told = [
        texts.line(where)
        for where in (f"{script}:1:3", f"{script}:3:1", f"{script}:9:1", f"{note}:cell 2:2:1", f"{note}:cell 3:1:1")
    ]
    assert told == ["가 = 1", "", "", "b", "c"]
    assert [
        texts.line(where) for where in ("", f"{note}:cell 1:1:1", f"{broken}:cell 1:1:1", "no.py:1:1", "c.json:3")
    ] == [""] * 5
    assert texts.of(str(broken)) == {}


def test_a_line_with_a_known_secret(tmp_path: Path) -> None:
    """Where a rule has found a secret, no text in quotes is shown, whatever it looks like."""
    script = tmp_path / "a.py"
    script.write_text("key = 'correct horse' + \"battery\" + 'x'\n")
    assert Texts().line(f"{script}:1:1", secret=True) == "key = '***' + \"***\" + 'x'"


def test_allowances_of_a_notebook(tmp_path: Path) -> None:
    """Comments of code cells count, those of Markdown do not."""
    note = tmp_path / "a.ipynb"
    comment = "x  # pretune: allow a -- b"
    note.write_text(json.dumps({"cells": [{"cell_type": kind, "source": [comment]} for kind in ("markdown", "code")]}))
    assert [one.where for one in Texts().allowances([str(note)])] == [f"{note}:cell 2:1:4"]
