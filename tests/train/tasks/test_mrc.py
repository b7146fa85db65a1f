"""Reading comprehension as a task: which figures, unanswerable questions, and a model that is always right."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.demo import sample
from pretune.train.tasks import Prepared, read
from pretune.train.tasks.mrc import Reading
from pretune.train.windows import cut
from train import tiny_runs as tiny
from train.made import tokenizer


def task_of(tmp_path: Path, train: Path, dev: Path | None, /, **more: Any) -> Reading:
    """The task of a recipe whose model is never loaded."""
    found = read(tiny.recipe("mrc", tmp_path / "model", train, dev, tmp_path / "out", **more))
    assert isinstance(found, Reading)
    return found


def right(task: Reading, most: int) -> list[np.ndarray]:
    """Logits that point at the labels of the dev windows."""
    assert task.dev is not None
    windows = cut(task.dev.rows, tokenizer("bert"), max_length=most, stride=task.recipe.stride)
    logits = [np.full(len(windows.input_ids), -9.0, np.float32) for _ in range(2)]
    for made, places in zip(logits, (windows.start_positions, windows.end_positions), strict=True):
        made[windows.bounds[:-1] + places] = 9.0
    return logits


@pytest.mark.parametrize(("impossible", "variant"), [(0, "korquad1"), (2, "klue_mrc")])
def test_korean_data_choose_their_figures(tmp_path: Path, impossible: int, variant: str) -> None:
    """Korean questions are scored as KorQuAD, with unanswerable ones as KLUE-MRC; labels of its own score 100."""
    file = tiny.questions(tmp_path / "train.jsonl", impossible=impossible)
    task = task_of(tmp_path, file, file, encode={"stride": 32})
    assert task.variant == variant
    prepared = task.prepare(tokenizer("bert"), 128)
    scores = prepared.score(right(task, 128))
    assert set(scores.figures.values()) == {100.0}
    assert scores.main in scores.figures
    assert scores.errors == ()
    assert ("null_odds.json" in scores.files) == bool(impossible)


def test_english_data_choose_squad(tmp_path: Path) -> None:
    """English questions are scored as SQuAD 1.1, with unanswerable ones as SQuAD 2, on the same predictions."""
    row = {"context": "The king is old.", "question": "Who?", "answers": {"text": ["king"], "answer_start": [4]}}
    none = {"context": "The king is old.", "question": "Where?", "answers": {"text": [], "answer_start": []}}
    one = tiny.lines(tmp_path / "one.jsonl", [{"id": "a", **row}])
    two = tiny.lines(tmp_path / "two.jsonl", [{"id": "a", **row}, {"id": "b", **none}])
    assert task_of(tmp_path, one, one).variant == "squad1"
    task = task_of(tmp_path, two, two)
    assert task.variant == "squad2"
    scores = task.prepare(tokenizer("bert"), None).score(right(task, 384))
    assert scores.figures["exact"] == 100.0
    assert scores.figures["best_exact"] == 100.0


def test_a_metric_that_knows_no_unanswerable_question_is_refused(tmp_path: Path) -> None:
    """KorQuAD 1.0 has no figure for a question without an answer; the line says which question."""
    file = tiny.questions(tmp_path / "train.jsonl", impossible=1)
    with pytest.raises(UserError, match="no answer, which korquad1 does not score") as found:
        task_of(tmp_path, file, file, train={"metric": "korquad1"})
    assert "klue_mrc" in found.value.hint


def test_an_empty_dev_set_is_one_line(tmp_path: Path) -> None:
    """A dev file without questions is told before anything is loaded."""
    train = tiny.questions(tmp_path / "train.jsonl")
    dev = tmp_path / "dev.json"
    dev.write_text('{"data": []}')
    with pytest.raises(UserError, match=r"dev\.json"):
        task_of(tmp_path, train, dev)


def test_rows_that_cannot_be_used_are_kept_with_their_reason(tmp_path: Path) -> None:
    """A wrong answer_start is counted with its place, and the other rows are read."""
    rows = [
        {"id": "a", "context": "서울은 크다.", "question": "?", "answers": {"text": ["크다"], "answer_start": [4]}},
        {"id": "b", "context": "서울은 크다.", "question": "?", "answers": {"text": ["크다"], "answer_start": [0]}},
    ]
    task = task_of(tmp_path, tiny.lines(tmp_path / "t.jsonl", rows), None)
    assert len(task.train.rows) == 1
    assert task.skipped[0][0].endswith("t.jsonl:2")


def test_windows_become_examples(tmp_path: Path) -> None:
    """Windows of the demo's sample: labels are positions, dev's as well where they are known, each row knows its place."""
    task = task_of(tmp_path, sample.train(), sample.dev(), encode={"max_length": 96, "stride": 24})
    prepared: Prepared = task.prepare(tokenizer("bert"), 128)
    assert prepared.train.lengths.max() <= 96
    assert set(prepared.train.labels) == {"start_positions", "end_positions"}
    assert prepared.train.labels["start_positions"].dtype == np.int64
    assert prepared.dev is not None
    assert prepared.dev.labels.keys() == prepared.train.labels.keys()
    assert "train.json:/data/" in prepared.where(0)
    assert "113 questions" in prepared.said[0]


def test_columns_of_other_names(tmp_path: Path) -> None:
    """The user's names of columns count; one that is not there is told, and a hint says how to name them."""
    rows = [{"글": "서울은 수도이다.", "물음": "수도는?", "답": {"text": ["서울"], "answer_start": [0]}, "번호": 7}]
    file = tiny.lines(tmp_path / "q.jsonl", rows)
    with pytest.raises(UserError, match="expected a question and a context") as caught:
        task_of(tmp_path, file, None)
    assert caught.value.hint == "--column question=NAME --column context=NAME"
    columns = {"context": "글", "question": "물음", "answers": "답", "id": "번호"}
    (row,) = task_of(tmp_path, file, None, data={"columns": columns}).train.rows
    assert (row.id, row.context, row.question, row.texts) == ("7", "서울은 수도이다.", "수도는?", ("서울",))
    with pytest.raises(UserError, match='has no column "문단"; its columns are 글, 물음, 답, 번호'):
        task_of(tmp_path, file, None, data={"columns": {**columns, "context": "문단"}})
