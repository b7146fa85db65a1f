"""Rows as tab-separated text and as JSON lines, one row a line whatever is in a cell. Knows no task."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SPACES = str.maketrans({"\t": " ", "\n": " ", "\r": " "})


def tab_separated(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A heading and rows; tabs and line ends within a cell become spaces."""
    lines = ("\t".join(str(cell).translate(_SPACES) for cell in row) for row in (heading, *rows))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A JSON object a line; Korean stays readable."""
    lines = (json.dumps(dict(row), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
