"""Some thousand rows of one file with their texts as columns: Block. Knows no format and no tokenizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import polars as pl

    from pretune.corpus.row import Row

TEXTS = ("text", "text_pair", "question", "context", "tokens", "messages")
"""Roles that hold text a model reads. Tagged words are joined by a space, the messages of a chat by a line end."""


@dataclass(frozen=True)
class Block:
    """Rows that stand together in one file.

    Attributes:
        label: the file as the user named it.
        number: which block of its file it is, from 0; the same however the files are dealt out to machines.
        rows: how many rows could be read.
        size: bytes of the file that it took, as stored on disk (for progress).
        texts: role (one of TEXTS) -> String series with one entry a row, in the file's order; null: no text there.
        labels: the label (or the score) of each row, String, Int64, Float64 or Boolean; None: there is no such column,
            or it holds lists, mappings or several kinds.
        broken: the rows that could not be read.
        odd: of a table, the rows that take several lines or have another number of fields than the table has columns;
            None: not known.
        row: index -> the row as `read_rows` gives it, with all its columns and its place.
        first: rows of the file that stand before this block, broken ones counted as well.
    """

    label: str
    number: int
    rows: int
    size: int
    texts: Mapping[str, pl.Series]
    row: Callable[[int], Row] = field(repr=False)
    labels: pl.Series | None = None
    broken: tuple[Row, ...] = ()
    first: int = 0
    odd: Sequence[int] | None = None

    def __iter__(self) -> Iterator[Row]:
        """All its rows, in order."""
        return map(self.row, range(self.rows))

    def where(self, index: int) -> str:
        """The place of a row."""
        return self.row(index).where

    def roles(self) -> Iterator[tuple[str, Any]]:
        """The texts in the order of TEXTS."""
        for role in TEXTS:
            if role in self.texts:
                yield role, self.texts[role]
