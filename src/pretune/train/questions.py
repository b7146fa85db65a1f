"""Rows of question-answering data to questions that can be trained on or scored: read_questions. Knows no tokenizer.

Rows come through corpus/, so every format is read. Whether answers stand where the file says is asked here for training
only, and told in one line; `pretune check` shows all such rows with their fixes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError, did_you_mean
from pretune.corpus.example import example_of
from pretune.corpus.inputs import expand
from pretune.corpus.shape import columns_for, has_column, recognise
from pretune.corpus.task_rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.corpus.example import Answer, Example
    from pretune.corpus.inputs import Input
    from pretune.corpus.row import Row
    from pretune.corpus.splits import Purpose

Unfit = Literal["error", "skip"]
"""What is done with a row that cannot be used: stop with one line, or leave it out and count it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the passage it is about and its answers.

    Attributes:
        id: what predictions are filed under; the row's place where the row has no id.
        question: as the file has it.
        context: the passage.
        answers: as the file has them; empty: it cannot be answered from the passage.
        where: the place of the row, `train.json:/data/0/paragraphs/1/qas/2`.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] = ()
    where: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The answers' texts, as metrics take them."""
        return tuple(answer.text for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of some files.

    Attributes:
        rows: those that can be used, in the order of the files.
        skipped: (place, why) of each row that was left out.
        plausible: questions marked as impossible whose plausible answers stood among the answers and were not taken.
    """

    rows: tuple[Question, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    plausible: int = 0


def read_questions(
    named: Sequence[Any],
    *,
    purpose: Purpose = "train",
    unfit: Unfit = "error",
    limit: int | None = None,
    columns: Mapping[str, str] | None = None,
) -> Questions:
    """The questions of files, folders or objects in memory.

    A question marked `is_impossible` has no answers, also where a file lists plausible ones as answers (KLUE-MRC as the
    hub has it does, and run_qa.py trains on them).

    Args:
        named: what `corpus.inputs.expand` takes.
        purpose: for training the first answer must stand where the file says; for evaluation texts are enough.
        unfit: `error` stops at the first row that cannot be used, `skip` leaves it out and says why.
        limit: at most so many rows are read.
        columns: role (question, context, answers, id) -> column, as the user named them.

    Raises:
        UserError: nothing to read; not question-answering rows; two questions of one id; no question at all; a row
            that cannot be used.
    """
    found: list[Question] = []
    skipped: list[tuple[str, str]] = []
    plausible = 0
    places: dict[str, str] = {}
    for example, broken in _examples(expand(named, purpose=purpose), limit, columns or {}):
        why = broken or _unfit(example, purpose)
        if why:
            if unfit == "error":
                raise UserError(
                    f"{example.where}: {why}", hint="mend it (`pretune check` shows all), or skip such rows"
                )
            skipped.append((example.where, why))
            continue
        name = example.id if example.id is not None else example.where
        if name in places:
            raise UserError(
                f'{example.where} has the id "{name}" of {places[name]}', hint="each question needs its own"
            )
        places[name] = example.where
        plausible += bool(example.is_impossible and example.answers)
        answers = () if example.is_impossible else example.answers
        found.append(Question(name, example.question or "", example.context or "", answers, example.where))
    if not found:
        raise UserError(f"no question that can be used in {', '.join(map(str, named))}", hint=_first(skipped))
    return Questions(tuple(found), tuple(skipped), plausible)


def _first(skipped: list[tuple[str, str]]) -> str:
    return f"{len(skipped)} rows were skipped, the first {skipped[0][0]}: {skipped[0][1]}" if skipped else ""


def _examples(inputs: Sequence[Input], limit: int | None, said: Mapping[str, str]) -> Iterator[tuple[Example, str]]:
    """Each row with why it could not be read; empty: it could."""
    count = 0
    for one in inputs:
        columns: dict[str, str] | None = None
        for row in rows_of(one, tuple(said.values())):
            if limit is not None and count >= limit:
                return
            count += 1
            if columns is None and not row.broken:
                columns = _columns(one, row, said)
            yield example_of(row, columns or {}, "squad"), row.broken or ""


def _columns(one: Input, row: Row, said: Mapping[str, str]) -> dict[str, str]:
    there = ", ".join(list(map(str, row.values))[:20]) or "none"
    for name in said.values():
        if not has_column(row.values, name):
            hint = did_you_mean(name, map(str, row.values))
            raise UserError(f'{one.label} has no column "{name}"; its columns are {there}', hint=hint)
    shape = recognise([*said, *row.values], row.values)
    columns = {**columns_for("squad", row.values), **said}
    if (shape != "squad" and not {"question", "context"} <= said.keys()) or not {
        "question",
        "context",
    } <= columns.keys():
        lacking = [role for role in ("question", "context") if role not in columns] or ["question", "context"]
        raise UserError(
            f"{one.label} has the columns {there}, expected a question and a context",
            hint=" ".join(f"--column {role}=NAME" for role in lacking),
        )
    return columns


def _unfit(example: Example, purpose: Purpose) -> str:
    """Why the row cannot be used; empty: it can."""
    if example.question is None or example.context is None:
        return f"no text as {'question' if example.question is None else 'context'}"
    if not example.answered and not example.is_impossible:
        return "no answers given, expected a list, be it empty"
    if example.is_impossible or purpose != "train" or not example.answers:
        return ""
    answer, context = example.answers[0], example.context
    if answer.start is None:
        return f'answer "{answer.text[:40]}" has no answer_start'
    if not answer.text:
        return "the answer is empty text, expected no answer at all or one with text"
    there = context[max(answer.start, 0) : max(answer.start, 0) + len(answer.text)]
    if there != answer.text or answer.start < 0:
        return f'answer "{answer.text[:40]}" is not at character {answer.start}, where "{there[:40]}" stands'
    return ""
