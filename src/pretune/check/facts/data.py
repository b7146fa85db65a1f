"""A Setup's data files to facts: read_data takes a bounded sample of rows and reads them in the task's words.

Labels are summed up by labels.py. Knows no tokenizer and no model.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.check.facts.example import Answer, Example, example_of, number_of
from pretune.check.facts.labels import LabelCounts, LabelFacts, read_labels
from pretune.check.facts.split import DataFacts, FileFacts, Split
from pretune.check.finding import Unavailable
from pretune.core.errors import UserError, did_you_mean
from pretune.corpus.rows import format_of, read_rows
from pretune.corpus.shape import columns_for, has_column, recognise
from pretune.corpus.table import dialect_of, swallowed_lines
from pretune.corpus.text import text_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.check.sources.setup import Setup
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


def read_data(setup: Setup, *, sample: int = 2000) -> DataFacts:
    """Read the head of each data file.

    Args:
        setup: names the files, the task and, where they are unusual, the columns.
        sample: rows that are looked at of each file.

    Raises:
        Unavailable: the Setup names no data.
        UserError: a file cannot be read (see `corpus.rows`), or lacks a column the Setup names.
    """
    if not setup.data.train and not setup.data.eval:
        raise Unavailable("no data files were given (--train, --eval)")
    said = dict(setup.data.columns)
    heads = {path: _head(path, sample, said) for path in dict.fromkeys((*setup.data.train, *setup.data.eval))}
    shape = _shape(setup.task, heads.values(), said)
    splits = [
        _split(name, shape, [_file(path, heads[path], shape, said, sample) for path in paths])
        for name, paths in (("train", setup.data.train), ("eval", setup.data.eval))
    ]
    first = next((file for split in splits for file in split.files), None)
    return DataFacts(splits[0], splits[1], setup.task, shape, first.roles if first else {})


def _head(path: str, sample: int, said: Mapping[str, str]) -> list[Row]:
    """One row more than the sample, which tells whether there are more. A `~` is the home folder."""
    return list(islice(read_rows(Path(path).expanduser(), label=path, named=tuple(said.values())), sample + 1))


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
    path: str, rows: list[Row], shape: Shape, said: Mapping[str, str], sample: int
) -> tuple[FileFacts, list[Row]]:
    columns = _columns(rows)
    if columns:
        for role, name in said.items():
            if not has_column(columns, name):
                there = ", ".join(str(column) for column in list(columns)[:20])
                raise UserError(
                    f'{path} has no column "{name}" (data.columns.{role}); its columns are {there}',
                    hint=did_you_mean(name, map(str, columns)),
                )
    roles = {**columns_for(shape, columns), **said}
    kind = format_of(Path(path).expanduser())
    facts = FileFacts(path, kind, tuple(map(str, columns)), roles, min(len(rows), sample), len(rows) > sample)
    if kind not in {"parquet", "arrow"}:
        facts = replace(facts, bom=text_head(Path(path).expanduser()).bom)
    if kind == "table":
        dialect = dialect_of(Path(path).expanduser(), named=tuple(said.values()))
        lost, at = swallowed_lines(Path(path).expanduser(), dialect, limit=sample)
        names = facts.columns or dialect.columns
        facts = replace(
            facts, columns=names, header=dialect.header, delimiter=dialect.delimiter, swallowed=lost, swallowed_at=at
        )
    return facts, rows[:sample]


def _split(name: str, shape: Shape, files: Sequence[tuple[FileFacts, list[Row]]]) -> Split:
    examples: list[Example] = []
    broken: list[Row] = []
    for facts, rows in files:
        read = [example_of(row, facts.roles, shape) for row in rows if row.broken is None]
        examples += _typed(read) if facts.format == "table" else read
        broken += [row for row in rows if row.broken is not None]
    return Split(
        name,
        tuple(facts for facts, _ in files),
        tuple(examples),
        tuple(broken),
        any(facts.more for facts, _ in files),
    )


def _typed(examples: list[Example]) -> list[Example]:
    """The labels of a table as pandas types the column: numbers when all cells are, floats when one is missing."""
    cells = [example.label for example in examples]
    numbers = [number_of(cell) if isinstance(cell, str) else None for cell in cells]
    blank = [cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells]
    if all(blank) or any(number is None and not empty for number, empty in zip(numbers, blank, strict=True)):
        return [replace(e, label=None) if empty else e for e, empty in zip(examples, blank, strict=True)]
    floats = any(blank) or any(isinstance(number, float) for number in numbers)
    return [
        replace(example, label=float(number) if floats and number is not None else number)
        for example, number in zip(examples, numbers, strict=True)
    ]
