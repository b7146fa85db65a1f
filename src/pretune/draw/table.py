"""A table as plain data, shown alike in a terminal (terminal.py) and on a page (page.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pretune.core.language import language, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Tone = Literal["", "best", "bad", "dim"]


class Cell(NamedTuple):
    """What stands in a cell, and how: `best` of its row, `bad`, or `dim`."""

    text: str
    tone: Tone = ""


class Column(NamedTuple):
    """A column's heading; numbers stand right, words left."""

    heading: str
    numbers: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings.

    Attributes:
        title: what the table says; empty: nothing above it.
        columns: at least one.
        rows: each as long as `columns`; a row of one cell in a wider table is a heading within it.
        note: how to read it, below.
        things: what the table compares: the `columns` after the first (tokenizers side by side), or its `rows`. Where
            the table is too wide, each of these becomes a short list of its own.
    """

    kind: ClassVar[str] = "table"
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    things: Literal["columns", "rows"] = "rows"


def table(
    title: str,
    headings: Sequence[str | Column],
    rows: Iterable[Sequence[str | Cell]],
    *,
    note: str = "",
    things: Literal["columns", "rows"] = "rows",
) -> Table:
    """A table from words: the first column stands left, the others, unless given as Column, are numbers."""
    columns = tuple(
        heading if isinstance(heading, Column) else Column(heading, numbers=place > 0)
        for place, heading in enumerate(headings)
    )
    cells = tuple(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows)
    return Table(title, columns, cells, note, things)


def said(table: Table) -> Table:
    """The table in the language asked for; a cell of one word is data, but where it names its row."""
    if language() == "en":
        return table
    return replace(
        table,
        title=say(table.title),
        columns=tuple(column._replace(heading=say(column.heading)) for column in table.columns),
        rows=tuple(
            tuple(
                cell._replace(text=say(cell.text))
                if " " in cell.text or len(row) < len(table.columns) or (not place and not table.columns[0].heading)
                else cell
                for place, cell in enumerate(row)
            )
            for row in table.rows
        ),
        note=say(table.note),
    )
