"""Rows of a table as numbers, and numbers as the bytes of a dtype: float64 to float8, bfloat16 too. Knows no names.

numpy has neither bfloat16 nor float8: the former is the upper half of a float32, the latter has 256 values, which are
tabulated (Open Compute 8-bit floating point,
https://www.opencompute.org/documents/ocp-8-bit-floating-point-specification-ofp8-revision-1-0-2023-12-01-pdf-1).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_FLOAT8 = {"F8_E4M3": (4, 3, 7, True), "F8_E5M2": (5, 2, 15, False)}
"""Bits of exponent and mantissa, bias, and whether the format has no infinities."""

DTYPES = frozenset({*PLAIN, "BF16", *_FLOAT8})
"""safetensors' words for dtypes whose rows can be read and written."""


def decoded(data: bytes, dtype: str) -> NDArray[np.float32]:
    """The numbers that bytes of a dtype spell, in one dimension.

    Raises:
        UserError: the dtype is none of DTYPES.
    """
    if dtype in PLAIN:
        return np.frombuffer(data, PLAIN[dtype]).astype(np.float32)
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if dtype in _FLOAT8:
        return _values(dtype)[np.frombuffer(data, np.uint8)]
    raise _unknown(dtype)


def encoded(values: NDArray[Any], dtype: str) -> bytes:
    """Numbers as bytes of a dtype, rounded to nearest, ties to even, as torch does.

    Raises:
        UserError: the dtype is none of DTYPES.
        ValueError: a number is not finite, or too large for the dtype.
    """
    wide = np.ascontiguousarray(values, np.float64 if dtype == "F64" else np.float32)
    if not np.isfinite(wide).all():
        raise ValueError("a row holds a number that is not finite")
    if dtype in PLAIN:
        with np.errstate(over="ignore"):
            made = wide.astype(PLAIN[dtype])
        if not np.isfinite(made).all():
            raise ValueError(f"a row holds a number too large for {dtype}")
        return bytes(made.tobytes())
    if dtype == "BF16":
        bits = wide.view(np.uint32)
        made = ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype("<u2")
        if ((made & 0x7F80) == 0x7F80).any():
            raise ValueError("a row holds a number too large for BF16")
        return bytes(made.tobytes())
    if dtype in _FLOAT8:
        return bytes(_nearest(wide, dtype).tobytes())
    raise _unknown(dtype)


def _nearest(wide: NDArray[np.float32], dtype: str) -> NDArray[np.uint8]:
    """The codes of the nearest float8 values; the sign bit is the highest."""
    positive = _values(dtype)[:128]
    ladder = positive[np.isfinite(positive)]
    size = np.abs(wide)
    if (size > ladder[-1]).any():
        raise ValueError(f"a row holds a number too large for {dtype}, which ends at {ladder[-1]:g}")
    above = np.minimum(np.searchsorted(ladder, size), len(ladder) - 1)
    below = np.maximum(above - 1, 0)
    up, down = ladder[above] - size, size - ladder[below]
    code = np.where((down < up) | ((down == up) & (below % 2 == 0)), below, above)
    return (code | (np.signbit(wide).astype(np.int64) << 7)).astype(np.uint8)


@cache
def _values(dtype: str) -> NDArray[np.float32]:
    """The 256 values of a float8 format, by their codes."""
    exponent_bits, mantissa_bits, bias, finite = _FLOAT8[dtype]
    values: NDArray[np.float32] = np.empty(256, np.float32)
    for code in range(256):
        exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1)
        mantissa = code & ((1 << mantissa_bits) - 1)
        part = mantissa / (1 << mantissa_bits)
        value = (1 + part) * 2.0 ** (exponent - bias) if exponent else part * 2.0 ** (1 - bias)
        if exponent == (1 << exponent_bits) - 1:
            if finite and mantissa == (1 << mantissa_bits) - 1:
                value = float("nan")
            elif not finite:
                value = float("nan") if mantissa else float("inf")
        values[code] = -value if code & 0x80 else value
    return values


def _unknown(dtype: str) -> UserError:
    return UserError(
        f"the word embedding is stored as {dtype}, which pretune does not write; {', '.join(sorted(DTYPES))} are known",
        hint="take the checkpoint from before it was quantised",
    )
