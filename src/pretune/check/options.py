"""The flags of `pretune check`, in the sections of its help, and the habits of its command line. Imports only click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pretune.draw.options import Sections, repeat_flags, section

if TYPE_CHECKING:
    from collections.abc import Sequence

FAIL_ON = ("error", "warning", "note", "never")

FILES = {name: name for name in ("--data", "--train", "--eval")}
"""Flags behind which several files may stand, as a shell writes out `data/*.jsonl`."""

SETUPS = (".toml", ".yaml", ".yml")
DATA = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet", ".arrow"}
"""Extensions by which a file that is missing is known to be meant as data."""


class Command(Sections):
    """Takes several files behind one flag."""

    others = "Output"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat a flag for files before each further file that stands behind it."""
        return super().parse_args(ctx, spread(args))


def spread(words: Sequence[str]) -> list[str]:
    """`--data a.txt b.txt model` as `--data a.txt --data b.txt model`: what is a data file, or is called like one."""
    return repeat_flags(words, FILES, _is_data)


def _is_data(word: str) -> bool:
    """Whether a word is a data file, or is called like one: a model may follow."""
    path = Path(word)
    if path.suffix in SETUPS or path.name in {"setup.json", "pretune-setup.json"} or path.is_dir():
        return False
    return path.is_file() or word == "-" or bool(set(path.suffixes) & DATA) or any(sign in word for sign in "*?")


def _pair(metavar: str, help_: str) -> dict[str, Any]:
    return {"metavar": metavar, "multiple": True, "help": help_}


SETUP_FLAGS = section(
    "Model and tokenizer",
    (
        "--tokenizer",
        _pair(
            "NAME",
            "A folder or hub name, when it is not the model's own. Several are put side by side; the rules are then "
            "asked about the tokenizer of MODEL or the setup file, and without either about the first.",
        ),
    ),
    ("--tokenizer-kwargs", _pair("KEY=VALUE", "Given to the tokenizer's from_pretrained.")),
    ("--model-class", {"metavar": "CLASS", "help": "AutoModelForQuestionAnswering, BertModel, ..."}),
    ("--config", _pair("KEY=VALUE", "A config key given to from_pretrained.")),
    ("--config-update", _pair("KEY=VALUE", "A key set on the loaded config.")),
    ("--from-pretrained", _pair("KEY=VALUE", "ignore_mismatched_sizes, dtype, trust_remote_code, ...")),
    ("--model-kwargs", _pair("KEY=VALUE", "Further arguments of the model's from_pretrained.")),
    ("--peft", _pair("KEY=VALUE", "r, target_modules, modules_to_save, ...")),
)
TOKEN_FLAGS = section(
    "Added tokens",
    ("--add-tokens", _pair("WORD", "A word given to add_tokens; once for each.")),
    ("--add-special-tokens", _pair("WORD", "A special token that is added; once for each.")),
    ("--pad-token", {"metavar": "WORD", "help": "What pad_token is set to; eos_token means the eos token."}),
    (
        "--resize",
        {
            "metavar": "[N|multiple=N]",
            "is_flag": False,
            "flag_value": "true",
            "help": "Resize the embeddings: to the tokenizer's length, to N rows, or up to a multiple of N.",
        },
    ),
)
TASK_FLAGS = section(
    "Task, data and training",
    ("--task", {"metavar": "TASK", "help": "question-answering, text-classification, causal-lm, chat-sft, ..."}),
    ("--data --train", _pair("FILES", "Training files: names, patterns, folders, or - for standard input.")),
    ("--eval", _pair("FILES", "Evaluation files.")),
    ("--column", _pair("KEY=NAME", "What a column is called in the files: text=document, label=label.")),
    ("--encode", _pair("KEY=VALUE", "truncation, max_length, stride, padding.")),
    ("--append-eos/--no-append-eos", {"default": None, "help": "Whether each example ends in the eos token."}),
    ("--training-args", _pair("KEY=VALUE", "A Hugging Face TrainingArguments name.")),
    (
        "--sample",
        {"metavar": "N", "type": click.IntRange(min=1), "help": "Look at N rows of each file [all of them]."},
    ),
    (
        "--deep",
        {
            "is_flag": True,
            "help": "Load the model as well and compute a few batches of the data: first losses, gradients, one batch "
            "learnt by heart. Needs torch and transformers.",
        },
    ),
)
SCRIPT_FLAGS = section(
    "Scripts and notebooks",
    ("--model", {"metavar": "NAME", "help": "A folder or hub name, over what the scripts load."}),
    (
        "--target",
        _pair("PACKAGE==VERSION", "What they are to run with, such as transformers==5.23 [what is installed]."),
    ),
)
RULE_FLAGS = section(
    "Rules",
    ("--select", _pair("RULES", "Ask only these: names, codes or their beginnings, with commas (VOC,DAT1).")),
    ("--ignore", _pair("RULES", "Leave these out.")),
    ("--fail-on", {"metavar": "LEVEL", "help": "Exit with 1 at error, warning, note or never [error]."}),
    ("--list", {"is_flag": True, "help": "Show every rule and end."}),
    ("--explain", {"metavar": "RULE", "help": "Show a rule's page and end."}),
)
OUTPUT_FLAGS = section(
    "Output",
    ("--format", {"metavar": "FORMAT", "help": "text, concise, json, sarif or github [text]."}),
    ("--output", {"metavar": "FILE", "help": "Write the report there instead of to stdout."}),
    ("--html", {"metavar": "FILE", "help": "Write the report as one page as well."}),
    ("--fix", {"is_flag": True, "help": "Make the safe fixes, then report what is left."}),
    ("--diff", {"is_flag": True, "help": "Show what --fix would change, and change nothing."}),
    ("-v --show-skipped", {"is_flag": True, "help": "Name the rules that were not asked."}),
    ("--debug", {"is_flag": True, "help": "Show tracebacks."}),
)
MACHINES_FLAGS = section(
    "Several machines",
    (
        "--shard",
        {"metavar": "I/N", "help": "Read the I-th of N parts of the data, and write what was counted to --out."},
    ),
    ("--out", {"metavar": "FILE", "help": "Where --shard writes it; what stands there is replaced."}),
    (
        "--merge",
        {
            "is_flag": True,
            "help": "Report what all shards read: --merge part*, in any order, from where they were started: the model "
            "and the beginning of each file are read again.",
        },
    ),
    (
        "--scheduler",
        {
            "metavar": "ADDRESS",
            "help": "Read the data on a Dask cluster that is running there (tcp://HOST:8786, or its scheduler file). "
            "All workers must see the files.",
        },
    ),
)
