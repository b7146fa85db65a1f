"""The supervisor's side of the messenger: starts it as a fork, tells it lines, and waits for it only within bounds.

Imported before the command is started, so only the standard library's smallest modules are. Knows nothing of messages.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FAREWELL = 1.6
"""Seconds that the end may wait for the first answer of the services."""
_GIVING_UP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


def say(text: str, where: int = 2) -> None:
    """One line for the person, on stderr or a terminal; dropped when it cannot be written at once."""
    from pretune.core.language import say as translated  # only who is told something pays for it

    line = f"pretune knock: {translated(text)}\n".encode(errors="backslashreplace")
    try:
        if select.select([], [where], [], 0)[1]:
            os.write(where, line[:4096])
    except (OSError, ValueError):
        pass


class Messenger:
    """The process beside us that talks to the services: a fork that begins its work when told to.

    Args:
        plan: what it is given.

    Attributes:
        pid: its process id; 0 when there is none.
        down: descriptor for lines to it.
        up: descriptor of lines from it.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan, self.pid, self.down, self.up = plan, 0, -1, -1
        self._asked = 0
        self._rest = b""
        try:
            self._start()
        except Exception:  # noqa: BLE001 - no process, memory or descriptor left: the run goes on without
            self.pid = 0

    def _start(self) -> None:
        listener = _listener()
        ends = [_above(end) for _ in range(2) for end in os.pipe()]
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(ends[1])
                os.close(ends[2])
                os.read(ends[0], 1)  # the command starts first
                from pretune.knock.serve import serve

                serve(self.plan, ends[0], ends[3], listener)
            except BaseException:  # noqa: BLE001 - never a traceback into the terminal of the run
                if "PRETUNE_DEBUG" in os.environ:
                    sys.excepthook(*sys.exc_info())
            finally:
                os._exit(0)
        for number in (ends[0], ends[3], listener):
            if number >= 0:
                os.close(number)
        self._rest = b""
        self.down, self.up = ends[1], ends[2]
        os.set_blocking(self.down, False)

    def tell(self, line: str) -> bool:
        """Send it a line; whether that was possible."""
        try:
            return self.pid > 0 and os.write(self.down, b"\n" + line.encode() + b"\n") > 0
        except OSError:
            return False

    def has(self, number: int, *, otherwise: bool = False) -> bool:
        """Whether it, too, got signal `number`, so that the whole group did; `otherwise` when it does not answer."""
        self._asked += 1  # an answer that came too late must not be taken for that to a later question
        if not self.tell(f"signal {int(number)} {self._asked}"):
            return otherwise
        end = time.monotonic() + 2.0
        while (left := end - time.monotonic()) > 0:
            for line in self._lines(left):
                if line.startswith(f"got {self._asked} "):
                    return line.endswith(" 1")
            if self.up < 0:
                break
        return otherwise

    def agrees(self) -> bool:
        """Whether all targets can be used; says what is wrong."""
        self.tell("ready?")
        end = time.monotonic() + 10
        while self.up >= 0 and (left := end - time.monotonic()) > 0:
            for line in self._lines(left):
                if line.startswith("ready "):
                    return line == "ready 1"
        return False

    def report(self, line: str) -> None:
        """Tell it the end and wait a moment for the answers of the services; a signal ends the waiting."""
        if not self.tell(line):
            try:
                self._start()
            except Exception:  # noqa: BLE001 - the same
                return
            self.tell(line)
        end = time.monotonic() + FAREWELL
        while self.up >= 0 and (left := end - time.monotonic()) > 0:
            if "done" in self._lines(min(left, 0.1)) or signal.sigpending() & _GIVING_UP:
                break

    def _lines(self, wait: float) -> list[str]:
        """The lines that came within `wait` seconds; what is meant for the person is said."""
        if self.up < 0 or not select.select([self.up], [], [], wait)[0]:
            return []
        data = os.read(self.up, 65536)
        if not data:
            os.close(self.up)
            self.up = -1
        *lines, self._rest = (self._rest + data).split(b"\n")
        texts = [line.decode(errors="replace") for line in lines]
        for text in texts:
            if text.startswith("say "):
                say(text[4:])
            elif text.startswith("tty ") and self.plan["terminal"] > 0:
                say(text[4:] + "\a", self.plan["terminal"])
        return texts


def _listener() -> int:
    """A socket for Python processes of the run that have something to say, see `link`; -1 when there can be none."""
    try:
        import _socket

        line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        line.bind(f"\0pretune-knock-{os.getuid()}-{os.getpid()}")
        line.listen(64)
        return _above(line.detach())
    except OSError:
        return -1


def _above(number: int) -> int:
    """The descriptor, or a copy above 2: a closed stdin of the command has to stay closed."""
    if number > 2:
        return number
    import fcntl

    copy: int = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(number)
    return copy
