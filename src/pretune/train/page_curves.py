"""The curves of a run for its page: pictures, of_dev. Takes entries of the log as they stand in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.draw.chart import Mark
from pretune.draw.curves import Line, curves
from pretune.draw.page import Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.draw.page import Part

    Figures = Sequence[tuple[int, Mapping[str, float]]]

WIDE, NARROW = 720, 340
_COLOURS = ("c1", "c4", "c5", "c6", "c3", "c7")
COUNTS = ("_total", "_thresh")
"""Endings of figures that are no measure of how good a model is."""


def pictures(steps: Sequence[Mapping[str, Any]], figures: Figures, best: int | None) -> list[Part]:
    """Loss (with that of dev), learning rate, norm of the gradients and tokens a second, by step.

    Args:
        steps: entries of the log that have a loss.
        figures: (step, figures of dev).
        best: the step whose model is kept; None: not marked.
    """
    losses = [Line("training loss", _points(steps, "loss"), "c1")]
    dev = tuple((float(step), one["loss"]) for step, one in figures if "loss" in one)
    if dev:
        losses.append(Line("dev loss", dev, "c4", dots=True))
    speed = tuple((float(one["step"]), one["tokens"] / one["seconds"]) for one in steps if one["seconds"] > 0)
    mark = Mark(best, f"step {best:,} is kept") if best else None
    first, last = steps[0]["loss"], steps[-1]["loss"]
    return [
        _picture("loss", losses, f"Loss by step: {first:.4f} at the first entry, {last:.4f} at the last.", mark),
        _picture("rate", [Line("learning rate", _points(steps, "learning_rate"), "c5")], "Learning rate by step."),
        _picture("norm", [Line("gradient norm", _points(steps, "gradient_norm"), "c6")], "Gradient norm by step."),
        _picture("speed", [Line("tokens a second", speed, "c3")], "True tokens a second, by step.", zero=True),
    ]


def of_dev(figures: Figures) -> list[Part]:
    """The figures of dev by step, in one picture; nothing of fewer than two evaluations."""
    if len(figures) < 2:
        return []
    names = [name for name in figures[-1][1] if not name.endswith(("loss", "mse", *COUNTS))][: len(_COLOURS)]
    lines = [
        Line(name, tuple((float(step), one[name]) for step, one in figures if name in one), colour, dots=True)
        for name, colour in zip(names, _COLOURS, strict=False)
    ]
    return [_picture("figures", lines, "Figures of the dev set by step.")] if lines else []


def _points(steps: Sequence[Mapping[str, Any]], name: str) -> tuple[tuple[float, float], ...]:
    """(step, value) of every entry; what is no number comes as null or as a word."""
    return tuple((float(one["step"]), one[name]) for one in steps if isinstance(one.get(name), int | float))


def _picture(
    name: str, lines: list[Line], description: str, mark: Mark | None = None, *, zero: bool = False
) -> Picture:
    wide, narrow = (
        curves(
            lines,
            name=f"{name}-{width}",
            title=" and ".join(line.label for line in lines),
            description=description,
            width=width,
            height=200 if name in ("loss", "figures") else 140,
            mark=mark,
            zero=zero,
        )
        for width in (WIDE, NARROW)
    )
    return Picture(wide, narrow)
