"""LIV1: token ids of the first batches; each rule fires on its fault and is quiet beside it."""

import pytest

from live_made import WRITER, batch, cases, judged, live, told
from pretune.check.rules.live_ids import (
    attention_mask_missing,
    batch_id_without_row,
    batch_id_without_token,
    batch_longer_than_positions,
    batches_full_of_unknowns,
    one_row_again_and_again,
    rows_that_begin_twice,
    rows_without_their_beginning,
    segment_without_row,
)

CLS, QA, LM = "text-classification", "question-answering", "causal-lm"
ROW = [2, 10, 11, 3]


def ids(*rows: list[int], **further):
    """A batch of rows."""
    return batch(input_ids=list(rows), **further)


@pytest.mark.parametrize(
    ("rule", "facts", "word"),
    cases(
        (
            batch_id_without_row,
            "have no row",
            [
                live(CLS, ids([2, 100, 3])),
                live(None, ids(ROW), ids([2, -1, 3])),
                live("sentence-similarity", batch(anchor_input_ids=[ROW], positive_input_ids=[[2, 500, 3]])),
            ],
            [
                live(CLS, ids([2, 99, 3])),
                live(CLS, ids([2, 500, 3]), model={"rows": None}),
                live(CLS, batch(input_values=[[0.1, 500.0]])),
            ],
        ),
        (
            batch_id_without_token,
            "larger than the tokenizer's largest",
            [
                live(CLS, ids([2, 80, 3]), tokenizer={"largest": 50}),
                live(LM, ids(ROW, [2, 99, 3, 3]), tokenizer={"largest": 98}),
                live(None, batch(b_input_ids=[[2, 80, 3]]), tokenizer={"largest": 50}),
            ],
            [
                live(CLS, ids([2, 50, 3]), tokenizer={"largest": 50}),
                live(CLS, ids([2, 100, 3])),
                live(CLS, ids([2, 80, 3]), tokenizer={"largest": -1}),
            ],
        ),
        (
            batches_full_of_unknowns,
            "are the unknown token (id 1)",
            [
                live(CLS, ids([2, *[1] * 60, 3])),
                live(LM, *[ids([2, *[1, 8, 9] * 4, 3])] * 10),
                live(QA, ids([2, *[1] * 10, *range(20, 80), 3])),
            ],
            [
                live(CLS, ids([2, *[1] * 20, 3])),
                live(CLS, ids([2, 1, *range(20, 80), 3])),
                live(LM, ids([1] * 60), special={"pad": 1, "unk": 1}),
                live(LM, ids([1] * 60), special=WRITER),
            ],
        ),
        (
            rows_that_begin_twice,
            "rows begin with `<2>` twice",
            [
                live(CLS, ids([2, 2, 10, 3], [2, 2, 11, 3])),
                live(LM, ids([2, 2, 10], [2, 10, 11]), special=WRITER),
                live(LM, ids([0, 2, 2], [2, 2, 9], attention_mask=[[0, 1, 1], [1, 1, 1]]), special=WRITER),
            ],
            [
                live(CLS, ids(ROW, ROW)),
                live(LM, ids([10, 10, 11], [10, 10, 12]), special=WRITER),
                live(LM, ids([2, 2, 10], ROW[:3], ROW[:3]), special=WRITER),
            ],
        ),
        (
            rows_without_their_beginning,
            "none of the first 4 rows holds `<2>`",
            [
                live(CLS, ids(*[[10, 11, 12]] * 4)),
                live(QA, ids(*[[10, 11, 3]] * 4)),
                live("sentence-similarity", batch(a_input_ids=[[10]] * 2, b_input_ids=[[11]] * 2)),
            ],
            [
                live(CLS, ids(*[ROW] * 4)),
                live(CLS, ids([10, 11, 12], [10, 11, 12], [10, 11, 12], ROW[:3])),
                live("masked-lm", ids(*[[10, 11, 12]] * 4)),
                live(CLS, ids(*[[10, 11, 12]] * 4), special=WRITER),
                live(CLS, ids(*[[10, 11, 12]] * 4), tokenizer={"opens": None}),
            ],
        ),
        (
            attention_mask_missing,
            "the batches have no attention_mask",
            [
                live(CLS, ids([2, 10, 3, 0, 0], [2, 10, 11, 12, 3])),
                live(LM, ids([0, 0, 5, 6]), special=WRITER),
                live(None, batch(q_input_ids=[[2, 3, 0, 0]])),
            ],
            [
                live(CLS, ids([2, 3, 0, 0], attention_mask=[[1, 1, 0, 0]])),
                live(CLS, ids(ROW, ROW)),
                live(CLS, ids([2, 3, 0, 0]), model={"inputs": ("input_ids",)}),
                live(LM, ids([5, 6, 0, 0], position_ids=[[0, 1, 0, 1]]), special=WRITER),
                live(LM, ids([5, 6, 3]), special={"pad": 3, "eos": 3}),
            ],
        ),
        (
            batch_longer_than_positions,
            "tokens, but the model 8 positions",
            [
                live(CLS, ids([2] * 9), model={"positions": 8}),
                live(None, ids(ROW), ids([2] * 600), model={"positions": 8}),
                live(None, batch(a_input_ids=[[2] * 9]), model={"positions": 8}),
            ],
            [
                live(CLS, ids([2] * 8), model={"positions": 8}),
                live(LM, ids([2] * 900)),
                live(LM, ids([2] * 9, position_ids=[[0, 1, 2] * 3]), model={"positions": 8}),
            ],
        ),
        (
            segment_without_row,
            "token_type_ids go up to",
            [
                live(CLS, ids(ROW, token_type_ids=[[0, 0, 1, 1]]), model={"segments": 1}),
                live(QA, ids(ROW, token_type_ids=[[0, 0, 2, 1]]), model={"segments": 2}),
                live(None, ids(ROW), ids(ROW, token_type_ids=[[0, 0, 1, 1]]), model={"segments": 1}),
            ],
            [
                live(CLS, ids(ROW, token_type_ids=[[0, 0, 1, 1]]), model={"segments": 2}),
                live(CLS, ids(ROW, token_type_ids=[[0, 0, 0, 0]]), model={"segments": 1}),
                live(CLS, ids(ROW, token_type_ids=[[0, 0, 1, 1]])),
            ],
        ),
        (
            one_row_again_and_again,
            "again and again",
            [
                live(CLS, ids(*[ROW] * 16)),
                live(LM, *[ids(ROW, [2, 3, 3, 3])] * 8),
                live(None, *[batch(a_input_ids=[ROW] * 8, b_input_ids=[ROW] * 8)] * 2),
            ],
            [
                live(CLS, ids(*[[2, n, 3] for n in range(16)])),
                live(CLS, ids(*[ROW] * 8)),
                live(None, *[batch(a_input_ids=[ROW] * 8, b_input_ids=[[n] for n in range(8)])] * 2),
            ],
        ),
    ),
)
def test_rule(rule, facts, word) -> None:
    """Fires with actual and expected value, or is quiet."""
    judged(rule, facts, word)


def test_mostly_unknown_is_an_error() -> None:
    """More than half of the text unknown is no doubtful case."""
    assert [one.level for one in told(batches_full_of_unknowns, live(CLS, ids([2, *[1] * 60, 3])))] == ["error"]
