"""A diagnosis as text for a terminal of any width. Colours are named by style; nothing is printed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.language import say
from pretune.core.quantity import size
from pretune.draw.table import Cell, Column, table
from pretune.draw.terminal import folded, lines, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.doctor.diagnosis import Diagnosis, Hub, Knock
    from pretune.draw.table import Table
    from pretune.draw.terminal import Piece

NONE = "-"
STYLES = {"error": "bad", "warning": "bad", "note": "heading"}


def report(found: Diagnosis, width: int | None = None) -> Iterator[list[Piece]]:
    """The diagnosis, line by line, none wider than `width` columns; None: as wide as it comes."""
    room = width or 1000
    kernel = "with the compiled kernel" if not found.kernel else f"without the compiled kernel: {found.kernel}"
    for heading, words in (
        ("pretune", f"{found.pretune}, {kernel}"),
        ("Python", found.python),
        ("system", found.system),
        ("hub", _hub(found.hub)),
        ("knock", _knock(found.knock)),
    ):
        yield from (
            [(part, "")] for part in folded(_beside(say(heading), say(words)), room, hang=9 if room > 30 else 2)
        )
    for part in _tables(found):
        yield []
        yield from lines(part, width)
    if found.devices is None and found.unasked:
        yield []
        yield from ([(part, "dim")] for part in folded(f"{say('devices are not known:')} {say(found.unasked)}", room))
    yield []
    if any(extra.missing for extra in found.extras):
        yield [(say("extras that lack something"), "dim")]
    yield from _extras(found, room)
    yield []
    yield from _troubles(found, room)


def _beside(heading: str, words: str) -> str:
    """A heading in a column of nine, and the words."""
    return heading + " " * max(9 - width_of(heading), 1) + words


def _hub(hub: Hub | None) -> str:
    if hub is None:
        return "huggingface_hub cannot be imported"
    kept = f"{hub.models} model{'' if hub.models == 1 else 's'}"
    asked = f"offline ({hub.offline})" if hub.offline else hub.endpoint
    token = {"environment": "a token in the environment", "file": "a token in its file"}.get(hub.token, "no token")
    return f"{asked}, {token}; {kept} in {hub.cache}"


def _knock(knock: Knock) -> str:
    told = ", ".join(knock.targets) if knock.targets else "no target: the terminal and the desktop are told"
    return told + (f"; {knock.waiting} not delivered yet" if knock.waiting else "")


def _tables(found: Diagnosis) -> Iterator[Table]:
    """Packages and devices."""
    words = [Column("package", numbers=False), Column("version", numbers=False)]
    rows = [(one.name, Cell(one.version) if one.version else Cell("not installed", "dim")) for one in found.packages]
    yield table("", words, rows)
    if found.devices is not None:
        columns = [Column(name, numbers=False) for name in ("device", "name", "memory", "bfloat16")]
        yield table(
            "",
            columns,
            [
                (one.kind, one.name, size(one.memory) if one.memory else NONE, "yes" if one.bf16 else NONE)
                for one in found.devices
            ],
        )


def _extras(found: Diagnosis, room: int) -> Iterator[list[Piece]]:
    """The extras that lack something, each with what it is for and how to get it."""
    lacking = [extra for extra in found.extras if extra.missing]
    if found.extras and not lacking:
        yield [(say("all extras are here"), "")]
    for extra in lacking:
        first, *others = folded(f"{extra.name}: {', '.join(extra.missing)}", room, hang=4)
        yield [(extra.name, "heading"), (first.removeprefix(extra.name), "")]
        yield from ([(part, "")] for part in others)
        yield from ([(part, "dim")] for part in folded(f"  {say(f'to {extra.use}')}", room, hang=4))
        yield [(f"  {extra.command}", "")]  # in one piece, to be copied


def _troubles(found: Diagnosis, room: int) -> Iterator[list[Piece]]:
    """What is wrong, the worst first, or one line that nothing is."""
    if not found.troubles:
        yield [(say("nothing is known to be wrong here"), "good")]
    for trouble in found.troubles:
        first, *others = folded(f"{say(trouble.level)}: {say(trouble.message)}", room, hang=2)
        yield [(say(trouble.level), STYLES[trouble.level]), (first.removeprefix(say(trouble.level)), "")]
        yield from ([(part, "")] for part in others)
        if trouble.fix:
            yield from ([(part, "dim")] for part in folded(f"  {say('fix:')} {say(trouble.fix)}", room, hang=4))
