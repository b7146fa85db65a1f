"""The page that keeps the whole demo: page, Act. A section an act: what was done, why, the command, what it showed.

Puts the parts' own pages together; makes no tables or pictures itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune import __version__
from pretune.draw.page import Fold, Page, Section, Statement, Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.page import Part


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the demo did.

    Attributes:
        title: what a person does.
        lesson: what there is to see.
        command: the command line that does the same.
        statements: what came of it, each a sentence.
        parts: tables, findings and pictures.
    """

    title: str
    lesson: str
    command: str
    statements: tuple[Statement, ...] = ()
    parts: tuple[Part, ...] = ()


def of_page(made: Page, *, opened: int = 1) -> tuple[Part, ...]:
    """The sections of another page as parts: the first ones open, the others behind a line that opens them."""
    shown: list[Part] = []
    for place, section in enumerate(made.sections):
        if place < opened:
            shown += section.parts
        else:
            shown.append(Fold(section.heading + (f" ({section.told})" if section.told else ""), section.parts))
    return tuple(shown)


def page(acts: Sequence[Act], then: Sequence[str]) -> Page:
    """All acts in their order.

    Args:
        acts: what was done.
        then: the commands to go on with.
    """
    sections = [
        Section(f"{number}. {act.title}", f"act{number}", (*_head(act), *act.parts))
        for number, act in enumerate(acts, 1)
    ]
    own = tuple(Words(f"`{line}`") for line in then)
    return Page(
        kicker="pretune demo",
        title="A fine-tune, from its tokenizer to the message at its end",
        statements=tuple(
            Statement("good" if one.tone == "note" else one.tone, f"{act.title.rstrip('?')}: {one.head}", one.tail)
            for act in acts
            for one in act.statements[:1]
        ),
        remarks=("Every command was run on this machine, offline; what it printed stands below it.",),
        sections=(*sections, Section("Now your own", "own", own)),
        foot=f"Made by pretune {__version__}.",
    )


def _head(act: Act) -> tuple[Part, ...]:
    """What was done and why."""
    said = tuple(Words(f"{one.head}{one.tail}") for one in act.statements)
    return (Words(act.lesson), Words(f"`$ {act.command}`", dim=True), *said)
