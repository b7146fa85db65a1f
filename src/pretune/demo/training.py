"""The demo's scene of training: MiniLM learns to answer questions, on the English part of the sample, in half a minute.

Shows loss and figures before and after. Korean is left out, as this model cannot read it. Knows no engine.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.draw.table import Cell, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.draw.table import Table
    from pretune.train.running import Done

OUT = Path("trained")
"""The run's folder, beside the demo's others."""
FLAGS: Mapping[str, Any] = {
    "preset": "fast",
    "max-length": 192,
    "num-train-epochs": 4,
    "learning-rate": 1e-4,
    "logging-steps": 1,
    "save-strategy": "no",
}
"""Of `pretune train mrc`; the model is evaluated before the first step as well, and after each epoch."""


@dataclass(frozen=True, slots=True)
class Training:
    """What was trained.

    Attributes:
        command: the command line that does the same.
        table: losses and figures by epoch.
        done: what the run came to.
    """

    command: str
    table: Table
    done: Done


def command(model: Path, train: Path, dev: Path, **changed: Any) -> str:
    """The command line; `changed` flags with `_` for `-`."""
    flags = {**FLAGS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    files = f"--model {shlex.quote(str(model))} --train {train} --dev {dev} --out {OUT}"
    return " ".join(
        ["pretune train mrc", files, *(f"--{name} {value}" for name, value in flags.items()), "--eval-on-start"]
    )


def train(model: Path, train: Path, dev: Path, **changed: Any) -> Training:
    """Train in the current folder, as the command line would.

    Args:
        model: the folder of MiniLM.
        train: the questions to learn from.
        dev: other questions.
        **changed: other flags, for tests.

    Raises:
        UserError: it failed, or was stopped by a signal.
    """
    from pretune.check.sources.setup_keys import Said
    from pretune.core.errors import UserError
    from pretune.train.recipe import recipe_of
    from pretune.train.run import run
    from pretune.train.run_folder import read_log

    flags = {name.replace("-", "_"): value for name, value in FLAGS.items()} | changed
    keys = {
        "model": str(model),
        "data": {"train": [str(train)], "eval": [str(dev)]},
        "encode": {"max_length": flags.pop("max_length")},
        "train": {"preset": flags.pop("preset")},
        "training_args": {**flags, "output_dir": str(OUT), "eval_on_start": True},
    }
    words = command(model, train, dev, **changed)
    try:
        done = run(recipe_of(Said(keys), task="mrc"), command=tuple(shlex.split(words)))
    except UserError as error:
        if error.exit_code > 128:  # stopped: the way to go on is that of `pretune train`, and the demo has none
            raise UserError("the demo was stopped while it trained", exit_code=error.exit_code) from None
        raise
    return Training(words, _table(read_log(OUT), done), done)


def _table(log: list[dict[str, Any]], done: Done) -> Table:
    """A row an evaluation: the mean training loss of the steps since the one before, and the figures of dev."""
    rows: list[Sequence[str | Cell]] = []
    before = 0
    for step, figures in done.evaluations:
        losses = [one["loss"] for one in log if "loss" in one and before < one["step"] <= step]
        mean = f"{sum(losses) / len(losses):.2f}" if losses else "-"
        tone: Any = "best" if step == done.steps else ""
        shown = (mean, f"{figures['loss']:.2f}", f"{figures['exact_match']:.1f}", f"{figures['f1']:.1f}")
        rows.append((f"{step}", *(Cell(text, tone) for text in shown)))
        before = step
    return table("before the first step, and after each epoch", ("step", "loss", "dev loss", "EM", "F1"), rows)
