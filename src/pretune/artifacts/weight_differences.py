"""How two tables of the same model differ, for a folder that holds two formats. Knows no values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.tensor_table import Tensor
    from pretune.artifacts.weights import Weights

_RENAMED = ((".gamma", ".weight"), (".beta", ".bias"))
_BUFFERS = ("position_ids", "token_type_ids", "inv_freq", "masked_bias", ".attn.bias", "num_batches_tracked")
"""Endings of tensors that older versions saved and newer ones make themselves."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What one table says and the other does not; LayerNorm's old names, buffers and tied copies are looked past.

    Attributes:
        only_first: tensors that only the first has.
        only_second: tensors that only the second has.
        shapes: tensors of another shape: name -> (first, second).
        dtypes: tensors of another dtype: name -> (first, second).
    """

    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    dtypes: Mapping[str, tuple[str, str]]

    @property
    def any(self) -> bool:
        """Whether names or shapes differ."""
        return bool(self.only_first or self.only_second or self.shapes)


def differences(first: Weights, second: Weights) -> Differences:
    """How the tables of two formats in one folder differ."""
    mine, theirs = _named(first), _named(second)
    both = mine.keys() & theirs.keys()
    tied = _tied(first) | _tied(second)
    return Differences(
        only_first=tuple(sorted(name for name in mine.keys() - theirs.keys() if name not in tied)),
        only_second=tuple(sorted(name for name in theirs.keys() - mine.keys() if name not in tied)),
        shapes={
            name: (mine[name].shape, theirs[name].shape)
            for name in sorted(both)
            if mine[name].shape != theirs[name].shape
        },
        dtypes={
            name: (mine[name].dtype, theirs[name].dtype)
            for name in sorted(both)
            if mine[name].dtype != theirs[name].dtype
        },
    )


def _named(weights: Weights) -> dict[str, Tensor]:
    return {_modern(name): tensor for name, tensor in weights.tensors.items() if not name.endswith(_BUFFERS)}


def _modern(name: str) -> str:
    for old, new in _RENAMED:
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _tied(weights: Weights) -> set[str]:
    """Names that share a storage with another name: one of them is enough, safetensors keeps only one."""
    return {_modern(name) for group in weights.shared for name in group}
