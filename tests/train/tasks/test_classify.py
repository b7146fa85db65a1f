"""Classification as a task: labels against the model's, order and names, figures, texts that are cut."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.demo import sample
from pretune.train.library import recipe_for
from pretune.train.tasks import read
from pretune.train.tasks.classify import Classification
from train import tiny_runs as tiny
from train.made import tokenizer


def task_of(
    tmp_path: Path, rows: list[dict[str, Any]], dev: list[dict[str, Any]] | None = None, /, **more: Any
) -> Classification:
    """The task of a recipe on these rows; the model's folder is `model`, if there is one."""
    train = tiny.lines(tmp_path / "train.jsonl", rows)
    held = None if dev is None else tiny.lines(tmp_path / "dev.jsonl", dev)
    found = read(tiny.recipe("classify", tmp_path / "model", train, held, tmp_path / "out", **more))
    assert isinstance(found, Classification)
    return found


def rows(*labels: Any) -> list[dict[str, Any]]:
    """A row for each label."""
    return [{"text": f"글 {i}", "label": label} for i, label in enumerate(labels)]


def config(tmp_path: Path, **keys: Any) -> None:
    """A model's folder with nothing but a config."""
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", **keys}))


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (["b", "a", "c", "a"], ("a", "b", "c"), {"a": 0, "b": 1, "c": 2}),
        ([1, 0, 1], ("0", "1"), {0: 0, 1: 1}),
        ([0, 2, 1, 10, 3, 4, 5, 6, 7, 8, 9], tuple(map(str, range(11))), {i: i for i in range(11)}),
        ([5, 1, 3], ("1", "3", "5"), {1: 0, 3: 1, 5: 2}),
        ([-1, 1], ("-1", "1"), {-1: 0, 1: 1}),
        (["10", "9"], ("10", "9"), {"10": 0, "9": 1}),
        ([True, False], ("0", "1"), {0: 0, 1: 1}),
        ([1.0, 0.0], ("0", "1"), {0: 0, 1: 1}),
    ],
)
def test_labels_become_classes(tmp_path: Path, labels: list[Any], names: tuple[str, ...], ids: dict[Any, int]) -> None:
    """Whole numbers from 0 are their own ids; others are sorted, numbers by value and words by code point."""
    classes = task_of(tmp_path, rows(*labels)).classes
    assert classes.names == names
    assert classes.ids == ids


def test_a_trained_head_keeps_its_labels(tmp_path: Path) -> None:
    """A model fine-tuned on named labels keeps their ids; a label it does not have is one clear line."""
    named = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "neg", "1": "pos"}}
    config(tmp_path, **named)
    assert task_of(tmp_path, rows("pos", "neg")).classes.ids == {"pos": 1, "neg": 0}
    assert task_of(tmp_path, rows(1, 0)).classes.ids == {1: 1, 0: 0}
    with pytest.raises(UserError, match='the label "neutral" is not one of the model\'s labels: neg, pos') as found:
        task_of(tmp_path, rows("pos", "neutral"))
    assert "--new-head" in found.value.hint
    new = task_of(tmp_path, rows("pos", "neutral"), train={"new_head": True})
    assert new.classes.names == ("neutral", "pos")


def test_a_trained_head_without_names_has_its_size(tmp_path: Path) -> None:
    """A label that a nameless head has no output for is told with the way out."""
    config(tmp_path, architectures=["BertForSequenceClassification"])
    assert task_of(tmp_path, rows(0, 1)).classes.names == ("0", "1")
    with pytest.raises(UserError, match=r"the label 2 is outside 0\.\.1 of the model's head"):
        task_of(tmp_path, rows(0, 2))


def test_labels_of_another_head_do_not_count(tmp_path: Path) -> None:
    """What a tagger calls its tags says nothing of classes."""
    config(tmp_path, architectures=["BertForTokenClassification"], id2label={"0": "O", "1": "B-PS"})
    assert task_of(tmp_path, rows("x", "y")).classes.names == ("x", "y")


def test_labels_of_the_recipe(tmp_path: Path) -> None:
    """The recipe's own id2label wins, and what it lacks is told."""
    keys = {"config": {"id2label": {"0": "good", "1": "bad"}}}
    assert task_of(tmp_path, rows("bad", "good"), **keys).classes.ids == {"bad": 1, "good": 0}
    with pytest.raises(UserError, match='"ugly" is not one of the recipe: good, bad'):
        task_of(tmp_path, rows("ugly"), **keys)
    assert len(task_of(tmp_path, rows(0, 1), config={"num_labels": 4}).classes.names) == 4


