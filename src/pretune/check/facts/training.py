"""The training arguments of a Setup as the Trainer would take them. The length of the run is counted in `steps.py`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.check.facts.steps import Steps, count_steps, examples_of, minor, number_in
from pretune.check.facts.training_arguments import Misfit, arguments_of, fitted, newest, plain
from pretune.check.facts.versions import is_at_least
from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.facts.training_arguments import ArgumentTable
    from pretune.check.facts.versions import VersionFacts
    from pretune.check.sources.setup import Setup

SAME = {
    "evaluation_strategy": "eval_strategy",
    "no_cuda": "use_cpu",
    "per_gpu_train_batch_size": "per_device_train_batch_size",
    "activation_checkpointing": "gradient_checkpointing",
}
"""Other names of an argument, old and new: what is said under one is understood under the other."""

STATE_LIMIT = 32 * 2**20
"""A trainer_state.json larger than this, in bytes, is not read."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What trainer_state.json of the checkpoint to resume from says; None where it does not."""

    file: str
    step: int | None = None
    epoch: float | None = None
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """Training arguments, understood.

    Attributes:
        setup: where they were said, the task, the model.
        table: the arguments of the transformers version that is spoken of.
        assumed: transformers is not installed; the version spoken of is the newest in the table.
        values: each argument of that version: its default, or what was given (a number where a string spells one).
        misfits: values of a type that the argument does not take.
        rows: rows of training data; None: unknown.
        rows_exact: that there are no more; False: only so many were looked at.
        steps: the length of the run.
        warmup: steps in which the learning rate rises; None: depends on a length that is unknown.
        resumed: the checkpoint that `resume_from_checkpoint` names, where it can be read.
        output: what output_dir is to the model: "model" (the same folder), "checkpoint" (the model is one of the
            checkpoints inside it), or "".
    """

    setup: Setup
    table: ArgumentTable
    assumed: bool
    values: Mapping[str, Any]
    misfits: tuple[Misfit, ...] = ()
    rows: int | None = None
    rows_exact: bool = False
    steps: Steps = field(default_factory=Steps)
    warmup: int | None = None
    resumed: Resumed | None = None
    output: str = ""

    @property
    def task(self) -> str | None:
        """The task of the setup."""
        return self.setup.task

    @property
    def release(self) -> str:
        """The version spoken of, as a message says it: `transformers 5.23`."""
        return f"transformers {minor(self.table.version)}"

    def given(self, name: str) -> bool:
        """Whether the argument was said, under any of its names."""
        return any(said in self.setup.training_args for said in _names(name))

    def place(self, name: str) -> str:
        """Where it was said."""
        said = next((n for n in _names(name) if n in self.setup.training_args), name)
        return self.setup.place(f"training_args.{said}")

    def number(self, name: str) -> float | None:
        """The value as a finite number; None: it is none."""
        return number_in(self.values.get(name))

    def flag(self, name: str) -> bool:
        """The value as true or false."""
        return self.values.get(name) is True

    def text(self, name: str) -> str:
        """The value as text in lower case; empty: it is none."""
        value = self.values.get(name)
        return value.lower() if isinstance(value, str) else ""

    def at_least(self, version: str) -> bool:
        """Whether the transformers spoken of is that version or a later one."""
        return is_at_least(minor(self.table.version), version)


