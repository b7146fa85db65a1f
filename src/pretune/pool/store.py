"""Vectors of all sentences by layer and pooling: Vectors. In memory, or in a file beyond a budget. Knows arrays."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from typing import Any

BUDGET = 512 * 1024 * 1024
"""Bytes of vectors that are held in memory; more go to a file that has no name and is gone with the process."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """S sentences, each with a vector for every layer and pooling.

    Attributes:
        layers: indices into hidden_states, in the order of the table's rows.
        poolings: names, in the order of the table's columns.
        table: shape (layers, poolings, S, D), float32.
        pooler: shape (S, D), float32, what the model's own pooler gives; None without one.
        skipped: layers that cannot be pooled like the rest -> the reason in a few words.
        groups: shape (layers, S, G, D), float32: sums of the states of each group of tokens; None unless asked for.
    """

    layers: tuple[int, ...]
    poolings: tuple[str, ...]
    table: Any
    pooler: Any | None = None
    skipped: dict[int, str] = field(default_factory=dict)
    groups: Any | None = None

    def of(self, layer: int, pooling: str) -> Any:
        """Vectors by one layer and pooling: shape (S, D), float32.

        Raises:
            KeyError: the layer or the pooling was not computed.
        """
        if pooling == "pooler_output":
            if self.pooler is None or layer != self.layers[-1]:
                raise KeyError((layer, pooling))
            return self.pooler
        if layer not in self.layers or pooling not in self.poolings:
            raise KeyError((layer, pooling))
        return self.table[self.layers.index(layer), self.poolings.index(pooling)]

    def layers_of(self, pooling: str, sentences: Any) -> Any:
        """Vectors of some sentences by all layers: shape (layers, len(sentences), D), float64."""
        import numpy as np

        return self.table[:, self.poolings.index(pooling)][:, sentences].astype(np.float64)


def empty_table(shape: tuple[int, ...], *, budget: int = BUDGET) -> Any:
    """A table of float32 zeros, mapped to an unnamed file when it is larger than the budget.

    Raises:
        OSError: there is no room for the file.
    """
    import math

    import numpy as np

    size = 4 * math.prod(shape)
    if size <= budget:
        return np.zeros(shape, dtype=np.float32)
    file = tempfile.TemporaryFile(prefix="pretune-pool-")  # noqa: SIM115 - the map keeps it open
    file.truncate(size)
    return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)
