"""One watched piece of work in Python: its line to the messenger, and which one is the innermost. Says nothing itself.

Nothing here raises or waits: a record that cannot be passed on is dropped. Only as the process ends is a moment waited
for the services' first answers, because in a container the messenger ends with its first process.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from pretune.core.language import say as translated
from pretune.knock.options import figure, figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.knock.link import Link

FAREWELL = 1.6
"""Seconds that the end of the process may wait for the services."""


_current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("pretune.knock.run", default=None)
_alive: list[Run] = []
_leaving: list[Link] = []
_said: set[str] = set()


class Run:
    """One watched piece of work; what is fed to it goes to the messenger and costs microseconds.

    Attributes:
        name: what the messages call it.
    """

    def __init__(self, name: str, keys: frozenset[str], outer: Run | None, link: Link | None) -> None:
        self.name, self._keys, self._outer, self._link, self._pid = name, keys, outer, link, os.getpid()
        self._next = 0.0

    def progress(
        self,
        step: float | None = None,
        total: float | None = None,
        *,
        epoch: float | None = None,
        loss: float | None = None,
        eta: float | None = None,
        **metrics: Any,
    ) -> None:
        """Tell how far it is; also a sign of life, even without any figure. Never raises, never waits.

        Args:
            step: what has been done.
            total: of how many.
            epoch: the same in epochs.
            loss: of this step.
            eta: seconds that are left, where that is known better than step and total tell.
            **metrics: further figures.
        """
        named = {"step": step, "total": total, "epoch": epoch, "loss": loss, "eta": eta}
        record = {key: number for key, value in named.items() if (number := figure(value)) is not None}
        values = figures(metrics)
        self.send({"kind": "progress", **record, **({"metrics": values} if values else {})})

    def metrics(self, **values: Any) -> None:
        """Keep figures for the last message; the last of each name counts."""
        self.send({"kind": "metrics", "values": figures(values)})

    def tell(self, title: str, body: str = "", *, good: bool = True) -> None:
        """Send a message of one's own now."""
        self.send({"kind": "tell", "title": title, "body": body, "good": good})

    def stall(self, after: str | float) -> None:
        """From now on so much time without a sign of life is worth an alert, as `30m` or seconds."""
        seconds = seconds_of(after)
        if seconds is not None:
            self.send({"kind": "stall", "after": seconds})

    def send(self, record: dict[str, Any]) -> None:
        """Pass a record of `protocol` on; where this watch has no line of its own, to the one around it."""
        with contextlib.suppress(Exception):
            if self._pid != os.getpid():
                return
            if self._link is None:
                if self._outer is not None:
                    self._outer.send(record)
                return
            self._link.send(record)
            now = time.monotonic()
            if now >= self._next:
                self._next = now + 1.0
                _show(self._link.answers())

    def end(self, *, good: bool, why: str, tail: str = "", unless_joined: bool = False) -> None:
        """Tell the end, once; nothing in a fork of the process that began it.

        Args:
            good: whether that is good news.
            why: in words.
            tail: a traceback.
            unless_joined: not to the messenger of a `pretune knock`, which knows better.
        """
        with contextlib.suppress(Exception):
            if self in _alive:
                _alive.remove(self)
            link, self._link = self._link, None
            if link is None or self._pid != os.getpid():
                return
            if not (unless_joined and link.joined):
                link.send({"kind": "end", "good": good, "why": why, "tail": tail, "clock": time.monotonic()})
            _show(link.answers())
            if link.joined:
                link.close()
                return
            _leaving.append(link)
            while len(_leaving) > 4:
                _show(_leaving[0].answers())
                _leaving.pop(0).close()

    def failed(self, error: BaseException) -> None:
        """Tell that it ended with an exception."""
        with contextlib.suppress(Exception):
            if self._link is not None and self._pid == os.getpid():
                from pretune.knock.failure import described

                ended = described(error)
                self.end(good=ended.good, why=ended.why, tail=ended.tail)
        with contextlib.suppress(Exception):
            self.end(good=False, why="failed")  # whatever the exception was made of

    def returned(self, value: Any) -> None:
        """Tell that it ended well; of its result only plain figures are told."""
        if self._link is not None:
            kind = type(value)
            with contextlib.suppress(Exception):
                found = dict(value) if kind is dict else {"returned": value}
                found = {key: each for key, each in found.items() if type(key) is str and type(each) in (int, float)}
                if found:
                    self.send({"kind": "metrics", "values": figures(found)})
        self.end(good=True, why="")

    def begun(self) -> Run:
        """It has a messenger of its own: to be ended, at the latest with the process."""
        if not _alive and not _leaving:
            atexit.unregister(_farewell)
            atexit.register(_farewell)
        _alive.append(self)
        return self

    def around(self) -> frozenset[str]:
        """The targets that are told already, for what happens inside; none in a fork of the process."""
        return self._keys if self._pid == os.getpid() else frozenset()

    def enter(self) -> contextvars.Token[Run | None]:
        """Be the innermost of this thread or task."""
        return _current.set(self)

    def leave(self, token: contextvars.Token[Run | None]) -> None:
        """No longer be it."""
        with contextlib.suppress(ValueError):  # another context: an async `with` that was left by another task
            _current.reset(token)


def inner() -> Run | None:
    """The innermost watch of this thread or task; None in a fork of its process."""
    run = _current.get()
    return run if run is not None and run._pid == os.getpid() else None  # noqa: SLF001 - its own class


def current() -> Run | None:
    """The innermost watch of this thread or task, else the newest of this process."""
    run, mine = inner(), os.getpid()
    if run is not None:
        return run
    return next((run for run in reversed(_alive) if run._pid == mine), None)  # noqa: SLF001 - the same


def seconds_of(text: str | float) -> float | None:
    """Seconds, or None and a sentence."""
    from pretune.knock.grammar import Mistake, seconds

    try:
        return seconds(str(text))
    except Mistake as mistake:
        say(f"stall: {mistake}; no stall is watched for", once=True)
        return None


def say(text: str, *, once: bool = False) -> None:
    """One line for the person on stderr; never raises."""
    if once and text in _said:
        return
    _said.add(text)
    with contextlib.suppress(Exception):
        sys.stderr.write(f"pretune knock: {translated(text)}\n")
        sys.stderr.flush()


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        kind, _, text = line.partition(" ")
        if kind == "say" or (kind == "tty" and sys.stderr.isatty()):
            say(text)


def _farewell() -> None:
    """As the process ends: wait a moment for the first answers, and say what was not delivered."""
    end = time.monotonic() + FAREWELL
    for run in _alive.copy():
        run.end(good=False, why="still under way when Python ended", unless_joined=True)
    with contextlib.suppress(Exception):
        for link in _leaving:
            while link.open and (left := end - time.monotonic()) > 0:
                lines = link.answers(left)
                _show(lines)
                if "done" in lines or not lines:
                    break
            link.close()
    _leaving.clear()
