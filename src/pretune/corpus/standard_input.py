"""Standard input to a temporary file that is gone when the process ends: spooled.

What comes is read twice and told by its first bytes, as every file is. Knows no rows.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from pretune.core.errors import UserError
from pretune.corpus.packed import unpacked

STDIN = "standard input"

_held: dict[str, Path] = {}


def spooled(source: IO[bytes]) -> Path:
    """The file that all of `source` was written to; its extension says what the first bytes are.

    It is removed when this process ends, or by `discard`. A second call gives the same file.

    Raises:
        UserError: nothing comes, a terminal stands there, or the disk is full.
    """
    if STDIN in _held:
        return _held[STDIN]
    if source.isatty():
        raise UserError("standard input is a terminal, expected data", hint="cat train.jsonl | pretune check … -")
    folder = Path(tempfile.mkdtemp(prefix="pretune-"))
    atexit.register(_remove, folder, os.getpid())
    path = folder / "stdin"
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except OSError as error:
        _remove(folder, os.getpid())
        raise UserError(
            f"standard input cannot be kept in {folder.parent}: {error.strerror}", hint="set TMPDIR to a larger disk"
        ) from None
    if not path.stat().st_size:
        _remove(folder, os.getpid())
        raise UserError("standard input is empty", hint="a row of data was expected")
    _held[STDIN] = path.rename(path.with_suffix(_extension(path)))
    return _held[STDIN]


def discard() -> None:
    """Remove what was kept of standard input."""
    for path in _held.values():
        _remove(path.parent, os.getpid())
    _held.clear()


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked worker must leave its parent's file alone
        shutil.rmtree(folder, ignore_errors=True)


def _extension(path: Path) -> str:
    with unpacked(path) as file:
        data = file.read(64 << 10)
    if data.startswith(b"PAR1"):
        return ".parquet"
    if data.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return ".arrow"
    head = data.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if head.startswith("["):
        return ".json"
    if head.startswith("{"):
        first, newline, rest = head.partition("\n")
        try:
            json.loads(first)
        except (ValueError, RecursionError):  # a document that is laid out, a line above 64 KB, or a broken first line
            return ".json" if newline and first.strip() in {"{", '{"data": ['} else ".jsonl"
        return ".jsonl" if newline or not rest else ".json"
    return ".txt"
