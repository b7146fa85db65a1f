"""A Setup's data files to facts: read_data of a bounded sample of rows, plan_of and data_facts for all of them.

The heads of the files tell what the columns and the rows are. Labels are summed up by labels.py. Knows no tokenizer and
no model.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pretune.check.facts.labels import LabelCounts, LabelFacts, read_labels
from pretune.check.facts.plan import LONGEST_ENDING, FilePlan, SplitHead, SplitPlan, SurveyPlan
from pretune.check.facts.repeats import leaks_of
from pretune.check.facts.sampled import split_of
from pretune.check.facts.split import DataFacts, FileFacts, Split
from pretune.check.finding import Unavailable
from pretune.core.errors import UserError, did_you_mean
from pretune.corpus.blocks import read_input
from pretune.corpus.example import Answer, Example, example_of
from pretune.corpus.inputs import expand
from pretune.corpus.shape import columns_for, has_column, recognise
from pretune.corpus.table import dialect_of, swallowed_lines
from pretune.corpus.text import text_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.check.facts.survey import Survey
    from pretune.check.sources.setup import Setup
    from pretune.corpus.inputs import Input
    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

__all__ = [
    "Answer",
    "DataFacts",
    "Example",
    "FileFacts",
    "LabelCounts",
    "LabelFacts",
    "Split",
    "SurveyPlan",
    "data_facts",
    "inputs_of",
    "plan_of",
    "read_data",
    "read_labels",
]

_SHAPES: Mapping[str, Shape] = {
    "question-answering": "squad",
    "text-classification": "classification",
    "pair-classification": "pair",
    "token-classification": "tagging",
    "sentence-similarity": "sts",
    "masked-lm": "text",
    "causal-lm": "text",
    "chat-sft": "chat",
}


MUST_BE_TEXT = ("text", "text_pair", "question", "context")


def read_data(setup: Setup, *, sample: int = 2000) -> DataFacts:
    """Read the head of each data file, and nothing else.

    Args:
        setup: names the files, the task and, where they are unusual, the columns.
        sample: rows that are looked at of each file.

    Raises:
        Unavailable: the Setup names no data.
        UserError: a file cannot be read (see `corpus.rows`), or lacks a column the Setup names.
    """
    plan = plan_of(setup, sample=sample)
    heads = plan.heads or {}
    train, evaluation = (
        split_of(name, heads[name], plan.splits[name], plan.shape, beginning=plan.beginning) for name in heads
    )
    leaks = leaks_of(train.rows, evaluation.rows)
    evaluation = replace(evaluation, hits={**evaluation.hits, **leaks})
    first = next((file for split in (train, evaluation) for file in split.files), None)
    return DataFacts(train, evaluation, plan.task, plan.shape, first.roles if first else {}, plan.beginning)


def plan_of(setup: Setup, *, sample: int = 2000, beginning: str = "") -> SurveyPlan:
    """Read the head of each data file, and decide what all rows are read as.

    Args:
        setup: names the files, the task and, where they are unusual, the columns.
        sample: rows of each file's head.
        beginning: a text whose occurrence at the beginning of texts is counted (the bos token); empty: none.

    Raises:
        Unavailable: the Setup names no data.
        UserError: a file cannot be read (see `corpus.rows`), or lacks a column the Setup names.
    """
    if not setup.data.train and not setup.data.eval:
        raise Unavailable("no data files were given (--train, --eval)")
    said = dict(setup.data.columns)
    inputs = inputs_of(setup)
    firsts = {one.label: _head(one, sample, said) for several in inputs.values() for one in several}
    shape = _shape(setup.task, firsts.values(), said)
    heads, plans = dict[str, SplitHead](), list[SplitPlan]()
    for name, several in inputs.items():
        read = [_file(one, firsts[one.label], shape, said, sample) for one in several]
        rows = tuple([example_of(row, file.roles, shape) for row in rows if row.broken is None] for file, rows in read)
        broken = tuple(row for _, rows in read for row in rows if row.broken is not None)
        files = tuple(file for file, _ in read)
        heads[name] = SplitHead(files, rows, broken)
        plans.append(SplitPlan(tuple(_plan(file, examples, files) for file, examples in zip(files, rows, strict=True))))
    return SurveyPlan(shape, plans[0], plans[1], setup.task, beginning, heads)


def inputs_of(setup: Setup) -> Mapping[str, tuple[Input, ...]]:
    """What is read for `train` and for `eval`, in the order in which plans and surveys number them.

    Objects in memory have labels of their own, so that a place tells which one it is in.

    Raises:
        UserError: what `corpus.inputs.expand` raises.
    """
    train = expand(setup.data.train, purpose="train")
    known = {one.label: one.source for one in train}
    evaluation = tuple(
        replace(one, label=f"eval {one.label}")
        if one.format == "memory" and one.source is not known.get(one.label, one.source)
        else one
        for one in expand(setup.data.eval, purpose="eval")
    )
    return {"train": train, "eval": evaluation}


def data_facts(plan: SurveyPlan, survey: Survey, *, complete: bool = True) -> DataFacts:
    """What the rules ask of the data, after all rows were looked at.

    Args:
        plan: of the same files, with the heads that plan_of read.
        survey: the blocks of all files.
        complete: False: the survey was stopped before it had all blocks.
    """
    return survey.facts(plan, complete=complete)


def _plan(file: FileFacts, rows: Sequence[Example], files: Sequence[FileFacts]) -> FilePlan:
    """A file as the tests of its rows need to know it."""
    expected = {
        role: tuple(dict.fromkeys(other.roles[role] for other in files if role in other.roles))
        for role in MUST_BE_TEXT
        if any(role in other.roles for other in files)
    }
    endings: frozenset[str] = frozenset()
    if file.format == "table":
        ends = Counter(str(list(row.values.values())[-1]) for row in rows if row.lines == 1 and row.values)
        endings = frozenset(end for end, count in ends.items() if count >= 2 and len(end) <= LONGEST_ENDING)
    return FilePlan(file.path, file.format, file.roles, len(file.columns), file.delimiter, endings, expected)


def _head(source: Input, sample: int, said: Mapping[str, str]) -> list[Row]:
    """One row more than the sample, which tells whether there are more."""
    return list(read_input(source, limit=sample + 1, named=tuple(said.values())))


def _columns(rows: Sequence[Row]) -> dict[str, Any]:
    """The columns of the first hundred rows, each with a value that is not null where there is one."""
    found: dict[str, Any] = {}
    for row in rows[:100]:
        for name, value in row.values.items():
            if found.get(name) is None:
                found[name] = value
    return found


def _shape(task: str | None, heads: Any, said: Mapping[str, str]) -> Shape:
    if task is not None and task in _SHAPES:
        shape = _SHAPES[task]
        lists_messages = any(recognise(_columns(rows)) == "chat" for rows in heads)
        return "chat" if task == "causal-lm" and lists_messages else shape
    columns = next((found for rows in heads if (found := _columns(rows))), {})
    roles = [role for role, column in said.items() if has_column(columns, column)]
    return recognise([*roles, *columns], {**columns, **{role: columns.get(said[role]) for role in roles}})


def _file(
    source: Input, rows: list[Row], shape: Shape, said: Mapping[str, str], sample: int
) -> tuple[FileFacts, list[Row]]:
    columns = _columns(rows)
    if columns:
        for role, name in said.items():
            if not has_column(columns, name):
                there = ", ".join(str(column) for column in list(columns)[:20])
                raise UserError(
                    f'{source.label} has no column "{name}" (data.columns.{role}); its columns are {there}',
                    hint=did_you_mean(name, map(str, columns)),
                )
    roles = {**columns_for(shape, columns), **said}
    looked = min(len(rows), sample)
    names = tuple(map(str, columns))
    facts = FileFacts(source.label, source.format, names, roles, looked, looked, len(rows) > sample)
    if source.format not in {"parquet", "arrow", "memory"}:
        facts = replace(facts, bom=text_head(source.source).bom)
    if source.format == "table":
        dialect = dialect_of(source.source, named=tuple(said.values()))
        lost, at = swallowed_lines(source.source, dialect, limit=sample)
        facts = replace(
            facts,
            columns=names or dialect.columns,
            header=dialect.header,
            delimiter=dialect.delimiter,
            swallowed=lost,
            swallowed_at=at,
        )
    return facts, rows[:sample]