def test_a_dev_label_that_training_lacks_is_told(tmp_path: Path) -> None:
    """A class that is never trained is a mistake of the files."""
    with pytest.raises(UserError, match=r'dev\.jsonl:2: the label "c" of the dev set'):
        task_of(tmp_path, rows("a", "b"), rows("a", "c"))


def test_tables_spell_numbers(tmp_path: Path) -> None:
    """Labels of a tsv are numbers where all spell one, in both files alike."""
    (tmp_path / "train.tsv").write_text("text\tlabel\n가\t1\n나\t0\n")
    (tmp_path / "dev.tsv").write_text("text\tlabel\n가\t1\n")
    found = read(tiny.recipe("classify", tmp_path / "m", tmp_path / "train.tsv", tmp_path / "dev.tsv", tmp_path / "o"))
    assert isinstance(found, Classification)
    assert found.classes.ids == {0: 0, 1: 1}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": "글", "label": None}, "no label"),
        ({"text": None, "label": 0}, "no text"),
        ({"text": "글", "label": [0, 1]}, "several labels"),
        ({"text": "글", "label": 0.5}, "the label 0.5 is no class"),
    ],
)
def test_rows_that_cannot_be_used(tmp_path: Path, row: dict[str, Any], why: str) -> None:
    """A row without its text or one class is left out with its reason."""
    task = task_of(tmp_path, [*rows(0, 1), row])
    assert len(task.train.examples) == 2
    assert why in task.skipped[0][1]


def test_columns(tmp_path: Path) -> None:
    """Columns go by their usual names or by those the user gives; a file without them says what it has."""
    odd = [{"내용물": "글", "종류": "a"}, {"내용물": "말", "종류": "b"}]
    with pytest.raises(UserError, match="none of which is known to hold the text and the label") as found:
        task_of(tmp_path, odd)
    assert found.value.hint == "--column text=NAME --column label=NAME"
    named = task_of(tmp_path, odd, data={"columns": {"text": "내용물", "label": "종류"}})
    assert named.classes.names == ("a", "b")
    with pytest.raises(UserError, match='has no column "body"'):
        task_of(tmp_path, odd, data={"columns": {"text": "body"}})


def test_labels_of_two_kinds_are_refused(tmp_path: Path) -> None:
    """Names and numbers in one column are one line with the place of the odd one."""
    with pytest.raises(UserError, match=r"train\.jsonl:2: the label 'a' is no number"):
        task_of(tmp_path, rows(1, "a"))


def test_scores_and_files(tmp_path: Path) -> None:
    """A model that is right on three of four: accuracy, macro F1, the wrong one with its texts."""
    task = task_of(tmp_path, rows("a", "b"), rows("a", "b", "a", "b"))
    logits = np.array([[2, 0], [0, 2], [2, 0], [3, 0]], np.float32)
    scores = task.prepare(tokenizer("bert"), 128).score([logits])
    assert scores.figures["accuracy"] == 75.0
    assert scores.figures["macro_f1"] == pytest.approx(100 * (0.8 + 2 / 3) / 2)
    (wrong,) = scores.errors
    assert (wrong["label"], wrong["prediction"], wrong["text"]) == ("b", "a", "글 3")
    assert scores.files["predictions.tsv"].decode().splitlines()[0] == "where\tprediction\tlabel"


def test_long_texts_are_cut_and_said(tmp_path: Path) -> None:
    """Texts beyond the model's positions lose their end, and it is said how many; short ones stay whole."""
    texts = [{"text": "서울 " * 60, "label": 0}, {"text": "서울", "label": 1}]
    prepared = task_of(tmp_path, texts).prepare(tokenizer("bert"), 16)
    assert prepared.train.lengths.tolist()[0] == 16
    assert prepared.train.lengths.tolist()[1] < 16
    assert "1 of 2 training texts (50 %) were cut to 16 tokens" in prepared.said


