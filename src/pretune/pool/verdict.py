"""What the scores of all choices say: Verdict, judge_pairs, judge_classes. A tie is called a tie.

The highest of a hundred scores is high by luck too, so nothing is recommended over the declared default unless the
default can be excluded from being the best. Knows scores; how they are shown stands in show.py and page.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.pool.best_set import not_excluded, swap_p
from pretune.pool.cross_fit import FOLDS, cross_fit
from pretune.pool.intervals import covariance, difference, intervals, pairs_needed
from pretune.pool.probes import probe
from pretune.pool.spearman import correlations, values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.pool.choice import Choice
    from pretune.pool.cross_fit import CrossFit
    from pretune.pool.intervals import Interval

FEW = 200
"""Below so many pairs the highest of a hundred choices is on average 0.005 to 0.04 too high (MiniLM, bge, e5)."""

SCARCE = 50
"""Below so many rows nobody has checked the intervals; of three pairs in perfect order they have no width at all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """K choices with a score each, and what may be said of them.

    Attributes:
        measure: `Spearman` or `accuracy`.
        count: pairs, or sentences with a class.
        choices: what was scored, baselines last; a baseline is a choice without layers.
        intervals: their scores with 95 % intervals; nan where a score is undefined.
        kept: shape (K,), bool: cannot be excluded from being the best. Baselines count as well.
        best: index of the highest score of the model's own choices.
        default: index of the declared choice, or of the last layer's mean where nothing is declared.
        gap: the best minus the default; None where they are the same choice.
        swap: p value of that difference by random exchange; None where not asked.
        needed: pairs that would show the difference seen, with 80 % power.
        needed_small: pairs that would show a difference of 0.01 between the two.
        cross: the score of choosing by score, on rows that did not choose; None with too few rows.
        random: index of the best baseline that has no knowledge in it (random vectors, length), if any.
        below_random: whether the default is lower than it, and whether surely.
        gaps: each choice's score minus the default's, with 95 % intervals.
    """

    measure: str
    count: int
    choices: tuple[Choice, ...]
    intervals: tuple[Interval, ...]
    kept: Any
    best: int
    default: int
    gap: Interval | None
    swap: float | None
    needed: int | None
    needed_small: int | None
    cross: CrossFit | None
    random: int | None = None
    below_random: Interval | None = None
    gaps: tuple[Interval, ...] = ()

    @property
    def tie(self) -> bool:
        """Whether the default cannot be excluded from being the best."""
        return bool(self.kept[self.default])

    @property
    def recommended(self) -> int:
        """The default on a tie; else the best, or, where its lead is not sure, the highest whose lead is.

        Where only a baseline excludes the default and none of the model's own choices surely leads it: the default.
        So below SCARCE rows, where no lead is sure; but a default without a score is never kept.
        """
        if self.tie or self.gap is None:
            return self.default
        if self.count < SCARCE and math.isfinite(self.intervals[self.default].value):
            return self.default
        if self.gap.low > 0 or not (self.gaps and math.isfinite(self.intervals[self.default].value)):
            return self.best
        surely = [place for place, one in enumerate(self.choices) if one.layers and self.gaps[place].low > 0]
        return max(surely, key=lambda place: (self.kept[place], self.intervals[place].value), default=self.default)

    @property
    def few(self) -> bool:
        """Whether there are too few rows to choose among so many."""
        return self.count < FEW


def judge_pairs(
    similarities: Any,
    scores: Any,
    choices: Sequence[Choice],
    *,
    default: int,
    pairs: Any | None = None,
) -> Verdict:
    """Judge choices by Spearman's rho between similarities and scores.

    Args:
        similarities: shape (K, P), float64.
        scores: shape (P,).
        choices: K of them; those without layers are baselines.
        default: index of the declared one.
        pairs: shape (P, 2), which sentences each pair has; None: all different.

    Raises:
        ValueError: fewer than three pairs, or no choice has a defined score.
    """
    import numpy as np

    found = correlations(similarities, scores)
    truth = np.asarray(scores)
    swap: Callable[[int], float] = lambda best: swap_p(similarities[best], similarities[default], truth)  # noqa: E731
    return _judge(
        _Scores("Spearman", found.values, found.influence, covariance(found.influence, pairs=pairs)),
        choices,
        default=default,
        swap=swap,
        score=lambda rows: values(similarities[:, rows], truth[rows]),
        groups=None if pairs is None else _linked(pairs),
    )


