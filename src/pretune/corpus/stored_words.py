"""The words of a store as one tokenizer reads them, added to its sums at once: StoredWords.

Comes to what WordReader.add does block by block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.corpus.letters import letters_of
from pretune.corpus.unit_table import table_of_units

if TYPE_CHECKING:
    from pretune.corpus.unit_reading import Reading
    from pretune.corpus.unit_store import UnitStore
    from pretune.corpus.word_tally import WordReader, WordSums

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class StoredWords:
    """Words of a store.

    Attributes:
        store: the units.
        reading: their ids.
        words: which of the units they are, int64.
        running: how often each runs, int64; `peaks`: how often at most in one block.
    """

    store: UnitStore
    reading: Reading
    words: Array
    running: Array
    peaks: Array

    def add_to(self, sums: WordSums, reader: WordReader) -> None:
        """Add them to the sums of their split."""
        from pretune.corpus.unit_reading import BYTES, JAMO, UNKNOWN

        words, running, store, reading = self.words, self.running, self.store, self.reading
        sizes: Array = reading.lengths.values[words].astype(np.int64)
        tokens = sizes - reading.bare.values[words]
        kinds = reading.kinds.values[words]
        lost = (kinds & UNKNOWN) > 0
        letters: Array = store.hangul.values[words].astype(np.int64)
        hangul = letters > 0
        counts = sums.counts
        counts["words"] += int(running.sum())
        counts["word_tokens"] += int(running @ sizes)
        counts["whole_words"] += int(running[(tokens == 1) & ~lost].sum())
        counts["hangul_words"] += int(running[hangul].sum())
        counts["hangul_characters"] += int(running @ letters)
        counts["hangul_pieces"] += int(running[hangul] @ tokens[hangul])
        self._add_kind(sums, "unknown_words", np.flatnonzero(lost))
        self._add_kind(sums, "jamo_words", np.flatnonzero((store.syllables.values[words] > 0) & ((kinds & JAMO) > 0)))
        self._add_kind(sums, "byte_words", np.flatnonzero(kinds & BYTES))
        self._add_scripts(sums, lost, sizes)
        bad = np.flatnonzero(lost)
        if len(bad):
            self._add_unknown(sums, reader, bad)

    def _add_kind(self, sums: WordSums, kind: str, which: Array) -> None:
        """Count these words (indices of `words`), and keep the most frequent one as an example."""
        if not len(which):
            return
        sums.counts[kind] += int(self.running[which].sum())
        most = int(self.peaks[which].max())
        if most >= sums.shown.get(kind, (0, ""))[0]:
            found = self.store.strings(self.words[which[self.peaks[which] == most]], skip=1)
            sums.show(kind, most, str(found.min()))

    def _add_scripts(self, sums: WordSums, lost: Array, sizes: Array) -> None:
        scripts = self.store.scripts
        of_words = self.store.script.values[self.words]
        added: Array = np.zeros((len(scripts), 3), np.int64)
        for column, weights in enumerate((self.running, self.running * lost, self.running * sizes)):
            added[:, column] = np.bincount(of_words, weights=weights, minlength=len(added))
        for at in np.flatnonzero(added[:, 0]):
            sums.scripts[scripts[at]] = sums.scripts.get(scripts[at], 0) + added[at]

    def _add_unknown(self, sums: WordSums, reader: WordReader, bad: Array) -> None:
        """What the words that hold an unknown token suffer from."""
        every = np.arange(len(bad))
        table = replace(table_of_units(self.store.strings(self.words[bad])), words=every, word_counts=self.running[bad])
        letters = letters_of(table)
        self._add_kind(sums, "long_words", bad[reader.too_long(table, every, letters.continues)])
        self._add_kind(sums, "mended_words", bad[reader.mended(table, every)])
        reader.add_characters(sums, table, every, letters)
