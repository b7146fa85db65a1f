"""Intervals cover what they promise, of values and of differences, with sentences shared and not."""

import numpy as np
import pytest

from pretune.pool.best_set import not_excluded, swap_p
from pretune.pool.intervals import Interval, covariance, difference, intervals, pairs_needed
from pretune.pool.spearman import correlations


def _sample(rng: np.random.Generator, count: int) -> tuple:
    """Similarities of three choices, two of them alike, and scores, as normal variables with known correlation."""
    scores = rng.normal(size=count)
    shared = rng.normal(size=count)
    one = 0.8 * scores + 0.6 * (0.9 * shared + np.sqrt(1 - 0.81) * rng.normal(size=count))
    two = 0.8 * scores + 0.6 * (0.9 * shared + np.sqrt(1 - 0.81) * rng.normal(size=count))
    three = 0.5 * scores + np.sqrt(0.75) * rng.normal(size=count)
    return np.array([one, two, three]), scores


def _rho(pearson: float) -> float:
    """Spearman's rho of a bivariate normal (Pearson 1907)."""
    return float(6 / np.pi * np.arcsin(pearson / 2))


@pytest.mark.parametrize("count", [50, 200, 800])
def test_intervals_cover_the_truth_as_often_as_they_say(count: int) -> None:
    """Over 400 samples at least 92 % of the intervals of values and of differences hold the true one, not all."""
    rng = np.random.default_rng(count)
    inside, apart, same = [], [], []
    for _ in range(400):
        table, scores = _sample(rng, count)
        found = correlations(table, scores)
        spread = covariance(found.influence)
        first, _, third = intervals(found.values, np.diag(spread))
        inside.append(first.low <= _rho(0.8) <= first.high)
        inside.append(third.low <= _rho(0.5) <= third.high)
        gap = difference(found.values, spread, one=0, other=2)
        apart.append(gap.low <= _rho(0.8) - _rho(0.5) <= gap.high)
        tie = difference(found.values, spread, one=0, other=1)
        same.append(not tie.excludes_zero)
    for covered in (inside, apart, same):
        assert 0.92 <= np.mean(covered) <= 0.99


def test_shared_sentences_widen_the_interval() -> None:
    """Each pair told twice is worth as much as told once, when both copies name the same sentences."""
    table, scores = _sample(np.random.default_rng(0), 300)
    twice = correlations(np.repeat(table, 2, axis=1), np.repeat(scores, 2))
    pairs = np.repeat(np.arange(600).reshape(300, 2), 2, axis=0)
    once = covariance(correlations(table, scores).influence)
    known = covariance(twice.influence, pairs=pairs)
    np.testing.assert_allclose(np.diag(known), np.diag(once), rtol=0.02)
    assert (np.diag(covariance(twice.influence)) < 0.6 * np.diag(once)).all()


def test_pairs_that_share_nothing_are_independent() -> None:
    """Sentences that are all distinct change nothing, nor does a pair of a sentence with itself."""
    table, scores = _sample(np.random.default_rng(0), 100)
    influence = correlations(table, scores).influence
    pairs = np.arange(200).reshape(100, 2)
    pairs[0] = 0
    np.testing.assert_allclose(covariance(influence, pairs=pairs), covariance(influence), rtol=1e-9)


def test_shared_couples_are_counted_once() -> None:
    """The covariance is the plain double sum over all pairs with a sentence in common."""
    rng = np.random.default_rng(5)
    influence = rng.normal(size=(2, 40)) + 1
    pairs = rng.integers(0, 25, size=(40, 2))
    wanted = np.zeros((2, 2))
    for i in range(40):
        for j in range(40):
            if set(pairs[i]) & set(pairs[j]):
                wanted += np.outer(influence[:, i], influence[:, j])
    np.testing.assert_allclose(covariance(influence, pairs=pairs), wanted / (40 * 39))


def test_pairs_needed_for_a_difference() -> None:
    """With as many pairs as are asked for, a true difference shows in about 80 of 100 samples."""
    rng = np.random.default_rng(7)
    table, scores = _sample(rng, 5000)
    found = correlations(table, scores)
    spread = covariance(found.influence)
    gap = _rho(0.8) - _rho(0.5)
    needed = pairs_needed(spread, one=0, other=2, count=5000, distance=gap)
    assert needed is not None
    shown = []
    for _ in range(300):
        table, scores = _sample(rng, needed)
        small = correlations(table, scores)
        shown.append(difference(small.values, covariance(small.influence), one=0, other=2).excludes_zero)
    assert 0.70 <= np.mean(shown) <= 0.92
    assert pairs_needed(spread, one=0, other=2, count=5000, distance=0.0) is None
    assert pairs_needed(spread, one=1, other=1, count=5000, distance=0.1) == 3


def test_the_best_stays_in_the_set() -> None:
    """In 200 samples the truly best is kept at least 93 times of 100; one that is far worse is not."""
    rng = np.random.default_rng(1)
    kept, far = [], []
    for seed in range(200):
        table, scores = _sample(rng, 200)
        found = correlations(table, scores)
        stays = not_excluded(found.values, found.influence, covariance(found.influence), seed=seed)
        kept.append(stays[0])
        far.append(stays[2])
    assert np.mean(kept) >= 0.93
    assert np.mean(far) <= 0.05


def test_undefined_choices_are_never_kept() -> None:
    """A constant column is out of the set, and no score at all leaves it empty."""
    table, scores = _sample(np.random.default_rng(1), 50)
    table[2] = 0
    found = correlations(table, scores)
    stays = not_excluded(found.values, found.influence, covariance(found.influence))
    assert stays.tolist()[2] is False
    none = correlations(table[2:], scores)
    assert not not_excluded(none.values, none.influence, covariance(none.influence)).any()


def test_a_copy_is_a_tie() -> None:
    """Two choices that are the same to the last bit are both kept."""
    table, scores = _sample(np.random.default_rng(1), 80)
    found = correlations(table[[0, 0]], scores)
    assert not_excluded(found.values, found.influence, covariance(found.influence)).all()


def test_swaps_say_the_same_of_copies_and_of_opposites() -> None:
    """Exchanging ranks between copies changes nothing; between a good choice and a bad one it does."""
    table, scores = _sample(np.random.default_rng(2), 200)
    assert swap_p(table[0], table[0], scores) == 1.0
    assert swap_p(table[0], table[2], scores) < 0.01
    assert swap_p(table[0], table[1], scores) > 0.05


def test_an_interval_says_whether_it_excludes_zero() -> None:
    """Zero lies outside when both ends have one sign."""
    assert Interval(0.2, 0.1, 0.3).excludes_zero
    assert Interval(-0.2, -0.3, -0.1).excludes_zero
    assert not Interval(0.0, -0.1, 0.1).excludes_zero
    assert not Interval(np.nan, np.nan, np.nan).excludes_zero
