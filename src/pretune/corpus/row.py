"""One row of a data file and the place it stands at. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Row:
    """A row as its file gives it.

    Attributes:
        values: column -> value; cells of csv and tsv are strings. Empty when the row is broken.
        where: `train.jsonl:17` (its first line), `dev.json:/data/0/paragraphs/1/qas/2`, `x.parquet:row 17`; from 1.
        broken: why the row could not be read; None: it was read.
        lines: physical lines that the row takes (a quoted field of a csv may hold line ends).
        fields: how many fields a row of a table has; 0 in other formats.
    """

    values: Mapping[str, Any]
    where: str
    broken: str | None = None
    lines: int = 1
    fields: int = 0
