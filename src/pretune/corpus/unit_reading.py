"""How one tokenizer reads the units of a store: Reading. Knows no cut.

Its tally gets the figures of texts at once, and those of units and words when the store is emptied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.corpus.growing import Growing
from pretune.corpus.stored_words import StoredWords
from pretune.corpus.word_tally import WordSums

if TYPE_CHECKING:
    from types import ModuleType

    from pretune.corpus.texts import TextTable
    from pretune.corpus.tokenizer_tally import TokenizerTally
    from pretune.corpus.unit_store import UnitStore

    Array = np.ndarray[Any, Any]

UNKNOWN, BARE, JAMO, BYTES = 1, 2, 4, 8
"""What an id stands for, as flags (see `Marks`)."""


class Reading:
    """The ids of a store's units.

    Args:
        module: the kernel.
        tally: the tokenizer's.

    Attributes:
        ids: of all units one after the other, int32.
        starts: where each unit's begin, int64; `lengths`: how many it has, uint32.
        kinds: all flags of each unit's ids, uint8; `bare`: how many of them are bare spaces, uint32.
        unknown: whether a unit has an unknown token, uint8.
    """

    def __init__(self, module: ModuleType, tally: TokenizerTally) -> None:
        self.tally = tally
        self._module = module
        marks = tally.marks
        self._flags = (marks.bare * BARE + marks.jamo * JAMO + marks.fallback * BYTES).astype(np.uint8)
        if marks.unknown >= 0:
            self._flags[marks.unknown] |= UNKNOWN
        self.ids, self.starts, self.lengths = Growing(np.int32), Growing(np.int64), Growing(np.uint32)
        self.kinds, self.bare, self.unknown = Growing(np.uint8), Growing(np.uint32), Growing(np.uint8)

    def add(self, store: UnitStore, texts: TextTable) -> None:
        """Read the block that the store took last.

        Raises:
            EngineDisagrees: a fast engine is wrong; the tally is to be begun again without.
            CutDisagrees: the cut is wrong; the tally is to be begun again with whole texts.
        """
        if store.fresh.end > store.fresh.first:
            self._encode(store)
        tokens, lost = store.table.per_text(self.lengths.values, self.unknown.values)
        ends = np.cumsum(store.sizes, dtype=np.int64)
        ids, starts, lengths = self.ids.values, self.starts.values, self.lengths.values

        def ids_of(text: int) -> Array:
            codes = store.codes[ends[text] - store.sizes[text] : ends[text]]
            parts = [
                ids[start : start + size]
                for start, size in zip(starts[codes].tolist(), lengths[codes].tolist(), strict=True)
            ]
            return np.concatenate(parts) if parts else ids[:0]

        self.tally.add_read(
            texts, np.frombuffer(tokens, np.int64).copy(), np.frombuffer(lost, np.uint8).astype(bool), ids_of
        )
        if len(store.words):
            self.tally.words.setdefault(store.split, WordSums())
            bad = np.flatnonzero(self.unknown.values[store.words])
            self.tally.unknown.add(store.strings(store.words[bad], skip=1), store.word_counts[bad])

    def _encode(self, store: UnitStore) -> None:
        """The ids of the new units, and what they stand for."""
        units = self.tally.units
        if units.kernel is not None:
            ids, lengths = units.kernel.encode(store.table, store.fresh.first, store.fresh.points)
        else:
            ids, lengths = units.encode(store.fresh_table())
        ids, lengths = np.ascontiguousarray(ids, np.int32), np.ascontiguousarray(lengths, np.uint32)
        kinds, bare = self._module.marks(ids, lengths, self._flags)
        many = lengths.astype(np.int64)
        self.starts.add(np.cumsum(many) - many + len(self.ids))
        self.ids.add(ids)
        self.lengths.add(lengths)
        self.kinds.add(np.frombuffer(kinds, np.uint8))
        self.unknown.add(np.frombuffer(kinds, np.uint8) & UNKNOWN)
        self.bare.add(np.frombuffer(bare, np.uint32))

    def flush(self, store: UnitStore, running: Array, peaks: Array) -> None:
        """Give the sums of ids and words to the tally, and forget the units.

        Args:
            store: the units.
            running: how often each runs as a word, int64; 0: it is none.
            peaks: how often at most in one block, int64.
        """
        if not self.tally.whole:
            found: Array = np.zeros(self.tally.marks.size, np.int64)
            store.table.add_ids(self.ids.values, self.starts.values, self.lengths.values, found)
            self.tally.add_ids(found)
        words = np.flatnonzero(running)
        if len(words):
            read = StoredWords(store, self, words, running[words], peaks[words])
            read.add_to(self.tally.words[store.split], self.tally.reader)
        for kept in (self.ids, self.starts, self.lengths, self.kinds, self.unknown, self.bare):
            kept.clear()
