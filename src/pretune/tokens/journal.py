"""Writes a few bytes of large files in place so that a crash leaves them as they were, or as they shall be.

Before anything is written, what stands there now is saved beside the files and on the disk (`.pretune-journal`); when
all is written, that goes. A journal that is found is the sign of a crash: `recover` puts back what it holds. Files that
others see too (links, the hub's cache) are never written. Knows no tensors.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.folder import inside
from pretune.core.errors import UserError
from pretune.tokens.byte_copy import copy_file, in_hub_cache, sync_folder, write_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAME = ".pretune-journal"
_NEW = ".pretune-journal.new"
_COPY = ".pretune-copy."
_HEAD = 1 << 16
"""Bytes at a file's beginning that tell whether it is still the file the journal was written for."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes that shall stand at a place of a file.

    Attributes:
        file: relative to the folder.
        offset: in bytes.
        data: what shall stand there; all of it lies inside the file, behind its first bytes where those are a header.
    """

    file: str
    offset: int
    data: bytes


def write_in_place(folder: Path, edits: Sequence[Edit]) -> tuple[str, ...]:
    """Make the edits; returns the files that changed: none when all stands there already.

    Args:
        folder: that holds the files.
        edits: must not overlap.

    Raises:
        UserError: another process writes there, a file is in the hub's cache or cannot be written; all is as it was.
    """
    with _told(folder), _locked(folder):
        _recover(folder)
        wanted = [(edit, _read(folder, edit)) for edit in edits]
        wanted = [(edit, old) for edit, old in wanted if old != edit.data]
        if wanted:
            _exchange(folder, wanted)
    return tuple(dict.fromkeys(edit.file for edit, _ in wanted))


def _exchange(folder: Path, wanted: Sequence[tuple[Edit, bytes]]) -> None:
    """Write what is wanted, with a journal of what was there."""
    files = tuple(dict.fromkeys(edit.file for edit, _ in wanted))
    for file in files:
        _make_own(folder, file)
    _save(folder, wanted, files)
    try:
        _write(folder, [edit for edit, _ in wanted])
    except BaseException:
        _recover(folder)
        raise
    (folder / NAME).unlink()
    sync_folder(folder)


def recover(folder: Path) -> bool:
    """Put back what an interrupted `write_in_place` had begun to change; whether there was anything to put back.

    Raises:
        UserError: the journal is damaged, or a file is not the one that it was written for.
    """
    if not any((folder / name).exists() for name in (NAME, _NEW)) and not list(folder.glob(f"{_COPY}*")):
        return False
    with _told(folder), _locked(folder):
        return _recover(folder)


def _recover(folder: Path) -> bool:
    (folder / _NEW).unlink(missing_ok=True)
    for copy in folder.glob(f"{_COPY}*"):
        copy.unlink()
    path = folder / NAME
    if not path.exists():
        return False
    table, old = _load(path)
    hint = f"if the weights were put there anew since, delete {path}"
    edits = []
    at = 0
    for row in table["edits"]:
        file, offset, length = row["file"], row["offset"], row["length"]
        if not inside(file) or not (folder / file).is_file() or _sign(folder / file) != table["files"][file]:
            raise UserError(
                f"{path} holds rows of {file} as it was before a crash, but that is another file now", hint=hint
            )
        edits.append(Edit(file, offset, old[at : at + length]))
        at += length
    _write(folder, edits)
    path.unlink()
    sync_folder(folder)
    return True


def _load(path: Path) -> tuple[Any, bytes]:
    """What a journal says, and the old bytes one after another."""
    data = path.read_bytes()
    body, told = data[:-32], data[-32:]
    if len(data) < 32 or hashlib.sha256(body).digest() != told:
        raise UserError(
            f"{path} is damaged: it cannot say what stood in the weights before a crash",
            hint="take the weights from their source again, and delete it",
        )
    head, _, old = body.partition(b"\n")
    return json.loads(head), old


def _save(folder: Path, wanted: Sequence[tuple[Edit, bytes]], files: Sequence[str]) -> None:
    """Write the journal; when its name is there, all of it is on the disk."""
    table = {
        "version": 1,
        "files": {file: _sign(folder / file) for file in files},
        "edits": [{"file": edit.file, "offset": edit.offset, "length": len(old)} for edit, old in wanted],
    }
    body = json.dumps(table).encode() + b"\n" + b"".join(old for _, old in wanted)
    new = folder / _NEW
    try:
        with new.open("wb") as out:
            out.write(body)
            out.write(hashlib.sha256(body).digest())
            out.flush()
            os.fsync(out.fileno())
        new.replace(folder / NAME)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(folder)


def _write(folder: Path, edits: Sequence[Edit]) -> None:
    """Make the edits and have them reach the disk."""
    for file in dict.fromkeys(edit.file for edit in edits):
        handle = os.open(folder / file, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            for edit in edits:
                if edit.file == file:
                    write_at(handle, edit.data, edit.offset)
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(folder: Path, edit: Edit) -> bytes:
    with (folder / edit.file).open("rb") as file:
        file.seek(edit.offset)
        old = file.read(len(edit.data))
    if len(old) != len(edit.data):
        raise UserError(
            f"{folder / edit.file} ends inside the rows that are to be written", hint="download or copy the file again"
        )
    return old


def _sign(path: Path) -> str:
    """Tells a file of other length or header from this one; the bytes that are edited lie behind."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        file.seek(0)
        head = file.read(min(8 + length, _HEAD))
    return f"{path.stat().st_size}:{hashlib.sha256(head).hexdigest()}"


def _make_own(folder: Path, file: str) -> None:
    """Replace a name that leads to a file others see (a link) by a copy of it; what stands there stays the same.

    Raises:
        UserError: it leads into the hub's cache, where a file of that name means what the hub has.
    """
    path = folder / file
    if in_hub_cache(path.absolute()):
        raise UserError(
            f"{path} lies in the hub's cache, which is not written: every program here would load what was changed",
            hint="write the result to a folder of its own (--out)",
        )
    if not path.is_symlink() and path.stat().st_nlink < 2:
        return
    copy = path.with_name(f"{_COPY}{path.name}")
    try:
        copy_file(path.resolve(), copy)
        handle = os.open(copy, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        copy.replace(path)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Make what the system refuses the user's error, with what stands in the files now."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "nothing was changed"
        if (folder / NAME).exists():
            hint = f"{folder / NAME} holds the rows that were there; the same call puts them back first"
        raise UserError(f"{folder} cannot be written: {reason}", hint=hint) from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """No other pretune writes to the folder meanwhile.

    Raises:
        UserError: one does.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another process writes to {folder}", hint="wait until it is done") from None
        except OSError:  # a network file system without locks
            pass
        yield
    finally:
        with suppress(OSError):
            os.close(handle)
