"""Rows that were read together, however they were: Piece, pieces of careful rows, and pieces joined to a Block.

Knows no formats. Asks for polars, and is imported only by what reads blocks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import polars as pl

from pretune.corpus.block import TEXTS, Block
from pretune.corpus.example import example_of
from pretune.corpus.shape import value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

_SURROGATE = re.compile("[\ud800-\udfff]")

_DTYPES = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}

STRUCTURED = frozenset({"tagging", "chat"})
"""Shapes whose texts are made of lists."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of the rows of a file.

    Attributes:
        shape: what they are.
        roles: role -> column.
        fields: fields that a row of the table should have; 0: it is no table; None: not known.
    """

    shape: Shape
    roles: Mapping[str, str]
    fields: int | None = None

    @property
    def texts(self) -> dict[str, str]:
        """Role -> column, of the roles whose column is the text; empty for shapes whose texts are made of lists."""
        if self.shape in STRUCTURED:
            return {}
        return {role: self.roles[role] for role in TEXTS[:4] if role in self.roles}

    @property
    def lists(self) -> tuple[str, ...]:
        """The columns whose lists the texts are made of."""
        return tuple(self.roles[role] for role in TEXTS[4:] if role in self.roles and self.shape in STRUCTURED)

    @property
    def label(self) -> str | None:
        """The column of the label or the score."""
        return self.roles.get("label", self.roles.get("score"))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that texts and labels are taken from, each once."""
        return tuple(dict.fromkeys([*self.texts.values(), *([self.label] if self.label is not None else [])]))


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that stand together.

    Attributes:
        rows: how many could be read.
        texts: role -> String series, one entry a row.
        labels: the label of each; None: no column, or nothing that a column of plain values holds.
        row: index -> the row.
        broken: (rows of the piece before it, broken row) pairs.
        odd: the rows that take several lines or have another number of fields than they should; None: not known.
    """

    rows: int
    texts: Mapping[str, pl.Series]
    labels: pl.Series | None
    row: Callable[[int], Row]
    broken: tuple[tuple[int, Row], ...] = ()
    odd: Sequence[int] | None = None


def piece_of(rows: Sequence[Row], wanted: Wanted) -> Piece:
    """A piece of rows that were read one by one."""
    good: list[Row] = []
    broken: list[tuple[int, Row]] = []
    for row in rows:
        if row.broken is None:
            good.append(row)
        else:
            broken.append((len(good), row))
    labels = None
    if wanted.label is not None:
        labels = labels_of([value_of(row.values, wanted.label) for row in good])
    odd = None
    if wanted.fields is not None:
        odd = [at for at, row in enumerate(good) if row.lines > 1 or row.fields != wanted.fields]
    return Piece(len(good), _texts(good, wanted), labels, good.__getitem__, tuple(broken), odd)


def joined(pieces: Sequence[Piece], *, label: str, number: int, size: int, first: int) -> Block:
    """The block that these pieces make, in their order."""
    ends = list(accumulate(piece.rows for piece in pieces))

    def row(index: int) -> Row:
        if not 0 <= index < (ends[-1] if ends else 0):
            raise IndexError(index)
        at = bisect_right(ends, index)
        return pieces[at].row(index - (ends[at] - pieces[at].rows))

    filled = [piece for piece in pieces if piece.rows]
    return Block(
        label=label,
        number=number,
        rows=ends[-1] if ends else 0,
        size=size,
        texts=_joined_texts(filled or pieces),
        labels=_joined_labels(filled or pieces),
        broken=tuple(broken for piece in pieces for _, broken in piece.broken),
        odd=_joined_odd(pieces),
        row=row,
        first=first,
    )


def head(piece: Piece, rows: int) -> Piece:
    """The first rows of a piece, and the broken ones among them."""
    if rows >= piece.rows:
        return piece
    texts = {role: series.head(rows) for role, series in piece.texts.items()}
    labels = None if piece.labels is None else piece.labels.head(rows)
    broken = tuple((at, row) for at, row in piece.broken if at < rows)
    odd = None if piece.odd is None else [at for at in piece.odd if at < rows]
    return Piece(rows, texts, labels, piece.row, broken, odd)


def strings_of(values: Sequence[Any]) -> pl.Series:
    """What is a string of these values; the rest is null.

    UTF-8 has no half of a surrogate pair, which JSON's escapes can write: U+FFFD stands for it.
    """
    strings = [value if isinstance(value, str) else None for value in values]
    try:
        return pl.Series(strings, dtype=pl.String)
    except UnicodeEncodeError:
        return pl.Series(
            [None if value is None else _SURROGATE.sub("\ufffd", value) for value in strings], dtype=pl.String
        )


def labels_of(values: Sequence[Any]) -> pl.Series | None:
    """A series of labels: strings, whole numbers, numbers or truth values; None when they are of several kinds.

    NaN is null, as in an Example.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pl.Series([None] * len(values), dtype=pl.Null)
    if kinds == {int, float}:
        kinds = {float}
    if len(kinds) > 1 or not kinds <= set(_DTYPES):
        return None
    kind = kinds.pop()
    if kind is str:
        return strings_of(values)
    if kind is float:
        values = [None if value is None or value != value else value for value in values]  # noqa: PLR0124 - NaN
    try:
        return pl.Series(values, dtype=_DTYPES[kind], strict=False) if kind is float else _exact(values, kind)
    except OverflowError:
        return None


def _exact(values: Sequence[Any], kind: type) -> pl.Series | None:
    if kind is int and any(value is not None and not -(2**63) <= value < 2**63 for value in values):
        return None
    return pl.Series(values, dtype=_DTYPES[kind])


def _texts(rows: Sequence[Row], wanted: Wanted) -> dict[str, pl.Series]:
    """The texts as an Example has them."""
    if wanted.shape not in STRUCTURED:
        return {
            role: strings_of([value_of(row.values, column) for row in rows]) for role, column in wanted.texts.items()
        }
    examples = [example_of(row, wanted.roles, wanted.shape) for row in rows]
    if wanted.shape == "tagging":
        role = "tokens"
        made = [next((text for role, text in example.texts if role == "tokens"), None) for example in examples]
    else:
        role = "messages"
        made = [
            "\n".join(text for role, text in example.texts if role == "messages") if example.messages else None
            for example in examples
        ]
    return {role: strings_of(made)}


def _joined_texts(pieces: Sequence[Piece]) -> dict[str, pl.Series]:
    if len(pieces) == 1:
        return dict(pieces[0].texts)
    return {role: _concat([piece.texts[role] for piece in pieces]) for role in (pieces[0].texts if pieces else ())}


def _joined_labels(pieces: Sequence[Piece]) -> pl.Series | None:
    """The labels of all pieces; none when one has none, or they are of several kinds."""
    series: list[pl.Series] = []
    for piece in pieces:
        if piece.labels is None:
            return None
        series.append(piece.labels)
    kinds = {one.dtype for one in series} - {pl.Null()}
    if kinds == {pl.Int64(), pl.Float64()}:
        kinds = {pl.Float64()}
    if len(kinds) > 1 or not series:
        return None
    kind = kinds.pop() if kinds else pl.String()
    return _concat([one.cast(kind) for one in series])


def _joined_odd(pieces: Sequence[Piece]) -> list[int] | None:
    found: list[int] = []
    first = 0
    for piece in pieces:
        if piece.odd is None:
            return None
        found += [first + at for at in piece.odd]
        first += piece.rows
    return found


def _concat(series: Sequence[pl.Series]) -> pl.Series:
    return series[0] if len(series) == 1 else pl.concat([one.alias("") for one in series])
