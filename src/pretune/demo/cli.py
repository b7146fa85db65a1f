"""The command `pretune demo`: plays the scenes, one check after the other, and says what to do next."""

import contextlib
import sys
import tempfile
from pathlib import Path

import click

from pretune.core.errors import UserError

LEFT = "pretune-demo.html"
"""The page that the demo leaves in the current folder."""


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path), help="Write the demo's folders there and keep them."
)
@click.option("--train/--no-train", default=True, help="Whether a model is trained, which takes half a minute [yes].")
def command(keep: Path | None, *, train: bool) -> None:
    """See pretune at work on a small real model, offline."""
    if keep is None:
        page = Path.cwd() / LEFT
        with tempfile.TemporaryDirectory(prefix="pretune-demo-") as folder, contextlib.chdir(folder):
            _play(page, train=train)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UserError(f"{keep} exists already", hint="name a folder that does not exist yet")
    keep.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(keep):  # the scenes' commands and places are then short, and can be typed there
        _play(None, train=train)
    click.echo(f"\nThe folders are in {keep}.")


def _play(left: Path | None, *, train: bool) -> None:
    """Check each scene in the current folder and show its report.

    Args:
        left: where the page of the last scene is left; None: where the scene writes it.
        train: whether a model is trained at the end.
    """
    from dataclasses import replace

    from pretune import check
    from pretune.check.report import html, terminal
    from pretune.core.files import write_atomically
    from pretune.demo.story import scenes

    played = scenes()
    for number, scene in enumerate(played, start=1):
        report = check.run(scene.model, beside=scene.beside, **scene.keys)
        if scene.page is not None:
            page = left or scene.page
            write_atomically(page, html.render(report).encode())
        else:
            report = replace(report, profile=None)  # the last scene shows what it looks like
        click.secho(f"\n{number}. {scene.title}", bold=True)
        click.echo(click.wrap_text(scene.lesson, initial_indent="   ", subsequent_indent="   "))
        click.echo(f"   $ {scene.command}\n")
        if terminal.is_wanted(sys.stdout):
            terminal.write(report, sys.stdout)
        else:
            click.echo(check.render(report, "text"), nl=False)
    _add_words(len(played) + 1, played[0].model)
    _train(len(played) + 2, played[0].model, train=train)
    click.echo(f"\nThe page of the corpus: {page}")
    click.echo("\nNow your own:")
    for line in (
        "pretune check MODEL --task question-answering --data train.json",
        "pretune check --data 'corpus/*.jsonl' --tokenizer ONE --tokenizer OTHER --html report.html",
        "pretune check train.py",
        "pretune tokens suggest MODEL --data 'corpus/*.jsonl'",
        "pretune train mrc --model MODEL --train train.json --dev dev.json --out DIR --preset fast",
    ):
        click.echo(f"   $ {line}")


def _add_words(number: int, model: Path) -> None:
    """Add words and special tokens to MiniLM, and show what the usual way makes of them."""
    import shutil

    from pretune.demo.words import words
    from pretune.draw.terminal import text

    scene = words(model)
    click.secho(f"\n{number}. New words, without harm to the old ones", bold=True)
    lesson = "They go into the model's own vocabulary, into rows that no text reaches, and begin as their pieces' mean."
    click.echo(click.wrap_text(lesson, initial_indent="   ", subsequent_indent="   "))
    click.echo(f"   $ {scene.command}\n")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo("\n".join(text(one, width) for one in scene.tables), nl=False)


def _train(number: int, model: Path, *, train: bool) -> None:
    """Fine-tune MiniLM on the sample's English questions, and show what it has learnt."""
    import shutil

    from pretune.demo import training
    from pretune.demo.story import english
    from pretune.draw.terminal import text

    files = english()
    if not train:
        return
    click.secho(f"\n{number}. Training, in half a minute", bold=True)
    lesson = (
        "It has never answered a question; 38 English ones teach it a little; 12 others, about unseen texts,"
        " say how much. The Korean ones are left out: it cannot read them, as scene 2 shows."
    )
    click.echo(click.wrap_text(lesson, initial_indent="   ", subsequent_indent="   "))
    click.echo(f"   $ {training.command(model, *files)}\n")
    made = training.train(model, *files)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    click.echo(text(made.table, width), nl=False)
