"""LIV0: labels of the first batches; each rule fires on its fault and is quiet beside it."""

import pytest

from live_made import WRITER, batch, cases, judged, live, told
from pretune.check.rules.live_labels import (
    answer_ends_before_it_begins,
    answers_at_the_beginning,
    answers_beyond_the_row,
    batch_label_outside_head,
    labels_all_ignored,
    one_class_at_a_time,
    rows_without_a_label,
)
from pretune.check.rules.live_targets import (
    end_is_never_learnt,
    labels_shifted_twice,
    masking_does_not_suit_the_model,
    padding_is_learnt,
)

NO = -100
QA, CLS, TAG, MLM, LM = "question-answering", "text-classification", "token-classification", "masked-lm", "causal-lm"


def answers(starts: list[int], ends: list[int] | None = None, width: int = 12):
    """A reading batch of rows `[CLS] …`."""
    ids = [[2, *range(10, 8 + width), 3] for _ in starts]
    return batch(input_ids=ids, start_positions=starts, end_positions=ends or starts)


def tags(*labels: list[int]):
    """A tagging batch."""
    return batch(input_ids=[[5] * len(row) for row in labels], labels=list(labels))


def classes(*labels: float):
    """A classification batch."""
    return batch(input_ids=[[2, 7, 3]] * len(labels), labels=list(labels))


def writing(ids: list[list[int]], labels: list[list[int]], mask: list[list[int]] | None = None):
    """A language model's batch."""
    return batch(input_ids=ids, labels=labels, attention_mask=mask or [[1] * len(row) for row in ids])


RUN = list(range(10, 30))
PADDED = [[1, 1, 0, 0]] * 2


