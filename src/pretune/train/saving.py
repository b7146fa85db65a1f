"""What an engine's save hook does: Saver writes a run's checkpoints, keeps the best, and says what to go on from.

The processes gather what each has, the first one writes, and all learn whether it stands. Knows no engine and no task.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train import checkpoints
from pretune.train.state import collect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.train.hooks import State

BEST = "best.json"
"""In a checkpoint: step and metric of the best one until then."""


class Saver:
    """Writes checkpoints of one run; an engine's `save`.

    Args:
        folder: of the run.
        recipe: what the run was asked for, flat (recipe, data, version); another one is refused when it is resumed.
        keep: how many checkpoints stay; the best one besides the newest is among them. None: all.
        metric: of the evaluation that says which checkpoint is best; None: there is no best one.
        greater_is_better: whether a higher one is better.
        only_best: write only what is better than all before (save_strategy `best`).
        tokenizer: saved with the weights, so that a checkpoint works in a pipeline.
        resumed: the checkpoint that the run goes on from.

    Attributes:
        best: (step, metric) of the best one; None before the first evaluation.
        newest: the checkpoint written last, or resumed; None without one.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        recipe: Mapping[str, Any] | None = None,
        keep: int | None = None,
        metric: str | None = None,
        greater_is_better: bool = True,
        only_best: bool = False,
        tokenizer: Any = None,
        resumed: Path | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.recipe, self.keep, self.tokenizer = recipe, keep, tokenizer
        self.metric, self.greater_is_better, self.only_best = metric, greater_is_better, only_best
        self.best: tuple[int, float] | None = None
        self.newest = resumed
        if resumed is not None and (resumed / BEST).exists():
            step, value = json.loads((resumed / BEST).read_bytes())
            self.best = (int(step), float(value))

    def __call__(self, state: State, *, stopped: bool = False) -> bool:
        """Write a checkpoint of a run between two steps; every process has to call it.

        Args:
            state: the run.
            stopped: it ends here: written whatever the metrics are.

        Returns:
            Whether there is one: with `only_best` only when this is the best until now, or the run is stopped.

        Raises:
            UserError: it could not be written; on every process.
        """
        better = self._better(state)
        if self.only_best and not better and not stopped:
            return False
        files = collect(
            state.model, state.optimizer, state.scheduler, state.position, scaler=state.scaler, tokenizer=self.tokenizer
        )
        files |= dict(state.files)
        if self.best is not None:
            files[BEST] = json.dumps(self.best).encode()
        step = state.position.step
        best = self.best[0] if self.best is not None else None
        trouble: UserError | None = None
        if _first():
            try:
                checkpoints.save(self.folder, step=step, files=files, recipe=self.recipe, keep=self.keep, best=best)
            except UserError as error:
                trouble = error
        _same_on_all(trouble)
        self.newest = self.folder / f"checkpoint-{step}"
        return True

    def _better(self, state: State) -> bool:
        """Whether the model was evaluated at this step, and is better than ever before."""
        value = state.metrics.get(self.metric) if self.metric is not None else None
        if value is None or (self.best is not None and state.position.step == self.best[0]):
            return False
        if self.best is not None and not (value > self.best[1] if self.greater_is_better else value < self.best[1]):
            return False
        self.best = (state.position.step, float(value))
        return True


def _first() -> bool:
    from torch import distributed

    return not (distributed.is_available() and distributed.is_initialized()) or distributed.get_rank() == 0


def _same_on_all(trouble: UserError | None) -> None:
    """Raise on every process what the first one met, so that none waits for it in the next step."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        said = [None if trouble is None else (trouble.message, trouble.hint, trouble.exit_code)]
        distributed.broadcast_object_list(said, src=0)
        if trouble is None and said[0] is not None:
            message, hint, exit_code = said[0]
            trouble = UserError(message, hint=hint, exit_code=exit_code)
    if trouble is not None:
        raise trouble
