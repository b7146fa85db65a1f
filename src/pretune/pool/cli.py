"""The command `pretune pool`: models and data in, what they show out. Imports only click; the rest when it runs."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.core.errors import UserError
from pretune.core.language import say
from pretune.core.output import may_be_written, put
from pretune.pool.flags import CHOICES, DATA, HOW, OUT, Command, columns, shapings, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.pool.analysis import Analysis
    from pretune.pool.data import Sentences
    from pretune.pool.load import Loaded

WRITTEN = ("json", "csv", "html")
"""Forms that are written to files, or to stdout as `-`."""


@click.command(
    "pool",
    cls=Command,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Roles of columns: sentence1, sentence2, score; text, label. Exit code: 0 measured, 1 a fault of level "
    "error was found, 2 a mistake in the call or the input, 130 Ctrl-C.",
)
@click.argument("models", metavar="MODEL...", nargs=-1)
@DATA
@CHOICES
@HOW
@OUT
@click.pass_context
def command(ctx: click.Context, /, models: tuple[str, ...], **flags: Any) -> None:
    """Find out which token, layer and pooling represents a sentence.

    Every layer of MODEL (a folder or a hub name) is pooled every way in one forward pass and scored on your sentences,
    beside baselines that know nothing. A choice is recommended over the declared one only where the data bear it.
    Several models are put side by side.
    """
    _agree(models, flags)
    analyses: list[Analysis] = []
    sentences = _read(flags)
    seen = not _piped(flags)
    with ExitStack() as stack:
        with _waiting("loading transformers"):
            stack.enter_context(_quiet())
        for number, model in enumerate(models):
            with _waiting(f"loading {model}"):
                loaded = _load(model, flags)
            analyses.append(_analysed(loaded, sentences, flags))
            if seen:
                _show(analyses[-1], after=number > 0)
        if seen and len(analyses) > 1:
            _compare(analyses)
        _write(analyses, flags)
        if flags["save"]:
            _save(analyses[0], loaded, flags)
    ctx.exit(1 if any(fault.level == "error" for found in analyses for fault in found.faults) else 0)


def _agree(models: Sequence[str], flags: dict[str, Any]) -> None:
    """Tell a mistake in the call before anything long begins."""
    from pretune.artifacts.source import locate

    shapings(flags["shape"])
    columns(flags["column"])
    shown(flags["tokens"])
    if not models:
        raise UserError("no model is named", hint="pretune pool MODEL --data pairs.tsv")
    if not flags["data"]:
        raise UserError("no data are named", hint=f"pretune pool {models[0]} --data pairs.tsv")
    if flags["choice"] and not flags["save"]:
        raise UserError("--choice says what --save writes, and --save is missing", hint="--save DIR")
    if flags["save"] and len(models) > 1:
        raise UserError(f"--save takes one model, found {len(models)}", hint="run it once for the model to be saved")
    piped = _piped(flags)
    if len(piped) > 1:
        raise UserError(
            f"--{piped[0]} - and --{piped[1]} - cannot both go to stdout", hint="give one of them a file's name"
        )
    for name in flags["vectors"]:  # data are read before anything long begins
        if not Path(name).exists():
            raise UserError(f"--vectors: {name} does not exist")
    for model in models:
        locate(model)
    for name in WRITTEN:
        if flags[name] is not None:
            may_be_written(flags[name], f"--{name}")
    if flags["save"]:
        import os

        from pretune.pool.save_folder import may_write

        may_write(Path(os.path.realpath(flags["save"])), models[0], force=flags["force"])


def _piped(flags: dict[str, Any]) -> list[str]:
    """The forms that go to stdout in place of the tables."""
    return [name for name in WRITTEN if flags[name] == "-"]


def _read(flags: dict[str, Any]) -> Sentences:
    """The data, once for all models."""
    from pretune.core.extras import need

    need("numpy", extra="pool")  # a base install has none, and the data are read before torch is asked for
    from pretune.pool.data import read_sentences

    named = flags["data"]
    return read_sentences(
        named[0] if len(named) == 1 else named,
        columns=columns(flags["column"]),
        scores=flags["scores"],
        limit=flags["sample"],
    )


def _load(model: str, flags: dict[str, Any]) -> Loaded:
    """A model, on its device and in its precision."""
    from pretune.pool.load import load

    return load(model, device=flags["device"], dtype=flags["dtype"])


def _analysed(loaded: Loaded, sentences: Sentences, flags: dict[str, Any]) -> Analysis:
    """Everything about one model, with a bar while its sentences are read and its choices judged."""
    from pretune.draw.progress import Bar
    from pretune.pool.analyse import Asked, analyse

    asked = Asked(
        vectors=flags["vectors"],
        shapings=shapings(flags["shape"]),
        every_mix=flags["every_mix"],
        tokens=shown(flags["tokens"]),
        shown=flags["show_tokens"],
        padding=flags["faults"],
        max_length=flags["max_length"],
    )
    bars = {
        "vectors": Bar(sys.stderr, "reading word vectors"),
        "encoding": Bar(sys.stderr, f"reading with {Path(loaded.name).name}", unit="tokens"),
        "judging": Bar(sys.stderr, "judging", unit="choices"),
    }

    def progress(stage: str, done: int, total: int) -> None:
        bars[stage].update(done, total)
        if done >= total:
            bars[stage].end()

    try:
        return analyse(loaded, sentences, asked=asked, progress=progress)
    finally:
        for bar in bars.values():
            bar.end()


def _show(found: Analysis, *, after: bool) -> None:
    """The Analysis in the terminal or the pipe."""
    from pretune.draw import console
    from pretune.pool.show import lines

    width = console.width_for(sys.stdout)
    console.write([*([[]] if after else []), *lines(found, width)], sys.stdout)
    sys.stdout.flush()


def _compare(analyses: Sequence[Analysis]) -> None:
    """Several models side by side, below what each of them showed."""
    from pretune.draw import console, terminal
    from pretune.pool.show import compared

    width = console.width_for(sys.stdout)
    console.write([[], *terminal.lines(compared(analyses), width)], sys.stdout)


def _save(found: Analysis, loaded: Loaded, flags: dict[str, Any]) -> None:
    """Write a choice as a model of sentence-transformers."""
    from pretune.pool.grid import named, recommended
    from pretune.pool.naming import choice_of
    from pretune.pool.save import save

    wanted = recommended(found) if not flags["choice"] else choice_of(flags["choice"], found.found.choices)
    saved = save(loaded, found.found, wanted, flags["save"], force=flags["force"])
    layers = f"{saved.layers} layer{'' if saved.layers == 1 else 's'}"
    click.echo(f"{flags['save']}: {named(wanted)}, {say(layers)}: SentenceTransformer({flags['save']!r})", err=True)
    for note in saved.notes:
        click.echo(say("remark: ") + say(note), err=True)


def _write(analyses: Sequence[Analysis], flags: dict[str, Any]) -> None:
    """Page, JSON and CSV, each whole or not at all."""
    if flags["json"] or flags["csv"]:
        from pretune.pool import files

        for name, written in (("json", files.to_json), ("csv", files.to_csv)):
            if flags[name]:
                put(written(analyses), flags[name], escaped=name == "json")
    if flags["html"]:
        from pretune.pool.page import render

        put(render(analyses), flags["html"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Transformers without its bars and remarks: what matters of them is said by the faults."""
    from pretune.core.extras import need

    logging = need("transformers", extra="pool").utils.logging
    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """A word in a terminal while something takes long whose end is not known."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what, spinner="line"):
        yield
