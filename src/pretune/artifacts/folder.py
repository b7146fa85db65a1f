"""A model's files in a folder on this machine. Knows names and bytes, not what is in them."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pretune.core.errors import UserError, nearest
from pretune.core.files import SMALL, read_bounded, read_range, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_NAMES = 10_000
"""A folder is listed up to here; asking for a file by its name works beyond it."""

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "chat_template.jinja",
    "adapter_config.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""The names that tell a model's or a tokenizer's folder; found however many other files lie beside them."""


@dataclass(frozen=True)
class FolderSource:
    """A folder on this machine.

    Attributes:
        label: the folder as the user wrote it.
        folder: where it is.
        remarks: what the user should know about how the files came here; a plain folder has nothing to remark.
        complete: False for a snapshot in the hub's cache, which holds only what somebody once asked for: a file
            that is missing here may exist on the hub.
    """

    label: str
    folder: Path
    remarks: tuple[str, ...] = ()
    complete: bool = True

    def names(self) -> frozenset[str]:
        """The folder's files and those of its sub-folders (hidden ones left out), at most MOST_NAMES."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        found = {name for name in MODEL_FILES if self.has(name)}
        folders: list[str] = []
        for entry, holds_more in entries(self.folder):
            if not holds_more:
                found.add(entry)
            elif not entry.startswith("."):
                folders.append(entry)
        for folder in sorted(folders):
            if len(found) >= MOST_NAMES:
                break
            below = (f"{folder}/{name}" for name, deeper in entries(self.folder / folder) if not deeper)
            found.update(islice(below, MOST_NAMES - len(found)))
        return frozenset(found)

    def has(self, name: str) -> bool:
        """Whether `name` is a regular file in the folder: a link that leads nowhere is none, nor is `../x`."""
        return self.path(name) is not None

    def size(self, name: str) -> int:
        """Bytes of the file."""
        return size_of(self._existing(name), label=self.at(name))

    def read(self, name: str, *, limit: int = SMALL) -> bytes:
        """The whole file.

        Raises:
            UserError: missing, not a regular file, not allowed, or longer than `limit` bytes, seen before reading.
        """
        return read_bounded(self._existing(name), limit=limit, label=self.at(name))

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on."""
        return read_range(self._existing(name), offset, length, label=self.at(name))

    def path(self, name: str) -> Path | None:
        """The file, or None when the folder has none of that name."""
        if not inside(name):
            return None
        path = self.folder / name
        try:
            return path if stat.S_ISREG(path.stat().st_mode) else None
        except (OSError, ValueError):
            return None

    def at(self, name: str, pointer: str = "") -> str:
        """`label/config.json:/vocab_size`."""
        return place(self.label, name, pointer)

    def _existing(self, name: str) -> Path:
        """Where the file is.

        Raises:
            UserError: it is not there; the hint names a sub-folder that has one, or a file of nearly that name.
        """
        if not inside(name):
            raise UserError(f'"{name}" would lead outside {self.label}', hint="only files inside the folder are read")
        path = self.folder / name
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            if path.is_symlink():
                raise UserError(
                    f"{self.at(name)} is a link to {path.readlink()}, which does not exist",
                    hint="download or copy the file again",
                ) from None
            missing = "has no" if self.complete else "has, in the hub's cache, no"
            raise UserError(f"{self.label} {missing} {name}", hint=self._way_out(name)) from None
        except OSError:
            pass  # it is there; reading it says why it cannot be read
        return path

    def _way_out(self, name: str) -> str:
        deeper = sorted(known for known in self.names() if known.endswith(f"/{name}"))
        if deeper:
            return f'did you mean "{place(self.label, deeper[-1].rpartition("/")[0])}"?'
        if not self.complete:
            return f"`hf download` fetches it while the hub can be reached: hf download {self.label} {name}"
        close = nearest(name, islice(sorted(self.names()), 2000))
        return f"there is a {close}" if close else f"expected a folder with {name}, as save_pretrained writes it"


def inside(name: str) -> bool:
    """Whether a relative name stays in its folder (a shard index is foreign text: `../../etc/passwd` does not)."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and "\\" not in name and ".." not in parts and "\0" not in name


def place(label: str, name: str, pointer: str = "") -> str:
    """`label/name:pointer`; a label of `.` is left out."""
    where = name if label in {"", "."} else f"{label.rstrip('/')}/{name}"
    return f"{where}:{pointer}" if pointer else where


def is_folder(path: Path) -> bool:
    """Whether the path is a folder that can be seen; unlike Path.is_dir it never raises."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Names, each with whether it is a folder, at most MOST_NAMES. Devices, fifos, unreadable folders give none."""
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, MOST_NAMES):
                if entry.is_dir():
                    yield entry.name, True
                elif entry.is_file():
                    yield entry.name, False
    except OSError:
        return
