"""What limits cut off: text, answers, windows, padding."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels
from pretune.check.facts.lengths import LengthFacts, Row
from pretune.check.rules.cuts import (
    RULES,
    answer_cut_off,
    answer_in_no_window,
    padding_to_full_length,
    question_fills_window,
    stride_too_long,
    text_cut_off,
    truncation_side_left,
)
from pretune.check.sources.setup import Data, Setup

MakeModel = Callable[..., Path]
QA = Setup(task="question-answering", places={"encode": "setup.toml:/encode"})


def _row(first: int, second: int, *answers: tuple[int, int]) -> Row:
    return Row("train.json:1", first + second + 3, first, second, answers)


def _questions(tmp_path: Path, folder: Path, context: int, at: int, *, count: int = 1, **encode: Any) -> Setup:
    """Questions of two tokens on a context of so many, with the answer at that token."""
    text = " ".join("a" * at + "b" + "c" * (context - at - 1))
    row = {"question": "질문 의", "context": text, "answers": {"text": ["b"], "answer_start": [2 * at]}}
    (tmp_path / "train.jsonl").write_text(f"{json.dumps(row)}\n" * count, "utf-8")
    data = Data(train=(str(tmp_path / "train.jsonl"),))
    return Setup(model=str(folder), task="question-answering", data=data, encode=encode)


def test_healthy(make_model: MakeModel, tmp_path: Path) -> None:
    """Windows with a stride, as run_qa cuts them, lose nothing."""
    encode = {
        "truncation": "only_second",
        "max_length": 40,
        "stride": 8,
        "return_overflowing_tokens": True,
        "padding": "max_length",
    }
    setup = _questions(tmp_path, make_model("bert"), 100, 90, **encode)
    assert all(is_asked(rule, setup) for rule in RULES)
    assert [finding for rule in RULES for finding in found(rule, setup)] == []


@pytest.mark.parametrize(("total", "level"), [(32, []), (33, []), (36, ["note"]), (45, ["warning"])])
def test_text_cut_off(total: int, level: list[str]) -> None:
    """A twentieth of the text is worth a note, a fifth a warning."""
    lengths = LengthFacts(max_length=32, rows=(Row("a:1", total, total - 2),) * 10)
    assert levels(found(text_cut_off, Setup(), lengths=lengths)) == level


def test_text_cut_off_says_how_much() -> None:
    """The message counts rows and tokens; windows and packing throw nothing away."""
    rows = (Row("a:1", 132, 130), Row("a:2", 28, 26))
    lengths = LengthFacts(model_max_length=32, model_max_length_at="t.json:/limit", truncation=True, rows=rows)
    (finding,) = found(text_cut_off, QA, lengths=lengths)
    assert finding.where == "t.json:/limit"
    assert finding.message == (
        "model_max_length 32 cuts 1 of 2 sampled rows and throws away 62 % of all tokens; the longest row has 132"
    )
    for more in ({"windows": True}, {"packs": True}, {"truncation": False}):
        assert found(text_cut_off, QA, lengths=LengthFacts(**{"max_length": 32, "rows": rows, **more})) == []


def test_answer_cut_off(make_model: MakeModel, tmp_path: Path) -> None:
    """The answer at the last token that is kept is safe, the one behind it is lost; a stride brings it back."""
    folder = make_model("bert")
    encode = {"truncation": "only_second", "max_length": 20}  # [CLS] 2 [SEP] 15 [SEP]
    assert found(answer_cut_off, _questions(tmp_path, folder, 40, 14, **encode)) == []
    (finding,) = found(answer_cut_off, _questions(tmp_path, folder, 40, 15, **encode))
    assert finding.message == "1 of 1 answers (100 %) lie beyond max_length 20 and no stride is set"
    assert finding.level == "error"
    assert finding.where.endswith("train.jsonl:1")
    assert found(answer_cut_off, _questions(tmp_path, folder, 40, 15, **encode, stride=4)) == []
    off = _questions(tmp_path, folder, 40, 15, **encode, stride=4, return_overflowing_tokens=False)
    assert levels(found(answer_cut_off, off)) == ["error"]


def test_answer_cut_off_on_the_left() -> None:
    """Cut on the left, the answers at the beginning are the lost ones."""
    rows = (_row(2, 40, (0, 0)), _row(2, 40, (39, 39)))
    lengths = LengthFacts(max_length=20, truncation_side="left", rows=rows)
    assert found(answer_cut_off, QA, lengths=lengths)[0].message.startswith("1 of 2 ")


def test_a_few_lost_answers_are_a_warning() -> None:
    """Under one in twenty, and one of several answers kept."""
    rows = (_row(2, 40, (30, 31)), *(_row(2, 40, (3, 4), (30, 31)),) * 30)
    assert levels(found(answer_cut_off, QA, lengths=LengthFacts(max_length=20, rows=rows))) == ["warning"]
    assert found(answer_cut_off, QA, lengths=LengthFacts(max_length=20, rows=rows[1:])) == []


@pytest.mark.parametrize(
    ("stride", "rows", "level"),
    [
        (8, (), []),
        (18, (), ["error"]),
        (18, (Row("a:1", 10, 8),), ["warning"]),
        (9, (_row(8, 40),), ["error"]),
        (8, (_row(8, 40),), []),
        (9, (_row(8, 2),), []),
        (9, (_row(30, 2),), []),
        (0, (_row(8, 40),), []),
        (None, (_row(8, 40),), []),
    ],
)
def test_stride_too_long(stride: int | None, rows: tuple[Row, ...], level: list[str]) -> None:
    """The stride has to be smaller than what is left beside a question of a row that is cut (20 - 3 - 8 = 9)."""
    lengths = LengthFacts(max_length=20, stride=stride, windows=True, specials=(2, 3), rows=rows)
    assert levels(found(stride_too_long, QA, lengths=lengths)) == level


def test_stride_too_long_says_where() -> None:
    """The message has the stride, the room, the rows; without a limit there is nothing to say."""
    lengths = LengthFacts(max_length=20, stride=12, windows=True, specials=(2, 3), rows=(_row(8, 40), _row(2, 40)))
    (finding,) = found(stride_too_long, QA, lengths=lengths)
    assert finding.message == (
        "stride is 12, but max_length 20 leaves in 1 of 2 sampled rows only 9 tokens beside the question, first train.json:1"
    )
    assert finding.where == "setup.toml:/encode/stride"
    assert found(stride_too_long, QA, lengths=LengthFacts(stride=500)) == []


@pytest.mark.parametrize(
    ("span", "stride", "whole"),
    [
        ((0, 14), 4, True),
        ((10, 14), 4, True),
        ((11, 15), 4, True),
        ((10, 15), 4, False),
        ((11, 15), 0, False),
        ((15, 15), 0, True),
        ((36, 39), 4, True),
        ((5, 15), 12, True),
        ((0, 15), 14, False),
    ],
)
def test_answer_in_no_window(span: tuple[int, int], stride: int, whole: bool) -> None:
    """Windows of 15 context tokens that advance by 15 - stride: the answer is whole in one of them or not."""
    rows = (_row(2, 40, span),)
    room, step = 15, 15 - stride
    windows = [(start, start + room - 1) for start in range(0, 40, step)]
    assert whole == any(first <= span[0] and span[1] <= last for first, last in windows)
    for side, spans in (("right", span), ("left", (39 - span[1], 39 - span[0]))):
        lengths = LengthFacts(
            max_length=20, stride=stride, windows=True, truncation_side=side, rows=(_row(2, 40, spans),)
        )
        assert (found(answer_in_no_window, QA, lengths=lengths) == []) is whole
    assert found(answer_in_no_window, QA, lengths=LengthFacts(max_length=20, rows=rows)) == []


def test_answer_in_no_window_says_how_long() -> None:
    """A note when it is one in a hundred, with the longest answer's tokens."""
    rows = (_row(2, 40, (10, 25)), *(_row(2, 10, (3, 4)),) * 200)
    (finding,) = found(answer_in_no_window, QA, lengths=LengthFacts(max_length=20, stride=4, windows=True, rows=rows))
    assert finding.level == "note"
    assert "1 of 201 sampled answers, up to 16 tokens" in finding.message


