"""An Analysis, or several, as one HTML page that opens offline: page, render. The answer first.

The interval plot needs no matplotlib. What the sentences say stands in words.py, what the tables hold in grid.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pretune import __version__
from pretune.draw.chart import Mark
from pretune.draw.page import Card, Entry, Fold, Page, Picture, Section, Statement, Words
from pretune.draw.page import render as written
from pretune.draw.ranges import Range, ranges
from pretune.pool.grid import decimal, grids, listing, named, padding_table, ranked, share_grid, span, token_tables
from pretune.pool.show import compared, gain
from pretune.pool.words import statements, subject, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.draw.page import Part
    from pretune.pool.analysis import Analysis
    from pretune.pool.verdict import Verdict

TONES = {"error": "bad", "warning": "warn", "note": "note"}
DRAWN = 12
"""Choices whose intervals are drawn."""

POOLINGS = (
    ("cls", "the state of the token that the model's own head reads"),
    ("mean", "of all tokens"),
    ("mean words", "of the tokens that no template added"),
    ("max", "the largest value of each dimension"),
    ("weighted mean", "token i weighs i: later ones have seen more"),
    ("idf", "rare tokens weigh more: ln((1 + sentences) / (1 + sentences with it)) + 1"),
    ("sif", "frequent tokens weigh less: 0.001 / (0.001 + share of the token)"),
    ("last token, last word", "with and without what a template added"),
    ("separator", "the one behind the sentence"),
    ("pooler output", "what the model's own pooler makes of a state"),
    ("centred, whitened", "the mean of all sentences taken off; besides, their covariance made the identity"),
)
"""Each pooling in a few words, for those who read a page without the manual."""


def render(analyses: Sequence[Analysis]) -> str:
    """The page as HTML."""
    return written(page(analyses))


def page(analyses: Sequence[Analysis]) -> Page:
    """The page of one model, or of several, each in a section behind a table that compares them."""
    if len(analyses) == 1:
        heads = statements(analyses[0])
        sections = list(_sections(analyses[0]))
    else:
        firsts = [(found, statements(found)[0]) for found in analyses]
        heads = [Statement(one.tone, f"{found.model}: {one.head}", one.tail) for found, one in firsts]
        sections = [Section("Side by side", "compared", (replace(compared(analyses), title=""),))]
        sections += [_section(found, f"m{place}-") for place, found in enumerate(analyses, 1)]
    return Page(
        kicker="pretune pool",
        title=", ".join(found.model for found in analyses),
        statements=tuple(heads),
        remarks=tuple(subject(found) for found in analyses),
        sections=(*sections, Section("What the names mean", "names", (_names(),))),
        foot=f"Made by pretune {__version__}. Intervals are of 95 %.",
    )


def _names() -> Part:
    from pretune.draw.table import Column, table

    return table("", (Column("pooling", numbers=False), Column("what it takes", numbers=False)), POOLINGS)


def _section(found: Analysis, anchor: str) -> Section:
    """One of several models in one section: the heat map open, the rest behind lines that open them."""
    first, *others = _sections(found, anchor)
    said = " ".join(f"{one.head}{one.tail}" for one in statements(found)[1:])
    parts: tuple[Part, ...] = (Words(said),) if said else ()
    folds = (Fold(one.heading + (f" ({one.told})" if one.told else ""), one.parts) for one in others)
    return Section(found.model, f"{anchor}model", (*parts, *first.parts, *folds))


def _sections(found: Analysis, anchor: str = "") -> Iterator[Section]:
    """All about one model; `anchor` begins the names that links have."""
    yield Section("Layers and poolings", f"{anchor}grid", grids(found))
    if found.verdict is not None:
        yield Section("Intervals", f"{anchor}intervals", tuple(_intervals(found, found.verdict, anchor)))
    shares = share_grid(found)
    tokens = tuple(token_tables(found.tokens))
    if shares is not None or tokens:
        parts: tuple[Part, ...] = () if shares is None else (shares,)
        parts += (Words(gain(found)),) if gain(found) else ()
        yield Section("Which tokens matter", f"{anchor}tokens", (*parts, *tokens))
    wrong = _wrong(found)
    if wrong:
        yield Section("What is wrong", f"{anchor}wrong", wrong, str(len(found.faults)) if found.faults else "")
    if found.notes or found.seconds:
        yield Section("How it was done", f"{anchor}how", tuple(_done(found)))


def _intervals(found: Analysis, verdict: Verdict, anchor: str) -> Iterator[Part]:
    """The picture, and below it the same in numbers."""
    top, baselines = ranked(found, DRAWN)

    def row(place: int) -> Range:
        one = verdict.intervals[place]
        name = named(verdict.choices[place]) + (" (default)" if place == verdict.default else "")
        full = bool(verdict.kept[place])
        return Range(name, one.value, one.low, one.high, decimal(one.value), full, heavy=place == verdict.default)

    groups = [("", [row(place) for place in top])]
    if baselines:
        groups.append(("Baselines", [row(place) for place in baselines]))
    default = verdict.intervals[verdict.default].value
    mark = Mark(default, "default") if default == default else None  # noqa: PLR0124 - not where it is undefined
    words = (
        f"{verdict.measure} with its 95 % interval: {', '.join(f'{one.label} {one.told}' for one in groups[0][1][:3])}"
    )
    pictures = [
        ranges(
            groups,
            name=f"{anchor}intervals-{name}",
            title="The highest choices and the baselines with their intervals",
            description=words,
            width=width,
            mark=mark,
            reach=(-1.0, 1.0),
        )
        for name, width in (("wide", 800), ("narrow", 340))
    ]
    caption = (
        f"{verdict.measure.capitalize()} on {verdict.count:,} {unit(found)}. A full dot may be the best, "
        "an empty one is excluded: some other choice is higher by more than chance makes among so many."
    )
    yield Picture(pictures[0], pictures[1], caption)
    listed = listing(found, most=DRAWN, spelled=True)
    if listed is not None:
        yield listed
    gap = verdict.gap
    if gap is not None and verdict.swap is not None:
        yield Words(
            f"{named(verdict.choices[verdict.best])} minus the default is {span(gap, sign=True)}; exchanging the "
            f"two at random makes so large a difference with probability {decimal(verdict.swap)}.",
            dim=True,
        )


def _wrong(found: Analysis) -> tuple[Part, ...]:
    """Faults as cards, and what mistakes of padding would cost."""
    cards = tuple(
        Card(
            TONES[fault.level],
            fault.level,
            fault.name,
            "",
            (Entry("", fault.message, (("fix:", fault.fix),) if fault.fix else ()),),
        )
        for fault in found.faults
    )
    padding = padding_table(found)
    return (*cards, padding) if padding is not None else cards


def _done(found: Analysis) -> Iterator[Part]:
    from pretune.draw.table import table

    for note in found.notes:
        yield Words(note)
    if found.seconds:
        rows = [(stage, f"{seconds:,.1f}") for stage, seconds in found.seconds.items() if seconds >= 0.05]
        yield table("", ("stage", "CPU seconds"), rows)