def test_the_demos_sample_as_the_tokenizer_itself_encodes_it(tmp_path: Path) -> None:
    """Ids and segments are those of the tokenizer's own call."""
    made = tokenizer("bert")
    task = read(tiny.recipe("classify", tmp_path / "m", sample.classify(), None, tmp_path / "o"))
    assert isinstance(task, Classification)
    examples = task.prepare(made, 64).train
    encoded = made([one.text for one in task.train.examples], truncation=True, max_length=64)
    assert examples.ids.tolist() == [i for one in encoded["input_ids"] for i in one]
    assert (examples.types is not None) == ("token_type_ids" in encoded)
    if examples.types is not None:
        assert examples.types.tolist() == [i for one in encoded["token_type_ids"] for i in one]


def test_one_label_teaches_nothing(tmp_path: Path) -> None:
    """Rows that all have the same label are told before anything is loaded."""
    file = tiny.lines(tmp_path / "t.jsonl", [{"text": f"서울 {i}", "label": "a"} for i in range(3)])
    with pytest.raises(UserError, match=r't\.jsonl:1: every row has the label "a", so that there is nothing to learn'):
        read(tiny.recipe("classify", tmp_path / "m", file, None, tmp_path / "out"))


def test_no_room_for_a_token(tmp_path: Path) -> None:
    """A max_length that the special tokens fill is refused."""
    from pretune.train.tasks.encode import encode
    from train import made

    with pytest.raises(UserError, match="max_length is 2, but 2 tokens of each example are special ones"):
        encode(["서울"], made.tokenizer("bert"), longest=2)
    assert len(encode(["서울"], made.tokenizer("bert"), longest=3).ids) == 3


def test_the_only_label_left_is_not_the_mistake(tmp_path: Path) -> None:
    """Where rows cannot be used and one label is left, the row is told; with --unfit skip, the label."""
    rows = [{"text": f"서울 {i}", "label": 1.0 if i % 2 else 0.5} for i in range(4)]
    file = tiny.lines(tmp_path / "t.jsonl", rows)
    with pytest.raises(UserError, match=r"t\.jsonl:1: the label 0\.5 is no class"):
        read(tiny.recipe("classify", tmp_path / "m", file, None, tmp_path / "out"))
    with pytest.raises(UserError, match="so that there is nothing to learn"):
        read(tiny.recipe("classify", tmp_path / "m", file, None, tmp_path / "out", train={"unfit": "skip"}))


def class_label(names: list[str], labels: list[int]) -> Any:
    """A table with a column that `datasets` says the classes of."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
    return datasets.Dataset.from_dict(
        {"text": [f"서울 {i}" for i in range(len(labels))], "label": labels}, features=features
    )


@pytest.mark.parametrize("way", ["memory", "parquet"])
def test_names_of_a_class_label(tmp_path: Path, way: str) -> None:
    """Numbers whose names the data say get these names, also classes that no row has, and digits that are no ids."""
    rows = class_label(["1", "2", "3"], [0, 1, 1, 0])
    if way == "parquet":
        rows.to_parquet(str(tmp_path / "t.parquet"))
        rows = str(tmp_path / "t.parquet")
    given = {"model": tmp_path / "model", "train": rows, "dev": None, "out": tmp_path / "out", "columns": None}
    config(tmp_path)
    task = read(recipe_for("classify", given, {}))
    assert isinstance(task, Classification)
    assert task.classes.names == ("1", "2", "3")
    assert [task.classes.id_of(i) for i in range(3)] == [0, 1, 2]
    assert task._ids(task.train).tolist() == [0, 1, 1, 0]


def test_a_class_label_meets_a_trained_head_by_name(tmp_path: Path) -> None:
    """A head that has the same classes in another order is not trained on swapped labels; -1 is no class."""
    table = {"id2label": {"0": "pos", "1": "neg"}, "label2id": {"pos": 0, "neg": 1}}
    config(tmp_path, architectures=["BertForSequenceClassification"], **table)
    given = {"model": tmp_path / "model", "dev": None, "out": tmp_path / "out", "columns": None}
    task = read(recipe_for("classify", given | {"train": class_label(["neg", "pos"], [0, 1, 0])}, {}))
    assert isinstance(task, Classification)
    assert task.classes.names == ("pos", "neg")
    assert task._ids(task.train).tolist() == [1, 0, 1]
    with pytest.raises(UserError, match="the label -1 is none of the 2 that the data name"):
        read(recipe_for("classify", given | {"train": class_label(["neg", "pos"], [0, 1, -1])}, {}))
