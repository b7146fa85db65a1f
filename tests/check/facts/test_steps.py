"""The length of a run, and the windows that a question's paragraph makes, against the tokenizers library."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pretune.check.facts import Facts
from pretune.check.facts.lengths import LengthFacts, Row
from pretune.check.facts.training import read_training
from pretune.check.facts.versions import VersionFacts
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]


@pytest.mark.parametrize("truncation", ["only_second", True])
def test_windows_are_those_of_the_tokenizer(make_model: MakeModel, truncation: str | bool) -> None:
    """The windows counted for a row are the encodings that the tokenizers library makes of it."""
    encode = {"truncation": truncation, "max_length": 24, "stride": 5}
    rows = [{"question": "a b c", "context": "a " * words} for words in (1, 17, 18, 19, 30, 31, 90)]
    facts = Facts(_question_setup(make_model("bert"), rows, encode))
    counted = [facts.lengths.windows_of(row) for row in facts.lengths.rows]
    encoder = facts.tokenizer.encoder
    encoder.enable_truncation(24, stride=5, strategy="only_second" if truncation == "only_second" else "longest_first")
    encodings = [encoder.encode(row["question"], row["context"]) for row in rows]
    assert counted == [1 + len(encoding.overflowing) for encoding in encodings]


def test_where_the_tokenizers_limit_is_said(make_model: MakeModel) -> None:
    """In its file, or in the setup's own keywords."""
    folder = str(make_model("bert"))
    assert Facts(Setup(model=folder)).lengths.model_max_length_at.endswith("tokenizer_config.json:/model_max_length")
    setup = Setup(model=folder, tokenizer_kwargs={"model_max_length": 64})
    assert Facts(setup).lengths.model_max_length_at == "setup:/tokenizer_kwargs/model_max_length"


def _question_setup(folder: Path, rows: list[dict[str, Any]], encode: dict[str, Any]) -> Setup:
    train = folder.parent / "questions.jsonl"
    train.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return Setup(model=str(folder), task="question-answering", encode=encode, data=Data(train=(str(train),)))


def test_windows_are_counted_where_lengths_are_known() -> None:
    """Short questions make one example each, long ones as many as there are windows, unmeasured ones up to ten."""
    args = {"per_device_train_batch_size": 8, "num_train_epochs": 3}
    encode = {"truncation": "only_second", "max_length": 64, "stride": 16}
    given = {"truncation": "only_second", "max_length": 64, "stride": 16, "windows": True}
    short, long = Row("a:1", 60, 20, 37), Row("a:2", 123, 20, 100)  # room for 41, so 41 + 25 + 25 + 9 tokens
    setup = Setup(task="question-answering", training_args=args, encode=encode)
    for rows, count, expected in (
        ((short,) * 27, 27, (4, 12, 12, 4)),
        ((short,) * 20 + (long,) * 7, 27, (6, 18, 18, 6)),
        ((short,) * 20, 27, (None, None, 36, 12)),
        ((Row("a:1", 60, 20, 37, whole=False),) * 27, 27, (None, None, 102, 34)),
    ):
        lengths = LengthFacts(rows=(*rows, long), training=len(rows), **given)
        steps = read_training(setup, VersionFacts(transformers="5.23.0"), count, True, lengths).steps
        assert (steps.batches, steps.total, steps.at_most, steps.most_batches) == expected
