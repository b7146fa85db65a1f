"""Notes of runs that have begun, so that one whose machine lost power is told of by the next run. Sends nothing.

A note is held with a lock by the messenger of its run and touched every hour; a free lock on the same machine, or an
old note of another one, means that nobody is left who would tell the end. It does not know of a run whose home was
never seen again.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.language import say
from pretune.knock.exits import alive, born
from pretune.knock.message import Message
from pretune.knock.targets import from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.knock.targets import Target

TOUCH = 3600.0
"""Seconds between two signs of life of a note."""
_FOREIGN = 3 * TOUCH


def boot() -> str:
    """What is new with each start of the machine; empty where it cannot be known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class Note:
    """The note of one run; no file where none can be written.

    Args:
        where: the spool's folder.
        name: the same for the messenger that follows one that was killed.
    """

    def __init__(self, where: Path, name: str) -> None:
        self.path, self._lock = where / f"{name}.begun", -1

    def write(self, command: str, targets: Sequence[Target], *, started: float, pids: Sequence[int]) -> None:
        """Note that it has begun.

        Args:
            command: without secrets.
            targets: who is to be told.
            started: seconds since 1970.
            pids: the run and its supervisor: while one of them is there, it is not lost.
        """
        data = {
            "command": command,
            "targets": [target.to_json() for target in targets],
            "started": started,
            "host": socket.gethostname(),
            "boot": boot(),
            "pids": [[pid, born(pid)] for pid in pids if pid],
        }
        try:
            import fcntl

            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._lock < 0:
                self._lock = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, json.dumps(data).encode(), 0)
            os.fsync(self._lock)
        except (OSError, ImportError):
            return

    @property
    def descriptor(self) -> int:
        """What has to stay open; -1 when there is none."""
        return self._lock

    def touch(self) -> None:
        """The run is still watched."""
        try:
            os.utime(self.path)
        except OSError:
            return

    def over(self) -> None:
        """Its end is known, and kept in the spool."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)  # also that of a messenger before this one, which was killed
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def lost(where: Path) -> list[tuple[list[Target], Message]]:
    """What there is to be told of runs that nobody watches any more, and to whom; each is given once."""
    found = []
    try:
        import fcntl

        paths = sorted(where.glob("*.begun"))
    except (OSError, ImportError):
        return []
    for path in paths:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_ino != path.stat().st_ino:
                continue  # another one told it just now
            told = _told(json.loads(os.pread(handle, 1 << 20, 0)), path.stat().st_mtime)
            if told is not None:
                found.append(told)
                path.unlink(missing_ok=True)
        except BlockingIOError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            if _age(path) > _FOREIGN:
                path.unlink(missing_ok=True)
        finally:
            os.close(handle)
    return found


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _told(data: dict[str, Any], touched: float) -> tuple[list[Target], Message] | None:
    """The message of a note whose lock is free; None while its run may be there."""
    here = boot()
    again = data["host"] == socket.gethostname() and bool(here) and data["boot"] != here
    if again:
        why = "the machine was restarted meanwhile"
    elif data["boot"] == here and bool(here):
        if any(alive(int(pid), was) for pid, was in data["pids"]):
            return None
        why = "it and what watched it are gone, killed together or with their machine"
    elif time.time() - touched < _FOREIGN:
        return None
    else:
        why = "nothing was heard of its machine since " + time.strftime("%Y-%m-%d %H:%M", time.localtime(touched))
    begun = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(data["started"])))
    text = Message(
        say("lost: ") + data["command"], f"{say(why)}, " + say(f"begun {begun} on {data['host']}"), good=False
    )
    return [from_json(target) for target in data["targets"]], text
