"""How an engine is compared with `tokenizers`: the surroundings each character is tried in, and ids beside ids.

Knows no engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Array = np.ndarray[Any, Any]

AROUND = (
    *(("", ""), (" ", ""), ("a", ""), ("가", ""), (".", ""), (" 1", ""), ("", "a"), (" ", "가"), (" ", " ")),
    *(("a", "a"), ("1", "1"), (".", "."), ("", "[M"), (" ", "'s"), ("\n", "\n"), (" a ", "\u0301")),
)
"""What stands before and behind a character when an engine is tried on it."""

LETTERS = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣA-Za-z0-9ぁ-ゖァ-ヺ一-鿿]")
"""Characters of which all kinds of tokenizers have met the like; four surroundings are enough for them."""

COMPARED = 251
"""Of an engine's units each such one is encoded by the judge as well."""


class EngineDisagrees(Exception):  # noqa: N818 - no error of the user
    """A fast engine gave other ids than `tokenizers`."""


class Engine(Protocol):
    """Something that encodes strings, without special tokens."""

    def __call__(self, units: Sequence[str], /) -> tuple[Any, Any]:
        """Ids of all units one after the other (integers), and how many each has."""


def surroundings(points: Array, good: Array, *, blanks: bool = True) -> Iterator[tuple[Array, list[str]]]:
    """The texts that an engine is tried on, those of one surrounding at once.

    Args:
        points: the code points.
        good: which of them have passed so far, bool; looked at anew for each surrounding.
        blanks: whether texts of nothing but white space are wanted.

    Returns:
        (indices of the code points, the texts) pairs.
    """
    listed = [chr(point) for point in points.tolist()]
    plain = np.array([LETTERS.match(character) is not None for character in listed], bool)
    blank = np.array([character.isspace() for character in listed], bool)
    for number, (before, after) in enumerate(AROUND):
        asked = good.copy() if number < 4 else good & ~plain
        if not blanks and not (before + after).strip():
            asked &= ~blank
        places = np.flatnonzero(asked)
        if len(places):
            yield places, [before + listed[at] + after for at in places.tolist()]


def equal(first: tuple[Any, Any], second: tuple[Any, Any]) -> Any:
    """For each text whether two engines gave the same ids."""
    (ids, lengths), (others, sizes) = first, second
    if np.array_equal(lengths, sizes) and np.array_equal(ids, others):
        return np.ones(len(lengths), bool)
    ends, stops = np.cumsum(lengths), np.cumsum(sizes)
    return np.array(
        [
            np.array_equal(ids[end - length : end], others[stop - size : stop])
            for end, length, stop, size in zip(ends, lengths, stops, sizes, strict=True)
        ],
        bool,
    )


def in_order(parts: Sequence[tuple[Any, Any, Any]], units: int) -> tuple[Any, Any]:
    """Put the ids of chosen units back into the order of all units.

    Args:
        parts: (indices, ids, lengths) of units that were encoded together.
        units: how many there are in all.
    """
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return np.zeros(0, np.int32), np.zeros(0, np.int64)
    if len(parts) == 1:
        return parts[0][1], parts[0][2]
    lengths: Array = np.zeros(units, np.int64)
    for chosen, _, sizes in parts:
        lengths[chosen] = sizes
    starts = np.cumsum(lengths) - lengths
    ids: Array = np.empty(int(lengths.sum()), np.int32)
    for chosen, found, sizes in parts:
        own = np.cumsum(sizes) - sizes
        ids[np.repeat(starts[chosen] - own, sizes) + np.arange(len(found))] = found
    return ids, lengths
