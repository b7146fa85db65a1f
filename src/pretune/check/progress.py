"""How far the reading of the data has come, and Ctrl-C: the first one asks to stop, the second one stops at once.

Knows nothing of what is read.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from pretune.draw.progress import Bar

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reading:
    """What is told of the progress, and what says whether to stop.

    Args:
        stream: where a bar appears once the reading takes longer than a second, if it is a terminal.

    Attributes:
        stopped: Ctrl-C was pressed while data were read.
        heeds: Ctrl-C is heard here; else it is somebody else's business.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stopped = False
        self.heeds = False
        self._bar = Bar(stream, "reading")
        self._under_way = False

    def progress(self, step: int, total: int) -> None:
        """So many more bytes of `total` were read; fewer, when the reading begins again."""
        self._heed()
        self._bar.advance(step, total)

    def stop(self) -> bool:
        """Whether to stop; asked while data are read."""
        self._heed()
        return self.stopped

    def end(self) -> None:
        """Take the bar away; what is read from now on is read anew."""
        self._under_way = False
        self._bar.end()

    def interrupt(self, number: int, frame: Any) -> None:
        """Ctrl-C."""
        if self.stopped or not self._under_way:
            self.end()
            signal.default_int_handler(number, frame)
        self.stopped = True
        self._bar.say("stopping")

    def _heed(self) -> None:
        """Data are being read: let the first Ctrl-C only ask to stop.

        polars takes Ctrl-C over when it is imported, and raises KeyboardInterrupt from the middle of a block; so the
        handler is put back again and again.
        """
        self._under_way = True
        if self.heeds and signal.getsignal(signal.SIGINT) == self.interrupt:
            signal.signal(signal.SIGINT, self.interrupt)


@contextmanager
def reading_of(stream: TextIO) -> Iterator[Reading]:
    """Watch over the reading of the data.

    While data are read, the first Ctrl-C lets what was read until then be reported; else it ends the command, as the
    second one does.

    Args:
        stream: where the bar appears.
    """
    reading = Reading(stream)
    before = signal.getsignal(signal.SIGINT)
    # where it is ignored (nohup), it stays so
    reading.heeds = threading.current_thread() is threading.main_thread() and callable(before)
    hook = sys.unraisablehook

    def lost(unraisable: Any) -> None:
        if unraisable.exc_type is KeyboardInterrupt:  # it came while something was cleared away, where Python drops it
            threading.Timer(0.05, _thread.interrupt_main).start()
        else:
            hook(unraisable)

    if reading.heeds:
        signal.signal(signal.SIGINT, reading.interrupt)
        sys.unraisablehook = lost
    try:
        yield reading
    finally:
        reading.end()
        if reading.heeds:
            signal.signal(signal.SIGINT, before)
            sys.unraisablehook = hook
