"""Leave-one-out probes give what leaving out and fitting again gives."""

import numpy as np
import pytest

from pretune.pool.probes import PENALTIES, probe


def _refit(table: np.ndarray, classes: np.ndarray, penalty: float) -> np.ndarray:
    """Predictions of each row from a ridge fit on all others, the penalty and scale of all rows."""
    centred = table - table.mean(axis=0)
    scaled = centred / np.sqrt((centred**2).mean())
    count = len(table)
    wanted = np.eye(classes.max() + 1)[classes]
    predictions = []
    for out in range(count):
        rows = np.arange(count) != out
        design = np.c_[np.ones(count - 1), scaled[rows]]
        ridge = penalty * count * np.eye(design.shape[1])
        ridge[0, 0] = 0
        weights = np.linalg.solve(design.T @ design + ridge, design.T @ wanted[rows])
        predictions.append((np.r_[1, scaled[out]] @ weights).argmax())
    return np.array(predictions)


@pytest.mark.parametrize("size", [5, 80])
def test_left_out_predictions_are_those_of_refits(size: int) -> None:
    """With fewer and with more dimensions than rows the closed form is the refit."""
    rng = np.random.default_rng(size)
    classes = rng.integers(0, 3, size=40)
    table = rng.normal(size=(40, size)) + classes[:, None] * 0.7 * (np.arange(size) < 2)
    found = probe(table, classes)
    refits = {penalty: (_refit(table, classes, penalty) == classes).mean() for penalty in PENALTIES}
    assert found.accuracy == pytest.approx(max(refits.values()))
    assert refits[found.penalty] == pytest.approx(found.accuracy)


def test_vectors_without_information_score_as_chance() -> None:
    """Noise gives about the share of the largest class, and no better by its own label."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, size=400)
    assert probe(rng.normal(size=(400, 50)), classes).accuracy < 0.35


def test_constant_vectors_predict_the_largest_class() -> None:
    """All vectors the same: the share of the most frequent class."""
    classes = np.array([0] * 6 + [1] * 4)
    assert probe(np.ones((10, 4)), classes).accuracy == pytest.approx(0.6)


def test_what_cannot_be_probed_is_said() -> None:
    """One class, or a vector that is not finite, is an error."""
    with pytest.raises(ValueError, match="two classes"):
        probe(np.ones((4, 2)), np.zeros(4, dtype=int))
    with pytest.raises(ValueError, match="finite"):
        probe(np.array([[np.nan], [1.0]]), np.array([0, 1]))
