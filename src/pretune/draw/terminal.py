"""Tables and small histograms as lines of text, for a terminal of any width or a pipe. Colours are words, not codes.

rich counts columns: Hangul takes two. A line is a list of pieces, each with the name of its style.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from pretune.draw.table import said
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.draw.table import Cell, Table

Piece = tuple[str, str]
"""Text and its style: `heading`, `best`, `bad`, `dim`, or empty."""

WIDE = 1000
"""Columns of a pipe, which has no width."""
HEADINGS = (24, 14, 9)
"""Columns to which long headings are folded, the first with which the table fits."""
GAP = 2
"""Blank columns between two columns of a table."""
BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:-=+*#@"


def lines(table: Table, width: int | None = None) -> list[list[Piece]]:
    """The table, line by line; none is wider than `width` columns, None: as wide as it comes.

    Where it does not fit, each of the things it compares becomes a list, one below the other.
    """
    table, room = said(table), width or WIDE
    title = [[(part, "heading")] for part in folded(one_line(table.title), room)] if table.title else []
    note = [[(part, "dim")] for part in folded(one_line(table.note), room)] if table.note else []
    return [*title, *_body(table, room), *note]


def text(table: Table, width: int | None = None) -> str:
    """The table as plain text."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines(table, width))


def sparkline(values: Sequence[float], *, most: float | None = None, plain: bool = False) -> str:
    """Values as a row of bars, one column each; only 0 is blank.

    Args:
        values: not negative.
        most: what fills a column; None: the largest of the values.
        plain: use ASCII, for an encoding that has no block elements.
    """
    signs = PLAIN if plain else BLOCKS
    top = most or max(values, default=0)
    if not top:
        return " " * len(values)
    return "".join(signs[min(max(round(value / top * 8), 1), 8) if value else 0] for value in values)


def can_draw(stream: TextIO) -> bool:
    """Whether the stream's encoding has the block elements."""
    try:
        BLOCKS.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width_of(text: str) -> int:
    """Columns that a text takes; Hangul takes two."""
    from rich.cells import cell_len

    return cell_len(text)


def folded(text: str, room: int, hang: int = 0) -> list[str]:
    """The text in lines of at most `room` columns, broken at spaces where it can be; later lines hang by `hang`."""
    if width_of(text) <= room:
        return [text]
    out, line = [], ""
    for part in re.findall(r"[^ ]+ *| +", text):
        rest = part
        while width_of((line + rest).rstrip()) > room:
            if line.strip():
                out.append(line.rstrip())
                line = " " * hang
                continue
            keep = _fitting(rest, max(room - len(line), 2))
            out.append(line + rest[:keep])
            line, rest = " " * hang, rest[keep:]
        line += rest
    return [*out, line.rstrip()] if line.strip() else out


def _fitting(text: str, room: int) -> int:
    """How many characters of the text fit into `room` columns, at least one."""
    end = 1
    while end < len(text) and width_of(text[: end + 1]) <= room:
        end += 1
    return end


def _body(table: Table, room: int) -> Iterator[list[Piece]]:
    """The table in columns, or in several tables below each other, or as lists."""
    for fold in HEADINGS:
        widths = _widths(table, fold)
        if sum(widths) + GAP * (len(widths) - 1) <= room:
            yield from _in_columns(table, widths, fold)
            return
    first, *others = widths
    if table.things == "rows" or any(first + GAP + width > room for width in others):
        yield from _stacked(table, room)
        return
    places: list[int] = []
    for place, width in enumerate(others, 1):
        if first + sum(GAP + widths[had] for had in places) + GAP + width > room:
            yield from _body(_only(table, places), room)
            yield []
            places = []
        places.append(place)
    yield from _body(_only(table, places), room)


def _only(table: Table, places: list[int]) -> Table:
    """The table with its first column and those at `places`."""
    keep = [0, *places]
    rows = tuple(
        tuple(row[place] for place in keep) if len(row) == len(table.columns) else row[:1] for row in table.rows
    )
    return replace(table, columns=tuple(table.columns[place] for place in keep), rows=rows)


