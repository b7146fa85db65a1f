"""A folder that appears whole or not at all: new_folder. Written beside, renamed when done. Knows no models."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def new_folder(folder: str | Path, *, own: str, force: bool = False) -> Iterator[Path]:
    """Give an empty folder that takes the place of `folder` when the block ends without an exception.

    Args:
        folder: where the result shall be; its parents are made.
        own: the model that is read; its own folder is named in the refusal.
        force: replace what is there.

    Raises:
        UserError: something is there already, or nothing can be written there.
    """
    out = Path(os.path.realpath(folder))
    may_write(out, own, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.pretune-new-", dir=out.parent))
    except OSError as error:
        raise _cannot(out, error) from error
    try:
        yield beside
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o777 & ~mask)
        may_write(out, own, force=force)
        _put(beside, out)
    except OSError as error:
        raise _cannot(out, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def may_write(out: Path, own: str, *, force: bool) -> None:
    """Raise where something stands that must stay, or where nothing may be written."""
    there = next(parent for parent in out.parents if parent.exists())
    if not os.access(there, os.W_OK):
        raise _cannot(out, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if force and not out.is_file():
        return
    if out.is_file():
        raise UserError(f"{out} is a file, where a folder is to be written", hint="give another name")
    if out.is_dir() and any(out.iterdir()):
        if out == Path(os.path.realpath(own)):
            raise UserError(f"{out} is the model's own folder", hint="give another folder, or --force to replace it")
        raise UserError(f"{out} is there already", hint="give another folder, or --force to replace it")


def _put(beside: Path, out: Path) -> None:
    """Rename into place; what was there is taken away last, or put back when the rename fails."""
    if not out.exists():
        beside.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.pretune-old-", dir=out.parent)) / "old"
    out.rename(old)
    try:
        beside.rename(out)
    except BaseException:
        old.rename(out)
        raise
    finally:
        if out.exists():
            shutil.rmtree(old.parent, ignore_errors=True)


def _cannot(out: Path, error: OSError) -> UserError:
    """One line for a folder that cannot be written."""
    return UserError(f"{out} cannot be written: {(error.strerror or str(error)).lower()}", hint="give another folder")
