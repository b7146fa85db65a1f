"""Where in a folder the transformer itself lies: a sentence-transformers model may keep it in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pretune.artifacts.folder import FolderSource, inside
from pretune.artifacts.json_file import read_json
from pretune.core.files import SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from pretune.artifacts.source import Source


def inner_path(source: Source) -> str:
    """The folder of the transformer inside a model, as modules.json says: `0_Transformer`; empty when it is the whole.

    Raises:
        UserError: modules.json cannot be read.
    """
    if not source.has("modules.json"):
        return ""
    modules = read_json(source, "modules.json")
    for module in modules if isinstance(modules, list) else ():
        if not isinstance(module, Mapping) or not str(module.get("type", "")).endswith("Transformer"):
            continue
        path = str(module.get("path") or "").strip("/")
        if path and inside(path) and source.has(f"{path}/config.json"):
            return path
        break
    return ""


def inner_folder(source: Source) -> Source:
    """The files of the transformer inside a model; the source itself when that is all there is.

    Raises:
        UserError: modules.json cannot be read.
    """
    path = inner_path(source)
    if not path:
        return source
    if isinstance(source, FolderSource):
        return replace(source, label=source.at(path), folder=source.folder / path)
    return Within(source, path)


@dataclass(frozen=True)
class Within:
    """A folder of a source as a source.

    Attributes:
        whole: the source.
        folder: its name in it.
    """

    whole: Source
    folder: str

    @property
    def label(self) -> str:
        """`org/name/0_Transformer`."""
        return self.whole.at(self.folder)

    @property
    def remarks(self) -> tuple[str, ...]:
        """As of the whole."""
        return self.whole.remarks

    @property
    def complete(self) -> bool:
        """As of the whole."""
        return self.whole.complete

    def names(self) -> frozenset[str]:
        """The folder's files."""
        start = f"{self.folder}/"
        return frozenset(name.removeprefix(start) for name in self.whole.names() if name.startswith(start))

    def has(self, name: str) -> bool:
        """Whether the folder has the file."""
        return inside(name) and self.whole.has(f"{self.folder}/{name}")

    def size(self, name: str) -> int:
        """Bytes of the file."""
        return self.whole.size(f"{self.folder}/{name}")

    def read(self, name: str, *, limit: int = SMALL) -> bytes:
        """The whole file."""
        return self.whole.read(f"{self.folder}/{name}", limit=limit)

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on."""
        return self.whole.read_at(f"{self.folder}/{name}", offset, length)

    def path(self, name: str) -> Path | None:
        """The file on this machine, or None."""
        return self.whole.path(f"{self.folder}/{name}")

    def at(self, name: str, pointer: str = "") -> str:
        """`org/name/0_Transformer/config.json:/vocab_size`."""
        return self.whole.at(f"{self.folder}/{name}", pointer)
