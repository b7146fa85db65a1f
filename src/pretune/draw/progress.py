"""How far something has come, as a bar: Bar. On a terminal only, and only for what takes longer than a second.

Knows nothing of what is done.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TextIO

from pretune.core.language import say

if TYPE_CHECKING:
    from typing import Literal

PATIENCE = 1.0
"""Seconds before a bar appears."""


class Bar:
    """A bar that appears when something takes long, and goes when it is done.

    Args:
        stream: where it appears, if it is a terminal.
        what: what is being done, in a word.
        unit: what is counted: bytes are shown as such, with their speed.
        patience: seconds before it appears.

    Attributes:
        done: how much is done, at most all of it.
    """

    def __init__(
        self,
        stream: TextIO,
        what: str,
        *,
        unit: Literal["bytes", "tokens", "choices"] = "bytes",
        patience: float = PATIENCE,
    ) -> None:
        self.done = 0
        self._stream, self._what, self._unit, self._patience = stream, what, unit, patience
        self._begun = time.monotonic()
        self._count = 0
        self._shown: Any = None
        self._task: Any = None

    def update(self, done: int, total: int) -> None:
        """So much of `total` is done."""
        self._count, self.done = done, min(done, total)
        if self._shown is None and time.monotonic() - self._begun > self._patience and self._stream.isatty():
            self._show(total)
        if self._shown is not None:
            self._shown.update(self._task, completed=self.done, total=total)

    def advance(self, step: int, total: int) -> None:
        """So much more of `total` is done; less, when it begins again."""
        self.update(self._count + step, total)

    def say(self, what: str) -> None:
        """Something else is being done."""
        self._what = what
        if self._shown is not None:
            self._shown.update(self._task, description=say(what))

    def end(self) -> None:
        """Take the bar away; what comes now is counted anew."""
        self._begun, self._count = time.monotonic(), 0
        if self._shown is not None:
            self._shown.stop()
            self._shown = None

    def _show(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining
        from rich.progress import TransferSpeedColumn as Speed

        counted: tuple[Any, ...] = (DownloadColumn(), Speed())
        if self._unit != "bytes":
            counted = (MofNCompleteColumn(), TextColumn(self._unit))
        columns = (TextColumn("{task.description}"), BarColumn(), *counted, Remaining())
        console = Console(file=self._stream)
        self._shown = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._task = self._shown.add_task(say(self._what), total=total)
        self._shown.start()
