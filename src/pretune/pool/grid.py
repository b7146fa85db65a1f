"""An Analysis as tables: every layer by every pooling, the highest choices beside the baselines, shares of tokens.

Shown alike in a terminal (show.py) and on a page (page.py). Computes no score; names layers by index always.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pretune.draw.heat import Heat, Square, step_of
from pretune.draw.table import Cell, table
from pretune.pool.choice import POOLINGS, SHAPINGS, Choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.draw.table import Table
    from pretune.pool.analysis import Analysis
    from pretune.pool.intervals import Interval
    from pretune.pool.sentence_tokens import SentenceTokens

MOST = 5
"""Choices that are listed with their intervals."""

KEPT = "may be the best"

MEASURES = {"Spearman": "Spearman's rho with the scores", "accuracy": "accuracy of a linear classifier, leave-one-out"}


def decimal(value: float) -> str:
    """`.820`, `-.123`, `1.00`; `-` for what is not defined."""
    if not math.isfinite(value):
        return "-"
    text = f"{value:.3f}".replace("-0.000", "0.000")
    return f"{value:.2f}" if text.lstrip("-").startswith("1") else text.replace("0.", ".", 1)


def signed(value: float) -> str:
    """`+.003`, `-.085`, `.000`."""
    text = decimal(value)
    return f"+{text}" if value > 0 and text != ".000" else text


def layers_of(layers: Sequence[int]) -> str:
    """`6`, `0+6`, `3-6` for 3+4+5+6."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return "+".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "+".join(map(str, run)) for run in runs)


def named(choice: Choice) -> str:
    """A choice in words as `Choice.name` has them, with `3-6` for `3+4+5+6`."""
    if not choice.layers:
        return choice.name
    return choice.name.replace("+".join(map(str, choice.layers)), layers_of(choice.layers), 1)


def scored(found: Analysis) -> tuple[tuple[Choice, ...], list[float], list[bool]]:
    """All choices with their scores (or margins), and which of them cannot be left out."""
    if found.verdict is not None:
        values = [one.value for one in found.verdict.intervals]
        return found.verdict.choices, values, [bool(one) for one in found.verdict.kept]
    if found.shortlist is not None:
        shortlist = found.shortlist
        return shortlist.choices, [float(one) for one in shortlist.margins], [bool(one) for one in shortlist.kept]
    return (), [], []


def recommended(found: Analysis) -> Choice:
    """The choice to use: the verdict's, or the default where nothing was scored."""
    return found.default if found.verdict is None else found.verdict.choices[found.verdict.recommended]


def grids(found: Analysis) -> tuple[Heat, ...]:
    """Layers by poolings, one table for each shaping; all share one scale of shades."""
    choices, values, kept = scored(found)
    known = {choice: (value, keep) for choice, value, keep in zip(choices, values, kept, strict=True) if choice.layers}
    inner = [value for value, _ in known.values() if math.isfinite(value)]
    scale = (min(inner), max(inner)) if inner else (0.0, 0.0)
    write = decimal if found.verdict is not None else lambda value: f"{value:.2f}" if math.isfinite(value) else "-"

    def square(choice: Choice) -> Square:
        if choice not in known:
            return Square("")
        value, keep = known[choice]
        return Square(write(value), step_of(value, *scale), keep, choice == found.default)

    result: list[Heat] = []
    for shaping in SHAPINGS:
        here = [choice for choice in known if choice.shaping == shaping and choice.pooling in POOLINGS]
        poolings = [
            name
            for name in POOLINGS
            if name != "pooler_output" and any(one.pooling == name and len(one.layers) == 1 for one in here)
        ]
        if not poolings:
            continue
        rows = tuple(
            (layers_of(layers), tuple(square(Choice(layers, name, shaping)) for name in poolings))
            for layers in _rows(here)
        )
        first = not result
        result.append(
            Heat(
                title=_title(found) if first else shaping,
                corner="layer",
                columns=tuple(name.replace("_", " ") for name in poolings),
                rows=rows,
                kept=(KEPT if found.verdict else "on the shortlist") if any(kept) and first else "",
                framed=_default(found) if first else "",
                note=_note(found, rows) if first else "",
            )
        )
    return tuple(result)


def _default(found: Analysis) -> str:
    """What the default's mark means."""
    return "declared" if found.declared.pooling else "default"


def _title(found: Analysis) -> str:
    if found.verdict is not None:
        return MEASURES[found.verdict.measure]
    return "by how many deviations a part of a sentence lies nearer to its own sentence"


def _rows(choices: Sequence[Choice]) -> list[tuple[int, ...]]:
    """Single layers, then the mixes that several poolings have: with every mix tried, those of `mean` are too many."""
    times: dict[tuple[int, ...], int] = {}
    for choice in choices:
        times[choice.layers] = times.get(choice.layers, 0) + 1
    single = sorted(layers for layers in times if len(layers) == 1)
    return [*single, *(layers for layers in times if len(layers) > 1 and times[layers] > 1)]


