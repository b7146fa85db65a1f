"""The command `pretune demo`: plays the scenes, one check after the other, and says what to do next."""

import contextlib
import sys
import tempfile
from pathlib import Path

import click

from pretune.core.errors import UserError


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path), help="Write the demo's folders there and keep them."
)
def command(keep: Path | None) -> None:
    """See pretune at work on a small real model, offline."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="pretune-demo-") as folder, contextlib.chdir(folder):
            _play()
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UserError(f"{keep} exists already", hint="name a folder that does not exist yet")
    keep.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(keep):  # the scenes' commands and places are then short, and can be typed there
        _play()
    click.echo(f"\nThe folders are in {keep}.")


def _play() -> None:
    """Check each scene in the current folder and show its report."""
    from pretune import check
    from pretune.check.report import terminal
    from pretune.demo.story import scenes

    for number, scene in enumerate(scenes(), start=1):
        report = check.run(scene.model, **scene.keys)
        click.secho(f"\n{number}. {scene.title}", bold=True)
        click.echo(click.wrap_text(scene.lesson, initial_indent="   ", subsequent_indent="   "))
        click.echo(f"   $ {scene.command}\n")
        if terminal.is_wanted(sys.stdout):
            terminal.write(report, sys.stdout)
        else:
            click.echo(check.render(report, "text"), nl=False)
    click.echo("\nNow your own:")
    for line in (
        "pretune check MODEL --task question-answering --data train.json",
        "pretune check MODEL --tokenizer OTHER --data train.json",
        "pretune check --list",
    ):
        click.echo(f"   $ {line}")
