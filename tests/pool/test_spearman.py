"""Rank correlations are scipy's, and their influences are what leaving a pair out does."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from pretune.pool.spearman import correlations


def _columns(seed: int, *, ties: bool = False, count: int = 60) -> tuple:
    """Four columns of similarities that follow scores more and less."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=count)
    table = scores * np.array([[2.0], [0.5], [0.0], [-1.0]]) + rng.normal(size=(4, count))
    return (np.round(table), np.round(scores)) if ties else (table, scores)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_scipy(seed: int, ties: bool) -> None:
    """Each value is spearmanr's, with ties too."""
    table, scores = _columns(seed, ties=ties)
    found = correlations(table, scores).values
    wanted = [spearmanr(row, scores).statistic for row in table]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_influences_are_the_jackknife_as_the_sample_grows(ties: bool) -> None:
    """The influence of a pair is (n - 1) times what leaving it out takes away, up to 1 / n."""
    table, scores = _columns(3, ties=ties, count=400)
    found = correlations(table, scores)
    keep = ~np.eye(400, dtype=bool)
    without = np.array([correlations(table[:, rows], scores[rows]).values for rows in keep]).T
    jackknife = 399 * (found.values[:, None] - without)
    np.testing.assert_allclose(found.influence.mean(axis=1), 0, atol=1e-12)
    assert np.abs(found.influence - jackknife).max() < 0.05
    assert (found.influence.std(axis=1) > 0.25).all()


def test_a_constant_column_has_no_correlation() -> None:
    """A column that varies by rounding errors alone is undefined, not 0 and not a number by luck."""
    table, scores = _columns(1)
    table[1] = 1 + np.random.default_rng(0).normal(size=60) * 1e-13
    table[2] = 1 + table[0] * 1e-7
    found = correlations(table, scores)
    assert np.isnan(found.values[1])
    assert not found.influence[1].any()
    assert found.values[2] == pytest.approx(found.values[0])


def test_constant_scores_leave_everything_undefined() -> None:
    """Scores that are all the same order nothing."""
    table, _ = _columns(1)
    assert np.isnan(correlations(table, np.ones(60)).values).all()


@pytest.mark.parametrize(
    ("table", "scores", "words"),
    [
        (np.zeros((2, 5)), np.zeros(4), "5 similarities, 4 scores"),
        (np.zeros((1, 2)), np.zeros(2), "three pairs"),
        (np.array([[1, 2, np.nan]]), np.arange(3), "finite"),
    ],
)
def test_what_cannot_be_correlated_is_said(table: object, scores: object, words: str) -> None:
    """Wrong shapes, too few pairs and values that are not finite are errors."""
    with pytest.raises(ValueError, match=words):
        correlations(table, scores)
