"""Being asked to stop: Stops, a watch that turns SIGTERM, SIGINT, SIGUSR1 and SIGHUP into "save, then end".

The step that runs is finished, a checkpoint is written, and the process ends as signals end one (143, 130, 138), with
one line how to resume. A second SIGINT ends at once. Knows neither engine nor what a checkpoint is.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, Self

from pretune.core.errors import UserError
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

SIGNALS = tuple(
    number for name in ("SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
"""SIGTERM: kill, the end that Slurm and Kubernetes send. SIGINT: Ctrl-C. SIGUSR1: `sbatch --signal=USR1@120`.
SIGHUP: the terminal was closed, or its connection was lost."""


class Interrupted(UserError):  # noqa: N818 - it is no error of the user's
    """A run ended because it was asked to, after it had saved.

    Args:
        number: the signal.
        saved: the checkpoint; None: nothing was saved.
    """

    def __init__(self, number: int, saved: Path | None) -> None:
        where = f"saved in {saved}" if saved is not None else "nothing was saved"
        super().__init__(
            f"stopped by {signal.Signals(number).name}; {where}",
            hint="go on with the same command and --resume" if saved is not None else "",
            exit_code=128 + number,
        )
        self.number = number
        self.saved = saved


class Stops(Watch):
    """Catches the signals while it is entered; the handlers that were there come back after it.

    Only a process's main thread gets signals: entered in another one it catches nothing. What is ignored stays so.

    Attributes:
        number: of the signal that came first; None: none came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Catch the signals."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:  # as nohup and a shell's background jobs have it
                    self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._before.clear()

    def should_stop(self) -> bool:
        """Whether a signal came to this process; `agreed` asks all of them."""
        return self.number is not None

    def leave(self, saved: Path | None) -> NoReturn:
        """End the run.

        Raises:
            Interrupted: always; another process's signal counts as this one's.
        """
        raise Interrupted(self.number if self.number is not None else signal.SIGTERM, saved)

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        """Remember the first signal; end at once at the second SIGINT."""
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.number is None:
            self.number = number
            name = signal.Signals(number).name
            more = "; Ctrl-C again ends it at once" if number == signal.SIGINT else ""
            line = f"\n{name}: finishing the step and saving a checkpoint{more}\n"
            with suppress(OSError):  # past sys.stderr, which may be in the middle of a write
                os.write(2, line.encode())


def agreed(here: bool) -> bool:
    """Whether one of all processes says yes: the same answer on each, so that all stop after the same step.

    Between processes it goes through the memory of the hosts (gloo), so that no GPU is waited for.
    """
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return here
    import torch

    said = torch.tensor([here], dtype=torch.int32)
    distributed.all_reduce(said, op=distributed.ReduceOp.MAX, group=_hosts())
    return bool(said.item())


_groups: dict[int, Any] = {}


def _hosts() -> Any:
    """A group of all processes that talks over gloo; made once per process group."""
    from torch import distributed

    if distributed.get_backend() == "gloo":
        return None
    world = id(distributed.group.WORLD)
    if world not in _groups:
        _groups.clear()
        _groups[world] = distributed.new_group(backend="gloo")
    return _groups[world]
