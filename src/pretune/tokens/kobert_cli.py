"""The command `pretune tokens import-kobert`: writes the folder, says what is in it, compares it if asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pretune.core.errors import UserError
from pretune.core.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = click.Path(path_type=Path)


@click.command("import-kobert", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", type=_FILE)
@click.option("--out", metavar="DIR", type=_FILE, required=True, help="The folder to write.")
@click.option("--vocabulary", metavar="FILE", type=_FILE, help="A vocabulary that gluonnlp saved (to_json).")
@click.option(
    "--compare",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help="Encode each line of a text file (also .gz) with sentencepiece too, and count the lines that differ.",
)
def command(source: Path, out: Path, vocabulary: Path | None, compare: tuple[Path, ...]) -> None:
    """Make SKT's KoBERT a folder that plain transformers loads.

    SOURCE is its sentencepiece model (.model, .spiece) or the folder that holds it; config.json and weights that lie
    beside the model are carried along.
    """
    from pretune.tokens.kobert import import_kobert

    made = import_kobert(source, out, vocabulary=vocabulary)
    click.echo(f"{made.folder}: {', '.join(made.files)}")
    specials = "  ".join(f"{token} {at}" for token, at in made.specials.items())
    click.echo(say(f"{made.entries:,} entries; {specials}"))
    for note in made.notes:
        click.echo(f"{say('note')}: {say(note)}", err=True)
    if compare:
        _compare(made.folder, compare, source)


def _compare(folder: Path, files: tuple[Path, ...], source: Path) -> None:
    """Say how many lines of the files get sentencepiece's ids; exit with 1 when some do not."""
    from pretune.tokens.kobert import model_file
    from pretune.tokens.kobert_check import compare

    found = compare(folder, (line for path in files for line in _lines(path)), model=model_file(source))
    click.echo(say(f"{found.lines:,} lines compared with sentencepiece: {found.differing:,} with other ids"))
    if found.reordered:
        click.echo(
            say(f"  {found.reordered:,}: the same pieces in another order, whose sums are equal but for rounding")
        )
    if found.marked:
        click.echo(say(f"  {found.marked:,}: hold a special token such as [MASK] as text"))
    for line in found.examples:
        click.echo(f"  {line}")
    if found.differing:
        raise SystemExit(1)


def _lines(path: Path) -> Iterator[str]:
    import gzip

    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.removesuffix("\n")
    except (OSError, UnicodeDecodeError, EOFError) as error:
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UserError(f"{path} cannot be read as text: {said.lower()}") from None
