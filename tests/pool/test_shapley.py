"""Shares of token groups are exact Shapley values of the score."""

import itertools

import numpy as np
import pytest

from pretune.pool.shapley import shares, subset_cosines
from pretune.pool.spearman import correlations

NAMES = ("a", "b", "c")


def _sums(seed: int) -> tuple:
    """Group sums of 50 pairs, the first group carrying the score."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(2, 50, 3, 8))
    scores = rng.random(50)
    right[:, 0] = scores[:, None] * left[:, 0] + (1 - scores)[:, None] * right[:, 0]
    left[::7, 2] = 0
    return left, right, scores


def test_shares_add_up_and_are_the_mean_over_orders() -> None:
    """The shares sum to the whole score and equal the average gain over all orders of joining."""
    left, right, scores = _sums(0)
    found = shares(left, right, scores, groups=NAMES)
    assert sum(found.shares.values()) == pytest.approx(found.whole, abs=1e-12)
    columns = subset_cosines(left, right)
    gains = dict.fromkeys(NAMES, 0.0)
    for order in itertools.permutations(range(3)):
        subset, before = 0, 0.0
        for place in order:
            subset |= 1 << place
            now = float(correlations(columns[subset], scores).values[0])
            gains[NAMES[place]] += (now - before) / 6
            before = now
    assert found.shares == pytest.approx(gains, abs=1e-12)
    assert found.shares["a"] > 0.3
    assert found.best_score >= found.whole
    assert found.without["a"] < found.whole


def test_cosines_of_subsets_are_those_of_summed_vectors() -> None:
    """Each subset's cosine is that of its summed vectors; a side without tokens has cosine 0."""
    left, right, _ = _sums(1)
    columns = subset_cosines(left, right)
    one, two = left[:, [0, 2]].sum(axis=1), right[:, [0, 2]].sum(axis=1)
    wanted = (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    np.testing.assert_allclose(columns[0b101], wanted, atol=1e-12)
    assert not columns[0b100][::7].any()
    assert not columns[0].any()
