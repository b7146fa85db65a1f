"""Words with their counts in a bounded table that does not depend on order: CountedWords.

A word's count is kept apart by how often it occurs in a block: once, 2 to 3 times, 4 to 7 times, ... Once there are
more entries than the table may hold, the counts from blocks where the word occurs least go: of a block that has a
word fewer than 2**level times, nothing is kept. Which blocks there are is a matter of the files alone, so any number of
tables, merged in any order, end as the same table; and no count is short of more than (2**level - 1) in each block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST = 200_000
"""Entries of a table; one takes about 50 bytes."""

_SCHEMA = {"word": pl.String, "level": pl.UInt8, "count": pl.Int64}


class CountedWords:
    """Words and their counts, block by block.

    Args:
        most: entries that are kept.

    Attributes:
        level: of a block, counts under 2**level are not kept.
        blocks: how many blocks were added.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.level = 0
        self.blocks = 0
        self._tables: list[pl.DataFrame] = []
        self._pending = 0
        self._shown: tuple[pl.DataFrame, pl.DataFrame] | None = None

    @property
    def missing(self) -> int:
        """Occurrences that a count may be short of; 0: the counts are exact."""
        return ((1 << self.settled_level) - 1) * self.blocks

    @property
    def settled_level(self) -> int:
        """The level once the table is within its bound."""
        self._settle()
        return self.level

    def add(self, words: pl.Series, counts: np.ndarray[Any, Any]) -> None:
        """Add the different words of one block, each once, with how often each occurs in it (at least once)."""
        self.blocks += 1
        levels = np.frexp(counts.astype(np.float64))[1] - 1
        frame = pl.DataFrame(
            {"word": _copied(words), "level": levels.astype(np.uint8), "count": counts.astype(np.int64)},
            schema=_SCHEMA,
        )
        self._keep([frame])

    def add_levels(self, words: Callable[[np.ndarray[Any, Any]], pl.Series], levels: Any, counts: Any) -> None:
        """Add words of several blocks that `blocks` tells of already.

        Args:
            words: the words of entries, by their indices; none but those that are kept is asked for.
            levels: of each entry; no word has two of one level.
            counts: of each entry, int64.
        """
        while int((levels >= self.level).sum()) > self.most:  # so many entries can never be kept
            self.level += 1
        kept = np.flatnonzero(levels >= self.level)
        frame = pl.DataFrame(
            {"word": words(kept), "level": levels[kept].astype(np.uint8), "count": counts[kept]}, schema=_SCHEMA
        )
        self._keep([frame])

    def merge(self, others: Iterable[CountedWords]) -> None:
        """Take in the tables of other blocks."""
        for other in others:
            self.blocks += other.blocks
            self.level = max(self.level, other.level)
            self._keep(other._tables)  # noqa: SLF001 - of its own kind

    def _keep(self, frames: Iterable[pl.DataFrame]) -> None:
        for frame in frames:
            kept = frame.filter(pl.col("level") >= self.level) if self.level else frame
            self._tables.append(kept)
            self._pending += len(kept)
        if self._pending > 2 * self.most:
            self._settle()

    def _settle(self) -> pl.DataFrame:
        """One table of at most `most` entries."""
        if len(self._tables) == 1 and self._pending <= self.most:
            return self._tables[0]
        whole = pl.concat(self._tables) if self._tables else pl.DataFrame(schema=_SCHEMA)
        whole = whole.filter(pl.col("level") >= self.level)
        if len(self._tables) > 1:
            whole = whole.group_by("word", "level").agg(pl.col("count").sum())
        while len(whole) > self.most:
            self.level += 1
            whole = whole.filter(pl.col("level") >= self.level)
        whole = whole.with_columns(_copied(whole["word"]))
        self._tables, self._pending = [whole], len(whole)
        return whole

    def table(self) -> pl.DataFrame:
        """The columns `word` and `count`, in no order."""
        whole = self._settle()
        if self._shown is None or self._shown[0] is not whole:
            self._shown = (whole, whole.group_by("word").agg(pl.col("count").sum()))
        return self._shown[1]

    def most_frequent(self, number: int) -> pl.DataFrame:
        """So many words, most frequent first, then in the order of their code points."""
        whole = self.table()
        if len(whole) > number:
            whole = whole.filter(pl.col("count") >= whole["count"].top_k(number).min())
        return whole.sort(["count", "word"], descending=[True, False]).head(number)

    def dump(self) -> bytes:
        """The table as bytes; equal tables give equal bytes (which arrow's views of strings do not)."""
        whole = self._settle().sort(["word", "level"])
        sizes = whole["word"].str.len_bytes().to_numpy().astype("<u4")
        head = len(whole).to_bytes(8, "little")
        levels, counts = whole["level"].to_numpy(), whole["count"].to_numpy().astype("<i8")
        return b"".join((head, sizes.tobytes(), levels.tobytes(), counts.tobytes(), *map(str.encode, whole["word"])))

    @classmethod
    def load(cls, data: bytes, *, level: int, blocks: int, most: int = MOST) -> CountedWords:
        """A table that was dumped.

        Raises:
            ValueError: it is no such table.
        """
        size = int.from_bytes(data[:8], "little")
        if len(data) < 8 + 13 * size:
            raise ValueError("a table of words is cut off")
        sizes = np.frombuffer(data, "<u4", size, 8).astype(np.int64)
        ends = np.cumsum(sizes) + 8 + 13 * size
        if (int(ends[-1]) if size else 8) != len(data):
            raise ValueError("a table of words is damaged")
        words = [data[end - length : end].decode() for end, length in zip(ends.tolist(), sizes.tolist(), strict=True)]
        levels = np.frombuffer(data, np.uint8, size, 8 + 4 * size)
        counts = np.frombuffer(data, "<i8", size, 8 + 5 * size)
        made = cls(most)
        made.level, made.blocks = level, blocks
        made._tables = [pl.DataFrame({"word": words, "level": levels, "count": counts}, schema=_SCHEMA)]
        made._pending = size
        return made


def _copied(words: pl.Series) -> pl.Series:
    """The same strings in memory of their own: polars keeps the whole text alive that a string is a view of."""
    return (words + "").rename("word")
