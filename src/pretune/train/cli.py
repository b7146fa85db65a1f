"""The command `pretune train`: a task or a recipe file, flags, arguments of TrainingArguments. Imports only click."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.core.errors import UserError
from pretune.core.language import say
from pretune.draw.options import Sections, repeat_flags, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.engine import Report
    from pretune.train.recipe import Recipe

TASKS = ("mrc", "classify", "tag", "pairs")
SUFFIXES = (".toml", ".json", ".yaml", ".yml")
_FILES = {"--train": "--train", "--data": "--train", "--dev": "--dev", "--eval": "--dev"}
"""Flags behind which several files may stand."""
_ENCODE = ("max_length", "stride")
_TABLE = (
    *("engine", "preset", "padding", "tokens_per_batch", "attention_dropout", "precision", "fast_dropout"),
    *("metric", "unanswerable", "null_threshold", "n_best", "max_answer_length", "unfit", "new_head", "pooling"),
)
_EXAMPLES = (
    ("--learning-rate 3e-5", "The highest one [5e-5]."),
    ("--num-train-epochs 2", "Passes over the data [3]."),
    ("--per-device-train-batch-size 16", "Examples in a batch [8]."),
    ("--gradient-accumulation-steps 2", "Batches summed for a step [1]."),
    ("--warmup-steps 0.1", "Steps, or below 1 a share of them [0]."),
    ("--eval-steps 100", "Evaluate so often [after each epoch]."),
    ("--seed 1", "Of head, order and dropout [42]."),
    ("--bf16", "As --precision autocast."),
)


class Command(Sections):
    """Takes the flags of TrainingArguments out of the command line before click reads it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the command line; what TrainingArguments knows is kept in the context."""
        from pretune.train.processes import one_voice
        from pretune.train.recipe_flags import taken

        own = {name for parameter in self.get_params(ctx) for name in (*parameter.opts, *parameter.secondary_opts)}
        with one_voice():
            left, found = taken(spread(args), own)
        ctx.meta["pretune.train"] = found
        return super().parse_args(ctx, left)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write our own options, and some of the others."""
        super().format_options(ctx, formatter)
        with formatter.section("Any argument of transformers' TrainingArguments, such as"):
            formatter.write_dl(_EXAMPLES)


def spread(words: Sequence[str]) -> list[str]:
    """`--train a.json b.json` as `--train a.json --train b.json`; a recipe or task behind them stays what it is."""
    return repeat_flags(words, _FILES, lambda word: word not in TASKS and not word.endswith((".toml", ".yaml", ".yml")))


_DATA = section(
    "Model and data",
    ("--model", {"metavar": "NAME", "help": "A folder or a hub name."}),
    ("--train", {"metavar": "FILES", "multiple": True, "help": "Training files: names, patterns, folders."}),
    ("--dev", {"metavar": "FILES", "multiple": True, "help": "Dev files, evaluated after each epoch."}),
    ("--out", {"metavar": "DIR", "help": "The folder of the run; the model lies at its top."}),
    ("--column", {"metavar": "KEY=NAME", "multiple": True, "help": "What a column is called: text=document."}),
    ("--tokenizer", {"metavar": "NAME", "help": "A folder or a hub name, when it is not the model's own."}),
    ("--config", {"metavar": "KEY=VALUE", "multiple": True, "help": "A key of the model's config."}),
    ("--from-pretrained", {"metavar": "KEY=VALUE", "multiple": True, "help": "revision, trust_remote_code, ..."}),
    ("--max-length", {"metavar": "N", "type": int, "help": "Tokens of an example [mrc: 384; else the model's limit]."}),
    ("--unfit", {"metavar": "error|skip", "help": "What to do with rows that cannot be used [error]."}),
    ("--new-head", {"is_flag": True, "default": None, "help": "Labels are the data's own, the head begins anew."}),
    ("--pooling", {"metavar": "KIND", "help": "classify, pairs: head, mean, cls, last_token, max [as declared]."}),
)
_READING = section(
    "Reading comprehension",
    ("--stride", {"metavar": "N", "type": int, "help": "Tokens that neighbouring windows share [128]."}),
    ("--metric", {"metavar": "NAME", "help": "korquad1, squad1, squad2 or klue_mrc [by the data]."}),
    (
        "--unanswerable/--answerable",
        {"default": None, "help": "Whether no answer may be given [when a question of the data has none]."},
    ),
    ("--null-threshold", {"metavar": "X", "type": float, "help": "No answer only when it scores this much more [0]."}),
    ("--n-best", {"metavar": "N", "type": int, "help": "Candidates kept of each question [20]."}),
    ("--max-answer-length", {"metavar": "N", "type": int, "help": "Tokens of an answer [30]."}),
)
_HOW = section(
    "How it is trained",
    ("--engine", {"metavar": "loop|trainer", "help": "pretune's own loop, or transformers' Trainer [loop]."}),
    (
        "--preset",
        {"metavar": "exact|fast", "help": "exact: no lever; fast: no padding, bf16 with masters, ... [exact]."},
    ),
    ("--padding", {"metavar": "KIND", "help": "longest, max_length or none [longest]."}),
    (
        "--tokens-per-batch",
        {
            "metavar": "N",
            "type": int,
            "help": "Batches by tokens instead of examples; 0: as many as a batch's examples have on average.",
        },
    ),
    (
        "--precision",
        {"metavar": "KIND", "help": "fp32, autocast (as --bf16), fp16, bf16 with float32 masters, or auto [fp32]."},
    ),
    ("--attention-dropout", {"metavar": "P", "type": float, "help": "Instead of the model's own."}),
    ("--fast-dropout/--plain-dropout", {"default": None, "help": "Dropout from 16-bit random numbers."}),
)
_RUN = section(
    "The run",
    ("--force", {"is_flag": True, "help": "Train although the check before the run found errors."}),
    (
        "--resume/--no-resume",
        {"default": None, "help": "Go on from the newest checkpoint, or begin anew [go on with an unfinished run]."},
    ),
    ("--knock", {"metavar": "TARGET", "multiple": True, "help": "Tell start, end and death: webhook, URL or name."}),
    ("--eject", {"metavar": "FILE", "help": "Train nothing; write it as one script without pretune (-: print it)."}),
    ("--debug", {"is_flag": True, "help": "Show tracebacks."}),
)


