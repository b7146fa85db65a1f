"""The losses of the steps since the last entry of the log: Tally. Kept on the device until somebody asks.

Asking for a loss makes a GPU wait, so it happens when the log is written, the model is evaluated or saved; on a CPU at
every step, where it costs nothing. A loss that is no number stops the run then. Knows no engine.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from pretune.train.watch import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class NotFiniteError(FloatingPointError):
    """A loss, or the norm of the gradients, is not a number or infinite.

    Attributes:
        step: the optimizer step it happened in, 1 for the first.
        rows: the examples of the batch; empty where it happened on another process.
        loss: what it was.
        what: `the loss` or `the gradient norm`.
    """

    def __init__(self, step: int, rows: Sequence[int], loss: float, what: str = "the loss") -> None:
        where = f"examples {', '.join(map(str, rows))}" if rows else "on another process"
        super().__init__(f"{what} is {loss} at step {step}, {where}")
        self.step, self.rows, self.loss, self.what = step, tuple(rows), loss, what


class Tally:
    """What was added up since the last entry of the log.

    Args:
        mean: of a tensor over all processes.
        sums: what an interrupted run had added up, as `sums` gave it.
    """

    def __init__(self, mean: Callable[[Any], Any], sums: Mapping[str, float] | None = None) -> None:
        self._mean = mean
        self._pending: list[tuple[int, Sequence[int], Any]] = []
        self._norms: list[tuple[int, Any]] = []
        self._sums = {"loss": 0.0, "steps": 0.0, "tokens": 0.0, "seconds": 0.0, **(sums or {})}
        self._since = time.perf_counter()

    def add(self, step: int, rows: Sequence[int], loss: Any) -> None:
        """Note the loss of one batch: its part of the loss of the step, a scalar tensor on any device."""
        self._pending.append((step, rows, loss.detach()))

    def made(self, step: int, tokens: int, norm: Any) -> None:
        """The gradients of a step are there; asked before the weights are changed, so that on a CPU no NaN gets there.

        Args:
            step: which, 1 for the first.
            tokens: it had.
            norm: of its gradients, on any device; None where an infinite one is nothing bad (fp16).
        """
        self._sums["steps"] += 1
        self._sums["tokens"] += tokens
        if norm is not None:
            self._norms.append((step, norm))
        if self._pending[-1][2].device.type == "cpu":
            self.settle()

    def settle(self) -> None:
        """Ask the device for the losses and norms.

        Raises:
            NotFiniteError: one is no number; on every process, wherever it happened.
        """
        import torch

        if not self._pending:
            return
        pending, norms = self._pending, self._norms
        self._pending, self._norms = [], []
        losses = torch.stack([loss for _, _, loss in pending]).tolist()
        steps: dict[int, float] = {}
        for (step, _, _), loss in zip(pending, losses, strict=True):
            steps[step] = steps.get(step, 0.0) + loss
        sums = torch.tensor(list(steps.values()), dtype=torch.float64, device=pending[0][2].device)
        # Processes give their part as many times as there are processes (see loop.py).
        found = dict(zip(steps, self._mean(sums).tolist(), strict=True))
        for step, loss in found.items():
            if not math.isfinite(loss):
                own = zip(pending, losses, strict=True)
                wrong = [(rows, value) for (at, rows, _), value in own if at == step and not math.isfinite(value)]
                rows, value = wrong[0] if wrong else ((), loss)
                raise NotFiniteError(step, rows, value)
        for step, norm in zip([step for step, _ in norms], _floats([norm for _, norm in norms]), strict=True):
            if not math.isfinite(norm):
                rows = [row for at, rows, _ in pending if at == step for row in rows]
                raise NotFiniteError(step, rows, norm, what="the norm of the gradients")
        for loss in found.values():
            self._sums["loss"] += loss

    def pause(self) -> None:
        """Something else than training begins."""
        self._sums["seconds"] += time.perf_counter() - self._since

    def proceed(self) -> None:
        """Training goes on."""
        self._since = time.perf_counter()

    def sums(self) -> dict[str, float]:
        """What a run that goes on from here has to know."""
        self.settle()
        return dict(self._sums)

    def entry(self, number: int, of: int, *, epoch: float, learning_rate: float, gradient_norm: Any) -> Step | None:
        """The entry of the log after `number` steps, with what was added up set back to nothing; None: no step."""
        self.settle()
        self.pause()
        sums = self._sums
        self._sums = dict.fromkeys(sums, 0.0)
        self.proceed()
        if not sums["steps"]:
            return None
        return Step(
            number=number,
            of=of,
            epoch=epoch,
            loss=sums["loss"] / sums["steps"],
            learning_rate=learning_rate,
            gradient_norm=float(gradient_norm),
            tokens=int(sums["tokens"]),
            seconds=sums["seconds"],
        )


def _floats(numbers: Sequence[Any]) -> list[float]:
    """Numbers or scalar tensors as floats, with one question to the device."""
    import torch

    if numbers and hasattr(numbers[0], "device"):
        return list(torch.stack([getattr(one, "full_tensor", lambda one=one: one)() for one in numbers]).tolist())
    return [float(one) for one in numbers]
