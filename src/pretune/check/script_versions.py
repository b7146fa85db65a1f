"""Tells with which versions of a library a script can run, from what the history of its releases says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.engine import Runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.history_range import Range
    from pretune.script.history_uses import Use
    from pretune.script.trace import Trace


def runs_of(trace: Trace) -> Iterator[Runs]:
    """The versions of each package that the script uses, as far as its releases were read."""
    from pretune.script.history_range import runs_with

    for package, found in runs_with(trace).items():
        name = package.replace("_", "-")
        bounded = found.empty or found.below is not None or found.above is not None
        specifier = found.specifier or ("" if found.empty else name)
        yield Runs(trace.file, name, found.first, found.last, specifier, _sentence(name, found), bounded)


def _sentence(name: str, found: Range) -> str:
    """`runs with transformers 4.41 to 4.45 (`x` came with 4.41, `y` is gone since 4.46)`."""
    came, gone, why = found.below, found.above, ""
    since = "" if came is None else came.life.since if found.empty else found.first
    if came is not None and gone is not None:  # each a text of its own, so that it has one translation
        why = f" ({_told(came)} came with {since}, {_told(gone)} is gone since {gone.life.until})"
    elif came is not None:
        why = f" ({_told(came)} came with {since})"
    elif gone is not None:
        why = f" ({_told(gone)} is gone since {gone.life.until})"
    if found.empty:
        return f"no version of {name} has all that it uses{why}"
    if found.first == found.last:
        return f"runs with {name} {found.first} only{why}"
    all_known = "" if why else ", all that are known"
    return f"runs with {name} {found.first} to {found.last}{all_known}{why}"


def _told(use: Use) -> str:
    """What is used, and the line."""
    place = use.event.place
    cell = "" if place.cell is None else f"cell {place.cell}, "
    return f"{use.shown} in {cell}line {place.line}"
