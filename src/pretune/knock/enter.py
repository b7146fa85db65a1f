"""Begins to watch a piece of Python: which messenger tells of it, and of what is not told already. Never raises."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from pretune.knock.run import Run, inner, say, seconds_of

if TYPE_CHECKING:
    import contextvars
    from types import TracebackType

    from pretune.knock.options import Options

BUSIEST = 20
"""Messengers a process may start in a minute: a decorated function in a loop must not fill the machine."""
_begun: list[float] = []
_turns: Counter[str] = Counter()


def begin(name: str, options: Options) -> Run:
    """Begin to watch; whatever fails, there is a Run, and the work goes on."""
    outer = inner()
    try:
        return _begin(options.name or name, options, outer)
    except Exception:  # noqa: BLE001 - the run is sacred
        return Run(name, frozenset(), outer, None)


def _begin(name: str, options: Options, outer: Run | None) -> Run:
    keys = frozenset(map(repr, options.to)) or frozenset({""})
    covered = outer.around() if outer is not None else frozenset[str]()
    if keys <= covered:  # the watch around it tells already
        return Run(name, keys | covered, outer, None)
    now = time.monotonic()
    del _begun[: max(len(_begun) - BUSIEST, 0)]
    if len(_begun) == BUSIEST and now - _begun[0] < 60:
        say(f"{name} is called too often to be told each time; watch what calls it", once=True)
        return Run(name, keys | covered, outer, None)
    _begun.append(now)
    _turns[name] += 1
    from pretune.knock.link import Link

    link = Link(_plan(name, options, keys - covered), join=not options.to)
    if not link.open:
        say("no messenger can be started here, so nobody will be told; the run goes on", once=True)
    return Run(name, keys | covered, outer, link).begun()


def _plan(name: str, options: Options, keys: frozenset[str]) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "name": name,
        "targets": [each for each in options.to if repr(each) in keys],
        "start": options.start,
        "clock": time.monotonic(),
        "started": time.time(),
        "parent": os.getppid(),
        "turn": f"{name} {_turns[name]}",
    }
    stall = seconds_of(options.stall) if options.stall is not None else None
    if stall is not None:
        plan["stall"] = stall
    if options.heartbeat:
        plan["heartbeat"] = options.heartbeat
    if options.linger is not None:
        plan["linger"] = options.linger
    return plan


class Watching:
    """`with knock.watching("name", to=…) as run:`; what the block raises goes on, and is told.

    Also for `async with`. `run.progress(step=…, total=…, loss=…)` may be called in it.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._open: list[tuple[Run, contextvars.Token[Run | None]]] = []

    def __enter__(self) -> Run:
        run = begin("a block of Python", self._options)
        self._open.append((run, run.enter()))
        return run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run, token = self._open.pop()
        run.leave(token)
        if error is None:
            run.end(good=True, why="")
        else:
            run.failed(error)

    async def __aenter__(self) -> Run:
        """The same: nothing in it waits."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The same."""
        self.__exit__(kind, error, trace)
