"""Rows of csv and tsv files: which delimiter, whether quotes quote, whether there is a header.

Knows no roles of columns.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pretune.corpus.row import Row
from pretune.corpus.shape import KNOWN, folded
from pretune.corpus.text import LINE_LIMIT, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pretune.corpus.text import Line

_LOOK = 2000
"""Lines that the dialect is decided on."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes:
        delimiter: what stands between two fields.
        quoted: whether `"` opens a quoted field; False: a quote is a character like any other.
        columns: the names of the columns; `0`, `1`, ... when there is no header.
        header: whether the first line holds the names.
    """

    delimiter: str
    quoted: bool
    columns: tuple[str, ...] = ()
    header: bool = True


def dialect_of(path: Path, *, named: Iterable[str] = ()) -> Dialect:
    """Decide how the table is written, from its first 2,000 lines.

    The extension names the delimiter unless the first line lacks it or all lines have a tab (STS-B's `.csv` is
    tab-separated). Quotes of a tsv are characters where that reading gives rows at least as even.

    Args:
        path: the file.
        named: names of columns the user gave, which tell a header.

    Raises:
        UserError: what `lines` raises.
    """
    head = [line.text for line in islice(lines(path), _LOOK) if line.text.strip()]
    if not head:
        return Dialect(",", quoted=True)
    delimiter = _delimiter(head, path)
    plain, quoted = _evenness(head, delimiter, quoted=False), _evenness(head, delimiter, quoted=True)
    if not any('"' in line for line in head):
        quotes = delimiter != "\t"
    elif delimiter == "\t":
        quotes = quoted > plain
    else:
        quotes = plain < 1.0 or _well_quoted(head, delimiter)
    dialect = Dialect(delimiter, quotes)
    records = list(islice(_parse(head, dialect), 200))
    first = tuple(records[0]) if records else ()
    if _is_header(first, records[1:], named):
        return replace(dialect, columns=first)
    return replace(dialect, columns=tuple(str(index) for index in range(len(first))), header=False)


def read_table(path: Path, label: str, dialect: Dialect) -> Iterator[Row]:
    """The rows of a table; a field more than there are columns stays out of the values but counts in `fields`.

    Raises:
        UserError: what `lines` raises.
    """
    return rows_of(lines(path), label, dialect)


def rows_of(source: Iterator[Line], label: str, dialect: Dialect, *, before: int = 0) -> Iterator[Row]:
    """The rows of these lines; they begin where a row does.

    The header is the first row that can be read, which is the one the dialect took the names from.

    Args:
        source: as many of them are taken as the rows have that are asked for.
        label: what the places begin with.
        dialect: how the table is written.
        before: lines of the file that stand before; when there are some, the header is among them.
    """
    counted = _Counted(source, before)
    reader = _reader(counted, dialect)
    header = dialect.header and not before
    while True:
        start = counted.number
        try:
            fields = _next(reader)
        except csv.Error as error:
            yield Row({}, f"{label}:{start + 1}", broken=f"not a row of a table: {error}")
            continue
        if fields is None:
            return
        if counted.broken:
            yield Row({}, f"{label}:{counted.broken.number}", broken=counted.broken.broken)
            counted.broken = None
        elif is_blank(fields):
            continue
        elif header:
            header = False
        else:
            values = dict(zip(dialect.columns, fields, strict=False))
            yield Row(values, f"{label}:{start + 1}", lines=counted.number - start, fields=len(fields))


def record_ends(source: Iterator[Line], dialect: Dialect, *, before: int = 0) -> Iterator[tuple[int, str]]:
    """Where the records of these lines end.

    Returns:
        For each: lines of the file up to its end, and whether it is a `row` (or the header), `blank` or `broken`.
    """
    counted = _Counted(source, before)
    reader = _reader(counted, dialect)
    while True:
        try:
            fields = _next(reader)
        except csv.Error:
            yield counted.number, "broken"
            continue
        if fields is None:
            return
        yield counted.number, "broken" if counted.broken else "blank" if is_blank(fields) else "row"
        counted.broken = None


def is_blank(fields: Sequence[str]) -> bool:
    """True for the fields of a blank line, which is no row."""
    return not fields or (len(fields) == 1 and not fields[0].strip())


def swallowed_lines(path: Path, dialect: Dialect, *, limit: int) -> tuple[int, int]:
    """What a reader that takes `"` for a quote (pandas, load_dataset("csv")) would merge into other rows.

    Returns:
        How many of the first `limit` lines vanish into a row above, and the number of the first line that swallows
        (0 when there is none).
    """
    if dialect.quoted:
        return 0, 0
    source = _Counted(islice(lines(path), limit))
    reader = _reader(source, replace(dialect, quoted=True))
    lost = first = before = 0
    while True:
        try:
            fields = _next(reader)
        except csv.Error:
            fields = []
        if fields is None:
            return lost, first
        if source.number - before > 1:
            lost += source.number - before - 1
            first = first or before + 1
        before = source.number


class _Counted:
    """The lines as csv.reader wants them, remembering how many were given and the last damaged one."""

    def __init__(self, source: Iterator[Line], number: int = 0) -> None:
        self.source = source
        self.number = number
        self.broken: Line | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.source)
        self.number = line.number
        if line.broken:
            self.broken = line
        return line.text + "\n"


def _reader(source: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    if dialect.quoted:
        return csv.reader(source, delimiter=dialect.delimiter)
    return csv.reader(source, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """The next record, None at the end. The csv module's limit of a field is global: it is set and set back."""
    limit = csv.field_size_limit(LINE_LIMIT)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


