"""The corpus itself, summed up block by block, whatever reads it: CorpusTally. Merged in any order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.corpus.counted_words import CountedWords
from pretune.corpus.distinct import Distinct
from pretune.corpus.level_sums import LevelSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from pretune.corpus.texts import TextTable
    from pretune.corpus.unit_store import UnitStore
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]


class CorpusTally:
    """The running figures of a corpus.

    Attributes:
        counts: rows, texts, bytes, words.
        points: occurrences of each code point, int64.
        words: the words.
        distinct: how many different ones.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(rows=0, texts=0, bytes=0, words=0)
        self.points: Array = np.zeros(0x110000, np.int64)
        self.words = CountedWords()
        self.distinct = Distinct()
        self._levels = LevelSums()

    def add(self, texts: TextTable, table: UnitTable) -> None:
        """Take in a block."""
        self.counts["rows"] += texts.rows
        self.counts["texts"] += texts.standing
        self.counts["bytes"] += texts.bytes
        self.counts["words"] += int(table.word_counts.sum())
        self.points += table.point_counts
        words = table.strings.gather(table.words).str.slice(1)
        self.words.add(words, table.word_counts)
        self.distinct.add(words)

    def add_counted(self, texts: TextTable, size: int, words: Array, counts: Array, *, new: pl.Series) -> None:
        """Take in a block whose words stand in a store.

        Args:
            texts: its texts.
            size: their UTF-8 bytes, repeated ones as often as they stand there.
            words: the numbers of its words.
            counts: how often each runs in it.
            new: the words that the store did not have before.
        """
        self.counts["rows"] += texts.rows
        self.counts["texts"] += texts.standing
        self.counts["bytes"] += size
        self.counts["words"] += int(counts.sum())
        self.words.blocks += 1
        self._levels.add(words, counts, level=self.words.level)
        self.distinct.add(new)

    def flush(self, store: UnitStore) -> None:
        """Take in the words and characters of a store that is emptied."""
        store.table.add_points(self.points)
        words, levels, counts = self._levels.take()
        self.words.add_levels(lambda chosen: store.strings(words[chosen], skip=1), levels, counts)

    def merge(self, other: CorpusTally) -> None:
        """Take in the sums of other blocks."""
        self.counts.update(other.counts)
        self.points += other.points
        self.words.merge([other.words])
        self.distinct.merge(other.distinct)

    def state(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The sums as JSON and as bytes, equal for equal sums."""
        told = {
            "counts": dict(sorted(self.counts.items())),
            "words": {"level": self.words.settled_level, "blocks": self.words.blocks},
            "points": [[int(at), int(self.points[at])] for at in np.flatnonzero(self.points)],
        }
        return told, {"words": self.words.dump(), "distinct": self.distinct.registers.tobytes()}

    def restore(self, told: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
        """Take in sums that `state` gave.

        Raises:
            ValueError: they are no such sums.
        """
        other = CorpusTally()
        other.counts.update({str(key): int(n) for key, n in told["counts"].items()})
        for at, n in told["points"]:
            other.points[int(at)] = int(n)
        other.words = CountedWords.load(blobs["words"], **told["words"])
        other.distinct.registers[:] = np.frombuffer(blobs["distinct"], np.uint8)
        self.merge(other)
