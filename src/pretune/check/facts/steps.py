"""The length of a training run: examples of the rows, batches, optimiser steps. Counts as Trainer does on one device.

Knows neither how many devices will train (more make the run shorter) nor what the preprocessing of running text makes
of a row, which it says by leaving `Steps.total` open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.check.facts.versions import is_at_least

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.facts.lengths import LengthFacts
    from pretune.check.sources.setup import Setup

ROW_IS_EXAMPLE = ("text-classification", "pair-classification", "token-classification", "sentence-similarity")
WINDOWS = 10
"""At most so many windows are assumed that truncation with a stride makes of a row of unknown length, on average."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The length of the run on one device.

    Attributes:
        batches: batches in an epoch; None: not known exactly.
        per_epoch: optimiser steps in an epoch; None: not known exactly.
        total: optimiser steps of the run; None: not known exactly.
        at_most: the run is certainly not longer, even when a row becomes several examples; None: unbounded.
        most_batches: an epoch has certainly no more batches; None: unbounded.
    """

    batches: int | None = None
    per_epoch: int | None = None
    total: int | None = None
    at_most: int | None = None
    most_batches: int | None = None


def minor(version: str) -> str:
    """`5.23.0` -> `5.23`."""
    return ".".join(version.split(".")[:2])


def number_in(value: Any) -> float | None:
    """The value when it is a finite number below 1e15, else None; true is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e15 else None  # nan and inf fail the comparison too


def examples_of(setup: Setup, rows: int, lengths: LengthFacts | None) -> tuple[int, int] | None:
    """The least and the greatest number of examples that preprocessing makes of the training rows; None: any number.

    Args:
        setup: the task, and how texts are encoded.
        rows: the training rows, all of them.
        lengths: the lengths of the rows, or of the first of them; None: not known.
    """
    if setup.task in ROW_IS_EXAMPLE:
        return rows, rows
    if setup.task == "chat-sft":
        return None if setup.training_args.get("packing") else (rows, rows)
    if setup.task != "question-answering":
        return None
    if setup.encode and not (lengths.windows if lengths is not None else "stride" in setup.encode):
        return rows, rows
    measured = lengths.rows[: lengths.training] if lengths is not None and setup.encode else ()
    known = [lengths.windows_of(row) or 0 for row in measured] if lengths is not None else []
    known = [count for count in known if count][:rows]
    open_ = rows - len(known)
    return sum(known) + open_, sum(known) + open_ * WINDOWS


def count_steps(version: str, values: Mapping[str, Any], examples: tuple[int, int] | None) -> Steps:
    """The run's length, as Trainer.set_initial_training_values counts it, transformers 5.23.

    Args:
        version: of transformers; before 4.52 an incomplete last step was left out.
        values: the training arguments.
        examples: the least and the greatest number of training examples; None: not known.
    """
    batch = number_in(values.get("per_device_train_batch_size"))
    accumulation = number_in(values.get("gradient_accumulation_steps"))
    epochs, max_steps = number_in(values.get("num_train_epochs")), number_in(values.get("max_steps"))
    run = int(max_steps) if max_steps and max_steps > 0 else None
    if examples is None or epochs is None or not batch or not accumulation or batch < 1 or accumulation < 1:
        return Steps(total=run, at_most=run)

    def length(count: int) -> tuple[int, int, int]:
        whole, rest = divmod(count, int(batch))
        batches = whole + (1 if rest and values.get("dataloader_drop_last") is not True else 0)
        full, over = divmod(batches, int(accumulation))
        short_last = 1 if over and is_at_least(minor(version), "4.52") else 0
        per_epoch = max(full + short_last, 1)
        return batches, per_epoch, run or max(0, math.ceil(epochs * per_epoch))

    least, most = length(examples[0]), length(examples[1])
    batches, per_epoch, total = (one if one == other else None for one, other in zip(least, most, strict=True))
    return Steps(batches, per_epoch, total, at_most=most[2], most_batches=most[0])
