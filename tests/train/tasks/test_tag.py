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
from pretune.train.tasks.tag_schemes import scheme_of
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


WAYS = {
    "IOB2": ["B-PS", "I-PS", "O", "B-LC", "B-LC"],
    "IOB2 behind": ["PS-B", "PS-I", "O", "LC-B", "LC-B"],
    "IOB2 dash": ["B_PS", "I_PS", "-", "B_LC", "B_LC"],
    "IOB1": ["I-PS", "I-PS", "O", "I-LC", "B-LC"],
    "IOBES": ["B-PS", "E-PS", "O", "S-LC", "S-LC"],
    "BMES": ["B-PS", "E-PS", "O", "S-LC", "S-LC", "B-PS", "M-PS", "E-PS"],
    "BILOU": ["B-PS", "L-PS", "O", "U-LC", "U-LC"],
}


@pytest.mark.parametrize("way", WAYS)
def test_entities_are_the_same_in_every_scheme(tmp_path: Path, way: str) -> None:
    """Three entities, one of which is missed by its last word: two of three are right, and accuracy is no F1."""
    tags = WAYS[way]
    rows = [{"tokens": [f"단어{i}" for i in range(len(tags))], "tags": tags}] * 3
    many = [{"tokens": ["가", "나", "다다"], "tags": [tags[3], tags[2], tags[3]]}] * 9  # IOB1 has few B-
    task = task_of(tmp_path, rows + many)
    name = {"BMES": "IOBES"}.get(way, way.partition(" ")[0])
    assert (task.scheme.name, task.main) == (name, "entity_macro_f1")
    wrong = list(tags)
    wrong[1] = tags[2]  # outside
    spans = [(0, 2), (3, 4), (4, 5), *([(5, 8)] if way == "BMES" else [])]
    there = task.scheme.iob2(tags)
    assert [i for i, tag in enumerate(there) if tag[0] == "B"] == [start for start, _ in spans]
    assert there.count("O") == len(tags) - sum(end - start for start, end in spans)
    found = task.scheme.iob2(wrong)
    assert found[3:5] == there[3:5] == ["B-LC", "B-LC"]
    whole = name in {"IOBES", "BILOU"}  # there a B- without its end is none
    assert found[0] == ("O" if whole else "B-PS")


@pytest.mark.parametrize(
    ("tags", "scheme", "over"),
    [
        (["B-PS", "I-PS", "O"], "IOB2", {"B-PS": ["B-PS", "I-PS", "I-PS"], "O": ["O"] * 3}),
        (["PS-B", "PS-I", "O"], "IOB2", {"PS-B": ["PS-B", "PS-I", "PS-I"]}),
        (["B-PS", "O"], "IOB2", {"B-PS": ["B-PS"] * 3}),
        (
            ["B-PS", "I-PS", "E-PS", "S-PS", "O"],
            "IOBES",
            {
                "S-PS": ["B-PS", "I-PS", "E-PS"],
                "B-PS": ["B-PS", "I-PS", "I-PS"],
                "E-PS": ["I-PS", "I-PS", "E-PS"],
                "I-PS": ["I-PS"] * 3,
            },
        ),
    ],
)
def test_a_tokens_tag_over_its_characters(tags: list[str], scheme: str, over: dict[str, list[str]]) -> None:
    """A token of three characters has one tag; its characters have those that the scheme asks for."""
    found = scheme_of(tags, [tags])
    assert found.name == scheme
    assert {tag: found.over(tag, 3) for tag in over} == over


@pytest.mark.parametrize("tags", [["NNG", "JKS", "VV"], [0, 1, 2], [3, 1, 2], ["B-PS", "O", "사람"]])
def test_tags_that_mark_no_entities_are_scored_by_accuracy(tmp_path: Path, tags: list[Any]) -> None:
    """Parts of speech and bare numbers have no entities, and an F1 of entities would be 0 whatever the model says."""
    rows = [{"tokens": ["대한민국의", "수도는", "서울이다."], "tags": tags}] * 2
    task = task_of(tmp_path, rows)
    prepared = task.prepare(tokenizer("bert"), 128)
    scores = prepared.score([right(prepared.train.labels["labels"], len(task.classes.names))])
    assert (task.main, scores.main, scores.variant) == ("accuracy", "accuracy", "tags")
    assert scores.figures == {"accuracy": 100.0, "macro_f1": 100.0}
    assert any("mark no entities" in line for line in prepared.said)


def test_names_of_a_class_label(tmp_path: Path) -> None:
    """Tags as numbers, as the hub has NER data, get the names that `datasets` keeps, and so are entities."""
    datasets = pytest.importorskip("datasets")
    tags = datasets.ClassLabel(names=["O", "B-PS", "B-LC"])
    features = datasets.Features(
        {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": datasets.Sequence(tags)}
    )
    rows = {"tokens": [["대한민국의", "수도는", "서울이다."]] * 2, "ner_tags": [[2, 0, 2]] * 2}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "t.parquet"))
    file = tmp_path / "t.parquet"
    task = read(tiny.recipe("tag", tmp_path / "model", file, file, tmp_path / "out"))
    assert isinstance(task, Tagging)
    assert task.classes.names == ("O", "B-PS", "B-LC")
    prepared = task.prepare(tokenizer("bert"), 128)
    scores = prepared.score([right(prepared.train.labels["labels"], 3)])
    assert (scores.variant, scores.figures["entity_macro_f1"]) == ("entities", 100.0)
