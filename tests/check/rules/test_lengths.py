"""Positions: max_length, model_max_length and rows against what the model can place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from pretune.check.facts import Facts
from pretune.check.facts.lengths import LengthFacts, Row
from pretune.check.rules.lengths import (
    RULES,
    length_unlimited,
    max_length_beyond_positions,
    rows_beyond_positions,
    tokenizer_limit_beyond_positions,
)
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]


def _data(folder: Path, *lengths: int) -> Data:
    """A classification file with rows of so many tokens, special ones included."""
    rows = [{"text": " ".join("a" * (length - 2)), "label": 0} for length in lengths]
    path = folder.parent / "train.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return Data(train=(str(path),))


def _setup(folder: Path, **keys: Any) -> Setup:
    return Setup(model=str(folder), **{"task": "text-classification", **keys})


def test_healthy(make_model: MakeModel) -> None:
    """max_length at the last position, and rows of any length that are cut there, are healthy in BERT and RoBERTa."""
    for kind in ("bert", "roberta"):
        folder = make_model(kind, name=kind)
        setup = _setup(folder, data=_data(folder, 64, 90), encode={"truncation": True, "max_length": 64})
        assert all(is_asked(rule, setup) for rule in RULES)
        assert [finding for rule in RULES for finding in found(rule, setup)] == []


def test_max_length_beyond_positions(make_model: MakeModel) -> None:
    """RoBERTa's 66 rows hold 64 tokens: max_length 66, the usual mistake, is told with the reason and the rows it hits."""
    folder = make_model("roberta")
    setup = _setup(folder, encode={"truncation": True, "max_length": 66}, places={"encode": "setup.toml:/encode"})
    (finding,) = found(max_length_beyond_positions, setup)
    assert finding.message == "max_length is 66, but the model has 64 positions (66 rows less the 2 that no token uses)"
    assert finding.where == "setup.toml:/encode/max_length"
    assert finding.level == "error"
    hit = _setup(folder, encode={"truncation": True, "max_length": 66}, data=_data(folder, 20, 65, 90))
    (finding,) = found(max_length_beyond_positions, hit)
    assert finding.message.endswith("; 2 of 3 rows are longer, first " + hit.data.train[0] + ":2")


@pytest.mark.parametrize(
    ("kind", "padding", "level"),
    [("bert", None, "warning"), ("bert", "max_length", "error"), ("roberta", "max_length", "warning")],
)
def test_max_length_beyond_positions_that_no_row_reaches(
    make_model: MakeModel, kind: str, padding: str | None, level: str
) -> None:
    """No sampled row is so long: a warning, but an error where padding makes every row so long; RoBERTa's pads have no place."""
    folder = make_model(kind)
    setup = _setup(folder, encode={"truncation": True, "max_length": 80, "padding": padding}, data=_data(folder, 20))
    assert levels(found(max_length_beyond_positions, setup)) == [level]


@pytest.mark.parametrize(
    ("rows", "level"), [((), "note"), ((Row("a:1", 100, 98),), "note"), ((Row("a:1", 5000, 4998),), "warning")]
)
def test_rope_does_not_fail(rows: tuple[Row, ...], level: str) -> None:
    """A model with rotary positions goes on beyond what it was trained on: never an error."""
    lengths = LengthFacts(positions=4096, hard=False, table=4096, max_length=8192, truncation=True, rows=rows)
    (finding,) = found(max_length_beyond_positions, Setup(task="chat-sft"), lengths=lengths)
    assert finding.level == level
    assert finding.message.startswith("max_length is 8,192, but the model was trained on 4,096")


def test_models_without_a_limit() -> None:
    """T5 and models whose positions are not known are never too short."""
    lengths = LengthFacts(positions=None, max_length=100_000, truncation=True, rows=(Row("a", 50_000, 49_999),))
    assert [finding for rule in RULES for finding in found(rule, Setup(), lengths=lengths)] == []


@pytest.mark.parametrize(
    ("rows", "hard", "level"),
    [
        ((), True, "warning"),
        ((Row("a:1", 64, 62),), True, "note"),
        ((Row("a:1", 65, 63),), True, "error"),
        ((Row("a:1", 65, 63),), False, "warning"),
        ((), False, "note"),
    ],
)
def test_length_unlimited(make_model: MakeModel, rows: tuple[Row, ...], hard: bool, level: str) -> None:
    """The placeholder 1e30 limits nothing: an error where a row is too long, a note where none of those seen is."""
    setup = _setup(make_model("bert"))
    limit = Facts(setup).lengths.model_max_length_at
    assert limit.endswith("tokenizer_config.json:/model_max_length")
    lengths = LengthFacts(
        positions=64,
        hard=hard,
        truncation=True,
        model_max_length=10**30,
        model_max_length_at=limit,
        rows=rows,
    )
    (finding,) = found(length_unlimited, setup, lengths=lengths)
    assert (finding.level, finding.where) == (level, limit)


