"""A data file's bytes, unpacked on the way when gzipped or packed with zstd, and how much of the file they took.

What a file is packed with is told by its first bytes, never by its name. Knows no text and no lines but their ends.
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from typing import IO, TYPE_CHECKING, Literal, cast

from pretune.core.errors import UserError
from pretune.core.extras import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The bytes of an open file.

    Attributes:
        path: the file, for messages.
        handle: gives its bytes, unpacked.
        raw: the file itself.
        packing: what it is packed with; empty: it is not.
    """

    path: Path
    handle: IO[bytes]
    raw: IO[bytes]
    packing: Literal["", "gzip", "zstd"]

    def read(self, limit: int) -> bytes:
        """The next bytes, `limit` of them unless the file ends.

        Raises:
            UserError: the file is damaged or cut off.
        """
        return self._read(self.handle.read, limit)

    def readline(self, limit: int) -> bytes:
        """The rest of the line with its end, at most `limit` bytes.

        Raises:
            UserError: the file is damaged or cut off.
        """
        return self._read(self.handle.readline, limit)

    @property
    def position(self) -> int:
        """Bytes of the file, as it is stored, that were read so far."""
        return self.raw.tell()

    def _read(self, read: object, limit: int) -> bytes:
        try:
            return cast("bytes", read(limit))  # type: ignore[operator]
        except EOFError:
            raise self._cut_off() from None
        except (OSError, zlib.error) as error:
            if "Truncated compressed stream" in str(error):  # what pyarrow says
                raise self._cut_off() from None
            raise UserError(f"{self.path} cannot be read: {getattr(error, 'strerror', None) or error}") from None

    def _cut_off(self) -> UserError:
        return UserError(
            f"{self.path} is cut off: its {self.packing} stream has no end", hint="download or copy it again"
        )


@contextmanager
def unpacked(path: Path) -> Iterator[Unpacked]:
    """Open a file and unpack it on the way.

    Raises:
        UserError: missing, unreadable, a pipe or a device; zstd without pyarrow (the extra `data`).
    """
    try:
        raw = path.open("rb") if path.is_file() else None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if raw is None:
        there = path.exists()
        raise UserError(
            f"{path} is a pipe or a device, expected a file" if there else f"{path} does not exist",
            hint="it is read more than once: write it to a file" if there else "the name of a data file was expected",
        )
    with raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic[:2] == GZIP:
            with gzip.GzipFile(fileobj=raw) as handle:
                yield Unpacked(path, cast("IO[bytes]", handle), raw, "gzip")
        elif magic == ZSTD:
            pyarrow = need("pyarrow", extra="data")
            packed = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, mode="r"), "zstd")
            with BufferedReader(packed, 1 << 20) as handle:
                yield Unpacked(path, handle, raw, "zstd")
        else:
            yield Unpacked(path, raw, raw, "")
