"""`knock.TrainerCallback`: feeds a Hugging Face Trainer's progress to the watch around it, or to one of its own.

The class is made when it is first named, as its base class is transformers'; importing this imports nothing heavy. It
reads what the Trainer logs and changes nothing: no tensor is touched, nothing is computed, nothing waits.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from pretune.knock import uncaught
from pretune.knock.enter import begin
from pretune.knock.options import Options, targets
from pretune.knock.run import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainerCallback as TrainerCallback  # noqa: PLC0414 - said to type checkers

    from pretune.knock.options import To
    from pretune.knock.run import Run

PULSE = 5.0
"""Seconds between two signs of life from a callback; what is logged is passed on at once."""
_KNOWN = ("loss", "epoch", "step")


class Feed:
    """Passes on what a trainer tells: to the watch around it, else to one of its own, which also tells the end.

    Args:
        to: targets; without any, the watch around it, the `pretune knock` above it, or `PRETUNE_KNOCK` count.
        name: what the messages call the training.
        stall: time without a step that is worth an alert.
        heartbeat: URL of a dead-man's switch.
    """

    def __init__(self, to: To, name: str, stall: str | float | None, heartbeat: str | None) -> None:
        self._options = Options(targets(to), name, stall=stall, heartbeat=heartbeat)
        self._run: Run | None = None
        self._mine = False
        self._next = 0.0

    def start(self, step: int, total: int | None) -> None:
        """The training begins; once, also where the trainer begins again."""
        if self._run is None:
            around = current()
            self._mine = around is None or bool(self._options.to)
            self._run = begin(self._options.name, self._options) if self._mine else around
            if self._mine:
                uncaught.watch(self)
        if not self._mine and self._options.stall is not None and self._run is not None:
            self._run.stall(self._options.stall)
        self.step(step, total)

    def step(self, step: int, total: int | None) -> None:
        """A step is done; told every few seconds at most."""
        now = time.monotonic()
        if self._run is not None and now >= self._next:
            self._next = now + PULSE
            self._run.progress(step, total)

    def log(self, step: int, total: int | None, values: Mapping[str, Any]) -> None:
        """Figures were logged."""
        if self._run is None:
            return
        values = dict(values)
        known = {name: values.pop(name, None) for name in ("loss", "epoch")}
        values = {name: value for name, value in values.items() if name not in _KNOWN and name.isidentifier()}
        values = {name: value for name, value in values.items() if name not in ("self", "step", "total", "eta")}
        self._run.progress(step, total, **known, **values)

    def end(self) -> None:
        """The training has ended well; a watch of one's own says so."""
        run, self._run = self._run, None
        if run is not None and self._mine:
            run.end(good=True, why="")

    def failed(self, error: BaseException) -> None:
        """The training has ended with an exception."""
        run, self._run = self._run, None
        if run is not None and self._mine:
            run.failed(error)


class _TrainerCallback:
    """Feeds step, loss, learning rate and metrics of a Hugging Face Trainer to the messages.

    `Trainer(..., callbacks=[knock.TrainerCallback()])`. Inside `@knock.when_done`, `knock.watching` or `pretune knock`
    it feeds that one's messages; else it has a watch of its own, which is told the end by `on_train_end`, and by the
    death of the process. transformers does not tell a callback of an exception: one that ends the program or a
    notebook's cell is told with its traceback; `@knock.when_done` tells of any. Only the main process tells.

    Args:
        to: targets, as for `when_done`.
        name: what the messages call the training.
        stall: time without a step that is worth an alert, as `30m` or seconds.
        heartbeat: URL of a dead-man's switch.
    """

    def __init__(
        self,
        to: To = None,
        *,
        name: str = "training",
        stall: str | float | None = None,
        heartbeat: str | None = None,
    ) -> None:
        super().__init__()
        self._feed = Feed(to, name, stall, heartbeat)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin, or go on."""
        del args, control, kwargs
        self._do(state, "start")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A sign of life."""
        del args, control, kwargs
        self._do(state, "step")

    def on_prediction_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A sign of life: an evaluation may take longer than a stall."""
        del args, control, kwargs
        self._do(state, "step")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Figures."""
        del args, control, kwargs
        with contextlib.suppress(Exception):
            if state.is_world_process_zero and logs:
                self._feed.log(state.global_step, state.max_steps, logs)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The end."""
        del args, control, kwargs
        with contextlib.suppress(Exception):
            if state.is_world_process_zero:
                self._feed.end()

    def _do(self, state: Any, what: str) -> None:
        with contextlib.suppress(Exception):  # nothing here may end a training
            if state.is_world_process_zero:
                getattr(self._feed, what)(state.global_step, state.max_steps)


def __getattr__(name: str) -> Any:
    """`TrainerCallback`, made on transformers' own when it is asked for."""
    if name != "TrainerCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pretune.core.extras import need

    base = need("transformers", extra="train").TrainerCallback
    made = type(name, (_TrainerCallback, base), {"__doc__": _TrainerCallback.__doc__, "__module__": __name__})
    globals()[name] = made
    return made