@pytest.mark.parametrize(
    ("padding", "total", "count", "fires"),
    [
        ("max_length", 20, 20, True),
        ("max_length", 60, 20, False),
        ("longest", 20, 20, False),
        ("max_length", 20, 19, False),
    ],
)
def test_padding_to_full_length(padding: str, total: int, count: int, fires: bool) -> None:
    """Padding that is more than six tenths of the batch is worth a note, once enough rows are seen."""
    lengths = LengthFacts(max_length=100, padding=padding, rows=(Row("a", total, total - 2),) * count)
    findings = found(padding_to_full_length, QA, lengths=lengths)
    assert bool(findings) is fires
    if fires:
        assert findings[0].message == "padding to max_length 100 leaves 80 % of every batch empty"


def test_truncation_side_left(make_model: MakeModel) -> None:
    """A tokenizer that cuts on the left: a note until rows are seen to lose their beginning, then a warning."""
    folder = make_model("bert", tokenizer_config={"truncation_side": "left"})
    setup = Setup(model=str(folder), task="text-classification")
    assert levels(found(truncation_side_left, setup)) == ["note"]
    long, short = (Row("a:1", 90, 88),), (Row("a:1", 20, 18),)
    cut = LengthFacts(truncation_side="left", max_length=64, rows=long)
    (finding,) = found(truncation_side_left, setup, lengths=cut)
    assert finding.level == "warning"
    assert finding.message.endswith("1 of 1 sampled rows lose their beginning")
    assert (
        found(truncation_side_left, setup, lengths=LengthFacts(truncation_side="left", max_length=64, rows=short)) == []
    )
    assert found(truncation_side_left, setup, lengths=LengthFacts(truncation_side="left", truncation=False)) == []
    assert found(truncation_side_left, Setup(model=str(folder), task="causal-lm")) == []
    asked = Setup(model=str(folder), task="text-classification", encode={"truncation_side": "left", "max_length": 64})
    assert levels(found(truncation_side_left, asked, lengths=cut)) == ["note"]
    healthy = Setup(model=str(make_model("bert", name="b")), task="text-classification")
    assert found(truncation_side_left, healthy) == []


