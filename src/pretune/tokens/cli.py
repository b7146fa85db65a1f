"""The command `pretune tokens` and its commands, each imported when it runs. Knows flags, not how anything is done."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.core.errors import UserError
from pretune.core.language import say
from pretune.core.output import put
from pretune.tokens.inits import INITS
from pretune.tokens.kobert_cli import command as import_kobert
from pretune.tokens.verify_cli import command as verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.draw.table import Table

_FORMAT = click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", help="How the result is written."
)
_OUTPUT = click.option("-o", "--output", metavar="FILE", help="Write it there instead of to the terminal.")
_ALL = click.option("--all", "every", is_flag=True, help="Show all rows of the tables.")
_DATA = click.option(
    "--data", multiple=True, metavar="FILE", help="Text to look at: files, patterns, folders; may be repeated."
)


@click.group(
    "tokens",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit code: 0 done, 1 something is wrong (verify), or a token was refused (add), 2 a mistake in the call.",
)
def command() -> None:
    """Add words and special tokens to a model without harming it.

    Words go into the model's own vocabulary, special tokens beside it, each into a slot that no text reaches while
    there are any.
    """


@command.command("suggest")
@click.argument("model")
@_DATA
@click.option("--most", type=click.IntRange(1, 5000), metavar="N", help="At most so many words.")
@_ALL
@_FORMAT
@_OUTPUT
def suggest_command(model: str, *, data: tuple[str, ...], most: int | None, every: bool, **how: Any) -> None:
    """Which words of a corpus are worth a token of their own, what each saves and what it changes."""
    if not data:
        raise UserError("no data to look at", hint=f"pretune tokens suggest {model} --data corpus.txt")
    from pretune.tokens.adding import suggested
    from pretune.tokens.show import suggestion_tables, suggestions_json

    with _reading() as progress:
        found = suggested(model, list(data), most=most, progress=progress)
    _show(lambda: suggestion_tables(found, model, every=every), lambda: suggestions_json(found), **how)


@command.command("spare")
@click.argument("model")
@_FORMAT
@_OUTPUT
def spare_command(model: str, **how: Any) -> None:
    """Which rows of the embedding no text can reach."""
    from pretune.artifacts.source import locate
    from pretune.artifacts.tokenizer import read_tokenizer
    from pretune.tokens.inner_folder import inner_folder
    from pretune.tokens.show import slots_json, slots_tables
    from pretune.tokens.spare import free_slots

    slots = free_slots(model)
    bytes_ = read_tokenizer(inner_folder(locate(model))).byte_level
    _show(lambda: slots_tables(slots, model, byte_level=bytes_), lambda: slots_json(slots), **how)


@command.command("add")
@click.argument("model")
@click.argument("words", nargs=-1)
@click.option("--out", metavar="DIR", help="Where the model with the tokens is written.")
@click.option("--in-place", is_flag=True, help="Write into MODEL itself, which must have slots for all tokens.")
@click.option("--special", multiple=True, metavar="TOKEN", help="A special token; may be repeated.")
@click.option("--file", "files", multiple=True, metavar="FILE", help="Words, one a line; - for standard input.")
@click.option("--from-suggestions", metavar="FILE", help="Words that `tokens suggest --format json` wrote.")
@_DATA
@click.option("--init", type=click.Choice(INITS), default="mean", show_default=True, help="How new rows begin.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and write nothing.")
@_ALL
@_FORMAT
@_OUTPUT
@click.pass_context
def add_command(
    ctx: click.Context,
    /,
    model: str,
    words: tuple[str, ...],
    *,
    out: str | None,
    in_place: bool,
    special: tuple[str, ...],
    data: tuple[str, ...],
    init: str,
    dry_run: bool,
    every: bool,
    **given: Any,
) -> None:
    """Add WORDS and special tokens to MODEL: first the plan, then the folder --out.

    With --data the plan names every word of that text which is cut otherwise, and refuses what would make it longer.
    """
    if in_place and out is not None:
        raise UserError("--out and --in-place exclude each other")
    out = model if in_place else out
    if out is None and not dry_run:
        raise UserError("no folder to write to", hint="--out DIR, --in-place, or --dry-run to see the plan alone")
    suggested, files = given.pop("from_suggestions"), given.pop("files")
    wanted = [*words, *_suggested(suggested), *(word for name in files for word in _lines(name))]
    if not wanted and not special:
        raise UserError(
            "no tokens to add", hint="name words behind the model, or --special '<ent>', or --file words.txt"
        )
    from pretune.tokens.adding import plan
    from pretune.tokens.show import plan_json, plan_tables

    with _reading() as progress:
        adding = plan(model, wanted, special=special, data=list(data), init=init, progress=progress)
    made = adding.plan
    _show(lambda: plan_tables(made, model, every=every), lambda: plan_json(made), **given)
    for remark in made.remarks:
        click.echo(say(remark), err=True)
    if not dry_run and (made.added or made.merges):
        assert out is not None
        applied = adding.apply(out)
        click.echo(say(f"written to {applied.out}"), err=True)
        if applied.stale:
            click.echo(say(f"left out, for they lack the new rows: {', '.join(applied.stale)}"), err=True)
    elif not dry_run:
        click.echo(say("nothing to add: nothing was written"), err=True)
    ctx.exit(1 if made.refused else 0)


@contextmanager
def _reading() -> Iterator[Callable[[int, int], None]]:
    """A bar for the reading of the data."""
    from pretune.draw.progress import Bar

    bar = Bar(sys.stderr, "reading")
    try:
        yield bar.advance
    finally:
        bar.end()


def _suggested(name: str | None) -> list[str]:
    """The words of a file of suggestions."""
    if name is None:
        return []
    try:
        told = json.loads(Path(name).read_text(encoding="utf-8"))
        return [str(row["word"]) for row in told["words"]]
    except OSError as error:
        raise UserError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{name} holds no suggestions", hint="pretune tokens suggest MODEL --data F --format json -o FILE"
        ) from None


def _lines(name: str) -> list[str]:
    """The words of a file, one a line; empty lines and what follows `# ` are left out."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{name} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from None
    lines = (line.partition("# ")[0].strip() for line in text.splitlines())
    return [line for line in lines if line and line != "#"]


def _show(
    tables: Callable[[], Sequence[Table]], told: Callable[[], dict[str, Any]], *, form: str, output: str | None
) -> None:
    """Write a result as tables or as JSON, to the terminal or a file."""
    from pretune.draw import console, terminal

    if form == "json":
        put(json.dumps(told(), ensure_ascii=False, indent=2) + "\n", output, escaped=True)
    elif output in (None, "-"):
        width = console.width_for(sys.stdout)
        for number, one in enumerate(tables()):
            console.write([*([[]] if number else []), *terminal.lines(one, width)], sys.stdout)
    else:
        put("\n".join(map(terminal.text, tables())), output)


command.add_command(verify)
command.add_command(import_kobert)
