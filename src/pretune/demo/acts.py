"""What the demo does, one thing after the other: acts. Each part of pretune is asked as its command would ask it.

Knows what is shown of each, in the terminal and on the page; the folders and files are story.py's.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pretune.demo.page import of_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pretune.demo.story import Scene
    from pretune.draw.page import Part, Statement
    from pretune.draw.table import Table


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of an act.

    Attributes:
        show: writes it to the terminal.
        statements: what it says, each a sentence.
        parts: the same for the page.
    """

    show: Callable[[], None]
    statements: tuple[Statement, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """An act that is to come; see page.Act.

    Attributes:
        title: what a person does.
        lesson: what there is to see.
        command: the command line that does the same.
        do: does it.
    """

    title: str
    lesson: str
    command: str
    do: Callable[[], Shown]


def acts(*, train: bool) -> Iterator[Planned]:
    """The acts in the current folder; what they need is written there.

    Args:
        train: whether a model is trained and asked for vectors, which takes most of the time.
    """
    from pretune.demo import pooling, training
    from pretune.demo.story import english, scenes

    played = scenes()
    model = played[0].model
    for scene in played:
        yield Planned(scene.title, scene.lesson, scene.command, lambda scene=scene: _checked(scene))  # type: ignore[misc]
    yield _words(model)
    files, data = english(), pooling.pairs()
    if not train:
        return
    yield Planned(
        "Training, in half a minute",
        "It has never answered a question; 38 English ones teach it a little; 12 others, about unseen texts, say how "
        "much. The Korean ones are left out: it cannot read them, as scene 2 shows.",
        training.command(model, *files),
        lambda: _trained(model, *files),
    )
    yield Planned(
        "Which token, which layer?",
        "Half of these 205 pairs are Korean, which this model cannot read. There the declared mean is surely beaten by "
        "one that weighs rare pieces more; on the English half alone it is a tie, and the mean stays.",
        pooling.command(model, data),
        lambda: _pooled(model, data),
    )


def _checked(scene: Scene) -> Shown:
    """A check, in the terminal and as a page; the one with a page of its own writes it."""
    from pretune import check
    from pretune.check.report import html, terminal
    from pretune.core.files import write_atomically

    report = check.run(scene.model, beside=scene.beside, **scene.keys)
    if scene.page is not None:
        write_atomically(scene.page, html.render(report).encode())
    else:
        report = replace(report, profile=None)  # the last check shows what it looks like
    made = html.page(report)

    def show() -> None:
        """As the command prints it."""
        if terminal.is_wanted(sys.stdout):
            terminal.write(report, sys.stdout)
        else:
            sys.stdout.write(check.render(report, "text"))

    return Shown(show, made.statements, of_page(made, opened=1 if scene.page is None else 3))


def _words(model: Path) -> Planned:
    """New words; the command is known before they are written."""
    from pretune.demo import words

    def do() -> Shown:
        """Plan, write, compare."""
        tables = words.words(model).tables
        return Shown(lambda: _tables(tables), parts=tables)

    return Planned(
        "New words, without harm to the old ones",
        "They go into the model's own vocabulary, into rows that no text reaches, and begin as their pieces' mean.",
        words.command(model),
        do,
    )


def _trained(model: Path, learnt: Path, dev: Path) -> Shown:
    """A fine-tune, and the curves of its page."""
    from pretune.demo import training
    from pretune.train.page import page_of

    made = training.train(model, learnt, dev)
    run = page_of(training.OUT)
    return Shown(lambda: _tables((made.table,)), run.statements, (made.table, *of_page(run, opened=2)))


def _pooled(model: Path, data: Path) -> Shown:
    """Every layer and pooling on scored pairs."""
    from pretune.demo import pooling
    from pretune.draw import console
    from pretune.pool.page import page
    from pretune.pool.show import lines

    found = pooling.pool(model, data)
    made = page([found])
    return Shown(
        lambda: console.write(lines(found, console.width_for(sys.stdout)), sys.stdout), made.statements, of_page(made)
    )


def _tables(tables: tuple[Table, ...]) -> None:
    """Tables, in the terminal's width."""
    from pretune.draw import console
    from pretune.draw.terminal import text

    sys.stdout.write("\n".join(text(one, console.width_for(sys.stdout)) for one in tables))
