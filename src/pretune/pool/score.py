"""Similarities of pairs by every choice, in float64: similarities, subset_similarities. Knows vectors, no scores.

A float32 cosine cannot tell 1 - 3e-7 from 1, which is how near all sentences are to each other in collapsed layers
(MiniLM's layer 3 CLS: Spearman 0.390 in truth, 0.329 by float32). The few numbers that need it are computed in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.store import Vectors

CHUNK = 128
"""Pairs that are turned into float64 at a time: so few that they stay in the processor's cache."""

DECIMALS = 12
"""Similarities are rounded to these. Vectors that are equal but for float32 rounding differ by 1e-14 in cosine; without
rounding such ties would be broken by noise (a separator's state in layer 0 depends on its place alone)."""


def cosines(left: Any, right: Any) -> Any:
    """Cosine of each row of one table with the same row of another: shape (P,), float64; 0 for a vector of zeros."""
    import numpy as np

    found = np.empty(len(left))
    for first in range(0, len(left), CHUNK):
        here = slice(first, first + CHUNK)
        one, other = left[here].astype(np.float64), right[here].astype(np.float64)
        lengths = np.einsum("pd,pd->p", one, one) * np.einsum("pd,pd->p", other, other)
        across = np.einsum("pd,pd->p", one, other)
        found[here] = _ratio(across, lengths)
    return found


def subset_similarities(vectors: Vectors, pooling: str, pairs: Any, subsets: Sequence[Sequence[int]]) -> Any:
    """Cosines of all pairs by the mean of several layers, for many subsets of layers: shape (subsets, P), float64.

    The product of two sums of layers is the sum of the products of each two layers, so the vectors are read once,
    however many subsets are asked for.

    Args:
        vectors: of all sentences.
        pooling: one of the poolings they were computed by.
        pairs: shape (P, 2), indices of sentences.
        subsets: layers by index, as vectors.layers has them; one layer is a subset too.
    """
    import numpy as np

    places = {layer: place for place, layer in enumerate(vectors.layers)}
    chosen = np.zeros((len(subsets), len(places)))
    for row, subset in enumerate(subsets):
        chosen[row, [places[layer] for layer in subset]] = 1.0
    found = np.empty((len(subsets), len(pairs)))
    for first in range(0, len(pairs), CHUNK):
        here = slice(first, first + CHUNK)
        left = vectors.layers_of(pooling, pairs[here, 0]).transpose(1, 0, 2)
        right = vectors.layers_of(pooling, pairs[here, 1]).transpose(1, 0, 2)
        across = _forms(chosen, left @ right.transpose(0, 2, 1))
        lengths = _forms(chosen, left @ left.transpose(0, 2, 1)) * _forms(chosen, right @ right.transpose(0, 2, 1))
        found[:, here] = _ratio(across, lengths)
    return found


def _ratio(across: Any, lengths: Any) -> Any:
    """Cosines from products and products of squared lengths; 0 where a length is 0."""
    import numpy as np

    return np.round(np.where(lengths > 0, across / np.sqrt(np.where(lengths > 0, lengths, 1.0)), 0.0), DECIMALS)


def _forms(chosen: Any, products: Any) -> Any:
    """For each subset the sum of the products of its layers: shape (subsets, P).

    Args:
        chosen: shape (subsets, layers), 1 where a layer belongs to the subset.
        products: shape (P, layers, layers).
    """
    import numpy as np

    # the product of every two layers is in a subset when both are: one matrix of (subsets, layers ** 2) does all.
    both = np.einsum("sl,sm->slm", chosen, chosen).reshape(len(chosen), -1)
    return both @ products.reshape(len(products), -1).T
