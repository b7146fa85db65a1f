"""Lines over a common axis as SVG with real text, in the page's own colours: curves. Knows nothing of what they mean.

Written without matplotlib, so that a page with curves needs nothing that a run has not loaded, and costs milliseconds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pretune.core.language import say
from pretune.draw.chart_words import mark_said, name_said
from pretune.draw.strokes import head, number, stroke, text, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.chart import Mark

MOST = 400
"""Points of a line; where there are more, neighbours are drawn as their mean."""
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
    lines = [line._replace(label=name_said(line.label), points=thinned(line.points)) for line in lines]
    mark = mark_said(mark)
    every = [point for line in lines for point in line.points]
    parts = [head(name, title, description, width, height)]
    if not every:
        parts.append(text(0, height / 2, say("no number is known"), dim=True))
        return "".join([*parts, "</svg>"])
    low, high = min(y for _, y in every), max(y for _, y in every)
    ticks = ticks_of(0.0 if zero else low, high)
    low, high = ticks[0], ticks[-1]
    labels = [number(tick) for tick in ticks]
    left = max(map(wide, labels)) + 8
    first, last = min(x for x, _ in every), max(x for x, _ in every)

    def across(x: float) -> float:
        return left + (width - left - 6) * ((x - first) / (last - first) if last > first else 0.5)

    def down(y: float) -> float:
        return _TOP + (height - _TOP - _LOW) * (1 - (y - low) / (high - low))

    for tick, label in zip(ticks, labels, strict=True):
        parts.append(stroke(f"M {left:.1f} {down(tick):.1f} H {width}", "rule", 1))
        parts.append(text(left - 8, down(tick) + 4, label, side="end", dim=True))
    parts += _below(first, last, across, height)
    if mark is not None and first <= mark.at <= last:
        at = across(mark.at)
        parts.append(stroke(f"M {at:.1f} {_TOP:.1f} V {height - _LOW:.1f}", "ink", 1, dashed=True))
        side = "end" if at > width / 2 else "start"
        parts.append(text(at - 5 if side == "end" else at + 5, _TOP + 11, mark.label, side=side))
    beside = 0.0
    for line in lines:
        places = [(across(x), down(y)) for x, y in line.points]
        path = "M " + " L ".join(f"{x:.1f} {y:.1f}" for x, y in places)
        if len(places) > 1:
            parts.append(stroke(path, line.colour, 1.8))
        if line.dots or len(places) == 1:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill:var(--{line.colour})"/>' for x, y in places]
        parts.append(f'<rect x="{beside:.1f}" y="4" width="11" height="11" style="fill:var(--{line.colour})"/>')
        parts.append(text(beside + 17, 14, line.label, dim=True))
        beside += 17 + wide(line.label) + 18
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
        return [text(across(first), height - 6, number(first), side="middle", dim=True)]
    whole = [tick for tick in ticks_of(first, last) if first <= tick < last - (last - first) / 12]
    shown = [(tick, "start" if tick == first else "middle") for tick in whole if tick == round(tick)]
    return [text(across(x), height - 6, number(x), side=side, dim=True) for x, side in (*shown, (last, "end"))]
