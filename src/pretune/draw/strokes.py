"""The marks that pictures without matplotlib are made of, as SVG in the page's own colours: head, stroke, text, number.

Knows nothing of what is drawn.
"""

from __future__ import annotations

from html import escape

from pretune.core.language import say
from pretune.draw.visible import one_line

SMALL = 11.5
"""Size of the letters, in pixels."""


def head(name: str, title: str, description: str, width: int, height: float) -> str:
    """The beginning of a picture, with a title and a sentence for those who do not see it; `</svg>` ends it."""
    name = escape(name)
    return (
        f'<svg viewBox="0 0 {width} {height:g}" width="{width}" height="{height:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(one_line(say(title)))}</title>'
        f'<desc id="{name}-desc">{escape(one_line(say(description)))}</desc>'
    )


def stroke(path: str, colour: str, wide: float, *, dashed: bool = False) -> str:
    """A line along a path, in a colour as the page calls it (`ink`, `c1`)."""
    dashes = ";stroke-dasharray:3,3" if dashed else ""
    style = f"fill:none;stroke:var(--{colour});stroke-width:{wide:g};stroke-linejoin:round{dashes}"
    return f'<path d="{path}" style="{style}"/>'


def text(x: float, y: float, words: str, *, side: str = "start", dim: bool = False, heavy: bool = False) -> str:
    """Words that begin, end (`end`) or have their `middle` at x; lines that were drawn before do not cross them."""
    weight = ";font-weight:650" if heavy else ""
    style = f"fill:var(--{'dim' if dim else 'ink'});font-size:{SMALL}px;text-anchor:{side}{weight}"
    style += ";paint-order:stroke;stroke:var(--paper);stroke-width:3px"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(one_line(words))}</text>'


def number(value: float) -> str:
    """`0.5`, `1,200`, `3e-5`."""
    if value and abs(value) < 0.001:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def wide(words: str) -> float:
    """Pixels that words take at most, about, in the letters of any system (DejaVu's are wide); Hangul is wider."""
    return sum(1.0 if char > "\u1100" else 0.64 for char in words) * SMALL
