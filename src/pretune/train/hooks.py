"""What an engine calls while it trains, beside a watch: State and the types of save and evaluate. Knows no engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pretune.train.state import Position
    from pretune.train.watch import Step


@dataclass(frozen=True, slots=True)
class State:
    """A run between two steps: live objects, to be written before the hook returns (state.collect takes them).

    Attributes:
        model: out of its wrappers.
        optimizer: in accelerate's wrapper.
        scheduler: as transformers made it.
        scaler: of fp16's gradients, or None.
        position: where the run stands.
        metrics: of the evaluation at this very step; empty when there was none.
        files: what the engine itself needs beside these, by name.
    """

    model: Any
    optimizer: Any
    scheduler: Any
    scaler: Any
    position: Position
    metrics: Mapping[str, float]
    files: Mapping[str, bytes | Callable[[Path], object]] = field(default_factory=dict)


class Save(Protocol):
    """Writes a checkpoint, on every process. With save_strategy `best` it is asked after every evaluation."""

    def __call__(self, state: State, *, stopped: bool = False) -> bool:
        """Write one, or decide by the metrics not to; not when the run is stopped here.

        Returns:
            Whether there is one now.
        """
        ...


Evaluate = Callable[[Any], Mapping[str, float]]
"""(model) -> metrics; on every process, the same on each."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run was.

    Attributes:
        steps: optimizer steps made, those before it was resumed included.
        log: entries of the log, of this process's lifetime.
        metrics: steps made -> what the evaluation then gave.
        stopped: whether a watch ended it early.
    """

    steps: int
    log: tuple[Step, ...]
    metrics: Mapping[int, Mapping[str, float]]
    stopped: bool
