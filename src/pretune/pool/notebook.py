"""How a notebook shows an Analysis: one small piece of HTML that needs nothing else. Opens no file.

Words keep the notebook's own colours, so that it reads in light and dark themes alike; shaded cells set ground and ink.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pretune.core.language import language, say
from pretune.draw.heat import INK, SHADES
from pretune.draw.heat import said as said_heat
from pretune.draw.table import said as said_table
from pretune.draw.visible import one_line
from pretune.pool.grid import grids, listing
from pretune.pool.words import statements, subject

if TYPE_CHECKING:
    from pretune.draw.heat import Heat
    from pretune.draw.table import Table
    from pretune.pool.analysis import Analysis

_CELL = "padding:2px 6px;text-align:right;font-variant-numeric:tabular-nums"


def fragment(found: Analysis) -> str:
    """The answer, the heat map and, folded away, the highest choices beside the baselines."""
    said = "".join(f"<p><b>{_safe(say(one.head))}</b>{_safe(say(one.tail))}</p>" for one in statements(found))
    listed = listing(found, spelled=True)
    wrong = "".join(
        f"<p><b>{_safe(say(fault.level))}: {_safe(fault.name)}</b> {_safe(say(fault.message))}"
        + (f'<br><span style="opacity:.75">{say("fix: ")}{_safe(say(fault.fix))}</span>' if fault.fix else "")
        + "</p>"
        for fault in found.faults
    )
    more = (
        ""
        if listed is None
        else f"<details><summary>{say('intervals and baselines')}</summary>{_table(said_table(listed))}</details>"
    )
    return (
        f'<div class="pretune-pool" lang="{language()}" '
        'style="font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;word-break:keep-all">'
        f"<p><b>pretune pool</b> {_safe(say(subject(found)))}</p>{said}"
        f"{''.join(map(_heat, grids(found)))}{more}{wrong}</div>"
    )


def _safe(words: str) -> str:
    blank = " " if words.endswith(" ") else ""
    return escape(one_line(words)) + blank


def _heat(heat: Heat) -> str:
    heat = said_heat(heat)
    head = "".join(f'<th scope="col" style="{_CELL};opacity:.75">{_safe(name)}</th>' for name in heat.columns)
    rows = ""
    for name, row in heat.rows:
        cells = ""
        for square in row:
            look = _CELL + (f";background:{SHADES[square.step]};color:{INK}" if square.step >= 0 else "")
            look += ";font-weight:700" if square.kept else ""
            look += ";outline:2px solid;outline-offset:-2px" if square.framed else ""
            cells += f'<td style="{look}">{">" * square.framed}{_safe(square.text)}{"*" * square.kept}</td>'
        rows += f'<tr><th scope="row" style="text-align:left;padding:2px 6px">{_safe(name)}</th>{cells}</tr>'
    below = "; ".join(part for part in (heat.legend.replace("   ", ", "), heat.note) if part)
    return (
        '<table style="border-collapse:separate;border-spacing:1px">'
        f'<caption style="text-align:left">{_safe(heat.title)}</caption>'
        f'<thead><tr><th scope="col" style="text-align:left;padding:2px 6px">{_safe(heat.corner)}</th>{head}'
        f'</tr></thead><tbody>{rows}</tbody></table><p style="opacity:.75">{_safe(below)}</p>'
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col" style="{_CELL}">{_safe(column.heading)}</th>' for column in table.columns)
    rows = ""
    for row in table.rows:
        wide = f' colspan="{len(table.columns)}"' if len(row) < len(table.columns) else ""
        first = (
            f'<th scope="row"{wide} style="text-align:left;padding:2px 6px;font-weight:400">{_safe(row[0].text)}</th>'
        )
        cells = "".join(f'<td style="{_CELL}">{_safe(cell.text)}</td>' for cell in row[1:])
        rows += f"<tr>{first}{cells}</tr>"
    return f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
