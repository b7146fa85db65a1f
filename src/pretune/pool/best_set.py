"""Which choices cannot be excluded from being the best: not_excluded, swap_p. Of many scores one is always highest.

The highest of a hundred noisy scores is high by luck too. A choice is excluded only when another one beats it by more
than the largest difference that chance alone makes among all of them (multiplier bootstrap of the maximum, as in
Chernozhukov, Chetverikov and Kato 2013). Knows scores and influences only.
"""

from __future__ import annotations

from typing import Any

from pretune.pool.spearman import ranks

DRAWS = 1000
"""Draws of the bootstrap: the 95th percentile of a maximum is then known within about 1.4 percentage points."""


def not_excluded(values: Any, influence: Any, table: Any, *, level: float = 0.95, seed: int = 0) -> Any:
    """Whether each score may be the highest one: shape (K,), bool. Undefined scores (nan) are excluded.

    Args:
        values: shape (K,).
        influence: shape (K, P).
        table: their covariance, shape (K, K), as from intervals.covariance.
        level: the probability with which the truly best one is kept.
        seed: of the draws, so that the same data give the same set.
    """
    import numpy as np

    kept: Any = np.zeros(len(values), dtype=bool)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return kept
    values, table = np.asarray(values)[known], table[np.ix_(known, known)]
    influence = influence[known]
    count = influence.shape[1]
    random = np.random.default_rng(seed)
    chance = random.standard_normal((DRAWS, count)) @ influence.T / count
    variance = np.diag(table)
    for place, value in enumerate(values):
        spread = np.sqrt(np.maximum(variance + variance[place] - 2 * table[place], 0.0))
        # two choices that always agree differ by rounding alone: neither excludes the other.
        differs = spread > 1e-9
        if not differs.any():
            kept[known[place]] = True
            continue
        ahead = ((values - value)[differs] / spread[differs]).max()
        by_chance = ((chance[:, differs] - chance[:, place, None]) / spread[differs]).max(axis=1)
        kept[known[place]] = ahead <= np.quantile(by_chance, level)
    return kept


def swap_p(one: Any, other: Any, scores: Any, *, draws: int = 2000, seed: int = 0) -> float:
    """The probability of so large a difference of two correlations if it did not matter which choice is which.

    Ranks of a pair under the two choices are exchanged at random. More cautious than the interval of the difference.

    Args:
        one: shape (P,), similarities by one choice.
        other: shape (P,), by the other.
        scores: shape (P,).
        draws: random exchanges.
        seed: of the draws.

    Returns:
        A two-sided p value, at least 1 / (draws + 1).
    """
    import numpy as np

    first, second, truth = ranks(np.stack([one, other, scores]))

    def gap(left: Any, right: Any) -> Any:
        """Difference of the correlations of two tables of ranks with the scores."""
        left = left - left.mean(axis=-1, keepdims=True)
        right = right - right.mean(axis=-1, keepdims=True)
        return left @ truth / np.sqrt((left**2).sum(axis=-1)) - right @ truth / np.sqrt((right**2).sum(axis=-1))

    seen = abs(gap(first, second))
    swapped = np.random.default_rng(seed).random((draws, len(truth))) < 0.5
    by_chance = gap(np.where(swapped, second, first), np.where(swapped, first, second))
    return float((1 + (np.abs(by_chance) >= seen - 1e-12).sum()) / (draws + 1))
