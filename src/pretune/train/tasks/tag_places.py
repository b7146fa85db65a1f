"""Where tagged words or characters stand in their sentence, and which of them each token begins in. Knows no tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.corpus.example import Example
    from pretune.train.tasks.encode import Encoded

_APART = 1 << 32
"""More than a sentence has characters: keys of one sentence all lie below those of the next."""


@dataclass(frozen=True, slots=True)
class Places:
    """Units (words or characters) of sentences.

    Attributes:
        texts: the sentences.
        bounds: (sentences + 1,) int64: sentence s has units bounds[s]:bounds[s + 1].
        starts, ends: (units,) int64: characters of the sentence.
    """

    texts: tuple[str, ...]
    bounds: Any
    starts: Any
    ends: Any


def places_of(examples: Sequence[Example], *, characters: bool) -> Places:
    """Sentences joined from their words by spaces, or from their characters by nothing."""
    import numpy as np

    between = "" if characters else " "
    texts = tuple(between.join(one.tokens) for one in examples)
    counts = np.array([len(one.tokens) for one in examples], np.int64)
    lengths = np.array([len(token) for one in examples for token in one.tokens], np.int64)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    steps = lengths + len(between)
    before = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    starts = before[:-1] - np.repeat(before[bounds[:-1]], counts)
    return Places(texts, bounds, starts, starts + lengths)


def tokens_asked(places: Places, encoded: Encoded) -> tuple[Any, Any]:
    """Which unit each token begins in, and whether it is the first token of that unit.

    Special tokens and tokens of nothing but spaces begin in none. A token's leading spaces, which some tokenizers count
    to it, are passed over.

    Returns:
        unit: (tokens,) int64, a number among all units, -1: none; first: (tokens,) bool.
    """
    import numpy as np

    sentence: Any = np.repeat(np.arange(len(places.texts)), np.diff(encoded.starts))
    start, end = encoded.offsets[:, 0].astype(np.int64), encoded.offsets[:, 1].astype(np.int64)
    blank = _blank(places.texts)
    lengths = np.array([len(text) for text in places.texts], np.int64)
    text_at = np.concatenate([[0], np.cumsum(lengths)])
    ahead = _next_filled(blank)[text_at[sentence] + np.minimum(start, lengths[sentence])] - text_at[sentence]
    start = np.minimum(np.maximum(start, ahead), end)
    keys = places.starts + np.repeat(np.arange(len(places.texts)) * _APART, np.diff(places.bounds))
    unit = np.searchsorted(keys, sentence * _APART + start, "right") - 1
    held = np.maximum(unit, 0)
    inside = (start < end) & (unit >= places.bounds[sentence])
    if len(places.ends):
        inside &= start < places.ends[held]
    unit = np.where(inside, unit, -1)
    first: Any = np.zeros(len(unit), bool)
    asked = np.flatnonzero(inside)
    if len(asked):
        first[asked] = np.concatenate([[True], unit[asked][1:] != unit[asked][:-1]])
    return unit, first


def _blank(texts: Sequence[str]) -> Any:
    """(characters of all texts,) bool: where a space stands."""
    import numpy as np

    return np.fromiter((letter.isspace() for text in texts for letter in text), bool)


def _next_filled(blank: Any) -> Any:
    """(characters + 1,) int64: the next place from here on that is no space."""
    import numpy as np

    places = np.where(blank, len(blank), np.arange(len(blank)))
    return np.append(np.minimum.accumulate(places[::-1])[::-1], len(blank)).astype(np.int64)
