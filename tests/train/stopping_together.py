"""One of two processes gets SIGTERM, both stop; they go on as if nothing had been: `torchrun … stopping_together.py OUT`.

Each process draws its own numbers, so that dropout differs between them and each has to come back to its own.
"""

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pretune.core.errors import UserError
from pretune.train import checkpoints, losses
from pretune.train.saving import Saver
from pretune.train.stops import Stops
from pretune.train.watch import Watch, Watches
from train import killing

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "loop": ("loop", {}),
    "trainer": ("trainer", {}),
    "fsdp": ("loop", {"fsdp": True}),
}
STEP = 9


class Own(Watch):
    """Draws other numbers on each process, remembers the log, and sends the signal to the second process."""

    def __init__(self, rank: int, signalled: bool) -> None:
        self.rank, self.signalled, self.log = rank, signalled, {}

    def passed(self, number: int) -> None:
        """An own draw after the first step; the signal after the ninth."""
        import torch

        if number == 1:
            torch.rand(self.rank + 1)
        if self.signalled and self.rank == 1 and number == STEP:
            os.kill(os.getpid(), signal.SIGTERM)

    def step(self, step: Any) -> None:
        """Remember all but the time."""
        self.log[step.number] = (step.loss, step.gradient_norm, step.tokens)


def run(folder: Path, case: str, *, signalled: bool = False, saved: Path | None = None) -> tuple[Own, str, Any]:
    """The log, the weights' hash, and what ended the run."""
    engine, more = CASES[case]
    options = killing.options("random", save_strategy="no", **more)
    rank = int(os.environ["RANK"])
    watch, model, left = Own(rank, signalled), killing.model(), None
    saver = Saver(folder, resumed=saved)
    with Stops() as stops:
        trained = import_module(f"pretune.train.{engine}").train(
            model,
            killing.examples(),
            options,
            loss=losses.classes,
            watch=Watches([watch, stops]),
            save=saver,
            saved=saved,
        )
        if trained.stopped:
            try:
                stops.leave(saver.newest)
            except UserError as error:
                left = (trained.steps, error.exit_code)
    weights = {
        name: getattr(value, "full_tensor", lambda value=value: value)() for name, value in model.state_dict().items()
    }
    return watch, killing.hash_of(weights), left


def main(out: Path) -> None:
    """Run all cases."""
    from torch import distributed

    found = {}
    for case in CASES:
        whole, weights, _ = run(out / f"{case}-whole", case)
        first, _, left = run(out / case, case, signalled=True)
        distributed.barrier()
        newest = checkpoints.newest(out / case)
        assert newest is not None
        rest, again, _ = run(out / case, case, saved=newest.path)
        found[case] = {
            "left": left,
            "step": newest.step,
            "log": {**first.log, **rest.log} == whole.log,
            "weights": again == weights,
        }
    (out / f"{distributed.get_rank()}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
