"""The process beside the run that talks to the services. It outlives the supervisor; the run never waits for it.

It holds no descriptor of the run but a read-only one of its log file. What it is told: `protocol`. What it cannot know:
what a command has printed into a terminal or a pipe, unless the command is a Python program that tells it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from pretune.knock import desktop, spool
from pretune.knock.account import Account
from pretune.knock.deliver import deliver
from pretune.knock.protocol import decode
from pretune.knock.targets import Target

if TYPE_CHECKING:
    from pretune.knock.live import Live
    from pretune.knock.message import Message
    from pretune.knock.outcome import Outcome

LINGER = 600.0
"""Seconds after the end of the run that an outage is waited out; then the spool keeps the message."""
FIRST_ANSWER = 1.5
"""Seconds after the end in which the services' first answers count for the supervisor."""
_NEVER = float("inf")


class Service:
    """The loop of one messenger: lines from the supervisor and records from the run in, messages out.

    Args:
        plan: as `serve.serve` takes it.
        down: descriptor of lines from the supervisor; -1 when there is none (`attach`).
        up: descriptor for lines to it.
        listener: descriptor of the socket for Python processes of the run; -1 for none.
    """

    def __init__(self, plan: dict[str, Any], down: int, up: int, listener: int = -1) -> None:
        self.down, self.up = down, up
        self.account = Account(plan, os.environ)
        self.linger = float(plan.get("linger", LINGER))
        self.workers: list[threading.Thread] = []
        self.live: dict[str, Live] = {}
        self.line: Any = None
        self.others: list[Any] = []
        if listener >= 0:
            import socket

            self.line = socket.socket(fileno=listener)
            self.line.setblocking(False)
        self.rest, self.stopped, self.over, self.bad = b"", False, False, False

    def say(self, line: str) -> None:
        """A line to the supervisor."""
        with contextlib.suppress(OSError):
            os.write(self.up, line.encode(errors="replace")[:2000] + b"\n")

    def tell(self, messages: list[Message], *, last: bool = False) -> None:
        """Put messages into the spool and deliver them beside the loop; of the `last`, first answers are waited for."""
        answered = []
        for text in messages:
            if text.edits:
                self._edit(text)
                continue
            for target in self.account.targets:
                entry = spool.put(self.account.where, target, text)
                event = threading.Event()
                answered.append(event)

                def first(outcome: Outcome, label: str = target.label, event: threading.Event = event) -> None:
                    if outcome.state != "delivered":
                        kept = "" if outcome.state == "refused" else "; kept, it is tried again (pretune knock flush)"
                        self.say(f"say {label}: not delivered, {outcome.why}{kept}")
                    event.set()

                how: dict[str, Any] = {"until": time.monotonic() + self.linger, "first": first, "stale": None}
                if text.title.startswith("started: "):  # told after the end it would only confuse
                    how["stale"] = lambda: self.over
                self.workers.append(threading.Thread(target=deliver, args=(entry,), kwargs=how, daemon=True))
                self.workers[-1].start()
        end = time.monotonic() + FIRST_ANSWER
        for event in answered if last else ():
            event.wait(max(end - time.monotonic(), 0))

    def _edit(self, text: Message) -> None:
        from pretune.knock.live import Live

        for target in self.account.targets:
            worker = self.live.setdefault(target.url, Live(target)).show(text)
            self.workers += [] if worker is None else [worker]

    def finish(self, messages: list[Message], summary: str) -> None:
        """Tell the end everywhere; `done` goes up when every service has answered once."""
        self.over = True
        self.bad = any(not text.good for text in messages)
        if summary and not self.account.targets:
            self.say(f"tty {summary}")
            self._show(messages)
        self.tell(messages, last=True)
        self.account.note.over()
        self.say("done")

    def _show(self, messages: list[Message]) -> None:
        """Where nobody was named, a desktop is told, if there is one."""
        if not desktop.missing(os.environ):
            here = Target("desktop", "desktop", "desktop")
            for text in messages:
                how: dict[str, Any] = {"args": (here, text, ""), "kwargs": {"patience": 5.0}, "daemon": True}
                self.workers.append(threading.Thread(target=desktop.show, **how))
                self.workers[-1].start()

    def command(self, line: str) -> None:
        """Act on one line of the supervisor."""
        kind, _, rest = line.partition(" ")
        if kind == "signal":
            number, question = rest.split()
            got = signal.sigtimedwait([int(number)], 0.03)  # a group's members get it one after the other
            self.say(f"got {question} {int(got is not None)}")
        elif kind == "ready?":
            self.say(f"ready {int(not self.account.mistakes)}")
        elif kind == "run":
            self.account.follow(int(rest))
        elif kind == "stopped":
            self.stopped = True
        elif kind == "end":
            status, memory, _ = rest.split()
            self.finish(*self.account.ended(int(status), memory=int(memory)))
        elif kind == "fail":
            self.finish(*self.account.ended(int(rest) << 8))

    def take(self, line: bytes) -> None:
        """Act on one line from the pipe, whatever it is."""
        if not line.startswith(b"{"):
            if line:
                self.command(line.decode(errors="replace"))
            return
        record = decode(line)
        if record is None:
            return
        if record["kind"] == "end":
            self.finish(*self.account.said_end(record))
        else:
            self.tell(self.account.record(record))

    def hear(self, line: Any) -> None:
        """Act on all that a process of the run has told: the run's end may be next; forget it when it is gone."""
        for _ in range(1000):
            try:
                data = line.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.others.remove(line)
                line.close()
                return
            record = decode(data)
            if record is not None:
                self.tell(self.account.inner(record))

    def loop(self) -> None:
        """Serve until the run has ended."""
        while not self.over:
            due = min(self.account.due(), time.monotonic() + 1.0 if self.stopped else _NEVER)
            wait = None if due == _NEVER else max(due - time.monotonic(), 0)
            watched = [self.down] if self.down >= 0 else []
            alone = self.down < 0 or not self.account.plan["wrapper"]  # a pipe may be held open by workers of the run
            if self.account.process is not None and alone:
                watched += [self.account.process.handle] if self.account.process.handle >= 0 else []
                wait = wait if watched else min(wait or 1.0, 1.0)
            ready = select.select([*watched, *([self.line] if self.line else []), *self.others], [], [], wait)[0]
            if self.stopped:
                self.stopped = self.account.wake()
            if self.down not in ready:
                self.tell(self.account.tick())
            if self.line in ready:
                self._accept()
            for other in list(self.others):
                self.hear(other)
            if self.down in ready:
                self._read()
            elif alone and self.account.process is not None and self.account.process.over():
                self.finish(*self.account.gone())

    def _read(self) -> None:
        data = os.read(self.down, 65536)
        if not data:
            os.close(self.down)
            self.down = -1
            self.tell(self.account.alone())
            if self.account.process is None and (self.account.begun or not self.account.plan["wrapper"]):
                self.finish(*self.account.gone())
            self.over |= self.account.process is None
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            try:
                self.take(line)
            except Exception as error:  # noqa: BLE001 - one line that cannot be understood must not silence the rest
                self.say(f"say the messenger stumbled over {line[:12]!r} ({type(error).__name__}: {error})")
                if line.startswith((b"end", b"fail")) or b'"end"' in line[:20]:
                    self.finish(*self.account.plain_end())

    def _accept(self) -> None:
        import socket
        import struct

        with contextlib.suppress(OSError):  # until nobody waits any more
            while True:
                other, _ = self.line.accept()
                user = struct.unpack("3i", other.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
                if user == os.getuid() and len(self.others) < 512:
                    other.setblocking(False)
                    self.others.append(other)
                else:
                    other.close()
