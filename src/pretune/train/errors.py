"""Which questions a model answers wrongly, and how: error_rows. For reading; knows no metric but its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.train.metrics_reading import ReadingScores
    from pretune.train.questions import Question


class ErrorRow(NamedTuple):
    """A question that was not answered exactly.

    Attributes:
        id, where: of the question.
        kind: `answered although impossible`, `left unanswered`, `longer`, `shorter`, `overlaps`, `elsewhere`.
        question: its text.
        answers: what would have been right.
        prediction: what was said.
        f1: 0 to 1, of the variant.
        context: the passage.
        answer_start: where the first answer stands in it; None: nobody says, or there is no answer.
    """

    id: str
    where: str
    kind: str
    question: str
    answers: tuple[str, ...]
    prediction: str
    f1: float
    context: str
    answer_start: int | None


def error_rows(questions: Sequence[Question], predictions: Mapping[str, str], scores: ReadingScores) -> list[ErrorRow]:
    """The questions without an exact match, the worst first, else in their order."""
    rows = [
        ErrorRow(
            one.id,
            one.where,
            _kind(predictions.get(one.id, ""), one.texts, scores.f1[one.id]),
            one.question,
            one.texts,
            predictions.get(one.id, ""),
            scores.f1[one.id],
            one.context,
            one.answers[0].start if one.answers else None,
        )
        for one in questions
        if scores.exact[one.id] < 1
    ]
    return sorted(rows, key=lambda row: row.f1)


def _kind(prediction: str, answers: Sequence[str], f1: float) -> str:
    if not answers:
        return "answered although impossible"
    if not prediction.strip():
        return "left unanswered"
    if any(answer in prediction for answer in answers):
        return "longer"
    if any(prediction in answer for answer in answers):
        return "shorter"
    return "overlaps" if f1 > 0 else "elsewhere"
