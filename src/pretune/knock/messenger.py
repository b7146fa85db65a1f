"""The process beside the run that talks to the services. It outlives the supervisor; the run never waits for it.

It holds no descriptor of the run but a read-only one of its log file. Lines from the supervisor: `run PID`,
`signal N` (did you get it, too?), `stopped`, `end STATUS MEMORY CPU`, `fail CODE`; an end without `end` means that the
supervisor was killed: then it watches the run itself.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.knock import message as words
from pretune.knock import spool
from pretune.knock.redact import secrets_of
from pretune.knock.send import send
from pretune.knock.targets import resolve

if TYPE_CHECKING:
    from pretune.knock.send import Outcome

LINGER = 600.0
"""Seconds after the end of the run that an outage is waited out; then the spool keeps the message."""
SETTLE = 0.7
"""Seconds before the start is told: of a shorter run only the end is."""


def deliver(entry: spool.Entry, *, until: float, first: Any = None, late: bool = False) -> Outcome:
    """Try until delivered, refused, given up or `until` (monotonic seconds); the spool is kept in step.

    Args:
        entry: what is to be delivered, in the spool.
        until: after that nothing new is tried.
        first: called with the first outcome.
        late: whether this is not the process that made it.
    """
    pause = 0.5
    while True:
        prefix = "(perhaps for the second time) " if entry.perhaps else ""
        if late or time.time() - entry.created > 60:
            prefix += f"[late, from {time.strftime('%Y-%m-%d %H:%M', time.localtime(entry.created))}] "
        again = entry.perhaps
        entry = spool.mark(entry, perhaps=True)
        outcome = send(entry.target, entry.message, prefix=prefix)
        if outcome.state in ("delivered", "refused") or (outcome.state == "unclear" and again):
            spool.drop(entry)
        elif outcome.state == "later":
            entry = spool.mark(entry, perhaps=again)
        if first is not None:
            first(outcome)
            first = None
        if outcome.state in ("delivered", "refused") or (outcome.state == "unclear" and again):
            return outcome
        wait = max(pause * random.uniform(0.7, 1.3), outcome.wait)  # noqa: S311 - jitter
        if time.monotonic() + wait > until:
            return outcome
        time.sleep(wait)
        pause = min(pause * 2, 60)


class _Service:
    """The state of one messenger."""

    def __init__(self, plan: dict[str, Any], down: int, up: int) -> None:
        self.plan, self.down, self.up = plan, down, up
        self.log = words.Log(start=plan.get("log_from", 0))
        self.kills = words.oom_kills()
        self.host = socket.gethostname()
        self.targets, self.mistakes = resolve(plan["targets"], os.environ)
        hidden = [target.url for target in self.targets if "://" in target.url]
        self.secrets = secrets_of(os.environ, hidden)
        self.command = words.named(plan["command"], self.secrets)
        self.where = spool.folder(os.environ)
        self.threads: list[threading.Thread] = []
        self.pid, self.handle, self.rest = 0, -1, b""
        self.start_due = time.monotonic() + SETTLE if plan.get("start", True) and self.targets else float("inf")
        self.stopped = self.told = False

    def up_line(self, line: str) -> None:
        try:
            os.write(self.up, line.encode(errors="replace")[:2000] + b"\n")
        except OSError:
            return

    def line(self, line: str) -> None:
        """Act on one line of the supervisor."""
        kind, _, rest = line.partition(" ")
        if kind == "signal":
            got = signal.sigtimedwait([int(rest)], 0.03)  # a group's members get it one after the other
            self.up_line(f"got {int(got is not None)}")
        elif kind == "ready?":
            self.up_line(f"ready {int(not self.mistakes)}")
        elif kind == "run":
            self.pid = int(rest)
            try:
                self.handle = os.pidfd_open(self.pid)
            except OSError:
                self.handle = -1
        elif kind == "stopped":
            self.stopped = True
        elif kind in ("end", "fail"):
            self.end(kind, rest.split())

    def end(self, kind: str, values: list[str]) -> None:
        status = int(values[0]) if kind == "end" else int(values[0]) << 8
        more = ""
        if kind == "end" and int(values[1]) > 100_000:
            more = f"peak memory {int(values[1]) / 1048576:.1f} GiB"
        why = words.cause(status, words.oom_kills() - self.kills)
        self.finish(why, good=status == 0, more=more)

    def finish(self, why: str, *, good: bool, more: str = "") -> None:
        """Tell the end everywhere; `done` goes up when every service has answered once."""
        self.told = True
        seconds = time.monotonic() - self.plan["clock"]
        tail = self.log.tail(self.secrets)
        text = words.ended(self.command, self.host, seconds=seconds, why=why, good=good, more=more, tail=tail)
        if not self.targets:
            self.up_line(f"tty {text.title}, {text.body}")
        self.tell(text, wait=True)
        self.up_line("done")

    def tell(self, text: words.Message, *, wait: bool) -> None:
        until = time.monotonic() + float(self.plan.get("linger", LINGER))
        answered = []
        for target in self.targets:
            entry = spool.put(self.where, target, text)
            event = threading.Event()
            answered.append(event)

            def first(outcome: Outcome, label: str = target.label, event: threading.Event = event) -> None:
                if outcome.state != "delivered":
                    kept = "" if outcome.state == "refused" else "; kept, it is tried again (pretune knock flush)"
                    self.up_line(f"say {label}: not delivered, {outcome.why}{kept}")
                event.set()

            worker = threading.Thread(
                target=deliver, args=(entry,), kwargs={"until": until, "first": first}, daemon=True
            )
            worker.start()
            self.threads.append(worker)
        end = time.monotonic() + 2
        for event in answered if wait else ():
            event.wait(max(end - time.monotonic(), 0))

    def loop(self) -> None:
        """Serve the supervisor until the run has ended."""
        while not self.told:
            now = time.monotonic()
            wait = min(self.start_due - now, 1.0 if self.stopped else float("inf"))
            ready = select.select([self.down], [], [], None if wait == float("inf") else max(wait, 0))[0]
            if self.stopped:
                self._wake()
            if time.monotonic() >= self.start_due and not ready:
                self.start_due = float("inf")
                begun = words.started(self.command, self.host)
                for target in self.targets:  # once: a late start is of no use
                    threading.Thread(target=send, args=(target, begun), daemon=True).start()
            if not ready:
                continue
            data = os.read(self.down, 65536)
            if not data:
                self.alone()
                return
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                self.line(line.decode())

    def alone(self) -> None:
        """The supervisor was killed: say so, then watch the run to its end."""
        if not self.pid:
            return
        if not self._over(1.0):
            text = f"the supervisor (not the run) was killed on {self.host}; the run goes on as process {self.pid}"
            self.tell(words.Message(f"still running: {self.command}", text, good=False), wait=False)
            while not self._over(3600.0):
                pass
        self.finish("its exit code is not known, because its supervisor was killed", good=False)

    def _over(self, wait: float) -> bool:
        if self.handle >= 0:
            return bool(select.select([self.handle], [], [], wait)[0])
        time.sleep(min(wait, 1.0))
        return not Path(f"/proc/{self.pid}").exists()

    def _wake(self) -> None:
        """A supervisor that stopped with the run must not sleep on when only the run was continued."""
        run, wrapper = _state(self.pid), _state(self.plan["wrapper"])
        if wrapper == "T" and run != "T":
            os.kill(self.plan["wrapper"], signal.SIGCONT)
        self.stopped = run == "T" or wrapper == "T"


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def serve(plan: dict[str, Any], down: int, up: int) -> None:
    """Serve one run to its end and what has to be delivered after it.

    Args:
        plan: `targets`, `command`, `started`, `clock` (monotonic), `wrapper` (process id); `start`, `linger`.
        down: descriptor of lines from the supervisor.
        up: descriptor for lines to it.
    """
    os.set_blocking(up, False)
    service = _Service(plan, down, up)
    for mistake in service.mistakes:  # while stderr is still ours
        if select.select([], [2], [], 0)[1]:
            os.write(2, f"pretune knock: {mistake}; the run goes on\n".encode(errors="backslashreplace"))
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    lowest = 3
    for kept in sorted({down, up, max(service.log.descriptor, 2)} - {2}):
        os.closerange(lowest, kept)
        lowest = kept + 1
    os.closerange(lowest, 1 << 20)
    os.chdir("/")
    late = threading.Thread(target=_late, args=(service.where,), daemon=True)
    late.start()
    for target in service.targets:
        if target.kind == "slack":  # its import is the slow part of a message
            threading.Thread(target=__import__, args=("slack_sdk.webhook",), daemon=True).start()
            break
    service.loop()
    with contextlib.suppress(OSError):
        os.setsid()
    for worker in [late, *service.threads]:
        worker.join(float(plan.get("linger", LINGER)) + 35)


def _late(where: Path) -> None:
    for entry in spool.claim(where):
        deliver(entry, until=0, late=True)
