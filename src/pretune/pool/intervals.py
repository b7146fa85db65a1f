"""How sure a score and a difference of two scores are: intervals, differences, pairs_needed. From influence functions.

Works for any score that is a mean of influences: Spearman's rho, accuracy. Knows neither models nor data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEVEL = 0.95
"""Of all intervals."""

_NORMAL = 1.959963984540054
_POWER = (1.959963984540054 + 0.8416212335729143) ** 2
"""(z of a two-sided 5 % + z of 80 % power) squared: 7.849."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % confidence interval; all nan where the value is undefined."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def covariance(influence: Any, *, pairs: Any | None = None) -> Any:
    """The covariance of K scores over P pairs: shape (K, K), float64.

    Args:
        influence: shape (K, P).
        pairs: shape (P, 2), the sentences of each pair. Pairs that share a sentence are not independent; their
            products are added (Aronow, Samii and Assenova 2015). Where that makes a variance smaller than that of
            independent pairs, which is noise, the latter stands.
    """
    import numpy as np

    count = influence.shape[1]
    # the divisor P - 1, not P: the mean was taken off.
    plain = influence @ influence.T / (count * (count - 1))
    if pairs is None:
        return plain
    shared = _shared(influence, np.asarray(pairs)) / (count * (count - 1))
    smaller = np.diag(shared) < np.diag(plain)
    shared[smaller] = plain[smaller]
    shared[:, smaller] = plain[:, smaller]
    return shared


def _shared(influence: Any, pairs: Any) -> Any:
    """Sums of products of all pairs that have a sentence in common, each such couple of pairs once."""
    import numpy as np

    low, high = pairs.min(axis=1).astype(np.int64), pairs.max(axis=1).astype(np.int64)
    twice = np.where(low == high, 0.0, influence)
    by_sentence = _products(np.concatenate([influence, twice], axis=1), np.r_[low, high])
    return by_sentence - _products(twice, low * (int(high.max()) + 1) + high)


def _products(values: Any, keys: Any) -> Any:
    """Sums of values with equal keys, multiplied with each other and added: shape (K, K)."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sums = np.add.reduceat(values[:, order], starts, axis=1)
    return sums @ sums.T


def intervals(values: Any, variances: Any, *, correlation: bool = True) -> list[Interval]:
    """A 95 % interval of each value.

    Args:
        values: shape (K,).
        variances: shape (K,), of the values.
        correlation: whether the values are correlations: their distribution is skewed near 1, Fisher's z is not.
    """
    import numpy as np

    spread = _NORMAL * np.sqrt(variances)
    low, high = values - spread, values + spread
    if correlation:
        inside = np.clip(values, -1 + 1e-12, 1 - 1e-12)
        middle, wide = np.arctanh(inside), spread / (1 - inside**2)
        low, high = np.tanh(middle - wide), np.tanh(middle + wide)
    return [Interval(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True)]


def difference(values: Any, table: Any, *, one: int, other: int) -> Interval:
    """Score `one` minus score `other` with its interval; `table` is their covariance."""
    import numpy as np

    value = float(values[one] - values[other])
    wide = _NORMAL * float(np.sqrt(max(0.0, table[one, one] + table[other, other] - 2 * table[one, other])))
    return Interval(value, value - wide, value + wide)


def pairs_needed(table: Any, *, one: int, other: int, count: int, distance: float) -> int | None:
    """Pairs that show a difference of `distance` with 80 % power at 5 %; None when there is none to show.

    Args:
        table: covariance of the scores over `count` pairs.
        one: a score.
        other: the score that it is compared with.
        count: pairs at hand.
        distance: the difference that is to be seen.
    """
    import math

    variance = float(count * (table[one, one] + table[other, other] - 2 * table[one, other]))
    if not (distance and math.isfinite(distance) and math.isfinite(variance)):
        return None
    return max(3, math.ceil(_POWER * max(variance, 0.0) / distance**2))
