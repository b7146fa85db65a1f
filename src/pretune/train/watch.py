"""What a run tells while it goes on: Step, Watch. Knows no bar, tracker or file; those are watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step, or the mean of those since the last entry of the log.

    Attributes:
        number: how many optimizer steps have been made, 1 after the first.
        of: how many there will be.
        epoch: passes over the examples so far, 1.5 in the middle of the second.
        loss: mean over the steps since the last entry, each the mean of all its losses.
        learning_rate: of this step.
        gradient_norm: of this step, before clipping.
        tokens: true tokens of the examples, all processes together, since the last entry.
        seconds: wall clock since the last entry.
    """

    number: int
    of: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float


class Watch:
    """Sees what happens, and may ask to stop. Does nothing; a progress bar or a log file overrides what it needs.

    Both engines call it on every process, at the same places, in the same order.
    """

    def start(self, steps: int, done: int) -> None:
        """Training begins: how many optimizer steps there will be, and how many were made before it was resumed."""

    def passed(self, number: int) -> None:
        """An optimizer step was made. Its loss is not known yet: asking for it would hold up a GPU."""

    def step(self, step: Step) -> None:
        """An entry of the log, every `logging_steps` steps."""

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """The model was evaluated after this many optimizer steps."""

    def saved(self, number: int) -> None:
        """A checkpoint was written after this many optimizer steps."""

    def should_stop(self) -> bool:
        """Asked after every step: whether to save and stop. True on one process stops all."""
        return False

    def end(self, number: int) -> None:
        """Training ended after this many optimizer steps, also when it was stopped."""


class Watches(Watch):
    """Several watches as one."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.watches = tuple(watches)

    def start(self, steps: int, done: int) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.start(steps, done)

    def passed(self, number: int) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.passed(number)

    def step(self, step: Step) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.step(step)

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.evaluated(number, metrics)

    def saved(self, number: int) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.saved(number)

    def should_stop(self) -> bool:
        """Whether one asks for it."""
        return any([watch.should_stop() for watch in self.watches])  # noqa: C419  # each is asked

    def end(self, number: int) -> None:
        """Tell each."""
        for watch in self.watches:
            watch.end(number)
