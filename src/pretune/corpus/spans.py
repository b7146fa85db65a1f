"""Stretches of a block's bytes to a String series that shares the bytes, and the lines of such bytes.

Knows no formats. Asks for numpy, polars and pyarrow, and is imported only by what reads blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INLINE = 12
"""Bytes of a string that stand in its view itself (Arrow's columnar format, "variable-size binary view")."""

_NEWLINE = 10

_MAY_BEGIN_BLANK: NDArray[np.bool_] = np.zeros(256, np.bool_)
_MAY_BEGIN_BLANK[[*range(9, 14), *range(28, 33), 0xC2, 0xE1, 0xE2, 0xE3]] = True
"""First bytes of the characters that `str.strip` takes off."""


def text_of(data: bytes) -> pl.Series | None:
    """The bytes as a series of one string, without a copy; None when they are not UTF-8."""
    try:  # polars checks with SIMD, ten times as fast as bytes.decode
        return _binary(data).cast(pl.String)
    except pl.exceptions.PolarsError:
        return None


def is_utf8(data: bytes) -> bool:
    """True when the bytes are UTF-8 throughout."""
    return data.isascii() or text_of(data) is not None


def series_of(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pl.Series:
    """The strings that stand in `data[start:end]`, without a copy of those above 12 bytes.

    Args:
        data: UTF-8, below 4 GiB.
        starts: n first bytes, each the first of a character.
        ends: n bytes behind the last ones.
    """
    lengths = ends - starts
    views: NDArray[np.uint32] = np.empty((len(starts), 4), np.uint32)
    views[:, 0] = lengths
    padded = np.frombuffer(data + bytes(_INLINE) if _near_end(data, starts) else data, np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _INLINE) if len(padded) >= _INLINE else None
    if windows is not None and len(starts):
        head = windows[starts]
        short = np.flatnonzero(lengths < _INLINE)
        beyond = np.arange(_INLINE)[None, :] >= lengths[short, None]
        head[short] = np.where(beyond, np.uint8(0), head[short])
        views[:, 1:] = head.view(np.uint32)
    long = lengths > _INLINE
    views[:, 2] = np.where(long, 0, views[:, 2])
    views[:, 3] = np.where(long, starts.astype(np.uint32), views[:, 3])
    buffers = [None, pa.py_buffer(views), pa.py_buffer(data)]
    return _series(pa.Array.from_buffers(pa.string_view(), len(starts), buffers))


def newlines(data: bytes) -> int:
    """How many line ends there are; three times as fast as bytes.count where there are many."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _NEWLINE))


def lines_in(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First bytes of the lines and the bytes behind their last, the line end left out."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def filled(data: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], *, but: str = "") -> NDArray[np.bool_]:
    """Which of these stretches hold more than white space, as `str.strip` sees it, or the character `but`."""
    there = ends > starts
    bytes_ = np.frombuffer(data, np.uint8)
    for at in np.flatnonzero(there & _MAY_BEGIN_BLANK[bytes_[np.minimum(starts, len(data) - 1)]] if data else there):
        text = data[starts[at] : ends[at]].decode("utf-8", "replace")
        there[at] = bool(text.strip()) or (bool(but) and but in text)
    return there


def _near_end(data: bytes, starts: NDArray[np.int64]) -> bool:
    return bool(len(starts)) and int(starts[-1]) + _INLINE > len(data)


def _binary(data: bytes) -> pl.Series:
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    return _series(pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, pa.py_buffer(data)]))


def _series(array: Any) -> pl.Series:
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found
