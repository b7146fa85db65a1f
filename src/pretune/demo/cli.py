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
def command(keep: Path | None) -> None:
    """See pretune at work on a small real model, offline."""
    if keep is None:
        page = Path.cwd() / LEFT
        with tempfile.TemporaryDirectory(prefix="pretune-demo-") as folder, contextlib.chdir(folder):
            _play(page)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UserError(f"{keep} exists already", hint="name a folder that does not exist yet")
    keep.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(keep):  # the scenes' commands and places are then short, and can be typed there
        _play(None)
    click.echo(f"\nThe folders are in {keep}.")


def _play(left: Path | None) -> None:
    """Check each scene in the current folder and show its report.

    Args:
        left: where the page of the last scene is left; None: where the scene writes it.
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
    click.echo(f"\nThe page of the corpus: {page}")
    click.echo("\nNow your own:")
    for line in (
        "pretune check MODEL --task question-answering --data train.json",
        "pretune check --data 'corpus/*.jsonl' --tokenizer ONE --tokenizer OTHER --html report.html",
        "pretune check train.py",
        "pretune tokens suggest MODEL --data 'corpus/*.jsonl'",
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
