"""Spearman's rank correlation of many similarity columns with one column of scores, and its influence function.

The influence function says how much each pair moves the correlation. From it come standard errors of every value and
every difference without resampling (Hampel 1974; for Spearman's rho Croux and Dehon 2010; ties by mid-ranks here).
Pure numpy; knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NOISE = 2e-12
"""A column that varies by no more is constant: similarities are rounded to 12 decimals (score.DECIMALS)."""


@dataclass(frozen=True, slots=True)
class Correlations:
    """K correlations with the same P scores.

    Attributes:
        values: shape (K,), float64; nan where a column or the scores are constant.
        influence: shape (K, P), float64; rows have mean 0 and are 0 where the value is nan.
    """

    values: Any
    influence: Any


def correlations(columns: Any, scores: Any) -> Correlations:
    """Spearman's rho of each row of `columns` with `scores`, and what each pair contributes.

    Args:
        columns: shape (K, P); similarities by K choices of the same P pairs.
        scores: shape (P,).

    Raises:
        ValueError: shapes that do not fit, fewer than three pairs, or values that are not finite.
    """
    import numpy as np

    table = np.atleast_2d(np.asarray(columns, dtype=np.float64))
    truth = np.asarray(scores, dtype=np.float64)
    if table.shape[1] != truth.shape[0] or truth.ndim != 1:
        raise ValueError(f"{table.shape[1]} similarities, {truth.shape[0]} scores")
    if len(truth) < 3:
        raise ValueError(f"a correlation needs three pairs, here are {len(truth)}")
    if not (np.isfinite(table).all() and np.isfinite(truth).all()):
        raise ValueError("similarities and scores must be finite")
    # similarities carry rounding errors: what varies by no more is constant, and has no order.
    flat = np.ptp(table, axis=1) <= NOISE
    right = _Ranked(truth[None])
    left = _Ranked(np.where(flat[:, None], 0.0, table))
    covariance = (left.centred * right.centred).mean(axis=1)
    scale = np.sqrt(left.variance * right.variance)
    defined = scale > 0
    scale[~defined] = 1.0
    values = covariance / scale
    both = left.centred * right.centred + left.above(right.centred) + right.above(left.centred)
    influence = (both - 3 * covariance[:, None]) / scale[:, None]
    influence -= values[:, None] / 2 * (left.spread() + right.spread())
    influence[~defined] = 0.0
    values[~defined] = np.nan
    return Correlations(values, influence)


def values(columns: Any, scores: Any) -> Any:
    """Spearman's rho alone, without influences, for choosing again and again: shape (K,), nan where undefined."""
    import numpy as np

    table = np.asarray(columns, dtype=np.float64)
    flat = np.ptp(table, axis=1) <= NOISE
    left = ranks(np.where(flat[:, None], 0.0, table))
    right = ranks(np.asarray(scores, dtype=np.float64)[None])[0]
    scale = np.sqrt((left**2).sum(axis=1) * (right**2).sum())
    return np.divide(left @ right, scale, out=np.full(len(table), np.nan), where=scale > 0)


def ranks(columns: Any) -> Any:
    """Mid-ranks of each row, scaled to (0, 1) and centred: shape (K, P), float64."""
    import numpy as np

    return _Ranked(np.asarray(columns, dtype=np.float64)).centred


class _Ranked:
    """Columns by their mid-ranks: shape (K, P), each scaled to (0, 1) and centred."""

    def __init__(self, columns: Any) -> None:
        """Sort each row once; ties share the middle of their places."""
        import numpy as np

        count = columns.shape[1]
        self.order = np.argsort(columns, axis=1, kind="stable")
        ordered = np.take_along_axis(columns, self.order, axis=1)
        place = np.arange(count)
        new = np.ones(ordered.shape, dtype=bool)
        new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        self.first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
        end = np.ones_like(new)
        end[:, :-1] = new[:, 1:]
        reverse = np.where(end, place, count)[:, ::-1]
        self.last = np.minimum.accumulate(reverse, axis=1)[:, ::-1]
        middle = (self.first + self.last + 1) / (2 * count) - 0.5
        self.centred = np.empty_like(middle)
        np.put_along_axis(self.centred, self.order, middle, axis=1)
        self.variance = (self.centred**2).mean(axis=1)

    def above(self, weights: Any) -> Any:
        """For each pair the mean over all pairs of `weights` where this column is larger; ties count half."""
        import numpy as np

        rows = max(len(self.order), len(weights))
        order = np.broadcast_to(self.order, (rows, self.order.shape[1]))
        ordered = np.take_along_axis(np.broadcast_to(weights, order.shape), order, axis=1)
        sums = np.zeros((rows, order.shape[1] + 1))
        np.cumsum(ordered, axis=1, out=sums[:, 1:])
        first = np.broadcast_to(self.first, order.shape)
        last = np.broadcast_to(self.last, order.shape)
        below_or_equal = np.take_along_axis(sums, last + 1, axis=1)
        below = np.take_along_axis(sums, first, axis=1)
        mean = (sums[:, -1:] - (below_or_equal + below) / 2) / order.shape[1]
        result = np.empty_like(mean)
        np.put_along_axis(result, order, mean, axis=1)
        return result

    def spread(self) -> Any:
        """The influence of each pair on the variance of the ranks over that variance; 0 without ties."""
        import numpy as np

        variance = np.where(self.variance > 0, self.variance, 1.0)[:, None]
        moved = self.centred**2 + 2 * self.above(self.centred) - 3 * self.variance[:, None]
        return moved / variance