def _note(found: Analysis, rows: Sequence[tuple[str, Any]]) -> str:
    """What the rows are, and which poolings are one and the same here."""
    said = ["0 is the output of the embeddings"]
    mixes = [name for name, _ in rows if not name.isdigit()]
    if mixes:
        said.append(f"{mixes[0]} the mean of these layers")
    for name, other in found.found.same.items():
        if other:
            said.append(f"{name.replace('_', ' ')} is {other.replace('_', ' ')} here")
    return "; ".join(said)


def ranked(found: Analysis, most: int = MOST) -> tuple[list[int], list[int]]:
    """Places of the highest choices, the default among them, and of all baselines; the highest first."""
    choices, values, _ = scored(found)
    order = sorted(range(len(choices)), key=lambda place: -values[place] if math.isfinite(values[place]) else math.inf)
    own = [place for place in order if choices[place].layers]
    top = own[:most]
    top += [place for place in own[most:] if choices[place] == found.default]
    return top, [place for place in order if not choices[place].layers]


def listing(
    found: Analysis, *, most: int = MOST, gaps: Literal["full", "span", "none"] = "full", spelled: bool = False
) -> Table | None:
    """The highest choices and the baselines with their intervals, and of each the difference from the default.

    Args:
        found: what was found; without scores there is nothing to list.
        most: choices at most, besides the default and the baselines.
        gaps: whether differences are left out, or have their intervals alone, where there is little room.
        spelled: whether the marks of the heat map are words.
    """
    verdict = found.verdict
    if verdict is None:
        return None
    top, baselines = ranked(found, most)

    def row(place: int) -> tuple[str | Cell, ...]:
        name = named(verdict.choices[place])
        if place == verdict.default:
            name = f"{name} ({_default(found)})" if spelled else f"> {name}"
        if verdict.kept[place]:
            name += " *"
        gap = verdict.gaps[place] if verdict.gaps and place != verdict.default else None
        told = [] if gaps == "none" or not verdict.gaps else ["" if gap is None else span(gap, sign=True)]
        return (
            Cell(name, "best" if verdict.kept[place] else ""),
            decimal(verdict.intervals[place].value),
            span(verdict.intervals[place]),
            *([f"{signed(gap.value)} ({told[0]})"] if gap is not None and gaps == "full" and told[0] else told),
        )

    rows: list[Sequence[str | Cell]] = [row(place) for place in top]
    if baselines:
        rows += [("baselines",), *(row(place) for place in baselines)]
    headings = ["highest", "rho" if verdict.measure == "Spearman" else "accuracy", "95 %", "minus default, 95 %"]
    return table("", headings[: len(rows[0])], rows, note=f"* {KEPT}" if spelled else "")


def span(interval: Interval, *, sign: bool = False) -> str:
    """`.803 to .843`; empty where it is not known."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    write = signed if sign else decimal
    return f"{write(interval.low)} to {write(interval.high)}"


def share_grid(found: Analysis) -> Heat | None:
    """What each kind of token adds to the score of the mean, layer by layer; None where not asked."""
    if not found.shares:
        return None
    groups = tuple(next(iter(found.shares.values())).shares)
    inner = [value for one in found.shares.values() for value in one.shares.values() if math.isfinite(value)]
    low, high = (min(inner), max(inner)) if inner else (0.0, 0.0)
    rows = tuple(
        (
            str(layer),
            (
                *(Square(decimal(one.shares[name]), step_of(one.shares[name], low, high)) for name in groups),
                Square(decimal(one.whole)),
            ),
        )
        for layer, one in sorted(found.shares.items())
    )
    return Heat(
        title="What each kind of token adds to the rho of mean",
        corner="layer",
        columns=(*groups, "all"),
        rows=rows,
        note="Shapley values over all subsets of kinds; a row adds up to its last number, the rho of the mean of all",
        worded=True,
    )


def token_tables(tokens: Sequence[SentenceTokens], *, most: int = 10) -> Iterator[Table]:
    """For each sentence its tokens, the one first whose absence moves the vector most."""
    for one in tokens:
        rows = [
            (weight.token, small(weight.from_pooling), "" if weight.from_input is None else small(weight.from_input))
            for weight in one.weights[:most]
        ]
        more = len(one.weights) - most
        note = "1 - cosine between the vector with and without the token"
        note += f"; {more} more tokens weigh less" if more > 0 else ""
        headings = (f"layer {one.layer} mean", "left out of the mean", "deleted from the text")
        yield table(one.text, headings, rows, note=note)


def small(value: float) -> str:
    """`.043`, `.0004`, `0`: four decimals of what is small."""
    if not math.isfinite(value):
        return "-"
    if abs(value) < 0.00005:
        return "0"
    return decimal(value) if abs(value) >= 0.01 or not value else f"{value:.4f}".replace("0.", ".", 1)


def padding_table(found: Analysis) -> Table | None:
    """What mistakes of padding would cost on these data; None where not measured."""
    if not found.padding:
        return None
    rows = [(one.name, decimal(one.right), Cell(decimal(one.wrong), _worse(one))) for one in found.padding]
    return table("What mistakes of padding would cost here", ("", "done right", "mistaken"), rows)


def _worse(one: Any) -> Any:
    """Whether a mistake costs more than rounding does."""
    return "bad" if one.wrong < one.right - 0.005 else ""
