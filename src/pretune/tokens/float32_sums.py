"""Scores for the tokenizers library (float64) that choose as sentencepiece does with its float32 sums.

Both walk the text once and keep, for each place, the best sum of scores so far; of equal sums the first found stays.
Where a word can be cut in two orders of the same pieces (`....` is `...`+`.` and `.`+`...`) the sums are equal in
real numbers, and in sentencepiece the rounding of the float32 sum of *everything before* decides. No context-free
score can say that, but one float64 can carry both sums: each score `s` is written as `s * (2**29 + 1)`. A sum is then
2**29 times the exact sum, which decides first, plus a part that float64 rounds at 52 - 29 = 23 bits behind the
leading one: the places where float32 rounds, half to even as there. Two conditions: the whole line is one piece of
text for the model (the sum starts at its beginning), and the numbers survive being written and read (below).

What stays different: two *different* sets of pieces whose exact sums are closer than float32 rounds at the line's sum,
where the better is taken and sentencepiece may take the other; and equal ones while the exact and the rounded sum stand
on two sides of a power of two. Knows no files.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNIT = (2**29 + 1) * 2**22
"""What scores are multiplied by. 2**22 makes float32 scores from -2.2 to -23 whole numbers of 16 or 17 digits: those
the parser of the tokenizers library (serde_json without float_roundtrip, which rounds twice) reads back as they were
written; others lose a last bit when the tokenizer is saved and loaded again."""

UNKNOWN_PENALTY = 10.0
"""What both libraries take from the lowest score for an unknown character (kUnkPenalty, K_UNK_PENALTY)."""


def float32(value: float) -> float:
    """The float32 next to a number, as a Python float."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return float(rounded)


def scaled(score: float) -> float:
    """A float32 log probability as it stands in tokenizer.json: exact, since 24 bits times 2**29 + 1 are 53."""
    return float32(score) * UNIT


def scaled_unknown(scores: Iterable[float]) -> float:
    """The score to write beside the unknown token, which no text reaches.

    tokenizers takes 10 from the lowest of *all* entries for an unknown character, unscaled; with this one being the
    lowest, what comes out is the scaled float32 of sentencepiece's (lowest score - 10).

    Args:
        scores: of the normal pieces, not scaled.
    """
    return scaled(min(scores, default=0.0) - UNKNOWN_PENALTY) + UNKNOWN_PENALTY


def unit(scores: Sequence[float]) -> float:
    """What to divide the scores of a Unigram vocabulary by to have log probabilities: UNIT if they are scaled, else 1.

    Args:
        scores: of all entries, as tokenizer.json has them.
    """
    lowest = min(scores, default=0.0)
    # the lowest score a vocabulary of 2**32 entries can reasonably have is far above -2**40; a scaled one far below
    return float(UNIT) if lowest < -(2.0**40) else 1.0
