"""Lines over a common axis as SVG with real text, in the page's own colours: curves. Knows nothing of what they mean.

Written without matplotlib, so that a page with curves needs nothing that a run has not loaded, and costs milliseconds.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.chart import Mark

MOST = 400
"""Points of a line; where there are more, neighbours are drawn as their mean."""
_SMALL = 11.5
_TOP, _LOW = 28.0, 24.0


class Line(NamedTuple):
    """A line: its name, its points (x, y) in rising order of x, its colour (`c1` ... `c8`), dots at its points."""

    label: str
    points: tuple[tuple[float, float], ...]
    colour: str = "c1"
    dots: bool = False


def curves(
    lines: Sequence[Line],
    *,
    name: str,
    title: str,
    description: str,
    width: int = 720,
    height: int = 200,
    mark: Mark | None = None,
    zero: bool = False,
) -> str:
    """Lines in one picture, a legend above them. What is no number is left out.

    Args:
        lines: at least one.
        name: the picture's own name in the page.
        title: what is seen; `description` says what it shows.
        description: a sentence for those who do not see it.
        width: in pixels, as `height`.
        height: of the whole picture.
        mark: a vertical line at an x, with its label.
        zero: whether the axis begins at 0.
    """
    lines = [line._replace(points=thinned(line.points)) for line in lines]
    every = [point for line in lines for point in line.points]
    parts = [_head(name, title, description, width, height)]
    if not every:
        parts.append(_text(0, height / 2, "no number is known", dim=True))
        return "".join([*parts, "</svg>"])
    low, high = min(y for _, y in every), max(y for _, y in every)
    ticks = ticks_of(0.0 if zero else low, high)
    low, high = ticks[0], ticks[-1]
    labels = [_number(tick) for tick in ticks]
    left = max(map(_wide, labels)) + 8
    first, last = min(x for x, _ in every), max(x for x, _ in every)

    def across(x: float) -> float:
        return left + (width - left - 6) * ((x - first) / (last - first) if last > first else 0.5)

    def down(y: float) -> float:
        return _TOP + (height - _TOP - _LOW) * (1 - (y - low) / (high - low))

    for tick, label in zip(ticks, labels, strict=True):
        parts.append(_stroke(f"M {left:.1f} {down(tick):.1f} H {width}", "rule", 1))
        parts.append(_text(left - 8, down(tick) + 4, label, side="end", dim=True))
    parts += _below(first, last, across, height)
    if mark is not None and first <= mark.at <= last:
        at = across(mark.at)
        parts.append(_stroke(f"M {at:.1f} {_TOP:.1f} V {height - _LOW:.1f}", "ink", 1, dashed=True))
        side = "end" if at > width / 2 else "start"
        parts.append(_text(at - 5 if side == "end" else at + 5, _TOP + 11, mark.label, side=side))
    beside = 0.0
    for line in lines:
        places = [(across(x), down(y)) for x, y in line.points]
        path = "M " + " L ".join(f"{x:.1f} {y:.1f}" for x, y in places)
        if len(places) > 1:
            parts.append(_stroke(path, line.colour, 1.8))
        if line.dots or len(places) == 1:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill:var(--{line.colour})"/>' for x, y in places]
        parts.append(f'<rect x="{beside:.1f}" y="4" width="11" height="11" style="fill:var(--{line.colour})"/>')
        parts.append(_text(beside + 17, 14, line.label, dim=True))
        beside += 17 + _wide(line.label) + 18
    return "".join([*parts, "</svg>"])


def thinned(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The points that are numbers, neighbours as their mean where there are more than MOST; first and last stay."""
    kept = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if len(kept) <= MOST:
        return tuple(kept)
    size = math.ceil((len(kept) - 2) / (MOST - 2))
    inner = [kept[at : at + size] for at in range(1, len(kept) - 1, size)]
    means = [(sum(x for x, _ in few) / len(few), sum(y for _, y in few) / len(few)) for few in inner]
    return (kept[0], *means, kept[-1])


def ticks_of(low: float, high: float) -> tuple[float, ...]:
    """Three to six round numbers that enclose a range, at equal distances."""
    if not high > low:
        around = abs(low) * 0.1 or 1.0
        low, high = low - around, high + around
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    begin, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(place * step, 12 - math.floor(math.log10(step))) for place in range(begin, end + 1))


def _below(first: float, last: float, across: object, height: float) -> list[str]:
    """First, middle and last x, below the axis."""
    assert callable(across)
    if last <= first:
        return [_text(across(first), height - 6, _number(first), side="middle", dim=True)]
    whole = [tick for tick in ticks_of(first, last) if first <= tick < last - (last - first) / 12]
    shown = [(tick, "start" if tick == first else "middle") for tick in whole if tick == round(tick)]
    return [_text(across(x), height - 6, _number(x), side=side, dim=True) for x, side in (*shown, (last, "end"))]


def _head(name: str, title: str, description: str, width: int, height: int) -> str:
    name = escape(name)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(one_line(title))}</title>'
        f'<desc id="{name}-desc">{escape(one_line(description))}</desc>'
    )


def _stroke(path: str, colour: str, wide: float, *, dashed: bool = False) -> str:
    dashes = ";stroke-dasharray:3,3" if dashed else ""
    style = f"fill:none;stroke:var(--{colour});stroke-width:{wide:g};stroke-linejoin:round{dashes}"
    return f'<path d="{path}" style="{style}"/>'


def _text(x: float, y: float, text: str, *, side: str = "start", dim: bool = False) -> str:
    style = f"fill:var(--{'dim' if dim else 'ink'});font-size:{_SMALL}px;text-anchor:{side}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{escape(one_line(text))}</text>'


def _number(value: float) -> str:
    """`0.5`, `1,200`, `3e-5`."""
    if value and abs(value) < 0.001:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"


def _wide(text: str) -> float:
    """Pixels that a text takes, about; Hangul is twice as wide."""
    return sum(1.0 if char > "\u1100" else 0.56 for char in text) * _SMALL
