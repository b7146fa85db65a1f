"""How well a linear classifier reads classes off vectors: probe. Closed-form leave-one-out ridge, no training.

The prediction for a left-out sentence follows from the fit with it: y - (y - fit) / (1 - leverage) (Allen 1974), so
that all left-out predictions cost one decomposition. Knows arrays only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
"""Ridge penalties tried, relative to the mean variance of the vectors along a dimension times the number of rows."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a linear classifier can read off one kind of vector.

    Attributes:
        accuracy: share of left-out sentences that get their class.
        correct: shape (N,), float64, 1 where it does; minus accuracy these are the influences of accuracy.
        penalty: the one of PENALTIES with the highest accuracy.
    """

    accuracy: float
    correct: Any
    penalty: float


def probe(vectors: Any, classes: Any) -> Probe:
    """Accuracy of leave-one-out ridge regression on the classes, the largest output winning.

    Args:
        vectors: shape (N, D).
        classes: shape (N,), int64 from 0.

    Raises:
        ValueError: fewer than two classes, or vectors that are not finite.
    """
    import numpy as np

    table = np.asarray(vectors, dtype=np.float64)
    truth = np.asarray(classes)
    count, size = table.shape
    many = int(truth.max()) + 1 if len(truth) else 0
    if len(np.unique(truth)) < 2:
        raise ValueError("a probe needs at least two classes")
    if not np.isfinite(table).all():
        raise ValueError("vectors must be finite")
    wanted = np.eye(many)[truth]
    mean = wanted.mean(axis=0)
    table = table - table.mean(axis=0)
    scale = np.sqrt((table**2).mean())
    if not scale:
        return _best([(penalty, np.full(count, mean.argmax())) for penalty in PENALTIES], truth)
    table = table / scale
    # the smaller of the two products has the same eigenvalues, and the left vectors follow from it.
    if size <= count:
        values, right = np.linalg.eigh(table.T @ table)
        keep = values > values[-1] * 1e-12
        values = values[keep]
        left = table @ right[:, keep] / np.sqrt(values)
    else:
        values, left = np.linalg.eigh(table @ table.T)
        keep = values > values[-1] * 1e-12
        values, left = values[keep], left[:, keep]
    projected = left.T @ (wanted - mean)
    results = []
    for penalty in PENALTIES:
        shrink = values / (values + penalty * count)
        fit = mean + left @ (shrink[:, None] * projected)
        # 1 / N is the leverage of the mean, which is not penalised.
        leverage = np.minimum((left**2) @ shrink + 1 / count, 1 - 1e-9)
        predicted = wanted - (wanted - fit) / (1 - leverage)[:, None]
        results.append((penalty, predicted.argmax(axis=1)))
    return _best(results, truth)


def _best(results: list[tuple[float, Any]], truth: Any) -> Probe:
    """The penalty with the most classes right; the larger of equals."""
    import numpy as np

    scored = [(penalty, (predicted == truth).astype(np.float64)) for penalty, predicted in results]
    penalty, correct = max(scored, key=lambda item: (item[1].mean(), item[0]))
    return Probe(float(correct.mean()), correct, penalty)
