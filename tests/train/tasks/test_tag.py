"""Tagging as a task: words and characters to tokens and back, with every kind of tokenizer; figures."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.demo import sample
from pretune.train.tasks import read
from pretune.train.tasks.tag import IGNORED, Tagging
from train import tiny_runs as tiny
from train.made import tokenizer

WORDS = [
    {"tokens": ["대한민국의", "수도는", "서울이다."], "tags": ["B-LC", "O", "B-LC"]},
    {"tokens": ["The", "quick", "fox", "jump"], "tags": ["O", "B-PS", "I-PS", "O"]},
]
CHARACTERS = [
    {"tokens": list("수도는 서울이다."), "tags": ["O", "O", "O", "O", "B-LC", "I-LC", "O", "O", "O"]},
    {"tokens": list("fox said"), "tags": ["B-PS", "I-PS", "I-PS", "O", "O", "O", "O", "O"]},
]


def task_of(tmp_path: Path, rows: list[dict[str, Any]], /, **more: Any) -> Tagging:
    """The task of a recipe that trains and scores on these rows."""
    file = tiny.lines(tmp_path / "train.jsonl", rows)
    found = read(tiny.recipe("tag", tmp_path / "model", file, file, tmp_path / "out", **more))
    assert isinstance(found, Tagging)
    return found


def right(labels: np.ndarray, tags: int) -> np.ndarray:
    """Logits that say the labels, and something else where nothing is asked."""
    logits = np.zeros((len(labels), tags), np.float32)
    logits[np.arange(len(labels)), np.where(labels == IGNORED, 0, labels)] = 5
    return logits


@pytest.mark.parametrize("name", ["bert", "roberta", "roberta-space", "xlmr"])
def test_words_to_tokens_and_back(tmp_path: Path, name: str) -> None:
    """The first token of each word is asked, no other; a model that says the labels is always right."""
    task = task_of(tmp_path, WORDS)
    prepared = task.prepare(tokenizer(name), 128)
    labels = prepared.train.labels["labels"]
    assert [int((labels[a:b] != IGNORED).sum()) for a, b in pairwise(prepared.train.starts)] == [3, 4]
    scores = prepared.score([right(labels, len(task.classes.names))])
    assert scores.variant == "entities"
    assert set(scores.figures.values()) == {100.0}
    assert scores.errors == ()


@pytest.mark.parametrize("name", ["bert", "roberta-space", "xlmr"])
def test_characters_to_tokens_and_back(tmp_path: Path, name: str) -> None:
    """Every token has its first character's tag; back, the rest of a B- token is I-, and spaces are not scored."""
    task = task_of(tmp_path, CHARACTERS)
    assert task.characters
    prepared = task.prepare(tokenizer(name), 128)
    labels = prepared.train.labels["labels"]
    scores = prepared.score([right(labels, len(task.classes.names))])
    assert scores.variant == "klue_ner"
    if name == "xlmr":  # its pieces may end within an entity, as KLUE's subwords do
        assert scores.figures["entity_macro_f1"] > 0
    else:
        assert scores.figures["accuracy"] == 100.0
        assert scores.figures["entity_macro_f1"] == 100.0


def test_a_token_gives_its_tag_to_all_of_its_characters(tmp_path: Path) -> None:
    """One token of a B- tag is an entity of as many characters; what no token stands for is O."""
    task = task_of(tmp_path, CHARACTERS)
    prepared = task.prepare(tokenizer("bert"), 6)  # cuts the first sentence
    names = task.classes.names
    logits = np.zeros((len(prepared.train.ids), len(names)), np.float32)
    logits[:, names.index("B-LC")] = 1
    table = prepared.score([logits]).files["predictions.tsv"].decode().split("\n\n")[0]
    found = [line.split("\t")[2] for line in table.splitlines()]
    assert found[0] == "B-LC"
    assert "O" in found
    assert any("were cut to 6 tokens" in line for line in prepared.said)


def test_the_demos_ner_sample(tmp_path: Path) -> None:
    """The bundled CoNLL file: nine tags, a perfect model has 100, one wrong tag is an error for reading."""
    task = read(tiny.recipe("tag", tmp_path / "m", sample.ner(), sample.ner(), tmp_path / "o"))
    assert isinstance(task, Tagging)
    prepared = task.prepare(tokenizer("bert"), 128)
    labels = prepared.train.labels["labels"]
    logits = right(labels, len(task.classes.names))
    assert set(prepared.score([logits]).figures.values()) == {100.0}
    at = int(np.flatnonzero(labels == task.classes.names.index("B-PS"))[0])
    logits[at] = 0
    logits[at, task.classes.names.index("O")] = 1
    scores = prepared.score([logits])
    assert scores.figures["entity_micro_f1"] < 100
    assert [one["wrong"] for one in scores.errors] == [1]


def test_numbers_as_tags(tmp_path: Path) -> None:
    """Tags that are ids, as `datasets` has them, are their own ids."""
    rows = [{"tokens": ["fox", "said"], "ner_tags": [1, 0]}, {"tokens": ["The", "fox"], "ner_tags": [0, 2]}]
    task = task_of(tmp_path, rows)
    assert task.classes.names == ("0", "1", "2")
    prepared = task.prepare(tokenizer("bert"), 128)
    asked = prepared.train.labels["labels"]
    assert asked[asked != IGNORED].tolist() == [1, 0, 0, 2]
    assert prepared.score([right(asked, 3)]).figures["accuracy"] == 100.0


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"tokens": ["a"], "tags": ["O", "O"]}, "1 tokens and 2 tags"),
        ({"tokens": [], "tags": []}, "no tokens"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "is no text"),
        ({"tokens": ["a"], "tags": [None]}, "neither a word nor a whole number"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, row: dict[str, Any], why: str) -> None:
    """A sentence whose tags do not fit is left out with its reason."""
    task = task_of(tmp_path, [*WORDS, row])
    assert why in task.skipped[0][1]


def test_a_dev_tag_that_training_lacks_is_told(tmp_path: Path) -> None:
    """A tag that is never trained is one line."""
    train = tiny.lines(tmp_path / "t.jsonl", WORDS)
    dev = tiny.lines(tmp_path / "d.jsonl", [{"tokens": ["a"], "tags": ["B-QT"]}])
    with pytest.raises(UserError, match='the tag "B-QT" of the dev set'):
        read(tiny.recipe("tag", tmp_path / "m", train, dev, tmp_path / "o"))
