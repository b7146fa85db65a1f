"""Choosing by score is judged on pairs that did not choose."""

from collections.abc import Callable

import numpy as np
import pytest

from pretune.pool.cross_fit import cross_fit
from pretune.pool.spearman import correlations


def _scorer(table: np.ndarray, scores: np.ndarray) -> Callable:
    """Scores of all choices on some of the pairs."""
    return lambda rows: correlations(table[:, rows], scores[rows]).values


def test_noise_has_no_score_on_other_pairs() -> None:
    """The best of 200 random columns looks good on its own pairs and is worth nothing on others."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(5):
        table, scores = rng.normal(size=(200, 60)), rng.normal(size=60)
        found.append(cross_fit(_scorer(table, scores), 60))
    assert all(one.naive > 0.3 for one in found)
    assert abs(np.mean([one.fitted for one in found])) < 0.12


def test_a_true_best_keeps_its_score() -> None:
    """A choice that is far ahead is picked each time and keeps its score."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=200)
    table = np.array([rng.normal(size=200), scores + 0.3 * rng.normal(size=200)])
    found = cross_fit(_scorer(table, scores), 200)
    assert found.picks == {1: 1.0}
    assert found.fitted == pytest.approx(found.naive, abs=0.02)


def test_groups_are_never_divided() -> None:
    """Rows that belong together are on one side of each division."""
    groups = np.repeat(np.arange(20), 3)
    seen = []

    def score(rows: np.ndarray) -> np.ndarray:
        """Note which rows were asked for."""
        seen.append(rows)
        return np.array([1.0, np.nan])

    cross_fit(score, 60, groups=groups)
    for rows in seen:
        assert np.isin(groups[rows], groups[rows]).all()
        assert all((groups[rows] == group).sum() == 3 for group in np.unique(groups[rows]))


def test_too_few_rows_and_no_score_are_errors() -> None:
    """Nine rows cannot be divided, and choices without a score cannot be chosen among."""
    with pytest.raises(ValueError, match="cannot be divided"):
        cross_fit(lambda rows: np.ones(2), 9)
    with pytest.raises(ValueError, match="no choice"):
        cross_fit(lambda rows: np.array([np.nan]), 50)
