"""Family MRC, answers of questions: where they begin, whether they are there, what is marked unanswerable.

Knows no tokenizer: answers that truncation cuts away are the family LEN's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.hits import Hits
    from pretune.check.facts.split import DataFacts, Split
    from pretune.check.finding import Rule

_FEW = 0.01
"""Below this share of the rows a fault costs a little of the score, above it the training."""


def _splits(data: DataFacts) -> Iterator[Split]:
    return iter(data.splits if data.shape == "squad" else ())


def _level(split: Split, hits: Hits) -> Level:
    return Level.ERROR if split.share(hits) >= _FEW else Level.WARNING


@rule("MRC001", Level.ERROR)
def answer_start_misaligned(data: DataFacts) -> Iterator[Problem]:
    """answer_start does not point at the answer.

    Why: the span that is trained is made from answer_start; the model learns to answer with other words, in silence.
    Fix: search for the answer in the context near answer_start, and count characters (code points), not bytes.
    """
    for split in _splits(data):
        hits = split.hit("misaligned")
        if hits:
            why = ", ".join(f"{reason} in {number(n)}" for reason, n in hits.common(2))
            found = f"answer_start misses its answer in {split.found(hits)}: it {why}"
            yield Problem(found, hits[0].where, level=_level(split, hits))


@rule("MRC002", Level.ERROR)
def answer_not_in_context(data: DataFacts) -> Iterator[Problem]:
    """An answer does not occur in its context.

    Why: an extractive model can never give it; its position is taken from answer_start, whatever stands there.
    Fix: mend the answer or the context (Unicode form, white space), or remove the row.
    """
    for split in _splits(data):
        hits = split.hit("not-in-context")
        if hits:
            alike = hits.kinds.get("alike", 0)
            near = f"; {number(alike)} would be, but for Unicode form, case or white space" if alike else ""
            found = f"the answer is not in the context in {split.found(hits)}{near}"
            yield Problem(found, hits[0].where, level=_level(split, hits))


@rule("MRC003", Level.ERROR)
def answer_start_missing(data: DataFacts) -> Iterator[Problem]:
    """Answers have no answer_start, or a negative one.

    Why: the span to train cannot be made; a negative start points at the end of the context, or at [CLS].
    Fix: add answer_start, in characters of the context.
    """
    for split in _splits(data):
        hits = split.hit("without-start")
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
        hits = split.hit("blank-answer")
        if hits:
            yield Problem(f"an answer is given but blank in {split.found(hits)}", hits[0].where)


@rule("MRC005", Level.NOTE)
def only_the_first_answer_is_trained(data: DataFacts) -> Iterator[Problem]:
    """Training questions have several different answers.

    Why: the usual preprocessing takes answers[0] and leaves the others out.
    Fix: nothing, when that is meant; else make a row of each answer.
    """
    split = data.train
    hits = split.hit("several-answers")
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
        hits = split.hit("impossible-answered")
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
        rows = split.hit("unanswered")
        if rows and len(rows) == split.total:
            yield Problem(
                f"no {split.name} row has an answer: nothing to train or to score",
                rows[0].where,
                level=None if split.name == "train" else Level.NOTE,
            )
            continue
        hits = split.hit("lost-answer")
        if hits:
            yield Problem(f"is_impossible is false but no answer is given in {split.found(hits)}", hits[0].where)
        unmarked = split.hit("unmarked")
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
        hits = split.hit("ids")
        if hits:
            such = f", such as {shown(hits[0].said[0])}" if hits[0].said else ""
            yield Problem(
                f"{split.found(hits)} repeat the id of an earlier question{such}",
                hits[0].where,
                level=None if split.name == "eval" else Level.NOTE,
            )


@rule("MRC009", Level.NOTE)
def contexts_in_train_and_eval(data: DataFacts) -> Iterator[Problem]:
    """Evaluation questions are about contexts that training questions are about, too.

    Why: a split by question instead of by document lets the model know the passages; its score may be too good.
    Fix: split by document (title or context).
    """
    hits = data.eval.hit("contexts")
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
        hits = split.hit("spaced-answer")
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
