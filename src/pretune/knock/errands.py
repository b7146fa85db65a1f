"""`pretune knock test`, `flush` and `attach`: what is done at once, and said. Starts no command."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from pretune.core.errors import UserError
from pretune.core.language import say as translated
from pretune.knock import spool
from pretune.knock.cli import hide
from pretune.knock.deliver import catch_up
from pretune.knock.exits import born
from pretune.knock.grammar import Mistake, parse
from pretune.knock.message import Message
from pretune.knock.send import send
from pretune.knock.targets import usable


def test(names: list[str]) -> int:
    """Send a test message to each target; 0 when all took it, else 1.

    Args:
        names: targets, with or without `--to`, or a service of knockknock with its options.

    Raises:
        UserError: a target cannot be used, or there is none.
    """
    if names[:1] == ["--help"]:
        sys.stdout.write(_page("test [TARGET]...", "Send a message now, and say what came of it."))
        return 0
    if any(name.startswith("-") for name in names):
        _, plan = parse([*names, "--", "test"])
        asked = plan["targets"]
    else:
        asked = names
    hide([name for name in names if len(name) > 3 and not name.startswith("-")])
    code = 0
    for target in usable(os.environ, *asked):
        outcome = send(
            target, Message(translated("this is a test of pretune knock"), translated(f"on {socket.gethostname()}"))
        )
        why = f", {translated(outcome.why)}" if outcome.why else ""
        sys.stdout.write(f"{target.label}: {translated(outcome.state)}{why}\n")
        code |= outcome.state != "delivered"
    return int(code)


def flush(arguments: list[str]) -> int:
    """Send what the spool holds; 0 when nothing is left, else 1.

    Args:
        arguments: none but `--help`.

    Raises:
        Mistake: there are any.
    """
    if arguments == ["--help"]:
        sys.stdout.write(_page("flush", "Send now what an outage has kept back."))
        return 0
    if arguments:
        raise Mistake("flush takes no arguments")
    where = spool.folder(os.environ)
    outcomes = catch_up(where, early=True, say=lambda text: sys.stdout.write(text + "\n"))
    sent = sum(outcome.state == "delivered" for outcome in outcomes)
    refused = sum(outcome.state == "refused" for outcome in outcomes)
    for why in sorted({outcome.why for outcome in outcomes if outcome.why}):
        sys.stdout.write(f"{translated(why)}\n")
    left = len(spool.waiting(where))
    sys.stdout.write(translated(f"{sent} delivered, {refused} refused for good, {left} kept") + "\n")
    return int(left > 0)


def attach(arguments: list[str]) -> int:
    """Follow a process that runs already, and tell its end; 0 when it ended well or nobody knows how, else 1.

    Args:
        arguments: its number, and the options of a run.

    Raises:
        Mistake: there is no number.
        UserError: there is no such process, or a target cannot be used.
    """
    if arguments[:1] in ([], ["--help"]):
        sys.stdout.write(
            _page(
                "attach PID [--to TARGET]... [--stall TIME] [--heartbeat URL]",
                "Follow a process that runs already, until it ends; Ctrl-C lets go of it.",
                "Its exit code is known only where the kernel tells it (Linux 6.15, or in time).",
            )
        )
        return 0
    if not sys.platform.startswith("linux"):
        raise UserError("attach needs Linux", hint="run the command under pretune knock")
    pid, plan = _asked(arguments)
    command = _command(pid)
    plan["targets"] = [target.to_json() for target in usable(os.environ, *plan["targets"])] if plan["targets"] else []
    hide([str(target["url"]) for target in plan["targets"]])
    begun = _since(pid)
    plan |= {
        "command": command,
        "pid": pid,
        "wrapper": 0,
        "started": begun,
        "clock": time.monotonic() - max(time.time() - begun, 0),
        "start": False,
        "log": f"/proc/{pid}/fd/2",
    }
    return _follow(plan)


def _asked(arguments: list[str]) -> tuple[int, dict[str, Any]]:
    numbers = [word for word in arguments if word.isascii() and word.isdigit()]
    words = list(arguments)
    if arguments[0] in numbers:
        number = words.pop(0)
    elif arguments[-1] in numbers:
        number = words.pop()
    else:
        raise Mistake("attach needs the number of a process: pretune knock attach PID")
    rest, plan = parse([*words, "--", "attached"])
    if rest != ["attached"]:
        raise Mistake(f'attach follows one process, found "{rest[0]}", too')
    pid = int(number)
    if pid > 1 << 30 or not born(pid):
        raise UserError(f"there is no process {number} here", hint="ps shows them; in a container only its own")
    return pid, plan


def _command(pid: int) -> list[str]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        words = []
    return [os.fsdecode(word) for word in words if word] or [f"process {pid}"]


def _since(pid: int) -> float:
    """When it began, in seconds since 1970."""
    try:
        ticks = float(born(pid)) / os.sysconf("SC_CLK_TCK")
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks)
    except (ValueError, OSError, AttributeError):
        return time.time()


def _page(usage: str, *meaning: str) -> str:
    """The help page of an errand."""
    return f"{translated('Usage:')} pretune knock {usage}\n\n" + "".join(f"  {translated(one)}\n" for one in meaning)


def _follow(plan: dict[str, Any]) -> int:
    from pretune.knock.messenger import Service

    read, write = os.pipe()
    os.set_blocking(write, False)
    service = Service(plan, -1, write)
    for mistake in service.account.mistakes:
        sys.stderr.write(f"pretune knock: {translated(str(mistake))}\n")
    told = translated(f"following process {plan['pid']}, Ctrl-C lets go")
    sys.stderr.write(f"pretune knock: {told}\n")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        service.loop()
        for worker in service.workers:
            worker.join(service.linger + 35)
    except KeyboardInterrupt:
        service.account.note.over()
        sys.stderr.write(f"pretune knock: {translated('let go, the process is as it was')}\n")
        return 130
    os.close(write)
    with os.fdopen(read, "rb") as lines:
        for line in lines.read().decode(errors="replace").splitlines():
            if line.startswith(("say ", "tty ")):
                sys.stderr.write(f"pretune knock: {translated(line[4:])}\n")
    return int(service.bad)
