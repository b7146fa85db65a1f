"""Counts of numbered words by level, as CountedWords keeps them, until the words are spelled: LevelSums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_LEVELS = 6
"""Bits of a level: no count has more than 63."""

PENDING = 1 << 20
"""Entries beyond which equal ones are added up."""


class LevelSums:
    """What words were counted, each block by itself."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._once: Array = np.zeros(0, np.int64)
        self._keys: list[Array] = []
        self._counts: list[Array] = []
        self._pending = 0

    def add(self, words: Array, counts: Array, *, level: int) -> None:
        """Take in a block.

        Args:
            words: the numbers of its words, each once.
            counts: how often each occurs in it, at least once.
            level: counts of a lower one are not wanted.
        """
        levels = np.frexp(counts.astype(np.float64))[1] - 1
        if level == 0:  # most words of a block stand there once
            once = words[levels == 0]
            most = int(once.max(initial=0)) + 1
            if most > len(self._once):
                self._once = np.concatenate((self._once, np.zeros(most + most // 2 - len(self._once), np.int64)))
            self._once[once] += 1
        several = np.flatnonzero(levels >= max(level, 1))
        self._keys.append(words[several].astype(np.int64) << _LEVELS | levels[several])
        self._counts.append(counts[several])
        self._pending += len(several)
        if self._pending > PENDING:
            self._add_up()

    def _add_up(self) -> tuple[Array, Array]:
        keys = np.concatenate([np.zeros(0, np.int64), *self._keys])
        keys, places = np.unique(keys, return_inverse=True)
        counts: Array = np.zeros(len(keys), np.int64)
        if len(keys):
            np.add.at(counts, places, np.concatenate(self._counts))
        self._keys, self._counts, self._pending = [keys], [counts], 0
        return keys, counts

    def take(self) -> tuple[Array, Array, Array]:
        """Words, levels and counts of all blocks, each word once for each level; nothing is kept."""
        keys, counts = self._add_up()
        once = np.flatnonzero(self._once)
        words = np.concatenate((keys >> _LEVELS, once))
        levels = np.concatenate((keys & ((1 << _LEVELS) - 1), np.zeros(len(once), np.int64)))
        totals = np.concatenate((counts, self._once[once]))
        self._clear()
        return words, levels, totals
