"""What can be done to all vectors of a choice together: centred, whitened. Fitted on the sentences at hand, no scores.

Centring takes off the mean that all sentences share; whitening makes their covariance the identity (Su et al. 2021).
Both help layers that were never tuned for sentences and can hurt those that were.
"""

from __future__ import annotations

from typing import Any

ROUNDING = 2e-6
"""Vectors whose numbers differ by less, relative to the largest, are the same vector: a CLS token before any layer."""


def centred(vectors: Any) -> Any:
    """The vectors with their mean taken off: shape (S, D), float64; zeros where they differ by rounding only."""
    import numpy as np

    table = np.asarray(vectors, dtype=np.float64)
    moved = table - table.mean(axis=0)
    alike = np.abs(moved).max(initial=0.0) <= ROUNDING * np.abs(table).max(initial=0.0)
    return np.zeros_like(moved) if alike else moved


def whitened(vectors: Any) -> Any:
    """The vectors with mean 0 and covariance 1 in every direction in which they vary: shape (S, R), float64, R <= D.

    With fewer sentences than dimensions there are fewer directions; then all sentences lie equally far apart and the
    result says little, which is why `enough` is asked first.
    """
    table = centred(vectors)
    directions = _directions(table)
    return table if directions is None else table @ directions


def projection(vectors: Any, shaping: str) -> tuple[Any, Any]:
    """The matrix (D, R) and the offset (R,), both float64, that turn a raw vector v into v @ matrix + offset.

    Args:
        vectors: shape (S, D), that the shaping is fitted on.
        shaping: `centred` or `whitened`.
    """
    import numpy as np

    table = np.asarray(vectors, dtype=np.float64)
    directions = _directions(centred(table)) if shaping == "whitened" else None
    matrix = np.eye(table.shape[1]) if directions is None else directions
    return matrix, -table.mean(axis=0) @ matrix


def _directions(table: Any) -> Any | None:
    """The directions in which centred vectors vary, each divided by its spread: shape (D, R); None without any."""
    import numpy as np

    values, directions = np.linalg.eigh(table.T @ table / max(1, len(table) - 1))
    if values[-1] <= 0:
        return None
    keep = values > values[-1] * 1e-10
    return directions[:, keep] / np.sqrt(values[keep])


def enough(sentences: int, size: int) -> bool:
    """Whether there are sentences enough to estimate a covariance of `size` dimensions: twice as many."""
    return sentences >= 2 * size
