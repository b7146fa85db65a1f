"""Reads a source's file piece by piece like an open file, with a bound on every read. Knows no format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pretune.artifacts.source import Source

BLOCK = 64 * 1024


class TooMuchError(ValueError):
    """More bytes were asked for at once than the bound allows."""


class RangeFile:
    """A file of a source, opened for reading. `read` and `readline` never give, nor hold, more than `limit` bytes.

    Args:
        source: where the file lies.
        file: its name.
        limit: the most bytes that one read may give.

    Raises:
        UserError: by every method that reads: the file cannot be had.
    """

    def __init__(self, source: Source, file: str, *, limit: int) -> None:
        self._source = source
        self._file = file
        self._limit = limit
        self._at = 0
        self._blocks: dict[int, bytes] = {}
        self.size = source.size(file)

    def read(self, length: int | None = -1) -> bytes:
        """The next `length` bytes, fewer at the end of the file; all the rest when it is negative.

        Raises:
            TooMuchError: that is more than the bound.
        """
        left = max(0, self.size - self._at)
        wanted = left if length is None or length < 0 else min(length, left)
        if wanted > self._limit:
            raise TooMuchError(f"{wanted:,} bytes in one piece, at most {self._limit:,} are read")
        if wanted > BLOCK:
            data = self._source.read_at(self._file, self._at, wanted)
        else:
            first, last = self._at // BLOCK, (self._at + wanted) // BLOCK
            joined = self._block(first) + (self._block(last) if last != first else b"")
            skip = self._at - first * BLOCK
            data = joined[skip : skip + wanted]
        self._at += len(data)
        return data

    def readline(self, _size: int = -1) -> bytes:
        """Up to and with the next line feed, or a block when none is near."""
        start = self._at
        data = self.read(min(BLOCK, self._limit))
        end = data.find(b"\n")
        line = data if end < 0 else data[: end + 1]
        self._at = start + len(line)
        return line

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as files do."""
        base = (0, self._at, self.size)[whence]
        if base + offset < 0:
            raise OSError("negative seek position")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seekable(self) -> bool:
        """Always."""
        return True

    def _block(self, number: int) -> bytes:
        """One aligned block; the last four stay at hand, so that small reads ask the source rarely."""
        if number not in self._blocks:
            while len(self._blocks) >= 4:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = self._source.read_at(self._file, number * BLOCK, BLOCK)
        return self._blocks[number]
