"""Family MRC, answers of questions: where they begin, whether they are there, what is marked unanswerable.

Knows no tokenizer: answers that truncation cuts away are the family LEN's business.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.example import Answer, Example
    from pretune.check.facts.split import DataFacts, Split
    from pretune.check.finding import Rule

_FEW = 0.01
"""Below this share of the rows a fault costs a little of the score, above it the training."""


def _splits(data: DataFacts) -> Iterator[Split]:
    return iter(data.splits if data.shape == "squad" else ())


def _level(split: Split, hits: list[Example]) -> Level:
    return Level.ERROR if split.share(hits) >= _FEW else Level.WARNING


def _misaligned(row: Example) -> Answer | None:
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


@rule("MRC001", Level.ERROR)
def answer_start_misaligned(data: DataFacts) -> Iterator[Problem]:
    """answer_start does not point at the answer.

    Why: the span that is trained is made from answer_start; the model learns to answer with other words, in silence.
    Fix: search for the answer in the context near answer_start, and count characters (code points), not bytes.
    """
    for split in _splits(data):
        pairs = [(row, answer) for row in split.rows if (answer := _misaligned(row))]
        if pairs:
            reasons = Counter(explained(row.context or "", answer) for row, answer in pairs)
            why = ", ".join(f"{reason} in {number(n)}" for reason, n in reasons.most_common(2))
            hits = [row for row, _ in pairs]
            yield Problem(
                f"answer_start misses its answer in {split.found(hits)}: it {why}",
                hits[0].where,
                level=_level(split, hits),
            )


@rule("MRC002", Level.ERROR)
def answer_not_in_context(data: DataFacts) -> Iterator[Problem]:
    """An answer does not occur in its context.

    Why: an extractive model can never give it; its position is taken from answer_start, whatever stands there.
    Fix: mend the answer or the context (Unicode form, white space), or remove the row.
    """
    for split in _splits(data):
        hits, alike = [], 0
        for row in split.rows:
            lost = [a.text for a in row.answers if a.text.strip() and a.text not in (row.context or "")]
            # an evaluation set may list an odd wording beside one that fits
            if lost and len(lost) == len(row.answers):
                hits.append(row)
                alike += _fold(lost[0]) in _fold(row.context or "")
        if hits:
            near = f"; {number(alike)} would be, but for Unicode form, case or white space" if alike else ""
            yield Problem(
                f"the answer is not in the context in {split.found(hits)}{near}",
                hits[0].where,
                level=_level(split, hits),
            )


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@rule("MRC003", Level.ERROR)
def answer_start_missing(data: DataFacts) -> Iterator[Problem]:
    """Answers have no answer_start, or a negative one.

    Why: the span to train cannot be made; a negative start points at the end of the context, or at [CLS].
    Fix: add answer_start, in characters of the context.
    """
    for split in _splits(data):
        hits = [row for row in split.rows if any(a.text and (a.start is None or a.start < 0) for a in row.answers)]
        hits = [row for row in hits if _misaligned(row) is None or any(a.start is None for a in row.answers)]
        if hits:
            level = None if data.task == "question-answering" else Level.NOTE
            yield Problem(
                f"answers have no answer_start, or a negative one, in {split.found(hits)}", hits[0].where, level=level
            )


@rule("MRC004", Level.WARNING)
def empty_answer(data: DataFacts) -> Iterator[Problem]:
    """An answer is given, but its text is empty.

    Why: it becomes a span of no characters, which training turns into [CLS] or into the token before it.
    Fix: write the answer, or give no answers and is_impossible: true.
    """
    for split in _splits(data):
        hits = [row for row in split.rows if any(not a.text.strip() for a in row.answers) and not row.is_impossible]
        if hits:
            yield Problem(f"an answer is given but blank in {split.found(hits)}", hits[0].where)


@rule("MRC005", Level.NOTE)
def only_the_first_answer_is_trained(data: DataFacts) -> Iterator[Problem]:
    """Training questions have several different answers.

    Why: the usual preprocessing takes answers[0] and leaves the others out.
    Fix: nothing, when that is meant; else make a row of each answer.
    """
    split = data.train
    hits = (
        [row for row in split.rows if len({(a.text, a.start) for a in row.answers}) > 1]
        if data.shape == "squad"
        else []
    )
    if hits:
        yield Problem(
            f"{split.found(hits)} have several answers, of which training may use only the first", hits[0].where
        )


@rule("MRC006", Level.WARNING)
def unanswerable_with_answers(data: DataFacts) -> Iterator[Problem]:
    """Questions are marked is_impossible and have answers all the same.

    Why: the usual preprocessing looks at the answers and not at the mark, so they are trained as answerable.
    Fix: move the answers to plausible_answers.
    """
    for split in _splits(data):
        hits = [row for row in split.rows if row.is_impossible and any(a.text.strip() for a in row.answers)]
        if hits:
            yield Problem(f"is_impossible is true but answers are given in {split.found(hits)}", hits[0].where)


@rule("MRC007", Level.WARNING)
def answerable_without_answers(data: DataFacts) -> Iterator[Problem]:
    """Questions have no answer and are not marked is_impossible.

    Why: they are trained and scored as unanswerable, although perhaps the answer was lost. An empty list of answers in
    a file without is_impossible is SQuAD 2's own way to say so, and is not told of.
    Fix: mark them is_impossible: true, or give the answer.
    """
    for split in _splits(data):
        rows = [row for row in split.rows if not row.answers]
        if rows and len(rows) == len(split.rows):
            yield Problem(
                f"no {split.name} row has an answer: nothing to train or to score",
                rows[0].where,
                level=None if split.name == "train" else Level.NOTE,
            )
            continue
        hits = [row for row in rows if row.is_impossible is False]
        if hits:
            yield Problem(f"is_impossible is false but no answer is given in {split.found(hits)}", hits[0].where)
        # an empty list of answers is how `datasets` writes SQuAD 2's unanswerable questions
        unmarked = [row for row in rows if row.is_impossible is None and not row.answered]
        if unmarked:
            message = f"{split.found(unmarked)} have neither answers nor is_impossible, and may count as unanswerable"
            yield Problem(message, unmarked[0].where, level=Level.NOTE)


@rule("MRC008", Level.ERROR)
def question_ids_repeated(data: DataFacts) -> Iterator[Problem]:
    """Several questions have the same id.

    Why: predictions and references are matched by id; of two with one id the later one overwrites the earlier.
    Fix: give each question an id of its own.
    """
    for split in _splits(data):
        seen: set[str] = set()
        hits = []
        for row in split.rows:
            if row.id is not None and row.id in seen:
                hits.append(row)
            seen.add(row.id or "")
        if hits:
            level = None if split.name == "eval" else Level.NOTE
            yield Problem(
                f"{split.found(hits)} repeat the id of an earlier question, such as {shown(hits[0].id or '')}",
                hits[0].where,
                level=level,
            )


@rule("MRC009", Level.NOTE)
def contexts_in_train_and_eval(data: DataFacts) -> Iterator[Problem]:
    """Evaluation questions are about contexts that training questions are about, too.

    Why: a split by question instead of by document lets the model know the passages; its score may be too good.
    Fix: split by document (title or context).
    """
    if data.shape != "squad":
        return
    known = {_fold(row.context) for row in data.train.rows if row.context}
    hits = [row for row in data.eval.rows if row.context and _fold(row.context) in known]
    if hits:
        share = data.eval.share(hits)
        message = f"{data.eval.found(hits)} ask about a context that train has ({percent(share)})"
        yield Problem(message, hits[0].where, level=Level.WARNING if share >= 0.5 else None)


@rule("MRC010", Level.NOTE)
def answer_with_space_around(data: DataFacts) -> Iterator[Problem]:
    """Answers begin or end with white space.

    Why: the space belongs to no token or to the neighbouring one, so that the span's end may be missed.
    Fix: strip the answer, and move answer_start by what was cut.
    """
    for split in _splits(data):
        hits = [row for row in split.rows if any(a.text.strip() and a.text != a.text.strip() for a in row.answers)]
        if hits:
            yield Problem(f"answers begin or end with white space in {split.found(hits)}", hits[0].where)


RULES: tuple[Rule, ...] = (
    answer_start_misaligned,
    answer_not_in_context,
    answer_start_missing,
    empty_answer,
    only_the_first_answer_is_trained,
    unanswerable_with_answers,
    answerable_without_answers,
    question_ids_repeated,
    contexts_in_train_and_eval,
    answer_with_space_around,
)