def judge_classes(
    vectors: Callable[[Choice], Any],
    classes: Any,
    choices: Sequence[Choice],
    *,
    default: int,
    progress: Callable[[int], object] | None = None,
) -> Verdict:
    """Judge choices by how well a linear classifier reads the classes off their vectors, leave-one-out.

    Args:
        vectors: choice -> shape (S, D).
        classes: shape (S,), int64 from 0.
        choices: K of them.
        default: index of the declared one.
        progress: called with 1 after each choice.

    Raises:
        ValueError: fewer than two classes.
    """
    import numpy as np

    rows = []
    for choice in choices:
        rows.append(probe(vectors(choice), classes).correct)
        if progress is not None:
            progress(1)
    correct = np.stack(rows)
    accuracy = correct.mean(axis=1)
    influence = correct - accuracy[:, None]
    return _judge(
        _Scores("accuracy", accuracy, influence, covariance(influence)),
        choices,
        default=default,
        swap=None,
        score=lambda rows: correct[:, rows].mean(axis=1),
        groups=None,
    )


@dataclass(frozen=True, slots=True)
class _Scores:
    """Values, influences and covariance of K choices."""

    measure: str
    values: Any
    influence: Any
    covariance: Any


def _judge(
    scores: _Scores,
    choices: Sequence[Choice],
    *,
    default: int,
    swap: Callable[[int], float] | None,
    score: Callable[[Any], Any],
    groups: Any | None,
) -> Verdict:
    """Put together what is said of any measure."""
    import numpy as np

    own = np.array([bool(choice.layers) for choice in choices])
    candidates = np.where(own, scores.values, np.nan)
    if not np.isfinite(candidates).any():
        raise ValueError("no choice has a defined score")
    best = int(np.nanargmax(candidates))
    count = scores.influence.shape[1]
    table = scores.covariance
    gap = None if best == default else difference(scores.values, table, one=best, other=default)
    needed = {
        distance: pairs_needed(table, one=best, other=default, count=count, distance=distance)
        for distance in ((gap.value if gap else 0.0), 0.01)
    }
    random = _random(scores.values, choices)
    return Verdict(
        measure=scores.measure,
        count=count,
        choices=tuple(choices),
        intervals=tuple(intervals(scores.values, np.diag(table), correlation=scores.measure == "Spearman")),
        kept=not_excluded(scores.values, scores.influence, table),
        best=best,
        default=default,
        gap=gap,
        swap=swap(best) if swap is not None and gap is not None and np.isfinite(gap.value) else None,
        needed=needed[gap.value] if gap else None,
        needed_small=needed[0.01] if gap else None,
        cross=_crossed(lambda rows: np.where(own, score(rows), np.nan), count, groups),
        random=random,
        below_random=None if random is None else difference(scores.values, table, one=default, other=random),
        gaps=tuple(difference(scores.values, table, one=place, other=default) for place in range(len(choices))),
    )


def _random(scores: Any, choices: Sequence[Choice]) -> int | None:
    """The highest baseline that knows nothing of meaning."""
    empty = [
        place
        for place, choice in enumerate(choices)
        if choice.pooling.startswith(("random", "length")) and not choice.layers and math.isfinite(scores[place])
    ]
    return max(empty, key=lambda place: float(scores[place]), default=None)


def _crossed(score: Callable[[Any], Any], count: int, groups: Any | None) -> CrossFit | None:
    """The cross-fitted score, unless there are too few rows to divide."""
    import numpy as np

    independent = count if groups is None else len(np.unique(groups))
    return cross_fit(score, count, groups=groups) if independent >= 2 * FOLDS else None


def _linked(pairs: Any) -> Any | None:
    """A number for each pair, the same for pairs linked through shared sentences; None when one link holds most.

    Where nearly all pairs hang together (each sentence in many pairs) they cannot be divided without sharing.
    """
    import numpy as np

    parent = np.arange(int(pairs.max()) + 1)

    def root(sentence: int) -> int:
        """The sentence that stands for all linked ones."""
        while parent[sentence] != sentence:
            parent[sentence] = parent[parent[sentence]]
            sentence = int(parent[sentence])
        return sentence

    for left, right in pairs.tolist():
        parent[root(left)] = root(right)
    groups = np.array([root(left) for left in pairs[:, 0].tolist()])
    largest = np.unique(groups, return_counts=True)[1].max()
    return groups if largest <= len(pairs) / (2 * FOLDS) else None
