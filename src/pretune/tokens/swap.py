"""An output folder that appears whole or not at all: written beside, brought to the disk, put in place by one rename.

A folder that is there already is replaced only when it is empty, or an earlier result that nobody has touched since:
results bear a file that says what made them and what belongs to them. What a crash leaves behind lies beside the
folder under a name of its own, and is cleaned away by the next run. Knows no models.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.files import write_atomically
from pretune.tokens.byte_copy import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "pretune_tokens.json"
"""The file that says that a folder is a result; what the caller writes into it is kept."""

_NEW, _OLD = ".pretune-new-", ".pretune-old-"
_EXCHANGE = 2
"""renameat2's RENAME_EXCHANGE (linux/fs.h)."""
_HERE = -100
"""AT_FDCWD."""
_CLOCK = 2.0
"""Seconds by which a file's time may be later than the mark's and still be of the same run."""


@contextmanager
def whole_folder(out: str | Path, *, made_by: str, over: bool = False) -> Iterator[Path]:
    """Give an empty folder to write to, which takes the place of `out` when the block ends without an exception.

    Args:
        out: the folder that shall appear; its parents are made.
        made_by: what makes it (`pretune tokens add`); only that may replace it later.
        over: replace whatever stands there; who asks for that has put all of it into the new folder.

    Raises:
        UserError: `out` is something else than an earlier result of the same maker, or its parent cannot be written.
    """
    out = Path(os.path.realpath(out))
    if not over:
        may_replace(out, made_by=made_by)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        clean(out)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}{_NEW}", dir=out.parent))
    except OSError as error:
        raise _cannot(out, error) from None
    lock = _lock(beside)
    try:
        yield beside
        try:
            _finish(beside, made_by)
            if not over:
                may_replace(out, made_by=made_by)
            old = _put(beside, out)
        except OSError as error:
            raise _cannot(out, error) from None
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    finally:
        if lock is not None:
            os.close(lock)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def may_replace(out: Path, *, made_by: str) -> None:
    """Raise a UserError when a folder is there that must not be replaced."""
    hint = "give another folder, or move this one away"
    try:
        if not out.exists():
            return
        if not out.is_dir():
            raise UserError(f"{out} is a file, where a folder is to be written", hint=hint)
        found = {path.relative_to(out).as_posix(): path.lstat() for path in out.rglob("*") if not path.is_dir()}
        empty = not any(out.iterdir())
    except OSError as error:
        raise _cannot(out, error) from None
    if empty:
        return
    mark = _mark(out)
    if mark is None:
        raise UserError(f"{out} is there already and is no earlier result of {made_by}", hint=hint)
    if mark.get("made_by") != made_by:
        raise UserError(f"{out} is there already, made by {mark.get('made_by')}, not by {made_by}", hint=hint)
    files = mark.get("files")
    files = files if isinstance(files, dict) else {}
    foreign = sorted(found.keys() - files.keys() - {MARK})
    if foreign:
        raise UserError(f"{out} holds {foreign[0]}, which {made_by} did not write", hint=hint)
    made = found[MARK].st_mtime + _CLOCK
    for name, size in files.items():
        if name in found and (found[name].st_size != size or found[name].st_mtime > made):
            raise UserError(f"{out} has changed since {made_by} wrote it ({name})", hint=hint)


def clean(out: Path) -> None:
    """Take away what crashed runs for the same folder left beside it; what a running one writes stays."""
    for path in sorted(out.parent.glob(f".{_plain(out.name)}{_OLD}*")):
        if out.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:  # a crash between two renames, where folders cannot be exchanged at once
            path.rename(out)
    for path in out.parent.glob(f".{_plain(out.name)}{_NEW}*"):
        lock = _lock(path)
        if lock is not None:
            os.close(lock)
            shutil.rmtree(path, ignore_errors=True)


def _plain(name: str) -> str:
    """A name as a pattern that matches itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _mark(folder: Path) -> dict[str, Any] | None:
    """What the folder's mark says; None without a readable one."""
    try:
        found = json.loads((folder / MARK).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_mark(folder: Path, *, made_by: str) -> None:
    """Write that the folder, as it is now, is a result of `made_by`; what the mark says besides is kept."""
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()
    }
    files.pop(MARK, None)
    mark = {**(_mark(folder) or {}), "made_by": made_by, "files": files}
    write_atomically(folder / MARK, (json.dumps(mark, indent=2, ensure_ascii=False) + "\n").encode())


def _finish(folder: Path, made_by: str) -> None:
    """Write the mark, give the folder its rights, and have all of it reach the disk."""
    write_mark(folder, made_by=made_by)
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for path in (*sorted(folder.rglob("*")), folder):
        if path.is_dir():
            sync_folder(path)
        elif not path.is_symlink():
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _put(beside: Path, out: Path) -> Path | None:
    """Put the new folder in place; where the old one is now, None when there was none."""
    old = None
    if out.exists() and any(out.iterdir()):
        if _exchange(beside, out):
            old = beside
        else:
            old = out.with_name(beside.name.replace(_NEW, _OLD, 1))
            out.rename(old)
            try:
                beside.rename(out)
            except BaseException:
                old.rename(out)
                raise
    else:
        if os.name == "nt" and out.exists():
            out.rmdir()
        beside.rename(out)  # an empty folder gives way
    sync_folder(out.parent)
    return old


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders at once, so that there is no moment without either; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done: int = rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)
    return done == 0


def _lock(folder: Path) -> int | None:
    """A handle that shows others that this process writes to the folder; None when another one's shows that."""
    handle = None
    with suppress(OSError, ImportError):
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    if handle is not None:
        os.close(handle)
    return None


def _cannot(out: Path, error: OSError) -> UserError:
    return UserError(
        f"{out} cannot be written: {(error.strerror or str(error)).lower()}",
        hint="check its rights and the disk's space",
    )
