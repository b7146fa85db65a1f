"""A model's files with some of them replaced, not yet written: Overlay. Knows names and bytes, not what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.artifacts.source import Source


@dataclass(frozen=True)
class Overlay:
    """A source (artifacts/source.py) over another.

    Attributes:
        below: the files that are there.
        files: name -> bytes of those that stand in their place, or beside them.
    """

    below: Source
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def label(self) -> str:
        """As below."""
        return self.below.label

    @property
    def remarks(self) -> tuple[str, ...]:
        """As below."""
        return self.below.remarks

    @property
    def complete(self) -> bool:
        """As below."""
        return self.below.complete

    def names(self) -> frozenset[str]:
        """All names."""
        return self.below.names() | frozenset(self.files)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self.files or self.below.has(name)

    def size(self, name: str) -> int:
        """Bytes of the file."""
        return len(self.files[name]) if name in self.files else self.below.size(name)

    def read(self, name: str, *, limit: int = 1 << 26) -> bytes:
        """The whole file.

        Raises:
            UserError: as below.
        """
        if name not in self.files:
            return self.below.read(name, limit=limit)
        if len(self.files[name]) > limit:
            raise UserError(f"{self.at(name)} is longer than {limit} bytes")
        return self.files[name]

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on."""
        if name not in self.files:
            return self.below.read_at(name, offset, length)
        return self.files[name][offset : offset + length]

    def path(self, name: str) -> Path | None:
        """Where the file lies; None for one that is not written yet."""
        return None if name in self.files else self.below.path(name)

    def at(self, name: str, pointer: str = "") -> str:
        """`label/config.json:/vocab_size`."""
        return self.below.at(name, pointer)
