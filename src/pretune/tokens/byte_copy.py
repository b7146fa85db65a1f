"""Copies files and parts of files without taking them into memory: by sharing blocks, by a link, or in the kernel.

A link is made only where nobody is likely to write through it: never to a file of the hub's cache or behind a link.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

CHUNK = 1 << 20
"""Bytes that go through memory at once where the kernel does not copy by itself."""

_FICLONE = 0x40049409
"""linux/fs.h: let two files share their blocks until one is written (btrfs, XFS)."""

How = Literal["reflink", "link", "copy"]


def link_or_copy(source: Path, target: Path, *, link: bool = True) -> How:
    """Make `target`, which must not exist, hold what `source` holds; with shared blocks, else a hard link, else a copy.

    Args:
        source: a file; behind a link, what it leads to.
        target: its name.
        link: whether a hard link will do: who writes one of the two in place later writes both.

    Raises:
        OSError: it cannot be made; nothing is left then.
    """
    real = Path(os.path.realpath(source))
    if _reflink(real, target):
        return "reflink"
    if link and real == Path(os.path.abspath(source)) and not in_hub_cache(real):  # noqa: PTH100 - links must stay
        with suppress(OSError):  # another disk, a file system without links, a file of somebody else
            os.link(real, target)
            return "link"
    _copy(real, target)
    return "copy"


def copy_file(source: Path, target: Path) -> How:
    """Make `target`, which must not exist, a file of its own with the bytes and permissions of `source`.

    Raises:
        OSError: it cannot be made; nothing is left then.
    """
    if _reflink(source, target):
        return "reflink"
    _copy(source, target)
    return "copy"


def copy_ranges(source: int, target: int, ranges: Iterable[tuple[int, int, int]]) -> None:
    """Copy parts between open files: (where in source, where in target, bytes).

    Raises:
        OSError: a part cannot be read or written; a source that ends too early is one.
    """
    for start, goal, length in ranges:
        _copy_range(source, target, start, goal, length)


def in_hub_cache(path: Path) -> bool:
    """Whether a file lies in the hub's cache (`models--org--name/blobs/…`), which all programs here share."""
    return any(part.startswith(("models--", "datasets--", "spaces--")) for part in path.parts)


def write_at(handle: int, data: bytes, offset: int) -> None:
    """Write all of `data` at an offset of an open file."""
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def sync_folder(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reflink(source: Path, target: Path) -> bool:
    """Whether `target` now shares the blocks of `source`."""
    try:
        import fcntl
    except ImportError:
        return False
    with source.open("rb") as old:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            fcntl.ioctl(handle, _FICLONE, old.fileno())
            shutil.copymode(source, target)
            target.chmod(target.stat().st_mode | 0o200)  # of a read-only file too: it is ours to write
        except OSError:
            target.unlink()
            return False
        else:
            return True
        finally:
            os.close(handle)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as old:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _copy_range(old.fileno(), handle, 0, 0, os.fstat(old.fileno()).st_size)
            shutil.copymode(source, target)
            target.chmod(target.stat().st_mode | 0o200)  # a copy of a read-only file is ours to write
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)


def _copy_range(source: int, target: int, start: int, goal: int, length: int) -> None:
    """Copy one part, in the kernel where it can."""
    done = 0
    in_kernel = hasattr(os, "copy_file_range")
    while done < length:
        if in_kernel:
            try:
                moved = os.copy_file_range(source, target, length - done, start + done, goal + done)
            except OSError:  # two file systems, or one that does not know how
                in_kernel = False
                continue
            if moved == 0:  # some file systems say so of what they do not copy; the end of the file says so below
                in_kernel = False
            done += moved
            continue
        part = os.pread(source, min(CHUNK, length - done), start + done)
        if not part:
            raise OSError(f"the file ends {length - done:,} bytes too early")
        write_at(target, part, goal + done)
        done += len(part)