@pytest.mark.parametrize(
    ("first", "truncation", "level"),
    [(16, "only_second", []), (17, "only_second", ["error"]), (30, True, ["warning"])],
)
def test_question_fills_window(first: int, truncation: bool | str, level: list[str]) -> None:
    """A question of max_length less the special tokens leaves no room: only_second raises, else the answer is gone."""
    lengths = LengthFacts(max_length=20, truncation=truncation, rows=(_row(first, 9),))
    assert levels(found(question_fills_window, QA, lengths=lengths)) == level


@pytest.mark.slow
def test_korquad_with_run_qa_settings(shared_assets: Path) -> None:
    """KorQuAD on klue RoBERTa with max_length 384 and stride 128 is healthy; at 128 without a stride many answers go."""
    data = Data(train=(str(shared_assets / "data/korquad-1.0-dev/KorQuAD_v1.0_dev.json"),))
    model = str(shared_assets / "tokenizers/klue-roberta-base")
    encode = {"truncation": "only_second", "max_length": 384, "stride": 128, "padding": "max_length"}
    setup = Setup(model=model, task="question-answering", data=data, encode=encode)
    assert [finding for rule in RULES for finding in found(rule, setup)] == []
    cut = Setup(
        model=model, task="question-answering", data=data, encode={"truncation": "only_second", "max_length": 128}
    )
    assert levels(found(answer_cut_off, cut)) == ["error"]
    assert levels(found(text_cut_off, cut)) == ["warning"]


def test_exact_numbers_of_all_rows(make_model: MakeModel, tmp_path: Path) -> None:
    """What is cut is counted in all rows, also behind the measured ones; answers are looked at in those alone."""
    setup = _questions(tmp_path, make_model("bert"), 40, 15, count=2100, truncation="only_second", max_length=20)
    (cut,) = found(text_cut_off, setup)
    assert (
        cut.message
        == "max_length 20 cuts 2,100 of 2,100 rows and throws away 56 % of all tokens; the longest row has 45"
    )
    (answer,) = found(answer_cut_off, setup)
    assert answer.message.startswith("2,000 of 2,000 sampled answers (100 %)")
    short = "".join(f"{json.dumps({'question': '질문', 'context': 'a'})}\n" for _ in range(2100))
    path = Path(setup.data.train[0])
    path.write_text(short + "\n".join(path.read_text("utf-8").splitlines()[:400]), "utf-8")
    (cut,) = found(text_cut_off, Setup(model=setup.model, task=setup.task, data=setup.data, encode={"max_length": 6}))
    assert cut.message.startswith("max_length 6 cuts 400 of 2,500 rows and throws away 55 %")
