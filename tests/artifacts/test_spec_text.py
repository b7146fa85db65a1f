"""A specification as text: what the file says of a large model is taken over, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

from pretune.artifacts import spec_text as module
from pretune.artifacts.source import FolderSource
from pretune.artifacts.spec_text import MANY, spec_text

PIECES = [["<unk>", 0.0], ['"model": {', -1.25], *([f"p{at}", -at / 7] for at in range(MANY))]
SPEC: dict[str, Any] = {
    "version": "1.0",
    "truncation": {"max_length": 8},
    "added_tokens": [{"id": 0, "content": '"model" : {}'}],
    "model": {"type": "Unigram", "unk_id": 0, "vocab": PIECES},
}


def folder(tmp_path: Path, text: str) -> FolderSource:
    """A folder whose tokenizer.json is the text."""
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    return FolderSource(str(tmp_path), tmp_path)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long each text was that json wrote; the model is one of more than 100,000 characters."""
    sizes: list[int] = []
    dumps = json.dumps

    def watched(value: Any, **how: Any) -> str:
        text = dumps(value, **how)
        sizes.append(len(text))
        return text

    monkeypatch.setattr(module.json, "dumps", watched)
    return sizes


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("end", ["", "\n", " \n\n"])
def test_the_model_is_taken_from_the_file(tmp_path: Path, indent: int | None, end: str, written: list[int]) -> None:
    """Edits around it are written, the model is not, however the file is laid out."""
    source = folder(tmp_path, json.dumps(SPEC, indent=indent, ensure_ascii=False) + end)
    written.clear()
    asked = {**SPEC, "truncation": None, "model": {**SPEC["model"], "vocab": [list(pair) for pair in PIECES]}}
    text = spec_text(asked, SPEC, source)
    assert json.loads(text) == asked
    assert max(written) < 1000


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"model": SPEC["model"], **SPEC}),  # the model is not the last key
        json.dumps(SPEC)[:-1] + ', "model": {"type": "Unigram"}}',  # nor the only one of its name
        json.dumps({**SPEC, "version": "2.0"}),  # another file by now
        "",
    ],
    ids=["not last", "twice", "changed", "empty"],
)
def test_a_file_that_says_something_else_is_left(tmp_path: Path, text: str) -> None:
    """What was parsed counts, and is written whole."""
    assert json.loads(spec_text(SPEC, SPEC, folder(tmp_path, text))) == SPEC


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """It was read before; what was parsed is written."""
    assert json.loads(spec_text(SPEC, SPEC, FolderSource(str(tmp_path), tmp_path))) == SPEC


def test_another_model_is_written(tmp_path: Path) -> None:
    """A class that makes its own model gets its own; a small model is written, too."""
    source = folder(tmp_path, json.dumps(SPEC))
    for model in ({**SPEC["model"], "unk_id": 1}, {"type": "Unigram", "vocab": PIECES[:3]}):
        assert json.loads(spec_text({**SPEC, "model": model}, SPEC, source))["model"] == model
    assert json.loads(spec_text(SPEC, None, source)) == SPEC
