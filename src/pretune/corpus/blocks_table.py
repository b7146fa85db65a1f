"""Lines of csv and tsv to series at once, where each row is proved to have the same number of fields.

Quotes are read at once where each opens a field or closes one, or is doubled (RFC 4180): there the csv module, whose
answer counts, follows the same rules. Knows nothing of blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from pretune.corpus import text
from pretune.corpus.blocks_lines import Found, line_cuts
from pretune.corpus.spans import filled, is_utf8, series_of
from pretune.corpus.table import record_ends, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from pretune.corpus.pieces import Wanted
    from pretune.corpus.row import Row
    from pretune.corpus.table import Dialect
    from pretune.corpus.text import Line

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


class _Layout(NamedTuple):
    """Where the records of some lines stand.

    Attributes:
        starts, ends: the bytes of each, without its line end; blank ones are left out.
        commas: what parts fields, over all records.
        lines: lines before each record.
        tall: the records that take several lines.
        quoted: whether there are quotes that quote.
        doubled: whether one of them is doubled.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    commas: NDArray[np.int64]
    lines: NDArray[np.int64]
    tall: NDArray[np.int64]
    quoted: bool
    doubled: bool


@dataclass(frozen=True, slots=True)
class TableReader:
    """A row a record.

    Attributes:
        path: the file, for messages.
        dialect: how it is written.
    """

    path: Path
    dialect: Dialect

    def begin(self, readline: Callable[[int], bytes]) -> bytes:
        """The lines up to the end of the header."""
        if not self.dialect.header:
            return b""
        taken: list[bytes] = []
        for _, kind in record_ends(self._lines(_copying(readline, taken), 0), self.dialect):
            if kind == "row":
                break
        return b"".join(taken)

    def whole(self, data: bytes, more: Callable[[int], bytes], before: int) -> bytes:
        """The lines, and those that the last record goes on with."""
        if not self.dialect.quoted or b'"' not in data:
            return data
        while (state := _quotes(data, self.dialect)) == "open" and len(data) < text.LINE_LIMIT:
            line = b""
            while (line := more(text.LINE_LIMIT + 1)) and line.count(b'"') % 2 == 0 and len(data) < text.LINE_LIMIT:
                data += line
            data += line
            if not line:
                return data
        if state == "closed":
            return data
        taken: list[bytes] = []
        inside, last = BytesIO(data), before + data.count(b"\n") + (not data.endswith(b"\n"))
        more = _copying(more, taken)
        lines = self._lines(lambda limit: inside.readline(limit) or more(limit), before)
        next((end for end, _ in record_ends(lines, self.dialect, before=before) if end >= last), None)
        return data + b"".join(taken)

    def fast(self, flat: bytes, wanted: Wanted) -> Found | None:
        """All records; None when one has more or fewer fields than the first, or quotes otherwise."""
        if not is_utf8(flat):
            return None
        layout = _layout(flat, self.dialect)
        if layout is None:
            return None
        rows = len(layout.starts)
        fields = len(layout.commas) // rows + 1 if rows else 1
        if len(layout.commas) != rows * (fields - 1):
            return None
        commas = layout.commas.reshape(rows, fields - 1)
        if fields > 1 and not ((commas[:, 0] >= layout.starts).all() and (commas[:, -1] <= layout.ends).all()):
            return None
        edges = np.column_stack((layout.starts - 1, commas, layout.ends))
        names = {name: at for at, name in enumerate(self.dialect.columns)}  # the last of a name that comes twice
        found = {column: _field(flat, layout, edges, names.get(column, fields)) for column in wanted.columns}
        texts = {role: found[column] for role, column in wanted.texts.items()}
        labels = None if wanted.label is None else found[wanted.label]
        odd = layout.tall.tolist() if fields == len(self.dialect.columns) else range(rows)
        return Found(layout.starts, layout.ends, layout.lines, texts, labels, odd)

    def careful(self, lines: Iterator[Line], label: str, before: int) -> Iterable[Row]:
        """The records one by one."""
        return rows_of(lines, label, self.dialect, before=before)

    def cuts(self, flat: bytes) -> list[int]:
        """Beginnings of records."""
        if not self.dialect.quoted or b'"' not in flat:
            return line_cuts(flat)
        layout = _layout(flat, self.dialect)
        if layout is None or len(layout.starts) < 2:
            return []
        at: NDArray[np.int64] = np.searchsorted(layout.starts, np.arange(1, 8) * (len(flat) // 8))
        return sorted({int(layout.starts[i]) for i in at if 0 < i < len(layout.starts)})

    def count(self, flat: bytes) -> int:
        """Records that are not blank."""
        layout = _layout(flat, self.dialect)
        if layout is not None:
            return len(layout.starts)
        kinds = [kind for _, kind in record_ends(self._lines(BytesIO(flat).readline, 1), self.dialect, before=1)]
        return len(kinds) - kinds.count("blank")

    def _lines(self, readline: Callable[[int], bytes], before: int) -> Iterator[Line]:
        seen = text.Seen()
        seen.utf8 = True  # another encoding is told when the rows are read
        return text.lines_of(readline, self.path, number=before, seen=seen)


def _copying(readline: Callable[[int], bytes], taken: list[bytes]) -> Callable[[int], bytes]:
    """The same lines, a copy of each kept in `taken`."""

    def read(limit: int) -> bytes:
        taken.append(readline(limit))
        return taken[-1]

    return read


def _quotes(data: bytes, dialect: Dialect) -> str:
    """Whether a field is `open` at the end of these records or all are `closed`; `odd`: a quote is a mere character."""
    bytes_ = np.frombuffer(data, np.uint8)
    returns = np.flatnonzero(bytes_ == _RETURN)
    if len(returns) and (returns[-1] == len(data) - 1 or not (bytes_[returns + 1] == _NEWLINE).all()):
        return "odd"
    quotes = np.flatnonzero(bytes_ == _QUOTE)
    edge: NDArray[np.bool_] = np.zeros(256, np.bool_)
    edge[[_NEWLINE, _RETURN, _QUOTE, ord(dialect.delimiter)]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = opening[1:] if len(opening) and opening[0] == 0 else opening
    after = closing[:-1] if len(closing) and closing[-1] == len(data) - 1 else closing
    if not (edge[bytes_[before - 1]].all() and edge[bytes_[after + 1]].all()):
        return "odd"
    return "open" if len(quotes) % 2 else "closed"


def _layout(flat: bytes, dialect: Dialect) -> _Layout | None:
    """Where records and fields stand; None when only the csv module can tell."""
    if b"\r" in flat:
        return None
    bytes_ = np.frombuffer(flat, np.uint8)
    breaks, commas = np.flatnonzero(bytes_ == _NEWLINE), np.flatnonzero(bytes_ == ord(dialect.delimiter))
    ends: NDArray[np.int64] = breaks
    quotes: NDArray[np.int64] = np.empty(0, np.int64)
    if dialect.quoted and b'"' in flat:
        if _quotes(flat, dialect) != "closed":
            return None
        quotes = np.flatnonzero(bytes_ == _QUOTE)
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
        commas = commas[np.searchsorted(quotes, commas) % 2 == 0]
    if flat and not flat.endswith(b"\n"):
        ends = np.append(ends, len(flat))
    starts = np.concatenate((np.zeros(min(len(ends), 1), np.int64), ends[:-1] + 1))
    lines = np.arange(len(starts))
    if len(quotes):
        lines = np.searchsorted(breaks, starts).astype(np.int64, copy=False)
    kept = filled(flat, starts, ends, but=dialect.delimiter)
    if len(quotes):  # a record of one quoted field that is blank within
        alone = np.flatnonzero(kept & (bytes_[np.minimum(starts, len(flat) - 1)] == _QUOTE))
        alone = alone[np.searchsorted(commas, starts[alone]) == np.searchsorted(commas, ends[alone])]
        kept[alone] = filled(flat, starts[alone] + 1, ends[alone] - 1)
    doubled = bool(len(quotes)) and bool((quotes[2::2] - quotes[1:-1:2] == 1).any())
    starts, ends, lines = starts[kept], ends[kept], lines[kept]
    tall = np.flatnonzero(np.searchsorted(breaks, ends) > lines) if len(quotes) else quotes
    return _Layout(starts, ends, commas, lines, tall, bool(len(quotes)), doubled)


def _field(flat: bytes, layout: _Layout, edges: NDArray[np.int64], at: int) -> pl.Series:
    """A field of each record; nulls where there are fewer fields."""
    if at >= edges.shape[1] - 1:
        return pl.Series([None] * len(edges), dtype=pl.String)
    starts, ends = edges[:, at] + 1, edges[:, at + 1]
    if not layout.quoted:
        return series_of(flat, starts, ends)
    bytes_ = np.frombuffer(flat, np.uint8)
    quoted = (ends > starts) & (bytes_[np.minimum(starts, len(flat) - 1)] == _QUOTE)
    series = series_of(flat, starts + quoted, ends - quoted)
    return series.str.replace_all('""', '"', literal=True) if layout.doubled else series
