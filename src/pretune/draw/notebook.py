"""How a notebook shows tables and sentences: pieces of HTML that need nothing else. Opens no file, knows no part.

Words keep the notebook's own colours, so that it reads in light and dark themes alike; everything that comes from
outside is escaped.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from pretune.core.language import language, say
from pretune.draw.table import said as said_table
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pretune.draw.page import Part, Section
    from pretune.draw.table import Cell, Column, Table

_LOOK = "font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;word-break:keep-all;overflow-wrap:anywhere"
_CELL = "padding:2px 6px;vertical-align:top"
_NUMBERS = f"{_CELL};text-align:right;font-variant-numeric:tabular-nums"
_WORDS = f"{_CELL};text-align:left"
_TONES = {"best": "font-weight:700", "bad": "font-weight:700", "dim": "opacity:.75", "": ""}
FAINT = '<span style="opacity:.75">{}</span>'


def framed(part: str, *pieces: str) -> str:
    """The display of a part of pretune (`pool`): pieces of HTML in one element that sets letters and nothing else."""
    return f'<div class="pretune-{part}" lang="{language()}" style="{_LOOK}">{"".join(pieces)}</div>'


def safe(words: str) -> str:
    """Words from anywhere as HTML, with nothing invisible in them; a blank at the end stays."""
    return escape(one_line(words)) + (" " if words.endswith(" ") else "")


def ticked(words: str) -> str:
    """Words with `code` in ticks, escaped."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(words))


def sentence(head: str, tail: str = "") -> str:
    """A paragraph whose beginning stands out; both in the language asked for."""
    return f"<p>{f'<b>{safe(say(head))}</b>' if head else ''}{safe(say(tail))}</p>"


def folded(summary: str, *pieces: str) -> str:
    """Pieces that are opened with a click."""
    return f"<details><summary>{safe(say(summary))}</summary>{''.join(pieces)}</details>"


def table_html(table: Table) -> str:
    """A table, in the language asked for."""
    table = said_table(table)
    head = "".join(
        f'<th scope="col" style="{_look(column)}">{safe(column.heading)}</th>'
        if column.heading
        else f'<td style="{_look(column)}"></td>'
        for column in table.columns
    )
    caption = f'<caption style="text-align:left">{safe(table.title)}</caption>' if table.title else ""
    rows = "".join(_row(row, table.columns) for row in table.rows)
    note = f"<p>{FAINT.format(ticked(one_line(table.note)))}</p>" if table.note else ""
    return (
        f'<table style="border-collapse:collapse">{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{note}"
    )


def sections_html(sections: Iterable[Section]) -> str:
    """Sections of a page without its pictures: the first is open, the others are folded away."""
    made = []
    for place, section in enumerate(sections):
        pieces = "".join(map(_part, section.parts))
        if pieces:
            made.append(folded(section.heading, pieces) if place else sentence(section.heading) + pieces)
    return "".join(made)


def _part(part: Part) -> str:
    from pretune.draw.page import Beside, Fold, Words
    from pretune.draw.table import Table

    match part:
        case Table():
            return table_html(part)
        case Words():
            return f"<p>{FAINT.format(ticked(one_line(say(part.text))))}</p>"
        case Beside():
            return (sentence(part.heading) if part.heading else "") + "".join(map(_part, part.parts))
        case Fold():
            return folded(part.summary, *map(_part, part.parts))
        case _:
            return ""  # pictures, and what only the page has


def _look(column: Column) -> str:
    return _NUMBERS if column.numbers else _WORDS


def _row(row: tuple[Cell, ...], columns: tuple[Column, ...]) -> str:
    wide = f' colspan="{len(columns)}"' if len(row) < len(columns) else ""
    first = f'<th scope="row"{wide} style="{_WORDS};font-weight:400">{safe(row[0].text)}</th>'
    others = zip(row[1:], columns[1:], strict=False)
    cells = "".join(
        f'<td style="{_look(column)};{_TONES[cell.tone]}">{safe(cell.text)}</td>' for cell, column in others
    )
    return f"<tr>{first}{cells}</tr>"