def read_training(
    setup: Setup,
    versions: VersionFacts,
    rows: int | None = None,
    rows_exact: bool = False,
    lengths: LengthFacts | None = None,
) -> TrainingFacts:
    """What the training arguments of the setup say, and the run that follows.

    Args:
        setup: the setup.
        versions: the installed versions; without transformers, the newest known is assumed.
        rows: rows of training data; None: unknown.
        rows_exact: whether there are no more rows than that.
        lengths: the rows' lengths, which tell the windows that a row makes; asked for question answering alone.

    Raises:
        Unavailable: the setup names no training arguments.
    """
    if not setup.training_args:
        raise Unavailable("no training_args: name them in a setup file")
    table = arguments_of(versions.transformers or newest())
    values: dict[str, Any] = {name: argument.default for name, argument in table.arguments.items()}
    misfits = []
    for said, value in setup.training_args.items():
        name = said if said in table.arguments else SAME.get(said, said)
        argument = table.arguments.get(name)
        if argument is None:
            values[said] = plain(value)
            continue
        values[name], misfit = fitted(argument, value)
        if misfit is not None:
            misfits.append(Misfit(said, misfit.value, misfit.expected, misfit.meant))
        if name in SAME and SAME[name] not in setup.training_args:
            values[SAME[name]] = values[name]
    examples = examples_of(setup, rows, lengths) if rows is not None and rows_exact else None
    steps = count_steps(table.version, values, examples)
    return TrainingFacts(
        setup=setup,
        table=table,
        assumed=versions.transformers is None,
        values=values,
        misfits=tuple(misfits),
        rows=rows,
        rows_exact=rows_exact,
        steps=steps,
        warmup=_warmup(setup, table, values, steps.total),
        resumed=_resumed(values),
        output=_output(setup.model, values.get("output_dir")),
    )


__all__ = ["Resumed", "Steps", "TrainingFacts", "minor", "read_training"]


def _names(name: str) -> tuple[str, ...]:
    return (name, *(old for old, new in SAME.items() if new == name), *([SAME[name]] if name in SAME else []))


def _warmup(setup: Setup, table: ArgumentTable, values: Mapping[str, Any], total: int | None) -> int | None:
    """As TrainingArguments.get_warmup_steps: since 5.0 a number below 1 is a share of the run."""
    steps, ratio = number_in(values.get("warmup_steps")) or 0, number_in(values.get("warmup_ratio")) or 0
    if is_at_least(minor(table.version), "5.0"):
        known = "warmup_ratio" in table.arguments or setup.task == "sentence-similarity"
        steps = ratio if ratio and known else steps
        if steps >= 1 or steps <= 0:
            return max(0, int(steps))
        ratio = steps
    elif steps > 0:
        return int(steps)
    if not 0 < ratio <= 1:
        return 0
    return None if total is None else math.ceil(total * ratio)


def _resumed(values: Mapping[str, Any]) -> Resumed | None:
    """The state of the checkpoint to resume from, read as JSON within a bound; None when there is none to read."""
    source, output = values.get("resume_from_checkpoint"), values.get("output_dir")
    try:
        if source is True and isinstance(output, str):
            numbered = [(p.name.rpartition("-")[2], p) for p in Path(output).expanduser().glob("checkpoint-*")]
            folder = max(((int(n), p) for n, p in numbered if n.isdecimal()), default=(0, None))[1]
        else:
            folder = Path(source).expanduser() if isinstance(source, str) and source else None
        file = folder / "trainer_state.json" if folder else None
        if file is None or not file.is_file() or file.stat().st_size > STATE_LIMIT:
            return None
        state = json.loads(file.read_bytes())
    except (OSError, ValueError, RuntimeError):
        return None
    if not isinstance(state, dict):
        return None
    step, batch = number_in(state.get("global_step")), number_in(state.get("train_batch_size"))
    return Resumed(
        file=str(file),
        step=None if step is None else int(step),
        epoch=number_in(state.get("epoch")),
        batch=None if batch is None else int(batch),
    )


def _output(model: str | None, output: Any) -> str:
    """Whether training writes over the folder of the model, or beside it, where old checkpoints are deleted."""
    if not model or not isinstance(output, str) or not output:
        return ""
    try:
        source, target = Path(model).expanduser(), Path(output).expanduser().resolve()
        if not source.is_dir():
            return ""
        source = source.resolve()
    except (OSError, ValueError, RuntimeError):
        return ""
    if source == target:
        return "model"
    return "checkpoint" if source.parent == target and source.name.startswith("checkpoint-") else ""