def _parse(head: Sequence[str], dialect: Dialect) -> Iterator[list[str]]:
    reader = _reader((line + "\n" for line in head), dialect)
    while True:
        try:
            fields = _next(reader)
        except csv.Error:
            continue
        if fields is None:
            return
        yield fields


def _well_quoted(head: Sequence[str], delimiter: str) -> bool:
    """True when each quote that opens a field is closed at a field's end; the last record may be cut off."""
    try:
        for _ in csv.reader((line + "\n" for line in head), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error) and len(head) == _LOOK
    return True


def _evenness(head: Sequence[str], delimiter: str, *, quoted: bool) -> float:
    """The share of lines that belong to a record with as many fields as most records have; 0 when most have one."""
    counts = Counter(len(fields) for fields in _parse(head, Dialect(delimiter, quoted)))
    if not counts:
        return 0.0
    fields, records = counts.most_common(1)[0]
    return records / (len(head) if not quoted else sum(counts.values())) if fields > 1 else 0.0


def _delimiter(head: Sequence[str], path: Path) -> str:
    usual = "," if ".csv" in path.suffixes else "\t"
    if usual in head[0] and not sum("\t" in line for line in head) >= 0.99 * len(head):
        return usual
    for other in ("\t", ",", ";", "|"):
        if sum(other in line for line in head) >= 0.99 * len(head):
            return other
    return usual


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]], named: Iterable[str]) -> bool:
    names = [folded(cell) for cell in first]
    if set(names) & (KNOWN | {folded(name) for name in named if not name.isdigit()}):
        return True
    if len(set(names)) < len(names) or any(not name or len(name) > 40 or _number(name) for name in names):
        return False
    return not any(cell and cell == row[at] for row in others for at, cell in enumerate(first) if at < len(row))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def table_like(head: str, path: Path) -> bool:
    """True for a `.txt` whose first line names usual columns, cut by tabs that every line has as many of (NSMC)."""
    rows = head.split("\n")[:-1][:50] or [head]
    tabs = {row.rstrip("\r").count("\t") for row in rows if row.strip()}
    named = {folded(cell) for cell in rows[0].split("\t")} & KNOWN
    return ".txt" in path.suffixes and len(tabs) == 1 and tabs != {0} and bool(named)
