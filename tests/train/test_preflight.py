"""The check before a run tells that dev is the training data, under whatever name, and says nothing of a real split."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from pretune.check.finding import Level
from pretune.check.rules import all_rules
from pretune.check.scripts import Asked, check_scripts
from pretune.core.errors import UserError
from pretune.train.eject import script_of
from pretune.train.library import recipe_for
from pretune.train.preflight import preflight, refuse
from train import tiny_runs as tiny

SAME_FILE, SAME_ROWS = "evaluating-on-the-training-file", "evaluation-rows-in-training"


def reviews(first: int, count: int = 30) -> list[dict[str, Any]]:
    """Reviews that differ in more than a number."""
    things = ("배송이", "포장이", "가격이", "색깔이", "설명서가", "소리가", "화면이", "손잡이가")
    ends = (
        "빨라서 좋았어요",
        "느려서 실망이에요",
        "마음에 들어요",
        "생각보다 별로예요",
        "딱 맞네요",
        "금방 고장 났어요",
    )
    return [
        {"text": f"{things[i % 8]} {ends[i % 6]} {chr(0xAC00 + 37 * i)}{chr(0xB098 + 31 * i)}", "label": i % 2}
        for i in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, rows to train on, others, a copy, a link, and a file of which half stands in train."""
    made = tmp_path_factory.mktemp("split")
    tiny.model(made / "model")
    tiny.lines(made / "train.jsonl", reviews(0))
    tiny.lines(made / "dev.jsonl", reviews(100))
    tiny.lines(made / "half.jsonl", [*reviews(0, 15), *reviews(200, 15)])
    shutil.copy(made / "train.jsonl", made / "copy.jsonl")
    (made / "link.jsonl").symlink_to(made / "train.jsonl")
    return made


def told(recipe: Any) -> dict[str, Level]:
    """What of the two rules the check before a run finds."""
    report = preflight(recipe.setup, subject="x", means="text-classification", main="accuracy", config={})
    found = {one.name: one.level for one in report.findings if one.name in {SAME_FILE, SAME_ROWS}}
    if Level.ERROR in found.values():
        with pytest.raises(UserError, match="the check before the run found"):
            refuse(report, force=False)
        assert refuse(report, force=True)
    return found


@pytest.mark.parametrize(
    ("dev", "expected"),
    [
        ("train.jsonl", {SAME_FILE: Level.ERROR}),
        ("../{}/train.jsonl", {SAME_FILE: Level.ERROR}),
        ("link.jsonl", {SAME_FILE: Level.ERROR}),
        ("copy.jsonl", {SAME_ROWS: Level.ERROR}),
        ("half.jsonl", {SAME_ROWS: Level.ERROR}),
        ("dev.jsonl", {}),
    ],
)
def test_files(folder: Path, dev: str, expected: dict[str, Level]) -> None:
    """The same file, also by another path or a link; its rows in another file; and a real split."""
    name = folder / dev.format(folder.name)
    assert told(tiny.recipe("classify", folder / "model", folder / "train.jsonl", name, folder / "out")) == expected


def test_rows_in_memory(folder: Path) -> None:
    """Rows that are given twice are told, also as a copy; other rows are a split."""
    rows, others = reviews(0), reviews(100)
    for dev, expected in ((rows, {SAME_FILE: Level.ERROR}), (list(rows), {SAME_ROWS: Level.ERROR}), (others, {})):
        given = {"model": folder / "model", "train": rows, "dev": dev, "out": folder / "out", "columns": None}
        assert told(recipe_for("classify", given, {})) == expected


def test_an_ejected_script(folder: Path, tmp_path: Path) -> None:
    """The script of a real split is not taken for one that evaluates on its training file."""
    script = tmp_path / "train.py"
    recipe = tiny.recipe("classify", folder / "model", folder / "train.jsonl", folder / "dev.jsonl", tmp_path / "out")
    script.write_text(script_of(recipe), "utf-8")
    report = check_scripts([str(script)], Asked(all_rules(), all_rules(), {}, {}))
    assert not report.failed
    assert [one.name for one in report.findings if one.level is not Level.NOTE] == []


@pytest.mark.parametrize("unfit", ["error", "skip"])
def test_rows_that_are_left_out_stop_nothing(folder: Path, tmp_path: Path, unfit: str) -> None:
    """An answer that stands elsewhere is an error of check; where such rows are left out it is only told."""
    right = {"context": "서울은 수도이다.", "question": "수도는?", "answers": {"text": ["서울"], "answer_start": [0]}}
    wrong = {**right, "question": "어디?", "answers": {"text": ["서울"], "answer_start": [1]}}
    file = tiny.lines(tmp_path / "q.jsonl", [{"id": f"{i}", **one} for i, one in enumerate((right, right, wrong))])
    recipe = tiny.recipe("mrc", folder / "model", file, None, tmp_path / "out", train={"unfit": unfit})
    report = preflight(recipe.setup, subject="x", means="question-answering", main="f1", config={})
    name = "answer-start-misaligned"
    assert (name in {one.name for one in report.findings}) == (unfit == "error")
    assert (name in {one.name for one, _ in report.allowed}) == (unfit == "skip")
    if unfit == "error":
        with pytest.raises(UserError, match=name):
            refuse(report, force=False)
    else:
        assert refuse(report, force=False) == ()


def test_a_new_head_has_the_size_of_the_data(tmp_path: Path) -> None:
    """A trained head of two classes and data of three are an error; with --new-head, its way out, they are none."""
    model = tiny.model(tmp_path / "m", head="ForSequenceClassification")
    rows = [{**one, "label": "abc"[i % 3]} for i, one in enumerate(reviews(0))]
    for new_head in (False, True):
        more = {"config": {"num_labels": 3}, "train": {"new_head": new_head}}
        file = tiny.lines(tmp_path / "t.jsonl", rows)
        recipe = tiny.recipe("classify", model, file, None, tmp_path / "out", **more)
        config = {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}
        report = preflight(recipe.setup, subject="x", means="text-classification", main="accuracy", config=config)
        assert ("head-of-another-size" in {one.name for one in report.findings}) != new_head
