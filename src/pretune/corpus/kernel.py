"""The compiled kernel where there is one: kernel, and strings on their way to it and back. Knows no tokenizer.

PRETUNE_NO_KERNEL=1 does without; every figure is the same, and takes longer.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from types import ModuleType

    Array = np.ndarray[Any, Any]


def kernel() -> ModuleType | None:
    """The kernel; None where the package was built without, or when it is not wanted."""
    if os.environ.get("PRETUNE_NO_KERNEL"):
        return None
    try:
        from pretune.corpus import _kernel
    except ImportError:
        return None
    return _kernel


def buffers_of(strings: pl.Series) -> tuple[Any, Array]:
    """The UTF-8 bytes of strings one after the other (null: none), and where each begins and the last ends, int64."""
    array: Any = strings.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, places, data = array.buffers()
    if not len(array):
        return b"", np.zeros(1, np.int64)
    offsets: Array = np.frombuffer(places, np.int64, len(array) + 1, 8 * array.offset)
    return (b"" if data is None else data), offsets


def series_of(data: bytes, offsets: bytes) -> pl.Series:
    """The strings that `buffers_of` tells of."""
    count = len(offsets) // 8 - 1
    array = pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))
    return pl.Series(pl.from_arrow(array))
