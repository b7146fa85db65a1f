"""Values with their intervals, one below the other on a common axis, as SVG with real text: ranges.

Written without matplotlib, in the page's own colours. Knows nothing of what the values are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from pretune.core.language import say
from pretune.draw.chart_words import mark_said, name_said
from pretune.draw.curves import ticks_of
from pretune.draw.strokes import head, number, stroke, text, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.chart import Mark


class Range(NamedTuple):
    """A value: its name, its interval, what stands at the right, whether its dot is full, whether its name is heavy."""

    label: str
    value: float
    low: float
    high: float
    told: str = ""
    full: bool = True
    heavy: bool = False


_ROW, _TALL, _TOP, _LOW = 22.0, 36.0, 22.0, 24.0


def ranges(
    groups: Sequence[tuple[str, Sequence[Range]]],
    *,
    name: str,
    title: str,
    description: str,
    width: int = 720,
    mark: Mark | None = None,
    reach: tuple[float, float] | None = None,
) -> str:
    """Dots with the lines of their intervals, in groups under headings; what is no number has neither.

    Args:
        groups: a heading (empty: none) and its values.
        name: the picture's own name in the page.
        title: what is seen; `description` says what it shows.
        description: a sentence for those who do not see it.
        width: in pixels; below 560 a name stands above its line.
        mark: a vertical line at a value, with its label.
        reach: an interval that ends beyond it is cut off there: (-1, 1) for a correlation.
    """
    groups = [
        (say(heading), [one._replace(label=name_said(one.label), told=say(one.told)) for one in rows])
        for heading, rows in groups
    ]
    mark = mark_said(mark)
    every = [one for _, rows in groups for one in rows]
    beside = width >= 560
    row = _ROW if beside else _TALL
    headed = sum(bool(heading) for heading, _ in groups)
    top = _TOP if mark is not None else 4.0
    height = top + row * len(every) + 26 * headed + _LOW
    parts = [head(name, title, description, width, height)]
    known = [one for one in every if math.isfinite(one.value)]
    if not known:
        return "".join([*parts, text(0, height / 2, say("no number is known"), dim=True), "</svg>"])
    lowest, highest = reach or (-math.inf, math.inf)
    ends = [min(max(end, lowest), highest) for one in known for end in (one.low, one.value, one.high)]
    ends += [mark.at] if mark is not None else []
    ticks = ticks_of(min(ends), max(ends))
    left = (
        min(max(wide(one.label) for one in every) + 22, width * 0.45)
        if beside
        else max(6.0, wide(number(ticks[0])) / 2 + 1)
    )
    right = width - max(wide(one.told) for one in every) - 14

    def across(value: float) -> float:
        value = min(max(value, ticks[0]), ticks[-1])
        return left + (right - left) * (value - ticks[0]) / (ticks[-1] - ticks[0])

    for tick in _sparse(ticks, right - left):
        parts.append(stroke(f"M {across(tick):.1f} {top:.1f} V {height - _LOW:.1f}", "rule", 1))
        parts.append(text(across(tick), height - 6, number(tick), side="middle", dim=True))
    if mark is not None:
        at = across(mark.at)
        parts.append(stroke(f"M {at:.1f} {top:.1f} V {height - _LOW:.1f}", "ink", 1, dashed=True))
        side = "end" if at > width / 2 else "start"
        parts.append(text(at + (4 if side == "end" else -4), top - 8, mark.label, side=side))
    y = top
    for heading, rows in groups:
        if heading:
            parts.append(text(0, y + 18, heading, heavy=True))
            y += 26
        for one in rows:
            middle = y + (row / 2 if beside else 25)
            words = (0.0, middle + 4) if beside else (0.0, y + 14)
            parts.append(text(*words, one.label, heavy=one.heavy))
            parts += _drawn(one, across, middle)
            parts.append(text(width, middle + 4, one.told, side="end", dim=True))
            y += row
    return "".join([*parts, "</svg>"])


def _sparse(ticks: Sequence[float], room: float) -> Sequence[float]:
    """All ticks, or the first and the last where their labels would touch."""
    needed = sum(wide(number(tick)) + 14 for tick in ticks)
    return ticks if needed <= room else (ticks[0], ticks[-1])


def _drawn(one: Range, across: object, middle: float) -> list[str]:
    assert callable(across)
    if not math.isfinite(one.value):
        return []
    low, at, high = across(one.low), across(one.value), across(one.high)
    path = f"M {low:.1f} {middle:.1f} H {high:.1f} M {low:.1f} {middle - 4:.1f} v 8 M {high:.1f} {middle - 4:.1f} v 8"
    fill = "var(--c1)" if one.full else "var(--paper)"
    dot = f'<circle cx="{at:.1f}" cy="{middle:.1f}" r="4.2" style="fill:{fill};stroke:var(--c1);stroke-width:1.8"/>'
    return [stroke(path, "c1", 1.6), dot]
