"""How far the reading of the data has come, and Ctrl-C: the first one asks to stop, the second one stops at once.

Shows a bar on a terminal only, and only for what takes longer than a second. Knows nothing of what is read.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 1.0
"""Seconds before a bar appears."""


class _Bar:
    """A progress bar that appears once the reading takes longer than PATIENCE."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.begun = time.monotonic()
        self.done = 0
        self.shown: Any = None
        self.task: Any = None

    def __call__(self, step: int, total: int) -> None:
        """So many more bytes of `total` were read."""
        self.done += step
        if self.shown is None:
            if time.monotonic() - self.begun < PATIENCE or not self.stream.isatty():
                return
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
            from rich.progress import TransferSpeedColumn as Speed

            columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
            self.shown = Progress(*columns, console=Console(file=self.stream), transient=True)
            self.task = self.shown.add_task("", total=total)
            self.shown.start()
        self.shown.update(self.task, completed=min(self.done, total), total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self.shown is not None:
            self.shown.stop()
            self.shown = None


@contextmanager
def reading_of(stream: TextIO) -> Iterator[tuple[Callable[[int, int], None], Callable[[], bool]]]:
    """What is told of the progress, and what says whether to stop.

    Args:
        stream: where the bar appears.
    """
    bar = _Bar(stream)
    asked = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if asked.is_set():
            bar.close()
            signal.default_int_handler(number, frame)
        asked.set()

    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, ask) if main else None
    try:
        yield bar, asked.is_set
    finally:
        bar.close()
        if main:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
