"""The command `pretune pool`: models and data in, what they show out. Imports only click; the rest when it runs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pretune.pool.analysis import Analysis

FILES = ("--data", "--vectors")
"""Flags behind which several files may stand."""
SHAPES = ("centred", "whitened")


class Command(click.Command):
    """Takes several files behind one flag; help in sections."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat a flag for files before each further file behind it."""
        return super().parse_args(ctx, spread(args))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record:
                sections.setdefault(getattr(parameter, "section", "Other"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class _Option(click.Option):
    """An option that knows the section of the help it stands in."""

    def __init__(self, *names: Any, section: str, **keys: Any) -> None:
        super().__init__(*names, **keys)
        self.section = section


def spread(words: Sequence[str]) -> list[str]:
    """`--data a.tsv b.tsv` as `--data a.tsv --data b.tsv`: files, not folders, which are models."""
    made: list[str] = []
    flag, fresh = "", False
    for word in words:
        name, equals, _ = word.partition("=")
        if name in FILES:
            flag, fresh = name, not equals
        elif word.startswith("-") and word != "-":
            if fresh:
                raise UserError(f"{flag} names no file, found {word}")
            flag = ""
        elif flag and not fresh:
            if Path(word).is_file():
                made.append(flag)
            else:
                flag = ""
        else:
            fresh = False
        made.append(word)
    return made


def _options(section: str, *options: tuple[str, dict[str, Any]]) -> Callable[[Any], Any]:
    """Decorate a command with the options of one section of its help, in this order."""

    def decorate(function: Any) -> Any:
        for names, keys in reversed(options):
            function = click.option(*names.split(), cls=_Option, section=section, **keys)(function)
        return function

    return decorate


_DATA = _options(
    "Data",
    (
        "--data",
        {
            "metavar": "FILE",
            "multiple": True,
            "help": "Pairs with a score, sentences with a class, or bare text: .tsv .csv .json .jsonl .txt .parquet.",
        },
    ),
    ("--column", {"metavar": "ROLE=NAME", "multiple": True, "help": "What a column is called: score=similarity."}),
    ("--scores", {"metavar": "FILE", "help": "Scores in a file of their own, one a line."}),
    ("--sample", {"metavar": "N", "type": click.IntRange(min=1), "help": "Take the first N rows only."}),
    (
        "--vectors",
        {"metavar": "FILE", "multiple": True, "help": "Word vectors as a baseline: GloVe or fastText text files."},
    ),
)
_CHOICES = _options(
    "What is tried",
    (
        "--shape",
        {
            "metavar": "KIND",
            "multiple": True,
            "help": "Also all vectors centred, whitened (centred,whitened or all), fitted on these sentences.",
        },
    ),
    ("--every-mix", {"is_flag": True, "help": "All subsets of layers for mean, instead of a few mixes."}),
    (
        "--tokens",
        {
            "metavar": "[N]",
            "is_flag": False,
            "flag_value": "0",
            "help": "What each kind of token adds to the score, layer by layer; of the first N sentences their tokens.",
        },
    ),
    ("--show-tokens", {"metavar": "TEXT", "multiple": True, "help": "Rank the tokens of this sentence."}),
    ("--faults", {"is_flag": True, "help": "Measure what mistakes of padding would cost here."}),
)
_HOW = _options(
    "How",
    ("--device", {"metavar": "NAME", "default": "cpu", "help": "cpu, cuda, cuda:1, mps [cpu]."}),
    ("--dtype", {"metavar": "NAME", "default": "float32", "help": "float32, bfloat16 or float16 [float32]."}),
    ("--max-length", {"metavar": "N", "type": click.IntRange(min=1), "help": "Tokens read at most [the model's]."}),
)
_OUT = _options(
    "Output",
    ("--html", {"metavar": "FILE", "help": "The same as a page that opens offline, with intervals drawn."}),
    ("--json", {"metavar": "FILE", "help": "Every number, for programs (-: stdout)."}),
    ("--csv", {"metavar": "FILE", "help": "A row a choice (-: stdout)."}),
    ("--save", {"metavar": "DIR", "help": "Write what is recommended as a model of sentence-transformers."}),
    ("--choice", {"metavar": "NAME", "help": 'Save this instead: "layer 4 mean", "layers 0+6 sif, centred".'}),
    ("--force", {"is_flag": True, "help": "Replace the folder of --save."}),
    ("--debug", {"is_flag": True, "help": "Show tracebacks."}),
)


@click.command(
    "pool",
    cls=Command,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Roles of columns: text, text_pair, score, label. Exit code: 0 measured, 1 a fault of level error "
    "was found, 2 a mistake in the call or the input, 130 Ctrl-C.",
)
@click.argument("models", metavar="MODEL...", nargs=-1)
@_DATA
@_CHOICES
@_HOW
@_OUT
@click.pass_context
def command(ctx: click.Context, /, models: tuple[str, ...], **flags: Any) -> None:
    """Find out which token, layer and pooling represents a sentence.

    Every layer of MODEL (a folder or a hub name) is pooled every way in one forward pass and scored on your sentences,
    beside baselines that know nothing. A choice is recommended over the declared one only where the data bear it.
    Several models are put side by side.
    """
    _agree(models, flags)
    analyses: list[Analysis] = []
    for number, model in enumerate(models):
        found = _analysed(model, flags)
        analyses.append(found)
        if "-" not in (flags["json"], flags["csv"]):
            _show(found, after=number > 0)
        if flags["save"]:
            _save(found, model, flags)
    if len(analyses) > 1 and "-" not in (flags["json"], flags["csv"]):
        from pretune.draw import console, terminal
        from pretune.pool.show import compared

        width = console.width_for(sys.stdout)
        console.write([[], *terminal.lines(compared(analyses), width)], sys.stdout)
    _write(analyses, flags)
    ctx.exit(1 if any(fault.level == "error" for found in analyses for fault in found.faults) else 0)


def _agree(models: Sequence[str], flags: dict[str, Any]) -> None:
    """Tell a mistake in the call before anything long begins."""
    from pretune.artifacts.source import locate

    if not models:
        raise UserError("no model is named", hint="pretune pool MODEL --data pairs.tsv")
    if not flags["data"]:
        raise UserError("no data are named", hint=f"pretune pool {models[0]} --data pairs.tsv")
    shapings(flags["shape"])
    shown(flags["tokens"])
    if flags["choice"] and not flags["save"]:
        raise UserError("--choice says what --save writes, and --save is missing", hint="--save DIR")
    if flags["save"] and len(models) > 1:
        raise UserError(f"--save takes one model, found {len(models)}", hint="run it once for the model to be saved")
    if flags["json"] == "-" and flags["csv"] == "-":
        raise UserError("--json - and --csv - cannot both go to stdout", hint="give one of them a file's name")
    for model in models:
        locate(model)
    for name in ("html", "json", "csv"):
        if flags[name] not in (None, "-") and not Path(flags[name]).parent.is_dir():
            raise UserError(f"--{name}: there is no folder {Path(flags[name]).parent}", hint="make it first")
    if flags["save"]:
        import os

        from pretune.pool.save_folder import may_write

        may_write(Path(os.path.realpath(flags["save"])), models[0], force=flags["force"])


def shapings(given: Sequence[str]) -> tuple[str, ...]:
    """`("centred,whitened",)` or `("all",)` as ("raw", "centred", "whitened").

    Raises:
        UserError: there is no such shaping.
    """
    from pretune.core.errors import did_you_mean

    words = [word.strip() for one in given for word in one.split(",") if word.strip()]
    spelled = {"centered": "centred", "all": "all", "raw": "raw"}
    found = ["raw"]
    for word in words:
        name = spelled.get(word, word)
        if name not in (*SHAPES, "all", "raw"):
            near = did_you_mean(name, (*SHAPES, "all"))
            raise UserError(f'--shape: unknown "{word}"', hint=near or f"one of {', '.join(SHAPES)}, all")
        found += SHAPES if name == "all" else (name,)
    return tuple(dict.fromkeys(found))


def shown(given: str | None) -> int | None:
    """How many sentences of the data have their tokens ranked; None where no tokens were asked for.

    Raises:
        UserError: that is no number.
    """
    if given is None or given.isdecimal():
        return None if given is None else int(given)
    raise UserError(f'--tokens: expected a number, found "{given}"', hint="--tokens 3, or --tokens alone")


def _analysed(model: str, flags: dict[str, Any]) -> Analysis:
    """Everything about one model, with a bar while it is read."""
    raise NotImplementedError(model, flags)


def _show(found: Analysis, *, after: bool) -> None:
    """The Analysis in the terminal or the pipe."""
    from pretune.draw import console
    from pretune.pool.show import lines

    width = console.width_for(sys.stdout)
    console.write([*([[]] if after else []), *lines(found, width)], sys.stdout)
    sys.stdout.flush()


def _save(found: Analysis, model: str, flags: dict[str, Any]) -> None:
    """Write a choice as a model of sentence-transformers."""


def _write(analyses: Sequence[Analysis], flags: dict[str, Any]) -> None:
    """Page, JSON and CSV, each whole or not at all."""


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """A word in the terminal while something takes long whose end is not known."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what, spinner="line"):
        yield
