"""The manifest of a checkpoint: which files it has, their sizes and hashes. Written last, to vouch for the rest.

Knows where a checkpoint's files are, not what they mean and not how the folder gets its name.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pretune
from pretune.artifacts.safetensors_header import read_header
from pretune.artifacts.source import FolderSource
from pretune.core.files import umask
from pretune.tokens.byte_copy import sync_folder
from pretune.train.fingerprint import fingerprint, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "manifest.json"

_FORMAT = 1
_TOGETHER = 4
"""Files that are brought to the disk at the same time."""


def seal(folder: Path, *, step: int, recipe: Mapping[str, Any]) -> None:
    """Have all files of a checkpoint reach the disk, and after that a manifest of them.

    Args:
        folder: which holds the files and nothing else.
        step: optimizer steps done.
        recipe: what the run was asked for, flat.

    Raises:
        OSError: the disk refuses, or weights are shorter than they say.
    """
    folder.chmod(0o777 & ~umask())  # a temporary folder is for its owner alone
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir()]
    with ThreadPoolExecutor(_TOGETHER) as threads:  # one waits for the disk while another one's bytes are hashed
        files = dict(zip(names, threads.map(partial(_sealed, folder), names), strict=True))
    manifest = {
        "format": _FORMAT,
        "pretune": pretune.__version__,
        "step": step,
        "fingerprint": fingerprint(recipe),
        "recipe": plain(recipe),
        "files": files,
    }
    data = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
    with (folder / MANIFEST).open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
    sync_folder(folder)


def read(folder: Path) -> dict[str, Any]:
    """What the manifest of a checkpoint says.

    Raises:
        OSError: it cannot be read.
        ValueError, KeyError, TypeError: it is none.
    """
    found = json.loads((folder / MANIFEST).read_bytes())
    if found["format"] != _FORMAT:
        raise ValueError(f"format {found['format']}")
    return {**found, "step": int(found["step"]), "recipe": dict(found["recipe"]), "files": dict(found["files"])}


def fault(folder: Path) -> str:
    """Why a folder is no complete checkpoint, every file compared with its size and hash; empty when it is one."""
    try:
        for name, row in read(folder)["files"].items():
            path = folder / name
            if not path.is_file():
                return f"{name} is missing"
            if path.stat().st_size != row["size"]:
                return f"{name} has {path.stat().st_size:,} bytes where {row['size']:,} were written"
            if _sha256(path) != row["sha256"]:
                return f"{name} is not what was written (its sha256 differs)"
    except FileNotFoundError:
        return f"it has no {MANIFEST}"
    except OSError as error:
        return f"it cannot be read: {(error.strerror or str(error)).lower()}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return f"its {MANIFEST} is damaged"
    return ""


def size(folder: Path) -> int:
    """Bytes of a checkpoint by its manifest; 0 when that cannot be read."""
    try:
        return sum(int(row["size"]) for row in read(folder)["files"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0


def _sealed(folder: Path, name: str) -> dict[str, Any]:
    """The size and hash of a file that was just written, and its bytes on the disk.

    Weights say how long they are: a write that came up short without an error is seen here.
    """
    if name.endswith(".safetensors"):
        troubles = read_header(FolderSource(str(folder), folder), name).troubles
        if troubles:
            raise OSError(f"{name} was not written whole: {troubles[0].message}")
    with (folder / name).open("rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        if not size:
            return {"size": 0, "sha256": hashlib.sha256().hexdigest()}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:  # in memory still: spares a copy
            return {"size": size, "sha256": hashlib.sha256(data).hexdigest()}


def _sha256(path: Path) -> str:
    """The hash of a file's bytes. Read, not mapped: a disk that is broken has to be an error, not a signal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
