"""TensorBoard, W&B, MLflow, trackio and whatever else Accelerate knows, as a watch: Trackers, require_trackers.

Each is what Accelerate makes of it, so its own environment variables count. Knows no engine; the Trainer has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError, did_you_mean
from pretune.core.extras import need
from pretune.train.run_folder import TRACKERS
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pretune.train.watch import Step


def require_trackers(names: Sequence[str]) -> None:
    """Stop before a run where a tracker is not known or not installed.

    Raises:
        UserError: the first such one.
    """
    if not names:
        return
    tracking = need("accelerate.tracking", extra="train")
    known = list(tracking.LOGGER_TYPE_TO_CLASS)
    there = [getattr(one, "value", one) for one in tracking.get_available_trackers()]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"one of: {', '.join(known)}"
            raise UserError(f'--report-to: unknown tracker "{name}"', hint=hint)
        if name not in there:
            raise UserError(f"--report-to: {name} is not installed", hint=f"pip install {name}")


class Trackers(Watch):
    """Hands losses and figures to trackers.

    Args:
        names: as Accelerate calls them.
        folder: of the run; its name is the run's name, files of trackers go below it.
        config: what the run was asked for, flat.
    """

    def __init__(self, names: Sequence[str], folder: Path, config: Mapping[str, Any]) -> None:
        self.names, self.folder, self.config = tuple(names), folder, config
        self.trackers: list[Any] = []
        self.early: list[tuple[dict[str, float], int]] = []

    def start(self, steps: int, done: int) -> None:
        """Begin; only now, as trackers ask Accelerate which process this is, which has to be told of the CPU before."""
        del steps, done
        from accelerate.tracking import LOGGER_TYPE_TO_CLASS

        plain = {
            name: one if isinstance(one, int | float | str | bool) else str(one) for name, one in self.config.items()
        }
        for name in self.names:
            kind = LOGGER_TYPE_TO_CLASS[name]
            below = {"logging_dir": self.folder / TRACKERS} if kind.requires_logging_directory else {}
            tracker = kind(self.folder.name, **below)
            if hasattr(tracker, "start"):  # accelerate 1.11
                tracker.start()
            tracker.store_init_configuration(plain)
            self.trackers.append(tracker)
        for values, number in self.early:
            self._log(values, number)

    def step(self, step: Step) -> None:
        """Loss, learning rate, norm and speed."""
        values = {
            "train/loss": step.loss,
            "train/learning_rate": step.learning_rate,
            "train/grad_norm": step.gradient_norm,
            "train/epoch": step.epoch,
        }
        if step.seconds > 0:
            values["train/tokens_per_second"] = step.tokens / step.seconds
        self._log(values, step.number)

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """The dev set's figures."""
        values = {f"eval/{name}": value for name, value in metrics.items()}
        if self.trackers:
            self._log(values, number)
        else:
            self.early.append((values, number))

    def close(self) -> None:
        """End; also when the run broke."""
        for tracker in self.trackers:
            tracker.finish()
        self.trackers = []

    def _log(self, values: dict[str, float], number: int) -> None:
        for tracker in self.trackers:
            tracker.log(values, step=number)