@pytest.mark.parametrize(
    ("rule", "facts", "word"),
    cases(
        (
            labels_all_ignored,
            "are -100",
            [
                live(TAG, tags([NO, NO], [NO, NO])),
                live(LM, *[tags([NO, NO])] * 4),
                live(CLS, classes(NO, NO)),
                live(TAG, tags([NO, 1]), tags([NO, NO])),
            ],
            [
                live(TAG, tags([NO, 1], [NO, NO])),
                live(MLM, tags([NO, NO]), tags([NO, 7])),
                live(QA, answers([3, 4])),
                live(CLS, batch(input_ids=[[2, 3]])),
            ],
        ),
        (
            rows_without_a_label,
            "rows hold no label but -100",
            [
                live(LM, tags(*[[NO, NO]] * 4, *[[NO, 5]] * 4)),
                live("chat-sft", tags(*[[NO, NO]] * 2, *[[NO, 5]] * 6)),
                live(TAG, *[tags([NO, NO], [1, 1])] * 4),
            ],
            [
                live(LM, tags(*[[NO, NO]], *[[NO, 5]] * 7)),
                live(MLM, tags(*[[NO, NO]] * 4, *[[NO, 5]] * 4)),
                live(LM, tags([NO, NO], [NO, 5])),
                live(CLS, classes(*[NO] * 8)),
            ],
        ),
        (
            answers_at_the_beginning,
            "point at the first token",
            [
                live(QA, answers([0] * 16)),
                live(QA, *[answers([0] * 8)] * 4),
                live(QA, batch(input_ids=[[0, 0, 2, 9, 3]] * 16, start_positions=[2] * 16, end_positions=[2] * 16)),
            ],
            [
                live(QA, answers([0] * 15 + [4])),
                live(QA, answers([0] * 8)),
                live(QA, answers([5] * 16)),
                live(CLS, answers([0] * 16)),
            ],
        ),
        (
            answer_ends_before_it_begins,
            "the answer ends before it begins (start 5, end 4)",
            [
                live(QA, answers([5], [4])),
                live(QA, answers([3, 5], [3, 4])),
                live(QA, answers([3]), answers([5, 6], [4, 6])),
            ],
            [live(QA, answers([4], [4])), live(QA, answers([0, 3], [0, 7])), live(CLS, answers([5], [4]))],
        ),
        (
            answers_beyond_the_row,
            "answers point behind",
            [
                live(QA, answers([12, 3, 4, 5])),
                live(QA, answers([90, 100, 3, 4])),
                live(QA, answers([3, 3, 3, 3], [3, 3, 3, 40])),
            ],
            [
                live(QA, answers([11, 3, 4, 5])),
                live(QA, answers([12, 3, 4])),
                live(QA, answers([12, *[3] * 11])),
                live(TAG, answers([12] * 8)),
            ],
        ),
        (
            batch_label_outside_head,
            "but the head has 3 outputs",
            [
                live(CLS, classes(0, 1, 3)),
                live(CLS, classes(-1, 1)),
                live(TAG, tags([NO, 7, 1])),
                live(CLS, batch(input_ids=[[2, 3]], label=[5])),
            ],
            [
                live(CLS, classes(0, 1, 2)),
                live(CLS, classes(NO, 2)),
                live(CLS, classes(0.5, 3.0)),
                live(CLS, classes(5), model={"config": {"id2label": {0: "x"}}}),
                live(CLS, batch(input_ids=[[2, 3]], labels=[[0, 9, 1]])),
                live(MLM, tags([NO, 70])),
                live(CLS, classes(7), run={"own_loss": True}),
            ],
        ),
        (
            padding_is_learnt,
            "padded positions have a label",
            [
                live(LM, writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, 0]] * 2, PADDED)),
                live(TAG, writing([[5, 6, 0, 0]] * 2, [[1, 2, 0, 0]] * 2, PADDED)),
                live(MLM, writing([[5, 6, 0, 0]] * 2, [[NO, 6, 0, 0]] * 2, PADDED)),
            ],
            [
                live(LM, writing([[5, 6, 0, 0]] * 2, [[5, 6, NO, NO]] * 2, PADDED)),
                live(LM, writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, NO]] * 2, PADDED)),
                live(LM, writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, 0]] * 2)),
                live(QA, writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, 0]] * 2, PADDED)),
                live(LM, writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, 0]] * 2, PADDED), run={"own_loss": True}),
            ],
        ),
        (
            end_is_never_learnt,
            "rows end in the end token (id 3)",
            [
                live(LM, writing([[5, 6, 3]] * 4, [[5, 6, NO]] * 4), special=WRITER),
                live("chat-sft", *[writing([[5, 3]] * 2, [[5, NO]] * 2)] * 2, special={"pad": 3, "eos": 3}),
                live(LM, writing([[5, 3, 0]] * 4, [[5, NO, NO]] * 4, [[1, 1, 0]] * 4), special=WRITER),
            ],
            [
                live(LM, writing([[5, 6, 3]] * 4, [[5, 6, 3]] * 4), special=WRITER),
                live(LM, writing([[5, 6, 7]] * 4, [[5, 6, 7]] * 4), special=WRITER),
                live(LM, writing([[5, 6, 3]] * 4, [[NO, NO, NO]] * 4), special=WRITER),
                live(MLM, writing([[5, 6, 3]] * 4, [[5, NO, NO]] * 4)),
            ],
        ),
        (
            labels_shifted_twice,
            "of the labels are the next token",
            [
                live(LM, writing([RUN], [[*RUN[1:], NO]])),
                live(LM, writing([RUN] * 2, [[*RUN[1:], 3]] * 2)),
                live("chat-sft", writing([RUN] * 4, [[NO] * 10 + [*RUN[11:], NO]] * 4)),
            ],
            [
                live(LM, writing([RUN], [RUN])),
                live(LM, writing([[7] * 20], [[7] * 20])),
                live(LM, writing([RUN[:6]], [[*RUN[1:6], NO]])),
                live(LM, writing([RUN], [[*RUN[1:], NO]]), run={"own_loss": True}),
                live(MLM, writing([RUN], [[*RUN[1:], NO]])),
            ],
        ),
        (
            masking_does_not_suit_the_model,
            "masked",
            [
                live(MLM, writing([RUN] * 2, [RUN] * 2)),
                live(MLM, writing([[2, *RUN, 3]] * 2, [[NO, *RUN, NO]] * 2)),
                live(LM, writing([[4, *RUN]] * 2, [[9, *[NO] * 20]] * 2)),
            ],
            [
                live(MLM, writing([[4, *RUN]] * 2, [[9, *[NO] * 20]] * 2)),
                live(LM, writing([RUN] * 2, [RUN] * 2)),
                live(MLM, writing([RUN], [RUN])),
                live(MLM, writing([RUN] * 2, [RUN] * 2), special=WRITER),
                live(LM, writing([[4, *RUN]] * 2, [[4, *RUN]] * 2)),
            ],
        ),
        (
            one_class_at_a_time,
            "rows are all of class 1",
            [
                live(CLS, *[classes(*[1] * 8)] * 3, run={"classes": {0: 50, 1: 50}}),
                live(CLS, *[classes(*[1] * 8)] * 8, run={"classes": {1: 80, 2: 20}}),
                live("pair-classification", *[classes(*[1] * 8)] * 3, run={"classes": {0: 1000, 1: 500, 2: 3}}),
            ],
            [
                live(CLS, *[classes(*[1] * 7, 0)] * 3, run={"classes": {0: 50, 1: 50}}),
                live(CLS, *[classes(*[1] * 8)] * 2, run={"classes": {0: 50, 1: 50}}),
                live(CLS, *[classes(*[1] * 8)] * 3, run={"classes": {1: 99, 0: 1}}),
                live(CLS, *[classes(*[1] * 8)] * 3),
            ],
        ),
    ),
)
def test_rule(rule, facts, word) -> None:
    """Fires with actual and expected value, or is quiet."""
    judged(rule, facts, word)


def test_levels() -> None:
    """One batch in several without a label is a warning, as is padding learnt by a generative model."""
    assert [one.level for one in told(labels_all_ignored, live(TAG, tags([NO, 1]), tags([NO, NO])))] == ["warning"]
    padded = writing([[5, 6, 0, 0]] * 2, [[5, 6, 0, 0]] * 2, PADDED)
    assert [told(padding_is_learnt, live(task, padded))[0].level for task in (LM, TAG)] == ["warning", "error"]
