"""A disk that is full or refuses, in one line that says how much was needed and what still stands. Knows no formats."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = frozenset(number for name in ("ENOSPC", "EDQUOT", "EFBIG") if (number := getattr(errno, name, None)) is not None)
"""No space left; over the user's quota; over the limit of one file."""

_NUMBER = re.compile(r"\(os error (\d+)\)")
"""How libraries written in Rust (safetensors, tokenizers) tell the system's error number."""


class Written:
    """What a write that failed had come to.

    Attributes:
        bytes: that were written when it failed.
        needed: bytes of all that was to be written, as far as known; 0: not known.
    """

    def __init__(self, needed: int) -> None:
        self.bytes = 0
        self.needed = needed


@contextmanager
def told(what: str, folder: Path, *, needed: int = 0, stands: str = "") -> Iterator[Written]:
    """Make what the system refuses while something is written the user's error.

    Args:
        what: that was to be written, for the message: `checkpoint-120`.
        folder: on the disk that is written to.
        needed: bytes that it takes, as far as known.
        stands: what is still there, `checkpoint-100`.

    Raises:
        UserError: in the place of an OSError, and of what other libraries make of one; exit code 1.
    """
    written = Written(needed)
    try:
        yield written
    except Exception as error:
        number, reason = _system(error)
        if not reason:
            raise
        hint = f"{stands} is untouched" if stands else "nothing else was changed"
        if number in FULL:
            raise UserError(
                f"the disk of {folder} is full: {what} {_need(written)}, {_free(folder)} ({reason})",
                hint=f"{hint}; make room, or keep fewer checkpoints (save_total_limit), and resume",
                exit_code=1,
            ) from None
        raise UserError(
            f"{what} cannot be written to {folder}: {reason}",
            hint=f"{hint}; check the folder's rights and the disk",
            exit_code=1,
        ) from None


def _system(error: Exception) -> tuple[int | None, str]:
    """The system's number and words for an error; no words when it is no error of the system's."""
    if isinstance(error, OSError):
        return error.errno, (error.strerror or str(error)).lower()
    found = _NUMBER.search(str(error))
    if found is None:
        return None, ""
    number = int(found[1])
    return number, os.strerror(number).lower()


def _need(written: Written) -> str:
    if written.needed > written.bytes:
        return f"needs about {_mb(written.needed)}"
    return f"needs more than the {_mb(written.bytes)} that were written"


def _free(folder: Path) -> str:
    """The space that is left now."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return f"{_mb(shutil.disk_usage(folder).free)} are free"
    except OSError:
        return "how much is free is not known"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
