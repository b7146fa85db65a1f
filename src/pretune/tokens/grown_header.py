"""The header of a safetensors file some of whose tensors get more rows, and what is copied where. Reads nothing.

The order of the values stays; only where that would put a tensor at an offset that its dtype cannot begin at (torch
refuses to view it) are the values ordered as safetensors itself does, by the width of their dtype.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pretune.artifacts.tensor_table import BITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.artifacts.tensor_table import Tensor

_ALIGN = 8
"""The values begin at a multiple of this, as safetensors pads its headers."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A file to be written.

    Attributes:
        header: its first bytes.
        copies: what the old file gives: (where in it, where in the new one, bytes).
        tensors: as they are in the new file.
        size: bytes of the new file.
    """

    header: bytes
    copies: tuple[tuple[int, int, int], ...]
    tensors: Mapping[str, Tensor]
    size: int


def grown(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], more: Mapping[str, tuple[int, int]]) -> Grown:
    """The file with more rows.

    Args:
        tensors: all of the old file.
        metadata: its `__metadata__`.
        more: tensor -> (axis, rows); all before the axis must be 1.
    """
    larger = {name: _larger(tensor, *more[name]) if name in more else tensor for name, tensor in tensors.items()}
    by_place = sorted(tensors, key=lambda name: (tensors[name].start or 0, tensors[name].bytes))
    begin = min((tensor.start or 0 for tensor in tensors.values()), default=0)
    was = all(((tensors[name].start or 0) - begin) % _width(tensors[name]) == 0 for name in by_place)
    offsets = _offsets(by_place, larger)
    if was and any(offsets[name] % _width(larger[name]) for name in by_place):
        by_place.sort(key=lambda name: -_width(larger[name]))
        offsets = _offsets(by_place, larger)
    header = _header(by_place, larger, offsets, metadata)
    placed = {name: replace(larger[name], start=len(header) + offsets[name]) for name in larger}
    size = len(header) + sum(tensor.bytes for tensor in larger.values())
    return Grown(header, _copies(by_place, tensors, placed), placed, size)


def _larger(tensor: Tensor, axis: int, rows: int) -> Tensor:
    shape = (*tensor.shape[:axis], tensor.shape[axis] + rows, *tensor.shape[axis + 1 :])
    return replace(tensor, shape=shape)


def _width(tensor: Tensor) -> int:
    """Bytes of one number."""
    return max(1, BITS[tensor.dtype] // 8)


def _offsets(order: Sequence[str], tensors: Mapping[str, Tensor]) -> dict[str, int]:
    offsets, at = {}, 0
    for name in order:
        offsets[name] = at
        at += tensors[name].bytes
    return offsets


def _header(
    order: Sequence[str], tensors: Mapping[str, Tensor], offsets: Mapping[str, int], metadata: Mapping[str, str]
) -> bytes:
    table: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    for name in order:
        start = offsets[name]
        table[name] = {
            "dtype": tensors[name].dtype,
            "shape": list(tensors[name].shape),
            "data_offsets": [start, start + tensors[name].bytes],
        }
    text = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGN)
    return struct.pack("<Q", len(text)) + text


def _copies(
    order: Sequence[str], old: Mapping[str, Tensor], new: Mapping[str, Tensor]
) -> tuple[tuple[int, int, int], ...]:
    """What is copied, neighbours together."""
    copies: list[tuple[int, int, int]] = []
    for name in order:
        start, goal, length = old[name].start or 0, new[name].start or 0, old[name].bytes
        if not length:
            continue
        if copies and start == copies[-1][0] + copies[-1][2] and goal == copies[-1][1] + copies[-1][2]:
            copies[-1] = (copies[-1][0], copies[-1][1], copies[-1][2] + length)
        else:
            copies.append((start, goal, length))
    return tuple(copies)
