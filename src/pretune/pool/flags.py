"""The flags of `pretune pool`, in the sections of its help, and what their words mean. Imports only click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pretune.core.errors import UserError
from pretune.draw.options import Sections, repeat_flags, section

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = {name: name for name in ("--data", "--vectors")}
"""Flags behind which several files may stand."""
SHAPES = ("centred", "whitened")
ROLES = ("sentence1", "sentence2", "score", "text", "label")


class Command(Sections):
    """Takes several files behind one flag; a folder behind them is a model."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat a flag for files before each further file behind it."""
        return super().parse_args(ctx, spread(args))


def spread(words: Sequence[str]) -> list[str]:
    """`--data a.tsv b.tsv` as `--data a.tsv --data b.tsv`: files, not folders, which are models."""
    return repeat_flags(words, FILES, lambda word: Path(word).is_file())


DATA = section(
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
CHOICES = section(
    "What is tried",
    (
        "--shape",
        {
            "metavar": "centred|whitened|all",
            "multiple": True,
            "help": "Try single layers also with all vectors centred, whitened; fitted on these sentences.",
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
HOW = section(
    "How",
    ("--device", {"metavar": "DEVICE", "default": "cpu", "help": "cpu, cuda, cuda:1, mps [cpu]."}),
    ("--dtype", {"metavar": "float32|bfloat16|float16", "default": "float32", "help": "Of the weights [float32]."}),
    ("--max-length", {"metavar": "N", "type": click.IntRange(min=1), "help": "Tokens read at most [the model's]."}),
)
OUT = section(
    "Output",
    ("--html", {"metavar": "FILE", "help": "The same as a page that opens offline, with intervals drawn (-: stdout)."}),
    ("--json", {"metavar": "FILE", "help": "Every number, for programs (-: stdout)."}),
    ("--csv", {"metavar": "FILE", "help": "A row a choice (-: stdout)."}),
    ("--save", {"metavar": "DIR", "help": "Write what is recommended as a model of sentence-transformers."}),
    ("--choice", {"metavar": "CHOICE", "help": 'Save this instead: "layer 4 mean", "layers 0+6 sif, centred".'}),
    ("--force", {"is_flag": True, "help": "Replace the folder of --save."}),
    ("--debug", {"is_flag": True, "help": "Show tracebacks."}),
)


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


def columns(given: Sequence[str]) -> dict[str, str]:
    """`("score=similarity",)` as {"score": "similarity"}.

    Raises:
        UserError: no `=`, or no such role.
    """
    from pretune.core.errors import did_you_mean

    found: dict[str, str] = {}
    for word in given:
        role, equals, name = word.partition("=")
        if not (role and equals and name):
            raise UserError(f'--column: expected ROLE=NAME, found "{word}"', hint="--column score=similarity")
        if role not in ROLES:
            near = did_you_mean(role, ROLES)
            raise UserError(f'--column: unknown role "{role}"', hint=near or f"one of {', '.join(ROLES)}")
        found[role] = name
    return found
