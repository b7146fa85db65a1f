"""How a messenger begins and ends: it lets go of everything that is the run's, serves it, and delivers what is left.

Started as a fork by the supervisor (`beside`), or as a process of its own by a Python program (`link`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any

from pretune.core.language import say
from pretune.knock.deliver import catch_up
from pretune.knock.messenger import Service
from pretune.knock.protocol import decode


def serve(plan: dict[str, Any], down: int, up: int, listener: int = -1) -> None:
    """Serve one run to its end and what has to be delivered after it.

    Args:
        plan: `targets`, `command` (words) or `name`, `started`, `clock` (monotonic), `wrapper` (process id); `start`,
            `linger`, `stall`, `heartbeat`, `log_from`, `oom_kills`.
        down: descriptor of lines from the supervisor.
        up: descriptor for lines to it.
        listener: descriptor of the socket for Python processes of the run; -1 for none.
    """
    os.set_blocking(up, False)
    try:
        service = Service(plan, down, up, listener)
    except Exception as error:  # said: a silent messenger would be believed to work
        _complain(f"nobody will be told ({type(error).__name__}: {error}); the run goes on")
        if "PRETUNE_DEBUG" in os.environ:
            raise
        return
    for mistake in service.account.mistakes:  # while stderr is still ours
        _complain(f"{mistake}; the run goes on" if not plan.get("strict") else mistake)
    account = service.account
    held = account.process.handle if account.process is not None else -1
    _withdraw({down, up, listener, held, account.log.descriptor, account.note.descriptor})
    if "name" in plan:
        service.say(f"ready {int(not service.account.mistakes)}")
    how = {"say": lambda text: service.say(f"say {text}")}
    late = threading.Thread(target=catch_up, args=(service.account.where,), kwargs=how, daemon=True)
    late.start()
    kinds = {target.kind for target in service.account.targets}
    for kind, module in (("slack", "slack"), ("apprise", "by_apprise")):  # slow: before they are needed
        if kind in kinds:
            threading.Thread(target=_load, args=(module,), daemon=True).start()
    service.loop()
    with contextlib.suppress(OSError):
        os.setsid()
    for worker in [late, *service.workers, *(service.account.watch.threads if service.account.watch else [])]:
        worker.join(service.linger + 35)


def _load(module: str) -> None:
    with contextlib.suppress(Exception):
        import_module(f"pretune.knock.{module}").load()


def _complain(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [2], [], 0)[1]:
            os.write(2, f"pretune knock: {say(text)}\n".encode(errors="backslashreplace"))


def _withdraw(kept: set[int]) -> None:
    """Hold nothing of the run: no terminal, no pipe, no file, no folder."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    lowest = 3
    for number in sorted(each for each in kept if each > 2):
        os.closerange(lowest, number)
        lowest = number + 1
    os.closerange(lowest, 1 << 20)
    os.chdir("/")


def main() -> None:
    """The messenger of a Python process, see `link`: three descriptors as arguments, the plan as its first line."""
    down, up, handle = map(int, sys.argv[1:4])
    with contextlib.suppress(OSError):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT})
    with contextlib.suppress(OSError):
        os.setsid()  # what ends the program's whole group must not end who tells of it
    with open(down, "rb", buffering=0, closefd=False) as line:  # the rest is the loop's
        record = decode(line.readline())
    if record is None or record["kind"] != "begin":
        return
    begun = {"targets": [], "clock": time.monotonic(), "started": time.time()}
    serve({**begun, **record, "handle": handle, "wrapper": 0}, down, up)
