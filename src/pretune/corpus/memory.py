"""Memory given back to the system between blocks, so that a long corpus takes no more than a short one.

polars keeps freed pages for a while (jemalloc), and so does the C library (malloc). Knows nothing of what was in them.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

_DECAY = "dirty_decay_ms:100,muzzy_decay_ms:0"


def prepare() -> None:
    """Ask jemalloc to keep freed pages for a tenth of a second; it reads this when polars is first imported."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", _DECAY)


def give_back() -> None:
    """Return what malloc holds free; nothing happens where the C library has no malloc_trim."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
