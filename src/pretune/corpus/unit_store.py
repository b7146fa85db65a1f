"""The different units and words of many blocks, numbered and counted by the compiled kernel: UnitStore. Bounded.

What a block says of each text is known at once; what it says of units and words is summed up here and goes to the
tallies when the store is emptied (`flush`): at the end, at a new split, and whenever it is full. So a corpus of any
length takes the memory of one full store. Knows no tokenizer but through its Reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.coverage import is_jamo, is_syllable
from pretune.corpus.growing import Growing
from pretune.corpus.kernel import buffers_of, kernel, series_of
from pretune.corpus.scripts import COMMON, script_name
from pretune.corpus.surroundings import EngineDisagrees
from pretune.corpus.unit_reading import Reading
from pretune.corpus.unit_table import table_of_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import polars as pl

    from pretune.corpus.corpus_tally import CorpusTally
    from pretune.corpus.texts import TextTable
    from pretune.corpus.tokenizer_tally import TokenizerTally
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

MOST_UNITS = 200_000
"""Units and words of a store; before the next block of one that has more it is emptied."""

MOST_BYTES = 24_000_000
"""Bytes of all units, likewise: where white space does not part words, units are lines."""

LARGEST_BLOCK = 1 << 29
"""Bytes of a block's texts beyond which it is read without the store."""


@dataclass(frozen=True)
class Fresh:
    """The units that the last block added.

    Attributes:
        first: the first of them; `end`: how many there are now.
        points: code points that no unit had before, int64.
    """

    first: int
    end: int
    points: Array


class ReadingDisagrees(Exception):  # noqa: N818 - no error of the user
    """The engine of a tokenizer, by its number, gave other ids than `tokenizers`."""

    def __init__(self, number: int) -> None:
        self.number = number


class UnitStore:
    """Units and words of the blocks of one split.

    Args:
        module: the kernel.
        corpus: where the sums of the corpus go.
        tallies: number -> the tokenizers.

    Attributes:
        table: the kernel's.
        fresh: what the last block added.
        codes: the unit of each place of each text of the last block, uint32; `sizes`: units of each text.
        words: the words of the last block, uint32; `word_counts`: how often each runs in it, int64.
        scripts: names; a unit's script is an index, 0 for COMMON.
        script: of each unit, uint8; `hangul`: Hangul letters in it, uint32; `syllables`: whether it has any, uint8.
    """

    def __init__(self, module: ModuleType, corpus: CorpusTally, tallies: Mapping[int, TokenizerTally]) -> None:
        self.corpus = corpus
        self.table = module.Table("".join(sorted(frozenset().union(*(t.units.proof.glue for t in tallies.values())))))
        self.readings = {number: Reading(module, tally) for number, tally in tallies.items()}
        self.split = ""
        self.fresh = Fresh(0, 0, np.zeros(0, np.int64))
        self.codes: Array = np.zeros(0, np.uint32)
        self.sizes: Array = np.zeros(0, np.uint32)
        self.words: Array = np.zeros(0, np.uint32)
        self.word_counts: Array = np.zeros(0, np.int64)
        self.scripts: list[str] = [COMMON]
        self.script, self.hangul, self.syllables = Growing(np.uint8), Growing(np.uint32), Growing(np.uint8)
        self._number = {COMMON: 0}
        self._script_of: Array = np.zeros(0x110000, np.uint8)
        self._hangul_of: Array = np.zeros(0x110000, np.uint8)
        self._made: UnitTable | None = None

    def full(self, split: str) -> bool:
        """Whether it is to be emptied before a block of a split."""
        return self.table.count > MOST_UNITS or self.table.size > MOST_BYTES or split != self.split

    def add(self, texts: TextTable, *, split: str) -> None:
        """Cut and count the texts of a block, for the corpus, when it is not `full`; the readings are asked after this.

        Raises:
            MemoryError: there is not enough for the units.
        """
        self.split = split
        data, offsets = buffers_of(texts.texts)
        once = bool((texts.times == 1).all())
        first = self.fresh.end
        self.table.add_texts(data, offsets, None if once else np.ascontiguousarray(texts.times))
        codes, sizes = self.table.block()
        self.codes, self.sizes = np.frombuffer(codes, np.uint32), np.frombuffer(sizes, np.uint32)
        words, counts = self.table.take_words()
        self.words, self.word_counts = np.frombuffer(words, np.uint32), np.frombuffer(counts, np.int64)
        points = np.frombuffer(self.table.new_points(first), np.uint32).astype(np.int64)
        self.fresh = Fresh(first, self.table.count, points)
        self._made = None
        self._learn_letters()
        size = int((np.diff(offsets) * texts.times).sum())
        new_words: Array = np.flatnonzero(np.frombuffer(self.table.single(first), np.uint8)) + first
        self.corpus.add_counted(texts, size, self.words, self.word_counts, new=self.strings(new_words, skip=1))

    def strings(self, units: Array, *, skip: int = 0) -> pl.Series:
        """These units without their first bytes; words without the space before them with skip=1."""
        return series_of(*self.table.strings(np.ascontiguousarray(units, np.uint32), skip))

    def fresh_table(self) -> UnitTable:
        """The units that the last block added, for encoders that are not the kernel's."""
        if self._made is None:
            self._made = table_of_units(self.strings(np.arange(self.fresh.first, self.fresh.end)))
        return self._made

    def _learn_letters(self) -> None:
        """Scripts and Hangul of the new units."""
        for point in self.fresh.points.tolist():
            character = chr(point)
            name = script_name(character)
            if name not in self._number:
                self._number[name] = len(self.scripts)
                self.scripts.append(name)
            self._script_of[point] = self._number[name]
            self._hangul_of[point] = 3 if is_syllable(character) else is_jamo(character)
        found = self.table.letters(self.fresh.first, self._script_of, self._hangul_of)
        for known, new in zip((self.script, self.hangul, self.syllables), found, strict=True):
            known.add(np.frombuffer(new, known.values.dtype))

    def flush(self) -> None:
        """Give the sums to the tallies, and forget the units.

        Raises:
            ReadingDisagrees: an engine is wrong on a word; its tally is to be begun again without.
        """
        if self.table.count:
            _, words, peaks = (np.frombuffer(found, np.int64) for found in self.table.sums())
            self.corpus.flush(self)
            for number, reading in self.readings.items():
                try:
                    reading.flush(self, words, peaks)
                except EngineDisagrees:
                    raise ReadingDisagrees(number) from None
            self.table.clear()
            for known in (self.script, self.hangul, self.syllables):
                known.clear()
        self.fresh = Fresh(0, 0, np.zeros(0, np.int64))


def store_for(corpus: CorpusTally, tallies: Mapping[int, TokenizerTally]) -> UnitStore | None:
    """A store for a pass; None: there is no kernel."""
    module = kernel()
    return None if module is None else UnitStore(module, corpus, tallies)


def holds(texts: TextTable) -> bool:
    """Whether a block is of a size for the store."""
    return int(texts.texts.str.len_bytes().sum() or 0) <= LARGEST_BLOCK
