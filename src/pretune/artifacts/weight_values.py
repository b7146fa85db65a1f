"""A few values of a safetensors tensor, read by range, decoded without numpy. Knows no names and no meaning."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pretune.artifacts.tensor_table import BITS
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.artifacts.source import Source
    from pretune.artifacts.tensor_table import Tensor

MOST_BYTES = 16 * 2**20
"""The most that one call reads."""

_FORMATS: Mapping[str, str] = dict(
    pair.split(":") for pair in "F64:d F32:f F16:e BF16:H I64:q I32:i I16:h I8:b U8:B U16:H U32:I U64:Q BOOL:?".split()
)
"""safetensors' word -> the struct module's letter; BF16 has none and is read as its bits."""


def peekable(tensor: Tensor) -> bool:
    """Whether `peek_rows` and `first_values` can read it: from a safetensors file, in a plain dtype."""
    return tensor.start is not None and tensor.dtype in _FORMATS


def peek_rows(source: Source, tensor: Tensor, rows: Sequence[int]) -> dict[int, tuple[float, ...]]:
    """Rows of a 2-D tensor as floats: row -> its `shape[1]` values.

    Args:
        source: where the tensor's file lies.
        tensor: of a safetensors file, in two dimensions.
        rows: which; each is read once, neighbours together.

    Raises:
        ValueError: not 2-D, not peekable, a row outside the table, or more than MOST_BYTES in all.
        UserError: the file cannot be read, or ends before the row does.
    """
    if len(tensor.shape) != 2:
        raise ValueError(f"{tensor.name} has {len(tensor.shape)} dimensions, 2 are expected")
    height, width = tensor.shape
    outside = [row for row in rows if not 0 <= row < height]
    if outside:
        raise ValueError(f"{tensor.name} has {height:,} rows, row {outside[0]} is not among them")
    found: dict[int, tuple[float, ...]] = {}
    wanted = sorted(set(rows))
    _bounded(tensor, len(wanted) * width)
    for first, count in _runs(wanted):
        values = _read(source, tensor, first * width, count * width)
        found.update({first + at: values[at * width : (at + 1) * width] for at in range(count)})
    return found


def first_values(source: Source, tensor: Tensor, count: int = 64) -> tuple[float, ...]:
    """The first values of a tensor in storage order, at most `count`.

    Raises:
        ValueError: not peekable, or more than MOST_BYTES.
        UserError: the file cannot be read, or ends before they do.
    """
    count = min(max(count, 0), tensor.elements)
    _bounded(tensor, count)
    return _read(source, tensor, 0, count)


def _bounded(tensor: Tensor, count: int) -> None:
    if not peekable(tensor):
        raise ValueError(f"values of {tensor.name} ({tensor.dtype}, {tensor.file}) cannot be read without loading it")
    size = count * BITS[tensor.dtype] // 8
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes of {tensor.name} are asked for, at most {MOST_BYTES:,} are read at a time")


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """(first, count) of neighbours in sorted `rows`."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((row, 1))
    return runs


def _read(source: Source, tensor: Tensor, offset: int, count: int) -> tuple[float, ...]:
    """`count` values from the element `offset` on."""
    width = BITS[tensor.dtype] // 8
    data = source.read_at(tensor.file, (tensor.start or 0) + offset * width, count * width)
    if len(data) != count * width:
        raise UserError(f"{source.at(tensor.file)} ends inside {tensor.name}", hint="download or copy the file again")
    values = struct.unpack(f"<{count}{_FORMATS[tensor.dtype]}", data)
    if tensor.dtype == "BF16":  # the upper half of a float32
        return struct.unpack(f"<{count}f", struct.pack(f"<{count}I", *(value << 16 for value in values)))
    return tuple(float(value) for value in values)
