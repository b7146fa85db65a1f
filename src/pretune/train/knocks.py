"""`--knock TARGET`: a run's progress, figures, end and death are told by pretune.knock: told, Knocks.

A process of its own tells them, so a dead service never holds up a run, and a run that is killed is told as well. Only
the first process of a job speaks. Knows no engine.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pretune.core.errors import UserError
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.train.watch import Step


@contextmanager
def told(targets: Sequence[str], name: str) -> Iterator[None]:
    """Tell how what happens inside ends; without targets, or not on the first process, nothing is told.

    Args:
        targets: webhooks, URLs of Apprise, names from knock.toml, `desktop`.
        name: what the messages call the run.
    """
    if not targets or int(os.environ.get("RANK", "0")):
        yield
        return
    from pretune.knock.enter import begin
    from pretune.knock.options import Options

    run = begin(name, Options(tuple(targets), name))
    token = run.enter()
    try:
        yield
    except UserError as error:  # one line says it: where in the source it was noticed helps nobody
        run.end(good=False, why=error.message)
        raise
    except BaseException as error:
        run.failed(error)
        raise
    finally:
        run.leave(token)
    run.end(good=True, why="")


class Knocks(Watch):
    """Feeds steps and figures to the knock around it, whoever began it; without one it does nothing."""

    def __init__(self) -> None:
        self.of = 0

    def start(self, steps: int, done: int) -> None:
        """How much there is to do."""
        self.of = steps
        self.passed(done)

    def passed(self, number: int) -> None:
        """A sign of life."""
        from pretune.knock.watch import progress

        progress(number, self.of)

    def step(self, step: Step) -> None:
        """The newest numbers."""
        from pretune.knock.watch import progress

        progress(step.number, step.of, epoch=step.epoch, loss=step.loss, learning_rate=step.learning_rate)

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """The dev set's figures, which the last message has."""
        del number
        from pretune.knock.run import current

        run = current()
        if run is not None:
            run.metrics(**{"dev_loss" if name == "loss" else name: value for name, value in metrics.items()})