def test_length_unlimited_is_quiet(make_model: MakeModel) -> None:
    """With max_length, with a real model_max_length, without truncation, or with packing there is nothing to say."""
    setup = _setup(make_model("bert"))
    for keys in (
        {"max_length": 32, "truncation": True, "model_max_length": 10**30},
        {"truncation": True, "model_max_length": 512},
        {"truncation": None, "model_max_length": 10**30},
        {"truncation": True, "model_max_length": 10**30, "packs": True},
        {"truncation": True, "model_max_length": None},
    ):
        assert found(length_unlimited, setup, lengths=LengthFacts(positions=64, **keys)) == []


def test_tokenizer_limit_beyond_positions(make_model: MakeModel) -> None:
    """model_max_length 512 over 64 positions is a warning, and an error once truncation relies on it and a row is hit."""
    folder = make_model("bert", tokenizer_config={"model_max_length": 512})
    (finding,) = found(tokenizer_limit_beyond_positions, _setup(folder))
    assert (finding.message, finding.level) == ("model_max_length is 512, but the model has 64 positions", "warning")
    hit = _setup(folder, data=_data(folder, 70), encode={"truncation": True})
    assert levels(found(tokenizer_limit_beyond_positions, hit)) == ["error"]
    for encode in ({"max_length": 64}, {"max_length": 65}, {"truncation": False}):
        assert found(tokenizer_limit_beyond_positions, _setup(folder, encode=encode)) == []
    placeholder = make_model("bert", name="b", tokenizer_config={"model_max_length": 10**30})
    assert found(tokenizer_limit_beyond_positions, _setup(placeholder)) == []
    rope = LengthFacts(positions=4096, hard=False, model_max_length=131072)
    assert found(tokenizer_limit_beyond_positions, _setup(folder), lengths=rope) == []


@pytest.mark.parametrize(
    ("encode", "task", "level"),
    [
        ({"truncation": False}, "text-classification", "error"),
        ({"padding": True}, "text-classification", "warning"),
        ({"padding": True}, "masked-lm", "note"),
        ({}, "text-classification", "note"),
    ],
)
def test_rows_beyond_positions(make_model: MakeModel, encode: dict[str, Any], task: str, level: str) -> None:
    """Rows longer than the positions: an error where truncation is off, a note where nothing is said of encoding."""
    folder = make_model("bert")
    (finding,) = found(rows_beyond_positions, _setup(folder, encode=encode, data=_data(folder, 64, 65, 90), task=task))
    assert finding.level == level
    assert finding.message.startswith("2 of 3 rows are longer than the model's 64 positions, the longest has 90 tokens")
    assert finding.where.endswith("train.jsonl:2")


def test_rows_beyond_positions_is_quiet(make_model: MakeModel) -> None:
    """Cut rows, short rows, packed rows."""
    folder = make_model("bert")
    long = _data(folder, 90)
    for encode in ({"truncation": True}, {"max_length": 64}):
        assert found(rows_beyond_positions, _setup(folder, encode=encode, data=long)) == []
    assert found(rows_beyond_positions, _setup(folder, data=long, training_args={"packing": True})) == []
    assert found(rows_beyond_positions, _setup(folder, data=_data(folder, 64), encode={"truncation": False})) == []


def test_real_folders_with_the_usual_settings(shared_assets: Path) -> None:
    """The folders as published, at their own limits, for reading comprehension and classification."""
    for name, limit in (
        ("klue-roberta-base", 512),
        ("kcbert-base", 300),
        ("koelectra-base-v3", 512),
        ("roberta-base", 512),
    ):
        for task in ("question-answering", "text-classification"):
            setup = Setup(
                model=str(shared_assets / "tokenizers" / name),
                task=task,
                encode={"truncation": True, "max_length": limit},
            )
            assert [finding for rule in RULES for finding in found(rule, setup)] == []
            over = Setup(model=setup.model, task=task, encode={"truncation": True, "max_length": limit + 2})
            assert levels(found(max_length_beyond_positions, over)) == ["error"]
