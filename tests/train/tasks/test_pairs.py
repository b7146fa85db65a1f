"""Pairs of texts as a task: classes or a similarity, by the columns; figures of STS."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.demo import sample
from pretune.train.tasks import Task, read
from pretune.train.tasks.pairs import Similarity
from train import tiny_runs as tiny
from train.made import tokenizer

NLI = [
    {"premise": "비가 온다.", "hypothesis": "날씨가 맑다.", "label": "contradiction"},
    {"premise": "비가 온다.", "hypothesis": "젖는다.", "label": "entailment"},
    {"premise": "비가 온다.", "hypothesis": "춥다.", "label": "neutral"},
]
KLUE = [{"sentence1": "가", "sentence2": "나", "labels": {"label": 3.7, "binary-label": 1}}]


def task_of(tmp_path: Path, rows: list[dict[str, Any]], /, **more: Any) -> Task:
    """The task of a recipe that trains and scores on these rows."""
    file = tiny.lines(tmp_path / "train.jsonl", rows)
    return read(tiny.recipe("pairs", tmp_path / "model", file, file, tmp_path / "out", **more))


def test_a_label_is_a_class(tmp_path: Path) -> None:
    """NLI has three classes under their names."""
    task = task_of(tmp_path, NLI)
    assert task.means == "pair-classification"
    assert list(task.config["id2label"].values()) == ["contradiction", "entailment", "neutral"]
    prepared = task.prepare(tokenizer("bert"), 128)
    assert prepared.train.labels["labels"].tolist() == [0, 1, 2]
    assert prepared.score([np.eye(3, dtype=np.float32)]).figures["accuracy"] == 100.0


@pytest.mark.parametrize("rows", [KLUE * 2, [{"sentence1": "가", "sentence2": "나", "score": 1}] * 2])
def test_a_score_is_a_similarity(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """KLUE-STS's nested label and a column of scores are regressed."""
    task = task_of(tmp_path, rows)
    assert isinstance(task, Similarity)
    assert task.config == {"num_labels": 1, "problem_type": "regression"}
    assert task.prepare(tokenizer("bert"), 128).train.labels["labels"].dtype == np.float32


def test_the_columns_or_the_task_say_which(tmp_path: Path) -> None:
    """Where both could be meant, --column or the recipe's task decides."""
    rows = [{"sentence1": "가", "sentence2": "나", "label": label} for label in (0, 4)]
    assert not isinstance(task_of(tmp_path, rows), Similarity)
    assert isinstance(task_of(tmp_path, rows, data={"columns": {"score": "label"}}), Similarity)
    assert isinstance(task_of(tmp_path, rows, task="sentence-similarity"), Similarity)
    unlike = {"sentence1": "가", "sentence2": "다", "labels": {"label": 0.7, "binary-label": 0}}
    assert not isinstance(task_of(tmp_path, [*KLUE, unlike], task="pair-classification"), Similarity)


def test_figures_are_those_of_scipy(tmp_path: Path) -> None:
    """Pearson and Spearman as scipy computes them, with ties; F1 of "alike" at 3."""
    stats = pytest.importorskip("scipy.stats")
    true = [0.0, 1.0, 3.0, 3.0, 5.0, 2.9]
    found = np.array([0.5, 0.5, 3.1, 2.0, 4.0, 3.5], np.float32)
    task = task_of(tmp_path, [{"sentence1": "가", "sentence2": "나", "score": one} for one in true])
    scores = task.prepare(tokenizer("bert"), 128).score([found[:, None]])
    assert scores.figures["pearson"] == pytest.approx(100 * stats.pearsonr(found, true)[0])
    assert scores.figures["spearman"] == pytest.approx(100 * stats.spearmanr(found, true)[0])
    assert scores.figures["mse"] == pytest.approx(float(((found - np.array(true)) ** 2).mean()), rel=1e-5)
    assert scores.figures["f1_at_3"] == pytest.approx(100 * 2 / 3)


def test_a_row_without_its_second_text_is_left_out(tmp_path: Path) -> None:
    """It is told with its place; a file of nothing else is one line."""
    half = {"premise": "비", "hypothesis": None, "label": "neutral"}
    assert task_of(tmp_path, [*NLI, half]).skipped[0][1] == "no text as text_pair"
    with pytest.raises(UserError, match="no row that can be used"):
        task_of(tmp_path, [half])


def test_the_demos_pairs_as_the_tokenizer_itself_encodes_them(tmp_path: Path) -> None:
    """Ids and segments of pairs, long ones cut, are those of the tokenizer's own call."""
    made = tokenizer("bert")
    task = read(tiny.recipe("pairs", tmp_path / "m", sample.pairs(), None, tmp_path / "o"))
    assert isinstance(task, Similarity)
    examples = task.prepare(made, 24).train
    texts = [(one.text, one.text_pair) for one in task.train.examples]
    encoded = made([a for a, _ in texts], [b for _, b in texts], truncation=True, max_length=24)
    assert examples.ids.tolist() == [i for one in encoded["input_ids"] for i in one]
    assert (examples.types is not None) == ("token_type_ids" in encoded)
    if examples.types is not None:
        assert examples.types.tolist() == [i for one in encoded["token_type_ids"] for i in one]
