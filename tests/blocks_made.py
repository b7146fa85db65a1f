"""Makes blocks of a file's rows one by one, as slowly and as plainly as can be, to compare with."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pretune.check.facts.plan import FilePlan, SurveyPlan
from pretune.check.facts.survey import Survey
from pretune.corpus.block import TEXTS, Block
from pretune.corpus.example import Example, example_of
from pretune.corpus.row import Row
from pretune.corpus.rows import read_rows
from pretune.corpus.shape import Shape, value_of

ROLES: Mapping[str, tuple[str, ...]] = {
    "squad": ("question", "context"),
    "tagging": ("tokens",),
    "chat": ("messages",),
    "pair": ("text", "text_pair"),
    "sts": ("text", "text_pair"),
}


def clean(text: str) -> str:
    """Lone surrogates, which polars cannot hold, as U+FFFD."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def text_of(example: Example, role: str) -> str | None:
    """What stands in a block for a role of a row."""
    if role == "tokens":
        return clean(" ".join(token for token in example.tokens if isinstance(token, str))) if example.tokens else None
    if role == "messages":
        return clean("\n".join(message["content"] for message in example.messages)) if example.messages else None
    text = getattr(example, role)
    return None if text is None else clean(text)


def labels_of(values: Sequence[Any]) -> pl.Series | None:
    """Labels of one kind as a series; None: they are of several kinds, or none is there."""
    kinds = {type(value) for value in values if value is not None}
    dtype = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}.get(next(iter(kinds), str))
    return pl.Series(values, dtype=dtype) if len(kinds) <= 1 and dtype is not None else None


def block_of(rows: Sequence[Row], file: FilePlan, shape: Shape, *, number: int, first: int = 0) -> Block:
    """One block."""
    good = [row for row in rows if row.broken is None]
    examples = [example_of(row, file.roles, shape) for row in good]
    texts = {
        role: pl.Series([text_of(example, role) for example in examples], dtype=pl.String)
        for role in TEXTS
        if role in file.roles or (role == "messages" and shape == "chat")
    }
    role = "score" if shape == "sts" else "label"
    labels = labels_of([value_of(row.values, file.roles[role]) for row in good]) if role in file.roles else None
    broken = tuple(row for row in rows if row.broken is not None)
    return Block(file.path, number, len(good), 0, texts, good.__getitem__, labels, broken, first)


def blocks_of(file: FilePlan, shape: Shape, size: int) -> Iterator[Block]:
    """A file in blocks of so many rows."""
    rows = list(read_rows(Path(file.path), label=file.path))
    for number, start in enumerate(range(0, len(rows), size)):
        yield block_of(rows[start : start + size], file, shape, number=number, first=start)


def parts_of(plan: SurveyPlan, size: int) -> list[tuple[Block, str, int]]:
    """All blocks of both splits, each with its split and the number of its file."""
    return [
        (block, name, at)
        for name, split in plan.splits.items()
        for at, file in enumerate(split.files)
        for block in blocks_of(file, plan.shape, size)
    ]


def surveyed(plan: SurveyPlan, *, size: int = 7, **bounds: int) -> Survey:
    """A survey of all rows."""
    survey = Survey(plan, **bounds)
    for block, name, at in parts_of(plan, size):
        survey.add(block, name, at)
    return survey
