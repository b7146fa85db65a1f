"""The score of "take whatever scores highest" on pairs that did not choose: cross_fit. Knows scores only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDS = 5
REPEATS = 5


@dataclass(frozen=True, slots=True)
class CrossFit:
    """What choosing by score is worth.

    Attributes:
        naive: the highest score on all pairs, which the same pairs chose.
        fitted: the mean score, on the pairs left out, of what the others chose.
        picks: index of a choice -> share of the splits in which it was chosen; the most frequent first.
    """

    naive: float
    fitted: float
    picks: dict[int, float]


def cross_fit(score: Callable[[Any], Any], count: int, *, groups: Any | None = None, seed: int = 0) -> CrossFit:
    """Choose on four fifths, score on the last fifth; five times over, with five divisions.

    Args:
        score: rows (indices, shape (R,)) -> scores of all choices on them, shape (K,), nan where undefined.
        count: how many rows there are.
        groups: shape (count,): rows of one group are never divided (pairs that share a sentence). None: all apart.
        seed: of the divisions.

    Raises:
        ValueError: fewer than two groups a fold, or no choice with a defined score.
    """
    import numpy as np

    keys = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    many = int(keys.max()) + 1 if count else 0
    if many < 2 * FOLDS:
        raise ValueError(f"{many} groups of rows cannot be divided {FOLDS} times")
    everything = score(np.arange(count))
    if not np.isfinite(everything).any():
        raise ValueError("no choice has a defined score")
    random = np.random.default_rng(seed)
    scores, picks = [], []
    for _ in range(REPEATS):
        fold = (random.permutation(many) % FOLDS)[keys]
        for out in range(FOLDS):
            inside = score(np.flatnonzero(fold != out))
            if not np.isfinite(inside).any():
                continue
            pick = int(np.nanargmax(inside))
            outside = float(score(np.flatnonzero(fold == out))[pick])
            picks.append(pick)
            if np.isfinite(outside):
                scores.append(outside)
    chosen, times = np.unique(picks, return_counts=True)
    order = np.argsort(-times, kind="stable")
    shares = {int(chosen[i]): float(times[i] / len(picks)) for i in order}
    return CrossFit(float(np.nanmax(everything)), float(np.mean(scores)) if scores else float("nan"), shares)
