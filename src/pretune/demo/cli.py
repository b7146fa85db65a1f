"""The command `pretune demo`: plays the acts, one after the other, and says what to do next."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pretune.core.errors import UserError
from pretune.core.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.demo.acts import Planned
    from pretune.demo.page import Act

LEFT = "pretune-demo.html"
"""The page that the demo leaves in the current folder, or in the folder that is kept."""
THEN = (
    "pretune check MODEL --task question-answering --data train.json",
    "pretune train mrc --model MODEL --train train.json --dev dev.json --out DIR --preset fast",
    "pretune pool MODEL --data pairs.tsv",
)
"""The next three commands, for the user's own model."""


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path), help="Write the demo's folders there and keep them."
)
@click.option(
    "--train/--no-train",
    default=True,
    help="Whether a model is trained, and asked for vectors: most of the time [yes].",
)
@click.option("--knock", metavar="TARGET", multiple=True, help="Tell its end there, for real: see `pretune knock`.")
def command(keep: Path | None, knock: tuple[str, ...], *, train: bool) -> None:
    """See pretune at work on a small real model, offline."""
    from pretune.demo.message import NAME
    from pretune.train.knocks import told

    if keep is None:
        page = Path.cwd() / LEFT
        if not os.access(page.parent, os.W_OK):  # known before the minute and a half, not after it
            raise UserError(
                f"{LEFT} cannot be written to {page.parent}",
                hint="go to a folder of your own, or name one: pretune demo --keep DIR",
            )
        with told(knock, NAME), tempfile.TemporaryDirectory(prefix="pretune-demo-") as folder, contextlib.chdir(folder):
            _leave(_play(train=train, sent=bool(knock)), page)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UserError(f"{keep} exists already", hint="name a folder that does not exist yet, or remove it")
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UserError(f"{keep} cannot be made: {why}", hint="name a folder of your own") from None
    with told(knock, NAME), contextlib.chdir(keep):  # commands and places are then short, and can be typed there
        _leave(_play(train=train, sent=bool(knock)), Path(LEFT))
    click.echo("\n" + say(f"The folders are in {keep}."))


def _play(*, train: bool, sent: bool) -> list[Act]:
    """Do each act in the current folder and show what came of it.

    Args:
        train: whether a model is trained.
        sent: whether the end is told somewhere.
    """
    from pretune.demo.acts import acts
    from pretune.demo.message import told
    from pretune.demo.page import Act

    begun = time.monotonic()
    done: list[Act] = []

    def play(act: Planned) -> None:
        """Say what comes, do it, show it."""
        click.secho(f"\n{len(done) + 1}. {say(act.title)}", bold=True)
        click.echo(click.wrap_text(say(act.lesson), initial_indent="   ", subsequent_indent="   "))
        click.echo(f"   $ {act.command}\n")
        shown = act.do()
        shown.show()
        done.append(Act(act.title, act.lesson, act.command, shown.statements, shown.parts))

    for act in acts(train=train):
        play(act)
    play(told(time.monotonic() - begun, sent=sent))
    return done


def _leave(done: Sequence[Act], left: Path) -> None:
    """Leave all of it as a page, and say how to go on."""
    from pretune.core.files import write_atomically
    from pretune.demo.page import page
    from pretune.draw.page import render

    write_atomically(left, render(page(done, THEN)).encode())
    click.echo("\n" + say(f"All of it, as a page: {left}"))
    click.echo("\n" + say("Now your own:"))
    for line in THEN:
        click.echo(f"   $ {line}")
