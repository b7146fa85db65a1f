"""Tests of question-answering rows: where answers begin, whether they are there, what is marked unanswerable.

Knows one row at a time, and no tokenizer.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pretune.check.facts.hits import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pretune.corpus.example import Answer, Example


def first_misaligned(row: Example) -> Answer | None:
    """The first answer that is in the context but does not stand where answer_start says."""
    context = row.context or ""
    for answer in row.answers:
        start = answer.start
        if (
            answer.text
            and start is not None
            and (start < 0 or not context.startswith(answer.text, start))
            and answer.text in context
        ):
            return answer
    return None


def explained(context: str, answer: Answer) -> str:
    """Which way of counting makes `answer.start` right: bytes, UTF-16, another Unicode form, or a shift by a few."""
    start = answer.start or 0
    places: list[int] = []
    at = context.find(answer.text)
    while at >= 0 and len(places) < 1000:
        places.append(at)
        at = context.find(answer.text, at + 1)
    if any(len(context[:at].encode("utf-8", "surrogatepass")) == start for at in places):
        return "counts UTF-8 bytes"
    if any(len(context[:at].encode("utf-16-le", "surrogatepass")) == 2 * start for at in places):
        return "counts UTF-16 units (JavaScript, Java)"
    if any(len(context[:at].encode("cp949", "replace")) == start for at in places):
        return "counts CP949 bytes"
    for form in ("NFD", "NFC"):
        if any(len(unicodedata.normalize(form, context[:at])) == start for at in places):
            return f"fits the context in {form}"
    if any(len(context[:at].replace("\n", "\r\n")) == start for at in places):
        return "counts line ends as two characters"
    nearest = min(places, key=lambda at: abs(at - start), default=None)
    if nearest is None or abs(nearest - start) > 50:
        return "points elsewhere"
    return f"is off by {start - nearest:+d}"


def folded_widely(text: str) -> str:
    """A text without compatibility forms, case and white space."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def misaligned(row: Example) -> Found | None:
    """An answer is elsewhere; the kind is the way of counting that explains it."""
    answer = first_misaligned(row)
    return None if answer is None else Found(kinds=((explained(row.context or "", answer), 1),))


def not_in_context(row: Example) -> Found | None:
    """No answer is in the context; the kind `alike`: but for Unicode form, case or white space."""
    context = row.context or ""
    lost = [answer.text for answer in row.answers if answer.text.strip() and answer.text not in context]
    # an evaluation set may list an odd wording beside one that fits
    if not lost or len(lost) != len(row.answers):
        return None
    return Found(kinds=(("alike", 1),) if folded_widely(lost[0]) in folded_widely(context) else ())


def without_start(row: Example) -> Found | None:
    """An answer has no answer_start, or a negative one that `misaligned` does not tell of."""
    given = [answer for answer in row.answers if answer.text]
    if not any(answer.start is None or answer.start < 0 for answer in given):
        return None
    known = first_misaligned(row) is not None and not any(answer.start is None for answer in row.answers)
    return None if known else Found()


def blank_answer(row: Example) -> Found | None:
    """An answer without text."""
    return Found() if any(not answer.text.strip() for answer in row.answers) and not row.is_impossible else None


def several_answers(row: Example) -> Found | None:
    """More than one different answer."""
    return Found() if len({(answer.text, answer.start) for answer in row.answers}) > 1 else None


def impossible_but_answered(row: Example) -> Found | None:
    """Marked unanswerable, with an answer."""
    return Found() if row.is_impossible and any(answer.text.strip() for answer in row.answers) else None


def unanswered(row: Example) -> Found | None:
    """No answer at all."""
    return None if row.answers else Found()


def lost_answer(row: Example) -> Found | None:
    """Marked answerable, without an answer."""
    return Found() if not row.answers and row.is_impossible is False else None


def unmarked(row: Example) -> Found | None:
    """Neither an answer nor a mark, nor an empty list, which is how `datasets` writes SQuAD 2's unanswerable ones."""
    return Found() if not row.answers and row.is_impossible is None and not row.answered else None


def spaced_answer(row: Example) -> Found | None:
    """An answer with white space around it."""
    texts = (answer.text for answer in row.answers)
    return Found() if any(text.strip() and text != text.strip() for text in texts) else None


ANSWER_TESTS: Mapping[str, Callable[[Example], Found | None]] = {
    "misaligned": misaligned,
    "not-in-context": not_in_context,
    "without-start": without_start,
    "blank-answer": blank_answer,
    "several-answers": several_answers,
    "impossible-answered": impossible_but_answered,
    "unanswered": unanswered,
    "lost-answer": lost_answer,
    "unmarked": unmarked,
    "spaced-answer": spaced_answer,
}
