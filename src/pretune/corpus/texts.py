"""The texts of a block, each once, and where they stand: TextTable, texts_of. Knows no tokenizer and no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pretune.corpus.block import Block

    Array = np.ndarray[Any, Any]

REPEATED = frozenset({"context"})
"""Roles whose texts many rows share; they are read once."""


@dataclass(frozen=True)
class TextTable:
    """Texts of a block.

    Attributes:
        texts: strings, none null; those of REPEATED roles once each.
        times: how often each stands in the block, int64.
        roles: the roles that occur.
        places: for each role (indices into `texts`, rows they stand in), int64.
        rows: rows of the block.
    """

    texts: pl.Series
    times: Array
    roles: tuple[str, ...]
    places: tuple[tuple[Array, Array], ...]
    rows: int

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of all texts, repeated ones as often as they stand there."""
        return int((self.texts.str.len_bytes().to_numpy().astype(np.int64) * self.times).sum())

    @property
    def standing(self) -> int:
        """How many texts, repeated ones as often as they stand there."""
        return int(self.times.sum())


def texts_of(block: Block) -> TextTable:
    """The texts of a block."""
    parts: list[pl.Series] = []
    roles: list[str] = []
    places: list[tuple[Array, Array]] = []
    before = 0
    for role, series in block.roles():
        rows = np.flatnonzero(series.is_not_null().to_numpy())
        there = (series if len(rows) == len(series) else series.drop_nulls()).rename("text")
        if not len(there):
            continue
        index = np.arange(len(there))
        if role in REPEATED:
            coded = there.cast(pl.Categorical(pl.Categories.random()))
            index = coded.to_physical().to_numpy().astype(np.int64)
            distinct = coded.unique()
            there = distinct.cast(pl.String).gather(np.argsort(distinct.to_physical().to_numpy()))
        parts.append(there)
        roles.append(role)
        places.append((index + before, rows.astype(np.int64)))
        before += len(there)
    texts = pl.concat(parts) if parts else pl.Series("text", [], dtype=pl.String)
    times: Array = np.zeros(before, np.int64)
    for index, _ in places:
        times += np.bincount(index, minlength=before)
    return TextTable(texts, times, tuple(roles), tuple(places), block.rows)