def _heading(text: str, fold: int) -> list[str]:
    """A heading in lines of at most `fold` columns, broken after - / _ . and spaces."""
    out = [""]
    for part in re.findall(r"[^-/_.\s]*[-/_.\s]|[^-/_.\s]+", one_line(text)):
        for piece in folded(part, fold) if width_of(part.rstrip()) > fold else [part]:
            if width_of(out[-1] + piece.rstrip()) > fold:
                out.append("")
            out[-1] += piece
    return [line.rstrip() for line in out]


def _widths(table: Table, fold: int) -> list[int]:
    """Columns that each column of the table takes, long headings folded."""
    full = [row for row in table.rows if len(row) == len(table.columns)]
    widths = [
        max([*map(width_of, _heading(column.heading, fold)), *(width_of(one_line(row[place].text)) for row in full)])
        for place, column in enumerate(table.columns)
    ]
    widths[0] += _indent(table)
    return widths


def _indent(table: Table) -> int:
    """Rows below headings within the table are set in by this much."""
    return 2 if any(len(row) < len(table.columns) for row in table.rows) else 0


def _in_columns(table: Table, widths: list[int], fold: int) -> Iterator[list[Piece]]:
    headings = [_heading(column.heading, fold) for column in table.columns]
    tall = max(map(len, headings))
    if any(column.heading for column in table.columns):
        for number in range(-tall, 0):
            cells = [(part[number] if len(part) >= -number else "", "dim") for part in headings]
            yield _aligned(cells, table, widths)
    for row in table.rows:
        if len(row) < len(widths):
            yield [(one_line(row[0].text), "dim")]
        else:
            first, *others = row
            inset = [(" " * _indent(table) + one_line(first.text), first.tone)]
            yield _aligned(inset + [(one_line(cell.text), cell.tone) for cell in others], table, widths)


def _aligned(cells: Sequence[Piece], table: Table, widths: list[int]) -> list[Piece]:
    """A line of cells, numbers at the right of their column; nothing stands behind the last word."""
    out: list[Piece] = []
    for place, ((words, style), column, width) in enumerate(zip(cells, table.columns, widths, strict=True)):
        blank = " " * (width - width_of(words))
        before, after = (blank, "") if column.numbers else ("", blank)
        if place:
            before = " " * GAP + before
        out += [(before, ""), (words, style), (after, "")]
    while out and not out[-1][0].strip():
        out.pop()
    return [piece for piece in out if piece[0]]


def _stacked(table: Table, room: int) -> Iterator[list[Piece]]:
    """Each thing that the table compares as a list of its own."""
    if table.things == "rows":
        for row in table.rows:
            yield from ([(part, "heading")] for part in folded(one_line(row[0].text), room))
            if len(row) == len(table.columns):
                named = zip((column.heading for column in table.columns[1:]), row[1:], strict=True)
                yield from _list([(one_line(name), cell) for name, cell in named], room)
        return
    for place, column in enumerate(table.columns[1:], 1):
        yield from ([(part, "heading")] for part in folded(one_line(column.heading), room))
        yield from _list(
            [(one_line(row[0].text), row[place] if len(row) > place else None) for row in table.rows], room
        )


def _list(named: list[tuple[str, Cell | None]], room: int) -> Iterator[list[Piece]]:
    """Names and values in two columns, or the value below its name where both do not fit; None: a heading."""
    left = max((width_of(name) for name, cell in named if cell is not None), default=0)
    right = max((width_of(one_line(cell.text)) for _, cell in named if cell is not None), default=0)
    for name, cell in named:
        if cell is None:
            yield from ([("  " + part, "dim")] for part in folded(name, room - 2))
        elif left + right + 2 + GAP <= room:
            value = one_line(cell.text)
            blank = " " * (left - width_of(name) + GAP + right - width_of(value))
            yield [("  " + name + blank, ""), (value, cell.tone)]
        else:
            yield from ([("  " + part, "")] for part in folded(name, room - 2))
            yield from ([("    " + part, str(cell.tone))] for part in folded(one_line(cell.text), max(room - 4, 2)))
