"""`knock.LightningCallback`: feeds a Lightning Trainer's progress to the watch around it, or to one of its own.

The class is made when it is first named, on the base class of the Lightning that is loaded (`lightning` or
`pytorch_lightning`). A figure is read from its tensor every few seconds at most; nothing else is touched.
"""

from __future__ import annotations

import contextlib
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pretune.knock.callbacks import PULSE, Feed

if TYPE_CHECKING:
    from pretune.knock.options import To

    class LightningCallback:  # as mypy sees it, where Lightning is not installed
        """See `_Callback`."""

        def __init__(self, to: To = None, *, name: str = "training", **options: Any) -> None: ...


HOMES = ("lightning.pytorch", "pytorch_lightning")


class _Callback:
    """Feeds step, loss and logged metrics of a Lightning Trainer to the messages; also tells of an exception.

    `Trainer(callbacks=[knock.LightningCallback()])`. Inside `@knock.when_done`, `knock.watching` or `pretune knock` it
    feeds that one's messages; else it has a watch of its own. Only the process with global rank 0 tells.

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
        self._total: int | None = None
        self._next = 0.0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin."""
        del pl_module
        with contextlib.suppress(Exception):  # nothing here may end a training
            if trainer.is_global_zero:
                self._total = _steps(trainer)
                self._feed.start(trainer.global_step, self._total)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *more: Any, **named: Any) -> None:
        """A sign of life, and figures from time to time."""
        del pl_module, more, named
        self._pulse(trainer)

    def on_validation_batch_end(self, trainer: Any, pl_module: Any, *more: Any, **named: Any) -> None:
        """A sign of life: a validation may take longer than a stall."""
        del pl_module, more, named
        self._pulse(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Its figures."""
        del pl_module
        self._pulse(trainer, now=True)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Its figures."""
        del pl_module
        self._pulse(trainer, now=True)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """The last figures."""
        del pl_module
        self._pulse(trainer, now=True)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """The end."""
        del pl_module
        with contextlib.suppress(Exception):
            if trainer.is_global_zero:
                self._feed.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """The end, by an exception."""
        del trainer, pl_module
        self._feed.failed(exception)

    def _pulse(self, trainer: Any, *, now: bool = False) -> None:
        with contextlib.suppress(Exception):
            clock = time.monotonic()
            if not trainer.is_global_zero or getattr(trainer, "sanity_checking", False):
                return
            if not now and clock < self._next:
                return
            self._next = clock + PULSE
            known = {**trainer.progress_bar_metrics, **trainer.callback_metrics, "epoch": trainer.current_epoch}
            for name in ("loss", "train_loss", "train/loss", "train_loss_step"):
                if name in known:
                    known["loss"] = known[name]
                    break
            self._feed.log(trainer.global_step, self._total, known)


def _steps(trainer: Any) -> int | None:
    """Of how many steps; None when Lightning does not know either."""
    if isinstance(trainer.max_steps, int) and trainer.max_steps > 0:
        return trainer.max_steps
    with contextlib.suppress(Exception):
        steps = trainer.estimated_stepping_batches
        if isinstance(steps, int) and steps > 0:
            return steps
    return None


def __getattr__(name: str) -> Any:
    """`LightningCallback`, made on Lightning's own when it is asked for."""
    if name != "LightningCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    homes = [home for home in HOMES if home in sys.modules]
    for home in () if homes else HOMES:
        with contextlib.suppress(ImportError):
            import_module(home)
            homes.append(home)
            break
    if not homes:
        from pretune.core.errors import UserError

        raise UserError("this needs lightning, which is not installed", hint="pip install lightning")
    bases = tuple(dict.fromkeys(sys.modules[home].Callback for home in homes))
    made = type(name, (_Callback, *bases), {"__doc__": _Callback.__doc__, "__module__": __name__})
    globals()[name] = made
    return made