@click.command(
    "train",
    cls=Command,
    options_metavar="[OPTIONS]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="What the loop does not know of TrainingArguments it refuses; the Trainer is passed it. Exit code: 0 "
    "trained, 1 it broke or the check found errors, 2 a mistake in the call or the input, 128 + N stopped by signal N.",
)
@click.argument("what", metavar="mrc|classify|tag|pairs|RECIPE")
@_DATA
@_READING
@_HOW
@_RUN
@click.pass_context
def command(ctx: click.Context, /, what: str, **flags: Any) -> None:
    """Fine-tune a model: reading comprehension, classes, tags, pairs of texts.

    RECIPE is a setup file of `pretune check` (.toml, .json, .yaml); a flag wins over it. The check runs first. The run
    leaves recipe, environment, log, metrics, predictions and errors in --out, and the model at its top, where
    transformers loads it.
    """
    from pretune.train.knocks import told
    from pretune.train.processes import one_voice
    from pretune.train.record import command_line
    from pretune.train.run import run

    with one_voice():
        recipe = recipe_from(what, flags, ctx.meta["pretune.train"])
        if flags["eject"]:
            _eject(recipe, flags)
            return
        with told(flags["knock"], f"pretune train {recipe.task} ({recipe.out.name})"):
            done = run(
                recipe,
                force=flags["force"],
                resume=flags["resume"],
                command=tuple(command_line()),
                tell=_say,
                show=_show,
            )
    _end(done)


def _eject(recipe: Recipe, flags: dict[str, Any]) -> None:
    """Write the recipe as a script, or print it."""
    from pretune.train.eject import script_of, write

    name = str(flags["eject"])
    text = script_of(recipe, name="train.py" if name == "-" else Path(name).name, tell=_say)
    if flags["knock"]:
        _say("The script does not knock.")
    if flags["resume"] is not None:
        _say("The script goes on behind the last finished epoch by itself, whatever --resume says.")
    if name == "-":
        click.echo(text, nl=False)
        return
    write(text, Path(name), force=flags["force"])
    _say(f"{name}: {len(text.splitlines())} lines, run it with: python {name}")


def _say(line: str) -> None:
    """A line that is no result."""
    click.echo(say(line), err=True)


def recipe_from(what: str, flags: dict[str, Any], arguments: dict[str, Any]) -> Recipe:
    """The recipe that the command line says.

    Args:
        what: a task or a recipe file.
        flags: of the command.
        arguments: of TrainingArguments.
    """
    from pretune.check.sources.flags import said_by_flags
    from pretune.check.sources.setup_file import read_setup_file
    from pretune.check.sources.setup_keys import Said, merged
    from pretune.core.errors import did_you_mean
    from pretune.train.recipe import recipe_of

    task = what if what in TASKS else None
    if task is None and not what.endswith(SUFFIXES):
        hint = did_you_mean(what, TASKS) or "pretune train mrc|classify|tag|pairs, or a recipe file (.toml)"
        raise UserError(f'"{what}" is no task and no recipe file', hint=hint)
    under = Said() if task is not None else read_setup_file(what)
    named = {"model": flags["model"], "train": flags["train"], "eval": flags["dev"], "column": flags["column"]}
    named |= {key: flags[key] for key in ("tokenizer", "config", "from_pretrained")}
    said = said_by_flags(named)
    keys, places = dict(said.keys), dict(said.places)
    if flags["dev"]:
        places["data.eval"] = "--dev"
    tables: dict[str, dict[str, Any]] = {
        "encode": {key: flags[key] for key in _ENCODE if flags[key] is not None},
        "train": {key: flags[key] for key in _TABLE if flags[key] is not None},
        "training_args": {**arguments, **({"output_dir": flags["out"]} if flags["out"] else {})},
    }
    for name, table in tables.items():
        if table:
            keys[name] = table
            places |= {f"{name}.{key}": "--" + key.replace("_", "-") for key in table}
    return recipe_of(merged(under, Said(keys, places)), task=task, name=what if task is None else "")


def _show(report: Report) -> None:
    """The check's findings, on stderr; nothing but a line where there are none."""
    from pretune.check.report import terminal, text
    from pretune.draw.terminal import can_draw

    if terminal.is_wanted(sys.stderr):
        terminal.write(report, sys.stderr)
    else:
        click.echo(text.render(report, plain=not can_draw(sys.stderr)), nl=False, err=True)


def _end(done: Any) -> None:
    """The metrics of each evaluation, and where the model is."""
    import shutil

    from pretune.draw.terminal import text
    from pretune.train.show import table_of, verdict

    if int(os.environ.get("RANK", "0")):
        return
    shown = table_of(done.evaluations, variant=done.variant, kept=done.best)
    if shown is not None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(text(shown, width), nl=False)
    click.echo(say(verdict(done)))
