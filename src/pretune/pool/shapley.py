"""Which kind of token carries the score of a layer: shares. Exact Shapley values over groups of tokens, one pass.

The mean of the states of some groups is, up to its length, the sum of their group sums; so the cosine of every subset
follows from the products of six vectors with six. Knows arrays only; which token is what stands in groups.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GROUPS = ("cls", "separator", "punctuation", "function word", "word", "subword")


@dataclass(frozen=True, slots=True)
class Shares:
    """What each group of tokens adds to the score of mean pooling on one layer.

    Attributes:
        shares: group -> its Shapley value; they add up to `whole`.
        whole: the score with all groups.
        best: the groups whose mean scores highest.
        best_score: that score, which the same pairs chose.
        without: group -> the score when it alone is left out.
    """

    shares: dict[str, float]
    whole: float
    best: tuple[str, ...]
    best_score: float
    without: dict[str, float]


def shares(left: Any, right: Any, scores: Any, *, groups: tuple[str, ...] = GROUPS) -> Shares:
    """Shapley values of Spearman's rho over all subsets of groups; no group at all scores 0.

    Args:
        left: shape (P, G, D), for each pair the sums of the states of the first sentence's tokens by group.
        right: the same of the second sentence.
        scores: shape (P,).
        groups: G names.
    """
    import math

    import numpy as np

    count = len(groups)
    columns = subset_cosines(left, right)
    rho = np.concatenate([[0.0], np.nan_to_num(_rho(columns[1:], scores))])
    values = {}
    for place, name in enumerate(groups):
        bit = 1 << place
        total = 0.0
        for subset in range(1 << count):
            if subset & bit:
                continue
            others = subset.bit_count()
            weight = math.factorial(others) * math.factorial(count - others - 1) / math.factorial(count)
            total += weight * (rho[subset | bit] - rho[subset])
        values[name] = float(total)
    everything = (1 << count) - 1
    best = int(np.argmax(rho))
    return Shares(
        shares=values,
        whole=float(rho[everything]),
        best=tuple(name for place, name in enumerate(groups) if best >> place & 1),
        best_score=float(rho[best]),
        without={name: float(rho[everything & ~(1 << place)]) for place, name in enumerate(groups)},
    )


def subset_cosines(left: Any, right: Any) -> Any:
    """Cosines of the pairs for every subset of groups: shape (2 ** G, P), float64; 0 where a side has none of it."""
    import numpy as np

    first, second = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    count = first.shape[1]
    chosen = (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(np.float64)

    def forms(one: Any, other: Any) -> Any:
        """For every subset the product of the two sums: shape (2 ** G, P)."""
        products = np.einsum("pgd,phd->pgh", one, other, optimize=True)
        return np.einsum("sg,pgh,sh->sp", chosen, products, chosen, optimize=True)

    across, lengths = forms(first, second), forms(first, first) * forms(second, second)
    return np.where(lengths > 0, across / np.sqrt(np.where(lengths > 0, lengths, 1.0)), 0.0)


def _rho(columns: Any, scores: Any) -> Any:
    """Spearman's rho of each row; nan where a row is constant."""
    from pretune.pool.spearman import correlations

    return correlations(columns, scores).values
