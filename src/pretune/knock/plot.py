"""A small picture of the loss as PNG, for services that take attachments. Knows no messages; needs matplotlib."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POINTS = 512
"""Points kept of a curve; of more, every second one goes."""
FEWEST = 4
"""Points under which a curve says nothing."""


class Curve:
    """A curve that stays small however long the run is: always even steps of the whole."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self._every = 1
        self._seen = 0

    def add(self, step: float, value: float) -> None:
        """One more point; what is no number is left out."""
        if not (math.isfinite(step) and math.isfinite(value)):
            return
        if self._seen % self._every == 0:
            self.points.append((step, value))
            if len(self.points) > POINTS:
                del self.points[1::2]
                self._every *= 2
        self._seen += 1


def smooth(values: Sequence[float]) -> list[float]:
    """Moving average over a twentieth of the curve, the same number of values."""
    width = max(len(values) // 20, 1)
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    found = []
    for place in range(len(values)):
        first, last = max(place - width, 0), min(place + width + 1, len(values))
        found.append((sums[last] - sums[first]) / (last - first))
    return found


def picture(curves: Mapping[str, Curve], title: str = "") -> bytes | None:
    """The curves in one small PNG; None where there are too few points, or no matplotlib.

    Args:
        curves: name -> curve.
        title: one line above it.
    """
    drawn = {name: curve.points for name, curve in curves.items() if len(curve.points) >= FEWEST}
    if not drawn:
        return None
    try:
        from io import BytesIO

        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5, 2.6), dpi=100, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for name, points in drawn.items():
            steps, values = zip(*points, strict=True)
            if len(points) >= 40:
                axes.plot(steps, values, alpha=0.25, linewidth=0.8, color="C0")
                axes.plot(steps, smooth(values), linewidth=1.6, color="C0", label=name)
            else:
                axes.plot(steps, values, linewidth=1.4, marker="o", markersize=3, label=name)
        axes.set_xlabel("step")
        axes.set_title(title.replace("$", r"\$")[:60], fontsize=9)
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize=8)
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()
    except Exception:  # noqa: BLE001 - not installed, or broken: the message goes without
        return None
