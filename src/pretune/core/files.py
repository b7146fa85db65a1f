"""Reads regular files with a bound, and writes so that nothing is ever half-written. Knows no formats."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = 64 * 2**20
"""64 MiB: the longest file that is read whole; the largest tokenizer.json in use has 35 MB."""


def read_bounded(path: Path, *, limit: int = SMALL, label: str = "") -> bytes:
    """The whole file.

    Args:
        path: what to read; a link is followed.
        limit: the most bytes it may have.
        label: how messages name the file; empty: its path.

    Raises:
        UserError: missing, not a regular file, not allowed, or longer than `limit`, seen before anything is read.
    """
    label = label or str(path)
    with _opened(path, label) as (handle, size):
        if size > limit:
            raise UserError(f"{label} has {size:,} bytes, more than the {limit:,} that are read of such a file")
        return _read(handle, size)


def read_range(path: Path, offset: int, length: int, *, label: str = "") -> bytes:
    """At most `length` bytes from `offset` on; fewer where the file ends, never more memory than the file has bytes.

    Raises:
        UserError: as `read_bounded`.
    """
    with _opened(path, label or str(path)) as (handle, size):
        offset = max(offset, 0)
        if offset >= size:
            return b""
        os.lseek(handle, offset, os.SEEK_SET)
        return _read(handle, min(length, size - offset))


def size_of(path: Path, *, label: str = "") -> int:
    """Bytes of a regular file.

    Raises:
        UserError: missing, not a regular file, or not to be seen.
    """
    label = label or str(path)
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise _refusal(label, error) from None
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{label} is not a regular file")
    return found.st_size


@contextmanager
def _opened(path: Path, label: str) -> Iterator[tuple[int, int]]:
    """A handle of a regular file, and its size. Non-blocking, because opening a fifo would wait for its writer."""
    size_of(path, label=label)
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _refusal(label, error) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{label} is not a regular file")
        yield handle, found.st_size
    except OSError as error:
        raise _refusal(label, error) from None
    finally:
        os.close(handle)


def _read(handle: int, length: int) -> bytes:
    parts = []
    while length > 0:
        part = os.read(handle, length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _refusal(label: str, error: OSError | ValueError) -> UserError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UserError(f"{label} does not exist")
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UserError(f"{label} cannot be read: {reason.lower()}")


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: write beside it, fsync, rename. The old file's permissions are kept.

    A link is followed, so that the file it names is replaced and the link stays.
    """
    path = Path(os.path.realpath(path))
    import tempfile  # whoever only reads need not pay for it

    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~umask()
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def umask() -> int:
    """The bits that a new file lacks here; asking sets it for a moment, as no system tells it otherwise."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
