"""What each process computes in each step of a run, all of it known before the first: Plan, Share. Knows no tensors.

Every process makes the same plan and takes its share, so nothing has to be sent around, and a step's losses can be
counted before the first forward. A step has the same examples with one process as with two: gradient_accumulation_steps
batches of one are those of two processes in half as many. No example is repeated to fill up a step, as accelerate does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pretune.train.batches import cut_batches, losses_of, order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.train.examples import Examples
    from pretune.train.options import Options


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does in one optimizer step.

    Attributes:
        batches: rows of each, one after the other. Never empty: see `idle`.
        idle: how many of the last batches are not this process's own. Where a step has fewer examples than processes,
            somebody computes an example of another, for nothing: all have to take part in summing gradients.
        count: losses of the step, all processes together; at least 1.
        tokens: true tokens of the step, all processes together.
    """

    batches: tuple[Any, ...]
    idle: int
    count: int
    tokens: int


@dataclass(frozen=True)
class Plan:
    """All steps of a run, as one of its processes sees them.

    Attributes:
        examples: what is trained on.
        options: how large batches are, how many epochs or steps.
        processes: how many there are.
        process: which one this is, from 0.
    """

    examples: Examples
    options: Options
    processes: int = 1
    process: int = 0

    @cached_property
    def batches(self) -> int:
        """Batches of one process in an epoch: the same in all epochs, as the Trainer and the schedule need it."""
        if self.options.tokens_per_batch is None:
            return math.ceil(len(self.examples) / (self.options.per_device_train_batch_size * self.processes))
        together = self.options.gradient_accumulation_steps * self.processes
        wanted = max(len(self._greedy(epoch)) for epoch in range(self._epochs_at_most))
        return (
            min(
                math.ceil(wanted / together) * together, math.ceil(len(self.examples) / self.processes) * self.processes
            )
            // self.processes
        )

    @cached_property
    def steps_in_epoch(self) -> int:
        """Optimizer steps in an epoch; the last one may have fewer batches."""
        return math.ceil(self.batches / self.options.gradient_accumulation_steps)

    @cached_property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        if self.options.max_steps > 0:
            return self.options.max_steps
        return math.ceil(self.options.num_train_epochs * self.steps_in_epoch)

    @cached_property
    def epochs(self) -> int:
        """Epochs that are begun."""
        return math.ceil(self.steps / self.steps_in_epoch)

    def epoch(self, number: int, *, start: int = 0) -> Iterator[Share]:
        """The steps of one epoch, from 0.

        Args:
            number: which epoch, from 0.
            start: batches of this process to leave out at its beginning, whole steps.
        """
        levels = self._levels(number)
        size = self.options.gradient_accumulation_steps
        for first in range(start, len(levels), size):
            step = levels[first : first + size]
            rows = [one for level in step for one in level if len(one)]
            own = [level[self.process] for level in step]
            yield Share(
                batches=tuple(one if len(one) else rows[0][:1] for one in own),
                idle=sum(not len(one) for one in own),
                count=max(1, sum(int(self._losses[one].sum()) for one in rows)),
                tokens=sum(int(self.examples.lengths[one].sum()) for one in rows),
            )

    @cached_property
    def _losses(self) -> Any:
        return losses_of(self.examples)

    @cached_property
    def _epochs_at_most(self) -> int:
        if self.options.max_steps <= 0:
            return max(1, math.ceil(self.options.num_train_epochs))
        together = self.options.gradient_accumulation_steps * self.processes
        return math.ceil(self.options.max_steps / math.ceil(len(self._greedy(0)) / together))

    def _order(self, epoch: int) -> Any:
        seed = self.options.seed if self.options.data_seed is None else self.options.data_seed
        return order(len(self.examples), seed, epoch)

    def _greedy(self, epoch: int) -> list[Any]:
        return cut_batches(self.examples.lengths, self._order(epoch), self.options)

    def _levels(self, epoch: int) -> list[list[Any]]:
        """The batches of an epoch: lists of what all processes do at the same time, one array of rows each."""
        import numpy as np

        rows, processes = self._order(epoch), self.processes
        if self.options.tokens_per_batch is None:
            size = self.options.per_device_train_batch_size * processes
            return [np.array_split(rows[first : first + size], processes) for first in range(0, len(rows), size)]
        batches = cut_batches(self.examples.lengths, rows, self.options)
        while len(batches) < self.batches * processes:
            largest = max(range(len(batches)), key=lambda number: len(batches[number]))
            if len(batches[largest]) < 2:
                batches.append(rows[:0])
                continue
            batches[largest : largest + 1] = np.array_split(batches[largest], 2)
        return [batches[first : first + processes] for first in range(0, len(batches), processes)]
