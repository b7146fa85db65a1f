"""Memory given back to the system between blocks, so that a long corpus takes no more than a short one.

polars keeps freed pages for a while (jemalloc), and so does the C library (malloc). Knows nothing of what was in them.
Also how seldom Python looks for cycles while vocabularies are read.
"""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECAY = "dirty_decay_ms:100,muzzy_decay_ms:0"


OBJECTS = 200_000
"""Containers made after which Python looks for cycles again; its own 700 is seven hundred looks for a vocabulary."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While this lasts Python looks for cycles of objects seldom.

    A vocabulary is a quarter of a million lists without any cycle, and looking through them all again and again takes
    longer than reading them.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
