"""Windows are run_qa.py's features, for every family of tokenizer and whatever the text holds."""

from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.corpus.example import Answer
from pretune.train.questions import Question, read_questions
from pretune.train.windows import cut
from train import made, run_qa

DATA = ("korquad-1.0-dev/KorQuAD_v1.0_dev.json", "squad2-course-split/dev-v2.0.json")


def _compare(asked: list[Question], tokenizer: Any, max_length: int, stride: int) -> int:
    """Compare every feature; returns how many labels differ, each of which must be impossible as run_qa.py has it."""
    windows = cut(asked, tokenizer, max_length=max_length, stride=stride)
    trained = run_qa.train_features(tokenizer, made.columns(asked), max_length, stride)
    scored = run_qa.validation_features(tokenizer, made.columns(asked), max_length, stride)
    assert len(windows) == len(trained["input_ids"])
    different = 0
    for at in range(len(windows)):
        feature, spans = windows.feature(at), windows.offset_mapping(at)
        assert feature["input_ids"] == trained["input_ids"][at]
        assert feature.get("token_type_ids") == (trained["token_type_ids"][at] if "token_type_ids" in trained else None)
        assert spans == scored["offset_mapping"][at]
        assert asked[windows.example[at]].id == scored["example_id"][at]
        ours = feature["start_positions"], feature["end_positions"]
        theirs = trained["start_positions"][at], trained["end_positions"][at]
        if ours != theirs:
            assert theirs[0] > theirs[1] or spans[theirs[0]] is None
            assert ours[0] <= ours[1]
            assert None not in spans[ours[0] : ours[1] + 1]
            different += 1
    assert different == windows.mended
    return different


@pytest.mark.parametrize("name", made.NAMES)
@pytest.mark.parametrize(("max_length", "stride"), [(512, 128), (24, 4), (19, 0), (30, 10)])
def test_features_are_those_of_run_qa(name: str, max_length: int, stride: int) -> None:
    """Ids, types, offsets and labels are the same but for labels that cannot be right: NFD, emoji, tabs, borders."""
    _compare(made.questions(), made.tokenizer(name), max_length, stride)


def test_left_truncation() -> None:
    """Windows are cut from the context's end where the tokenizer says so."""
    tokenizer = made.tokenizer("bert")
    tokenizer.truncation_side = "left"
    try:
        _compare(made.questions(), tokenizer, 24, 4)
    finally:
        tokenizer.truncation_side = "right"


@pytest.mark.parametrize("file", DATA)
def test_features_of_real_data(shared_assets: Path, file: str) -> None:
    """Of real questions each window of klue/roberta is run_qa.py's, and no label differs."""
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(shared_assets / "tokenizers" / "klue-roberta-base")
    asked = list(read_questions([shared_assets / "data" / file], limit=700).rows)
    assert _compare(asked, tokenizer, 384, 128) == 0


def test_an_answer_at_a_windows_last_token_is_labelled_there() -> None:
    """Where run_qa.py puts the start on the special token behind, ours is the token of the answer."""
    asked = made.questions(every=1)
    assert _compare(asked, made.tokenizer("bert"), 24, 4) > 0
    assert _compare(asked, made.tokenizer("roberta"), 40, 4) > 0


def test_the_tokenizer_is_left_as_it_was() -> None:
    """Truncation, padding and the post-processor of the caller's tokenizer survive."""
    tokenizer = made.tokenizer("roberta-space")
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(7)
    backend.enable_padding(length=9)
    before = backend.to_str()
    cut(made.questions(), tokenizer, max_length=40, stride=4)
    assert backend.to_str() == before
    backend.no_truncation()
    backend.no_padding()


def test_a_plain_tokenizer_will_do() -> None:
    """A tokenizers.Tokenizer gives the same windows as the one of transformers around it."""
    whole, plain = (
        cut(made.questions(), one, max_length=30, stride=4)
        for one in (made.tokenizer("bert"), made.tokenizer("bert").backend_tokenizer)
    )
    assert whole.input_ids.tolist() == plain.input_ids.tolist()
    assert whole.start_positions.tolist() == plain.start_positions.tolist()


def test_a_question_too_long_for_a_window() -> None:
    """It stops with its place, or is left out with its place and the reason."""
    asked = [
        Question("a", "fox " * 40, "The lazy dog. " * 9, (), "file:1"),
        Question("b", "who?", "The dog.", (), "file:2"),
    ]
    with pytest.raises(UserError, match=r"file:1: the question has .* more than the stride of 8"):
        cut(asked, made.tokenizer("bert"), max_length=40, stride=8)
    windows = cut(asked, made.tokenizer("bert"), max_length=40, stride=8, unfit="skip")
    assert windows.example.tolist() == [1]
    assert windows.skipped[0][0] == "file:1"


def test_a_stride_without_room() -> None:
    """A stride that leaves a window nothing new is refused."""
    with pytest.raises(UserError, match="stride is 64, expected 0 to 60, below the 64 tokens"):
        cut(made.questions(), made.tokenizer("bert"), max_length=64, stride=64)


def test_a_slow_tokenizer_is_refused() -> None:
    """A tokenizer without offsets is named."""
    with pytest.raises(UserError, match="object is a slow tokenizer"):
        cut(made.questions(), object())


def test_no_questions_and_an_answer_no_window_holds() -> None:
    """No question makes no window; an answer longer than a window is told as lost."""
    assert len(cut([], made.tokenizer("bert"))) == 0
    text = "fox dog " * 60
    windows = cut(
        [Question("a", "?", text, (Answer(text[:-1], 0),), "file:1")], made.tokenizer("bert"), max_length=40, stride=8
    )
    assert windows.lost == ("file:1",)
    assert (windows.start_positions == windows.cls_at).all()


def test_rows_that_cannot_be_used() -> None:
    """A misplaced answer stops training with its place, may be skipped, and does not matter for scoring."""
    rows = [
        {"id": "1", "question": "q", "context": "abc", "answers": {"text": ["b"], "answer_start": [0]}},
        {"id": "2", "question": "q", "context": "abc", "answers": {"text": ["b"], "answer_start": [1]}},
        {
            "id": "3",
            "question": "q",
            "context": "abc",
            "answers": {"text": ["b"], "answer_start": [1]},
            "is_impossible": True,
        },
    ]
    with pytest.raises(UserError, match='rows:row 1: answer "b" is not at character 0, where "a" stands'):
        read_questions([rows])
    found = read_questions([rows], unfit="skip")
    assert [one.id for one in found.rows] == ["2", "3"]
    assert found.rows[1].answers == ()
    assert found.plausible == 1
    assert len(read_questions([rows], purpose="eval").rows) == 3
    with pytest.raises(UserError, match='has the id "2" of rows:row 2'):
        read_questions([[*rows, rows[1]]], purpose="eval")
    with pytest.raises(UserError, match="expected a question and a context"):
        read_questions([[{"text": "a", "label": 1}]])
