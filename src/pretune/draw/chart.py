"""Bars and histograms as SVG with real text, in the page's own colours. Knows nothing of what the numbers are.

Drawn by matplotlib (extra `plot`), in pixels, the same to the byte each time.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pretune.core.extras import need
from pretune.core.quantity import number
from pretune.draw.chart_words import bars_said, mark_said, series_said
from pretune.draw.svg import cleaned
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.draw.bins import Bins

COLOURS = {"ink": "#010000", "dim": "#020000", "rule": "#030000", "paper": "#040000"} | {
    f"c{place}": f"#{place:02x}0001" for place in range(1, 9)
}
"""What the page calls a colour -> the stand-in that it is drawn in. c1 to c8 are for values, chosen by the caller."""
SMALL, NORMAL = 11.5, 13.0


class Bar(NamedTuple):
    """One bar: its label, the parts it is made of (one number for each part of the chart), and what stands behind."""

    label: str
    parts: tuple[float, ...]
    told: str = ""


class Part(NamedTuple):
    """What a part of each bar means, and its colour (`c1` ... `c8`)."""

    label: str
    colour: str


class Group(NamedTuple):
    """Bars that belong together, under a heading; empty: no heading."""

    heading: str
    bars: tuple[Bar, ...]


class Series(NamedTuple):
    """A histogram: its name, how many there are of each number, what is said beside the name, its colour."""

    label: str
    counts: Mapping[int, int]
    told: str = ""
    colour: str = "c1"


class Mark(NamedTuple):
    """A vertical line at a number, with its label; what lies beyond is drawn in another colour."""

    at: float
    label: str


def bars(
    groups: Sequence[Group],
    parts: Sequence[Part],
    *,
    name: str,
    title: str,
    description: str,
    width: int = 720,
    full: float | None = None,
) -> str:
    """Horizontal bars, in groups, of one or several parts that stand end to end; a legend where there are several.

    Args:
        groups: the bars.
        parts: what the parts are; as many as each bar has.
        name: the picture's own name in the page.
        title: what is seen; `description` says what it shows.
        description: a sentence for those who do not see it.
        width: in pixels.
        full: the number that a bar of full length has; None: the largest.

    Raises:
        UserError: matplotlib is not installed.
    """
    groups, parts = bars_said(groups, parts)
    every = [bar for group in groups for bar in group.bars]
    beside = width >= 560
    label_room = min(max((_wide(bar.label, NORMAL) for bar in every), default=0) + 14, width * 0.38) if beside else 0
    told_room = max((_wide(bar.told, SMALL) for bar in every), default=0) + 10
    row = 26 if beside else 42
    top = 30 if len(parts) > 1 else 4
    headed = sum(bool(group.heading) for group in groups)
    height = top + row * len(every) + 30 * headed + 4
    reach = full or max((sum(bar.parts) for bar in every), default=1) or 1
    room = width - label_room - told_room
    with _figure(width, height) as axes:
        if len(parts) > 1:
            _legend(axes, parts, label_room)
        y = float(top)
        for group in groups:
            if group.heading:
                _write(axes, 0, y + 17, group.heading, size=NORMAL, weight="bold")
                y += 30
            for bar in group.bars:
                middle = y + row / 2 + (0 if beside else 9)
                if beside:
                    _write(axes, label_room - 12, middle, _cut(bar.label, label_room - 12), side="right")
                else:
                    _write(axes, 0, middle - 19, _cut(bar.label, width))
                left = label_room
                for part, value in zip(parts, bar.parts, strict=True):
                    long = room * value / reach
                    if long > 0:
                        _box(axes, (left, middle - 7), (max(long - 1, 0.5), 14), part.colour)
                    left += long
                _write(axes, left + 6, middle, bar.told, size=SMALL, colour="dim")
                y += row
        return _written(axes, name, title, description)


def histogram(
    series: Sequence[Series],
    scale: Bins,
    *,
    name: str,
    title: str,
    description: str,
    width: int = 720,
    mark: Mark | None = None,
    beyond: str = "c8",
) -> str:
    """Histograms below each other on one scale of doublings, with a line in each of them at `mark`.

    A bar's height is its count for each doubling of the number, so that wide bins look no fuller than narrow ones.

    Args:
        series: at least one.
        scale: the bins of all of them.
        name: the picture's own name in the page.
        title: what is seen; `description` says what it shows.
        description: a sentence for those who do not see it.
        width: in pixels.
        mark: where the line stands.
        beyond: the colour of bars beyond it.

    Raises:
        UserError: matplotlib is not installed.
    """
    series, mark = series_said(series), mark_said(mark)
    top, tall, gap, low = (26 if mark else 6), 58, 34, 26
    height = top + len(series) * (tall + gap) + low
    step = width / max(len(scale.bounds) - 1, 1)
    with _figure(width, height) as axes:
        y = float(top)
        for each in series:
            _write(axes, 0, y + 8, _cut(each.label, width * 0.6))
            _write(axes, width, y + 8, each.told, side="right", size=SMALL, colour="dim")
            y += gap - 10
            heights = scale.fill(each.counts)
            most = max(heights, default=0) or 1
            for place, value in enumerate(heights):
                if value:
                    high = max(tall * value / most, 1)
                    past = mark is not None and scale.bounds[place] >= mark.at
                    _box(axes, (place * step, y + tall - high), (step - 1, high), beyond if past else each.colour)
            _line(axes, (0, width), (y + tall, y + tall), "rule")
            if mark:
                at = scale.place(mark.at) * step
                _line(axes, (at, at), (y - 4, y + tall), "ink", dashes=(3, 3))
            y += tall + 10
        _ticks(axes, scale, step, y)
        if mark:
            at = scale.place(mark.at) * step
            side = "left" if at < width / 2 else "right"
            _write(axes, at, 10, mark.label, side=side, size=SMALL)
        return _written(axes, name, title, description)


def _ticks(axes: Any, scale: Bins, step: float, y: float) -> None:
    """Powers of two below the bars that they end, none over another."""
    free = 0.0
    last = len(scale.bounds) - 1
    for place, bound in enumerate(scale.bounds[1:], 1):
        label = number(bound)
        half = _wide(label, SMALL) / 2
        at = place * step
        if bound & (bound - 1) == 0 and at - half >= free and at + half <= last * step + 1:
            _write(axes, at, y + 8, label, side="center", size=SMALL, colour="dim")
            free = at + half + 12


def _legend(axes: Any, parts: Sequence[Part], left: float) -> None:
    for part in parts:
        _box(axes, (left, 5), (11, 11), part.colour)
        _write(axes, left + 17, 11, part.label, size=SMALL, colour="dim")
        left += 17 + _wide(part.label, SMALL) + 18


@contextmanager
def _figure(width: float, height: float) -> Iterator[Any]:
    """Axes whose unit is a pixel, y downwards, nothing drawn on them, whatever the user's matplotlibrc says."""
    matplotlib = need("matplotlib", extra="plot")
    figures = need("matplotlib.figure", extra="plot")
    own = {
        key: value
        for key, value in matplotlib.rcParamsDefault.items()
        if not key.startswith(("backend", "interactive"))
    }
    own |= {"svg.fonttype": "none", "svg.hashsalt": "pretune", "text.parse_math": False, "path.simplify": False}
    with matplotlib.rc_context(own):
        figure = figures.Figure(figsize=(width / 72, height / 72), dpi=72)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        yield axes


