"""Lines of JSON objects to series at once, where polars is proved to read what `json.loads` reads.

The two differ in what they make of a key that comes twice, of a value that is no string, and of half a surrogate pair;
all else that `json.loads` refuses, polars refuses too. So the wanted keys must stand in the block as often as there are
rows, before strings where strings are wanted, and never be spelled with escapes. Knows nothing of blocks.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pretune.corpus.blocks_lines import Found
from pretune.corpus.blocks_text import TextReader
from pretune.corpus.json_rows import rows_of
from pretune.corpus.spans import filled, lines_in, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.corpus.pieces import Wanted
    from pretune.corpus.row import Row
    from pretune.corpus.text import Line

_HALF = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
"""The first half of a surrogate pair without its second, which polars 2.1 (simd-json) reads as NUL."""

_DTYPES = {str: pl.String, bool: pl.Boolean, int: pl.Int64, float: pl.Float64}


class JsonlReader(TextReader):
    """A row an object."""

    def fast(self, flat: bytes, wanted: Wanted) -> Found | None:
        """All objects through polars; None unless the wanted columns are strings in every row, and once."""
        starts, ends = lines_in(flat)
        kept = np.flatnonzero(filled(flat, starts, ends))
        starts, ends = starts[kept], ends[kept]
        text = text_of(flat)
        if not len(kept) or text is None or b"\r" in flat:
            return None
        line = flat[starts[0] : ends[0]]
        schema = _schema(line, wanted)
        if schema is None or not _plain(text, flat, line, len(kept), schema):
            return None
        try:
            frame = pl.read_ndjson(flat, schema=schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        if frame.height != len(kept) or any(column.null_count() for column in frame):
            return None
        texts = {role: frame.get_column(column) for role, column in wanted.texts.items()}
        labels = None if wanted.label is None else frame.get_column(wanted.label)
        return Found(starts, ends, kept, texts, labels)

    def careful(self, lines: Iterator[Line], label: str, _before: int) -> Iterable[Row]:
        """The objects one by one."""
        return rows_of(lines, label)


def _schema(line: bytes, wanted: Wanted) -> dict[str, Any] | None:
    """What the wanted columns hold, as the first row tells; None when that is nothing plain.

    Polars takes a number for no string's dtype, and a string for no number's, so that it refuses rows of another kind.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    first = value if isinstance(value, dict) else {}
    schema = {column: _DTYPES.get(type(first.get(column))) for column in wanted.columns}
    if None in schema.values() or any(schema[column] is not pl.String for column in wanted.texts.values()):
        return None
    return schema


def _plain(text: pl.Series, flat: bytes, line: bytes, rows: int, schema: dict[str, Any]) -> bool:
    """True when each row has each key once, and before a string where that is wanted.

    It suffices to count the keys: polars finds each of them in the outermost object of each row (no null), so that a
    second or an inner one makes one too many.

    Args:
        text: the lines.
        flat: the same.
        line: the first of them, which shows how colons are spaced.
        rows: lines that are not blank.
        schema: key -> dtype.
    """
    columns, escaped = tuple(schema), False
    if not all(map(_can_be_counted, columns)):
        return False
    if text.str.contains("\\u", literal=True).item():
        escaped = bool(text.str.contains(_escapes(columns)).item())
        if text.str.contains(r"\\u[dD][89abAB]").item() and _HALF.search(flat):
            return False
    strings = tuple(column for column, kind in schema.items() if kind is pl.String)
    if strings:
        key = _keys(strings, escaped=escaped)
        colon = ': "' if re.search(f'{key}: "', line.decode()) else ':"'
        if _count(text, key + colon) != rows * len(strings):
            return False
    key = _keys(columns, escaped=escaped)
    return _count(text, key) == rows * len(columns) or _count(text, key + r"\s*:") == rows * len(columns)


def _count(text: pl.Series, pattern: str) -> int:
    return int(text.str.count_matches(pattern).item())


def _can_be_counted(column: str) -> bool:
    """True when JSON can spell a key as it is, or with escapes of the kind u alone."""
    try:
        return "/" not in column and json.dumps(column, ensure_ascii=False).encode() == f'"{column}"'.encode()
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=64)
def _keys(columns: tuple[str, ...], *, escaped: bool) -> str:
    """A pattern of these keys as JSON spells them, each character maybe escaped if that is asked for."""
    spelled = []
    for column in columns:
        characters = [re.escape(char) for char in column]
        if escaped:
            characters = [f"(?:{plain}|{_escape(char)})" for plain, char in zip(characters, column, strict=True)]
        spelled.append("".join(characters))
    return f'"{spelled[0]}"' if len(spelled) == 1 else f'"(?:{"|".join(spelled)})"'


@lru_cache(maxsize=64)
def _escapes(columns: tuple[str, ...]) -> str:
    """A pattern of the escapes that a character of these keys can be spelled with."""
    return "|".join(sorted({_escape(char) for column in columns for char in column})) or "$^"


def _escape(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(rf"\\u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))
