"""Choices whose vectors all point the same way, so that a float32 cosine cannot rank pairs: collapsed. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.pool.choice import Choice
    from pretune.pool.one_pass import Sweep

NARROW = 1e-5
"""Below this range of the middle half of 1 - cosine, float32 (steps of 6e-8 at 1) begins to lose the order."""

CONSTANT = 2e-12
"""Below this the vectors are one and the same: no order, nothing to lose."""


@dataclass(frozen=True, slots=True)
class Collapsed:
    """One such choice.

    Attributes:
        choice: a single layer, raw.
        spread: interquartile range of 1 - cosine over the pairs.
        float32: Spearman's rho by cosines of float32; nan without scores.
        float64: the same in float64.
    """

    choice: Choice
    spread: float
    float32: float
    float64: float


def collapsed(found: Sweep, pairs: Any, scores: Any | None = None) -> tuple[Collapsed, ...]:
    """Single raw layers whose cosines lie so near to each other, the narrowest first.

    Args:
        found: with similarities.
        pairs: shape (P, 2), whose similarities they are.
        scores: shape (P,), or None.
    """
    import numpy as np

    result = []
    similarities: Any = found.similarities
    for row, choice in enumerate(found.choices):
        if len(choice.layers) != 1 or choice.shaping != "raw":
            continue
        low, high = np.percentile(similarities[row], [25, 75]).tolist()
        if not CONSTANT < high - low < NARROW:
            continue
        one = other = float("nan")
        if scores is not None:
            one, other = _both(found, row, pairs, scores)
        result.append(Collapsed(choice, float(high - low), one, other))
    return tuple(sorted(result, key=lambda one: one.spread))


def _both(found: Sweep, row: int, pairs: Any, scores: Any) -> tuple[float, float]:
    """Spearman's rho by float32 cosines, as libraries compute them, and by those of the sweep."""
    import numpy as np

    from pretune.pool.spearman import values

    table = np.asarray(found.of(found.choices[row]), dtype=np.float32)
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unit = table / np.where(lengths > 0, lengths, np.float32(1))
    narrow = np.einsum("pd,pd->p", unit[pairs[:, 0]], unit[pairs[:, 1]])
    similarities: Any = found.similarities
    both = values(np.stack([narrow.astype(np.float64), similarities[row]]), scores)
    return float(both[0]), float(both[1])
