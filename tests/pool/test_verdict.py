"""A verdict says no more than the scores do."""

from dataclasses import replace

import numpy as np
import pytest

from pretune.pool.choice import Choice
from pretune.pool.intervals import Interval
from pretune.pool.spearman import correlations, values
from pretune.pool.verdict import judge_classes, judge_pairs

CHOICES = [Choice((6,), "mean"), Choice((6,), "cls"), Choice((0, 6), "mean"), Choice((), "random vectors mean")]


def _similarities(count: int, noise: tuple[float, ...], seed: int = 0) -> tuple:
    """Columns that follow the scores with more and less noise; the first and the third share theirs."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=count)
    shared = rng.normal(size=count)
    table = np.array([scores + size * rng.normal(size=count) for size in noise])
    table[0] = scores + noise[0] * shared
    table[2] = table[0] + 0.02 * rng.normal(size=count)
    return table, scores


def test_a_tie_keeps_the_default() -> None:
    """A choice that is a hair better than the default does not replace it; one that is far worse is excluded."""
    table, scores = _similarities(400, (0.5, 3.0, 0.5, 9.0))
    found = judge_pairs(table, scores, CHOICES, default=0)
    assert found.tie
    assert found.recommended == 0
    assert not found.kept[1]
    assert found.intervals[0].low < found.intervals[0].value < found.intervals[0].high
    if found.best == 2:
        assert found.gap is not None
        assert not found.gap.excludes_zero


def test_a_real_difference_replaces_the_default() -> None:
    """With the worst choice declared, the best is recommended, its difference and the pairs it needs are told."""
    table, scores = _similarities(400, (0.5, 3.0, 0.5, 9.0))
    found = judge_pairs(table, scores, CHOICES, default=1)
    assert not found.tie
    assert found.recommended == found.best != 1
    assert found.gap is not None
    assert found.gap.low > 0.2
    assert found.swap is not None
    assert found.swap < 0.01
    assert found.needed is not None
    assert 3 <= found.needed < 400 < (found.needed_small or 0)
    assert found.cross is not None
    assert found.cross.fitted == pytest.approx(found.cross.naive, abs=0.05)


def test_few_rows_replace_no_default_that_has_a_score() -> None:
    """Three pairs in perfect order seem sure of it; a default that gives every sentence one vector is left all the same."""
    scores = np.array([1.0, 2.0, 3.0])
    table = np.array([[0.5, 0.1, 0.3], scores, [0.1, 0.3, 0.2], [0.3, 0.1, 0.2]])
    found = judge_pairs(table, scores, CHOICES, default=0)
    assert found.best == 1
    assert found.recommended == 0
    table[0] = 1.0
    assert judge_pairs(table, scores, CHOICES, default=0).recommended == 1


def test_a_lead_that_is_not_sure_is_not_followed() -> None:
    """The highest whose lead over the default is sure is recommended; where only a baseline leads, the default."""
    table, scores = _similarities(400, (0.5, 3.0, 0.5, 9.0))
    found = judge_pairs(table, scores, CHOICES, default=1)
    unsure = Interval(0.3, -0.1, 0.7)
    other = 2 if found.best == 0 else 0
    gaps = [unsure if place == found.best else gap for place, gap in enumerate(found.gaps)]
    assert replace(found, gap=unsure, gaps=tuple(gaps)).recommended == other
    gaps[other] = unsure
    assert replace(found, gap=unsure, gaps=tuple(gaps)).recommended == found.default
    undefined = tuple(Interval(*[float("nan")] * 3) if place == 1 else one for place, one in enumerate(found.intervals))
    assert replace(found, gap=unsure, gaps=tuple(gaps), intervals=undefined).recommended == found.best


def test_every_choice_has_its_distance_from_the_default() -> None:
    """The gaps are those of the best and of random vectors as well; the default's own is 0."""
    table, scores = _similarities(300, (0.5, 3.0, 0.5, 9.0))
    found = judge_pairs(table, scores, CHOICES, default=1)
    assert len(found.gaps) == len(CHOICES)
    assert found.gaps[found.best] == found.gap
    assert found.gaps[1].value == 0
    assert found.below_random is not None
    assert found.gaps[3].value == pytest.approx(-found.below_random.value)


def test_a_default_below_random_vectors_is_told() -> None:
    """A declared choice that is worse than vectors without knowledge is surely so when its interval says it."""
    table, scores = _similarities(300, (0.5, 9.0, 0.5, 0.6))
    found = judge_pairs(table, scores, CHOICES, default=1)
    assert found.random == 3
    assert found.below_random is not None
    assert found.below_random.high < 0
    good = judge_pairs(table, scores, CHOICES, default=0)
    assert good.below_random is not None
    assert good.below_random.value > 0
    assert judge_pairs(table[:3], scores, CHOICES[:3], default=0).below_random is None


def test_a_baseline_is_never_the_best_choice() -> None:
    """A baseline may lead the table; what is recommended is a choice of the model."""
    table, scores = _similarities(300, (2.0, 3.0, 2.0, 0.1))
    found = judge_pairs(table, scores, CHOICES, default=0)
    assert found.best in {0, 2}
    assert found.kept.tolist() == [False, False, False, True]


def test_few_pairs_are_said_to_be_few() -> None:
    """Below 200 pairs the verdict is marked, below ten nothing can be left out."""
    table, scores = _similarities(50, (0.5, 3.0, 0.5, 9.0))
    assert judge_pairs(table, scores, CHOICES, default=0).few
    tiny = judge_pairs(table[:, :6], scores[:6], CHOICES, default=0)
    assert tiny.cross is None


def test_linked_pairs_are_left_out_together() -> None:
    """Copies of a pair share a group; when all pairs hang together they are divided one by one."""
    table, scores = _similarities(100, (0.5, 3.0, 0.5, 9.0))
    pairs = np.repeat(np.arange(100).reshape(50, 2), 2, axis=0)
    assert judge_pairs(table, scores, CHOICES, default=0, pairs=pairs).cross is not None
    chain = np.stack([np.arange(100), np.arange(1, 101)], axis=1)
    assert judge_pairs(table, scores, CHOICES, default=0, pairs=chain).cross is not None


def test_nothing_defined_is_an_error() -> None:
    """Constant similarities order nothing."""
    with pytest.raises(ValueError, match="no choice has a defined score"):
        judge_pairs(np.ones((4, 20)), np.arange(20), CHOICES, default=0)


def test_values_alone_are_those_with_influences() -> None:
    """The short way to a correlation gives the same number, and nan for a constant column."""
    table, scores = _similarities(40, (0.5, 3.0, 0.5, 9.0))
    table[1] = 1
    np.testing.assert_allclose(values(table, scores), correlations(table, scores).values, atol=1e-12)


def test_classes_are_judged_by_probes() -> None:
    """Vectors that hold the class beat those that do not, with intervals of accuracy."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, size=300)
    held = rng.normal(size=(300, 10)) + 2 * np.eye(10)[classes]
    vectors = {CHOICES[0]: rng.normal(size=(300, 10)), CHOICES[1]: held}
    done: list[int] = []
    found = judge_classes(vectors.__getitem__, classes, CHOICES[:2], default=0, progress=done.append)
    assert found.measure == "accuracy"
    assert found.recommended == 1
    assert found.intervals[1].value > 0.7 > 0.5 > found.intervals[0].high
    assert done == [1, 1]
