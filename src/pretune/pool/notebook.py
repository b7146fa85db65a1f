"""How a notebook shows an Analysis: one small piece of HTML that needs nothing else. Opens no file.

Words keep the notebook's own colours, so that it reads in light and dark themes alike; shaded cells set ground and ink.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.language import say
from pretune.draw.heat import INK, SHADES
from pretune.draw.heat import said as said_heat
from pretune.draw.notebook import folded, framed, safe, sentence, table_html
from pretune.pool.grid import grids, listing
from pretune.pool.words import statements, subject

if TYPE_CHECKING:
    from pretune.draw.heat import Heat
    from pretune.pool.analysis import Analysis

_CELL = "padding:2px 6px;text-align:right;font-variant-numeric:tabular-nums"


def fragment(found: Analysis) -> str:
    """The answer, the heat map and, folded away, the highest choices beside the baselines."""
    said = "".join(sentence(one.head, one.tail) for one in statements(found))
    listed = listing(found, spelled=True)
    wrong = "".join(
        f"<p><b>{safe(say(fault.level))}: {safe(fault.name)}</b> {safe(say(fault.message))}"
        + (f'<br><span style="opacity:.75">{say("fix: ")}{safe(say(fault.fix))}</span>' if fault.fix else "")
        + "</p>"
        for fault in found.faults
    )
    more = "" if listed is None else folded("intervals and baselines", table_html(listed))
    head = f"<p><b>pretune pool</b> {safe(say(subject(found)))}</p>"
    return framed("pool", head, said, *map(_heat, grids(found)), more, wrong)


def _heat(heat: Heat) -> str:
    heat = said_heat(heat)
    head = "".join(f'<th scope="col" style="{_CELL};opacity:.75">{safe(name)}</th>' for name in heat.columns)
    rows = ""
    for name, row in heat.rows:
        cells = ""
        for square in row:
            look = _CELL + (f";background:{SHADES[square.step]};color:{INK}" if square.step >= 0 else "")
            look += ";font-weight:700" if square.kept else ""
            look += ";outline:2px solid;outline-offset:-2px" if square.framed else ""
            cells += f'<td style="{look}">{">" * square.framed}{safe(square.text)}{"*" * square.kept}</td>'
        rows += f'<tr><th scope="row" style="text-align:left;padding:2px 6px">{safe(name)}</th>{cells}</tr>'
    below = "; ".join(part for part in (heat.legend.replace("   ", ", "), heat.note) if part)
    return (
        '<table style="border-collapse:separate;border-spacing:1px">'
        f'<caption style="text-align:left">{safe(heat.title)}</caption>'
        f'<thead><tr><th scope="col" style="text-align:left;padding:2px 6px">{safe(heat.corner)}</th>{head}'
        f'</tr></thead><tbody>{rows}</tbody></table><p style="opacity:.75">{safe(below)}</p>'
    )
