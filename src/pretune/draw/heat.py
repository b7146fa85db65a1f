"""A table of numbers whose cells are shaded by how high they are, as plain data and as lines of text: Heat, lines.

The numbers always stand in the cells, and what a look means is said in words too, so that nothing rests on colour.
page.py shows the same on a page. Knows nothing of what the numbers are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pretune.core.language import language, say
from pretune.draw.terminal import WIDE, folded, width_of
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.draw.terminal import Piece

STEPS = 9
"""Shades, 0 the lightest on a light ground."""

SHADES = ("#f3f6fb", "#e2eaf6", "#d0def0", "#bed2ea", "#adc6e5", "#9cbae0", "#8aaeda", "#78a2d4", "#6796cf")
"""Grounds of a terminal's cells, below letters of INK; a terminal's own ground is not known, so both are always set."""

INK = "#1d1f23"


LONGEST = (24, 7)
"""Letters of a heading's word that are left together, the first with which all columns fit side by side."""


class Square(NamedTuple):
    """A cell.

    Attributes:
        text: the number.
        step: its shade, -1: none.
        kept: marked with `*` behind it.
        framed: marked with `>` before it.
    """

    text: str
    step: int = -1
    kept: bool = False
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Heat:
    """Shaded numbers under headings.

    Attributes:
        title: what they are; empty: nothing above.
        corner: what the names of the rows are.
        columns: a heading each, in a terminal a word on a line.
        rows: a name and a cell for each column.
        kept: what `*` means, in a few words; empty: no cell is marked so.
        framed: what `>` means.
        note: how to read it, below.
        worded: the headings are words of ours, not names that one types.
    """

    kind: ClassVar[str] = "heat"
    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Square, ...]], ...]
    kept: str = ""
    framed: str = ""
    note: str = ""
    worded: bool = False

    @property
    def legend(self) -> str:
        """What the marks mean: `> declared   * may be the best`; empty without marks."""
        marks = [f"{sign} {meant}" for sign, meant in ((">", self.framed), ("*", self.kept)) if meant]
        return "   ".join(marks)


def said(heat: Heat) -> Heat:
    """The table in the language asked for; names of rows, and of columns that one types, stay as they are."""
    if language() == "en":
        return heat
    told = (heat.title, heat.corner, heat.kept, heat.framed, heat.note)
    title, corner, kept, framed, note = map(say, told)
    columns = tuple(map(say, heat.columns)) if heat.worded else heat.columns
    return replace(heat, title=title, corner=corner, columns=columns, kept=kept, framed=framed, note=note)


def step_of(value: float, low: float, high: float) -> int:
    """The shade of a value on a scale; -1 for what is no number. A scale without extent has the middle one."""
    if not math.isfinite(value):
        return -1
    if not high > low:
        return STEPS // 2
    return min(max(int((value - low) / (high - low) * STEPS), 0), STEPS - 1)


def lines(heat: Heat, width: int | None = None) -> list[list[Piece]]:
    """The table, line by line, none wider than `width` columns; a shaded cell has the style `heat0` to `heat8`.

    Where not all columns fit side by side, the others follow below.
    """
    heat, room = said(heat), width or WIDE
    longest = next((most for most in LONGEST if len(list(_blocks(heat, room, most))) == 1), LONGEST[-1])
    out: list[list[Piece]] = [[(part, "heading")] for part in folded(one_line(heat.title), room) if heat.title]
    for number, places in enumerate(_blocks(heat, room, longest)):
        out += [[]] if number else []
        out += _block(heat, places, longest)
    below = [heat.legend] if heat.legend else []
    for text in [*below, *([one_line(heat.note)] if heat.note else [])]:
        out += [[(part, "dim")] for part in folded(text, room)]
    return out


def _first(heat: Heat) -> int:
    """Columns of the names of the rows."""
    return max(width_of(one_line(name)) for name in (heat.corner, *(name for name, _ in heat.rows)))


def _widths(heat: Heat, longest: int) -> list[int]:
    """Columns of each column: a blank or `>`, the number or the heading, a blank or `*`."""
    widths = []
    for place, heading in enumerate(heat.columns):
        texts = [width_of(row[place].text) for _, row in heat.rows]
        widths.append(2 + max(max(texts, default=0), *(width_of(part) - 1 for part in _heading(heading, longest))))
    return widths


def _blocks(heat: Heat, room: int, longest: int) -> Iterator[list[int]]:
    """Places of the columns that stand side by side."""
    first, widths = _first(heat), _widths(heat, longest)
    places: list[int] = []
    for place, width in enumerate(widths):
        if places and first + sum(widths[had] for had in places) + width > room:
            yield places
            places = []
        places.append(place)
    yield places


def _heading(text: str, longest: int) -> list[str]:
    """A heading in its lines: a word each, a long one in two."""
    parts: list[str] = []
    for word in one_line(text).split():
        rest = word
        while width_of(rest) > longest:
            parts.append(rest[: longest - 2] + "-")
            rest = rest[longest - 2 :]
        parts.append(rest)
    return parts or [""]


def _block(heat: Heat, places: Sequence[int], longest: int) -> Iterator[list[Piece]]:
    first, widths = _first(heat), _widths(heat, longest)
    parts = {place: _heading(heat.columns[place], longest) for place in places}
    tall = max(map(len, parts.values()), default=1)
    for number in range(-tall, 0):
        line = one_line(heat.corner) if number == -1 else ""
        line += " " * (first - width_of(line))
        for place in places:
            part = parts[place][number] if len(parts[place]) >= -number else ""
            # over the digits, so that the mark's column stays free where there is room
            blank = 1 if width_of(part) < widths[place] - 1 else 0
            line += " " * (widths[place] - blank - width_of(part)) + part + " " * blank
        yield [(line.rstrip(), "dim")]
    for name, row in heat.rows:
        shown = one_line(name)
        pieces: list[Piece] = [(shown + " " * (first - width_of(shown)), "")]
        for place in places:
            square = row[place]
            text = (">" if square.framed else " ") + square.text
            text = " " * (widths[place] - 1 - width_of(text)) + text + ("*" if square.kept else " ")
            pieces.append((text, f"heat{square.step}" if square.step >= 0 else "dim"))
        if pieces[-1][1] == "dim":  # nothing stands behind the last word
            pieces[-1] = (pieces[-1][0].rstrip(), "dim")
        yield pieces
