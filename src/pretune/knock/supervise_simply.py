"""Runs a command and tells how it ended, where there is no Linux: macOS, Windows. The simple form.

Everything is sent by this process itself, so a wrapper that is killed tells nobody, and what the services have not
taken within the bound waits in the spool for the next run. Signals are handed on where the system has them; Ctrl-C
reaches the command from the terminal. Exit codes are the command's; on Windows there are no deaths by signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from pretune.core.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.knock.account import Account
    from pretune.knock.message import Message

FAREWELL = 1.6
"""Seconds that the end may wait for the services."""
_HANDED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGBREAK")


def run(command: Sequence[str], plan: dict[str, Any]) -> int:
    """Run `command`; its exit code, or 128 and the number of its signal where this process cannot die of that, too.

    Args:
        command: program and arguments.
        plan: as `serve.serve` takes it.
    """
    plan = {**plan, "command": list(command), "started": time.time(), "clock": time.monotonic(), "wrapper": os.getpid()}
    before = {signal.SIGINT: signal.getsignal(signal.SIGINT)}
    if before[signal.SIGINT] is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)  # the terminal has sent it to the command, too
    account: list[Account] = []
    ready = threading.Thread(target=_prepare, args=(plan, account), daemon=True)
    try:
        child = subprocess.Popen(list(command))  # noqa: S603 - it is what was asked for
    except FileNotFoundError:
        _say(f"{command[0]}: command not found")
        code = 127
    except OSError as error:
        _say(f"{command[0]}: {(error.strerror or 'cannot be run').lower()}")
        code = 126
    else:
        for name in _HANDED_ON:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda got, _frame: _hand_on(child, got))
        ready.start()
        code = child.wait()
    if ready.ident is None:
        ready.start()
    ready.join(FAREWELL)
    if account:
        status = -code if os.name == "posix" and code < 0 else code << 8
        messages, summary = account[0].ended(status)
        if not account[0].targets and summary and sys.stderr.isatty():
            _say(summary + "\a")
        _deliver(account[0], messages)
        account[0].note.over()
    return _leave(code)


def _prepare(plan: dict[str, Any], account: list[Account]) -> None:
    from pretune.knock.account import Account
    from pretune.knock.deliver import catch_up

    try:
        account.append(Account(plan, os.environ))
        for mistake in account[0].mistakes:
            _say(f"{mistake}; the run goes on")
        catch_up(account[0].where)
    except Exception as error:  # noqa: BLE001 - the run goes on, and it is said
        _say(f"nobody will be told ({type(error).__name__}: {error}); the run goes on")


def _deliver(account: Account, messages: list[Message]) -> None:
    from pretune.knock import spool
    from pretune.knock.deliver import deliver

    workers = []
    for text in messages:
        for target in account.targets:
            entry = spool.put(account.where, target, text)
            how = {"args": (entry,), "kwargs": {"until": 0.0}, "daemon": True}
            workers.append(threading.Thread(target=deliver, **how))  # type: ignore[arg-type]  # as Thread takes them
            workers[-1].start()
    end = time.monotonic() + FAREWELL
    for worker in workers:
        worker.join(max(end - time.monotonic(), 0))


def _hand_on(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        child.send_signal(number)


def _leave(code: int) -> int:
    if code >= 0:
        return code
    with contextlib.suppress(OSError, ValueError):
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return 128 - code


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"pretune knock: {say(text)}\n")
        sys.stderr.flush()
