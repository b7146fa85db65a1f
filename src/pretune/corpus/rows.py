"""Training text of every format to rows that know their file and line: read_rows, and which format a file has.

Streams: jsonl, csv, tsv and txt a line at a time, parquet and arrow a batch at a time; only a json document is read
whole. Knows no roles of columns and no tasks (shape.py does).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pretune.core.errors import UserError
from pretune.corpus.columnar import read_arrow, read_parquet
from pretune.corpus.json_rows import is_lines, read_document, read_lines
from pretune.corpus.row import Row
from pretune.corpus.shape import refuse_unknown_columns
from pretune.corpus.table import dialect_of, read_table, table_like
from pretune.corpus.tagged import is_tagged, read_tagged
from pretune.corpus.text import lines, raw_head, text_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pretune.corpus.text import Line

__all__ = ["Format", "Row", "format_of", "read_rows"]

PACKED = frozenset({".gz", ".zst", ".zstd"})
"""Extensions that say what a text file is packed with."""

Format = Literal["jsonl", "json", "table", "tagged", "text", "parquet", "arrow"]


def read_rows(
    path: str | Path,
    *,
    limit: int | None = None,
    columns: Sequence[str] | None = None,
    label: str | None = None,
    named: Sequence[str] = (),
) -> Iterator[Row]:
    """The rows of a data file, in its order. A row that cannot be read is given with its reason.

    Args:
        path: txt, jsonl, json (list, SQuAD, KorQuAD, KLUE), csv, tsv, tagged sentences (all of them maybe gzipped or
            packed with zstd), parquet, arrow.
        limit: at most so many rows.
        columns: only these columns (and the first row tells whether they are there).
        named: names of columns the file may have, which tell a table's header from its first row.
        label: what the places of the rows begin with; by default the path.

    Raises:
        UserError: missing, empty, binary, of another encoding, too large, damaged; a wanted column is not there. Raised
            when the first row is asked for, or on the way where a later part of the file is damaged.
    """
    path = Path(path)
    rows = _all_rows(path, str(path) if label is None else label, columns, named)
    if columns is not None:
        rows = _chosen(rows, str(path), columns)
    return islice(rows, limit)


def format_of(path: str | Path) -> Format:
    """What a file is, by its first bytes, then by its extension.

    Raises:
        UserError: missing, empty, binary, of another encoding, or an extension of no data file.
    """
    path = Path(path)
    data = raw_head(path)
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if data.startswith(b"PAR1") or ".parquet" in suffixes:
        return "parquet"
    if data.startswith(b"ARROW1") or suffixes & {".arrow", ".feather"}:
        return "arrow"
    head = text_head(path).text
    if suffixes & {".jsonl", ".ndjson", ".json"}:
        return "jsonl" if is_lines(path) else "json"
    if suffixes & {".conll", ".bio", ".iob", ".ner"} or (suffixes & {".tsv", ".tab", ".txt"} and is_tagged(head)):
        return "tagged"
    if suffixes & {".csv", ".tsv", ".tab"} or table_like(head, path):
        return "table"
    if suffixes & {".txt", ".text", ".md"} or not suffixes - PACKED:
        return "text"
    raise UserError(
        f"{path} has an extension that no data file has",
        hint="txt, jsonl, json, csv, tsv, parquet and arrow are read, text also gzipped or packed with zstd",
    )


def _all_rows(path: Path, label: str, columns: Sequence[str] | None, named: Sequence[str]) -> Iterator[Row]:
    kind = format_of(path)
    if kind == "parquet":
        yield from read_parquet(path, label, columns=columns)
    elif kind == "arrow":
        yield from read_arrow(path, label, columns=columns)
    elif kind == "jsonl":
        yield from read_lines(path, label)
    elif kind == "json":
        yield from read_document(path, label)
    elif kind == "tagged":
        yield from read_tagged(path, label)
    elif kind == "table":
        yield from read_table(path, label, dialect_of(path, named=(*(columns or ()), *named)))
    else:
        yield from text_rows(lines(path), label)


def text_rows(source: Iterable[Line], label: str) -> Iterator[Row]:
    """A row a line, but for blank ones."""
    for line in source:
        if line.broken or line.text.strip():
            yield Row({} if line.broken else {"text": line.text}, f"{label}:{line.number}", broken=line.broken)


def _chosen(rows: Iterator[Row], label: str, columns: Sequence[str]) -> Iterator[Row]:
    """The rows with these columns only; a column that the first row lacks is an error of the user."""
    looked = False
    for row in rows:
        if not row.broken and not looked:
            refuse_unknown_columns(label, list(row.values), columns)
            looked = True
        yield replace(row, values={name: row.values[name] for name in columns if name in row.values})