def _write(
    axes: Any, x: float, y: float, words: str, *, side: str = "left", size: float = NORMAL, colour: str = "ink",
    weight: str = "normal",
) -> None:  # fmt: skip
    if words:
        axes.text(
            x, y + size * 0.36, one_line(words), ha=side, va="baseline", fontsize=size, color=COLOURS[colour],
            fontweight=weight, parse_math=False,
        )  # fmt: skip


def _box(axes: Any, corner: tuple[float, float], size: tuple[float, float], colour: str) -> None:
    patches = need("matplotlib.patches", extra="plot")
    axes.add_patch(patches.Rectangle(corner, *size, facecolor=COLOURS[colour], linewidth=0, clip_on=False))


def _line(
    axes: Any, x: tuple[float, float], y: tuple[float, float], colour: str, *, dashes: tuple[float, float] | None = None
) -> None:
    style: Any = (0, dashes) if dashes else "-"
    axes.plot(x, y, color=COLOURS[colour], linewidth=1, linestyle=style, clip_on=False, solid_capstyle="butt")


def _written(axes: Any, name: str, title: str, description: str) -> str:
    """The finished picture."""
    import warnings

    out = io.StringIO()
    with warnings.catch_warnings():  # matplotlib's own fonts lack Hangul; the reader's have it
        warnings.simplefilter("ignore")
        axes.figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    called = {drawn: f"var(--{name})" for name, drawn in COLOURS.items()}
    return cleaned(out.getvalue(), called, name=name, title=title, description=description)


def _wide(words: str, size: float) -> float:
    """About how many pixels the words take in a sans-serif font."""
    from pretune.draw.terminal import width_of

    return width_of(one_line(words)) * size * 0.56


def _cut(words: str, room: float) -> str:
    """The words, shortened in the middle to about `room` pixels."""
    words = one_line(words)
    if _wide(words, NORMAL) <= room:
        return words
    keep = len(words)
    while keep > 4 and _wide(words[: keep // 2] + "…" + words[-(keep // 2) :], NORMAL) > room:
        keep -= 1
    return words[: keep // 2] + "…" + words[-(keep // 2) :]
