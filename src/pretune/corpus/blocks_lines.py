"""Blocks of text, jsonl, csv and tsv: whole lines, read at once where that is proved to be right.

Right is what the careful reader gives. A part of a block that cannot be proved is cut into smaller ones, so that an odd
line costs a small part only; what is left is read line by line. The cuts depend on the bytes of the file and on
`block_bytes`, not on who reads which block.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Protocol

from pretune.corpus import text
from pretune.corpus.packed import unpacked
from pretune.corpus.pieces import Piece, joined, piece_of
from pretune.corpus.spans import is_utf8, newlines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pretune.corpus.block import Block
    from pretune.corpus.pieces import Wanted
    from pretune.corpus.row import Row
    from pretune.corpus.text import Line

_LEAST = 64 << 10
"""Bytes of a part that is not cut further."""

_PARTS = 8


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that were read at once.

    Attributes:
        starts, ends: the bytes of each row, without its line end.
        lines: lines of the part that stand before each row.
        texts, labels, odd: as in Piece.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int64]
    texts: Mapping[str, pl.Series]
    labels: pl.Series | None
    odd: Sequence[int] = ()


class Reader(Protocol):
    """How the lines of a format become rows. Bytes called `flat` have no byte order mark, and each line ends in LF."""

    def begin(self, readline: Callable[[int], bytes]) -> bytes:
        """Read what stands before the first row that is data."""

    def whole(self, data: bytes, more: Callable[[int], bytes], before: int) -> bytes:
        """Whole lines, lengthened by those of `more` until they end where a row ends; `before` lines stand before."""

    def fast(self, flat: bytes, wanted: Wanted) -> Found | None:
        """All rows at once; None unless the careful reader is proved to give the same."""

    def careful(self, lines: Iterator[Line], label: str, before: int) -> Iterable[Row]:
        """The rows one by one."""

    def cuts(self, flat: bytes) -> list[int]:
        """Some bytes that a row begins at, ascending, to cut there; empty when there are none."""

    def count(self, flat: bytes) -> int:
        """How many rows these are, broken ones among them."""


@dataclass(frozen=True, slots=True)
class LineFile:
    """A file of lines and how it is read.

    Attributes:
        path: the file.
        label: what the places of its rows begin with.
        reader: of its format.
        wanted: of its rows.
    """

    path: Path
    label: str
    reader: Reader
    wanted: Wanted

    def blocks(self, block_bytes: int, numbers: Callable[[int], bool] | None) -> Iterator[tuple[Block, list[Piece]]]:
        """The blocks, each with the pieces it was made of.

        Raises:
            UserError: what `text.lines` raises.
        """
        text.text_head(self.path)  # refuses what is no text
        seen = text.Seen()
        with unpacked(self.path) as file:
            number = first = read = before = 0
            header = self.reader.begin(file.readline)
            while (data := file.read(block_bytes)) or (header and not number):
                if data and not data.endswith(b"\n"):
                    data += file.readline(text.LINE_LIMIT + 1)
                before = before or header.count(b"\n")
                data = self.reader.whole(data, file.readline, before)
                size, read = file.position - read, file.position
                if numbers is None or numbers(number):
                    # of what stands before the first row only broken rows are left
                    pieces = [self._careful(header, 0, seen)] if header and not number else []
                    pieces += self._pieces(data, before, seen)
                    yield joined(pieces, label=self.label, number=number, size=size, first=first), pieces
                    first += sum(piece.rows + len(piece.broken) for piece in pieces)
                    del pieces  # before the next block is read
                else:
                    seen.utf8 = seen.utf8 or (not data.isascii() and is_utf8(data))
                    first += self.reader.count(_flat(data, before) or data)
                before += newlines(data)
                number += 1

    def _pieces(self, data: bytes, before: int, seen: text.Seen) -> Iterator[Piece]:
        flat = _flat(data, before) if len(data) <= text.LINE_LIMIT and self.wanted.texts else None
        if flat is not None:
            found = self.reader.fast(flat, self.wanted)
            if found is not None:
                seen.utf8 = seen.utf8 or not data.isascii()
                yield self._piece(flat, found, before)
                return
            data = data if b"\r" in flat else flat  # without any "\r" the careful reader sees the same lines in both
            cuts = self.reader.cuts(data) if len(data) > _LEAST else []
            if cuts:
                for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                    yield from self._pieces(data[start:end], before, seen)
                    before += data.count(b"\n", start, end)
                return
        yield self._careful(data, before, seen)

    def _careful(self, data: bytes, before: int, seen: text.Seen) -> Piece:
        lines = text.lines_of(BytesIO(data).readline, self.path, number=before, seen=seen)
        return piece_of([*self.reader.careful(lines, self.label, before)], self.wanted)

    def _piece(self, flat: bytes, found: Found, before: int) -> Piece:
        def row(index: int) -> Row:
            # "\r\n": a line's end is taken off once, and the row may end in a "\r" of its own
            line = flat[found.starts[index] : found.ends[index]] + b"\r\n"
            number = before + int(found.lines[index])
            lines = text.lines_of(BytesIO(line).readline, self.path, number=number)
            return next(iter(self.reader.careful(lines, self.label, number)))

        return Piece(len(found.starts), found.texts, found.labels, row, odd=found.odd)


def line_cuts(data: bytes) -> list[int]:
    """The beginnings of some lines that cut the bytes into about equal parts."""
    cuts = {data.find(b"\n", len(data) * part // _PARTS) + 1 for part in range(1, _PARTS)}
    return sorted(cuts - {0, len(data)})


def _flat(data: bytes, before: int) -> bytes | None:
    """The bytes without a byte order mark and with lines that end as `lines` has them; None where they cannot be."""
    if not before:
        data = data.removeprefix(codecs.BOM_UTF8)
        if data.startswith(codecs.BOM_UTF8):
            return None  # the second one is text
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
        if not data.endswith(b"\n"):
            data = data.removesuffix(b"\r")
    return data
