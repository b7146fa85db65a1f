"""How a process that is not our child ended, as far as the kernel tells; Linux only.

Its parent alone is given the exit status. Others can read it between death and burial, or, since Linux 6.15, ask the
file descriptor of the process (pidfd) for it afterwards. Where neither worked it is not known.
"""

from __future__ import annotations

import os
import select
import struct
import time
from pathlib import Path

_GET_INFO = (3 << 30) | (64 << 16) | (0xFF << 8) | 11
"""PIDFD_GET_INFO of linux/pidfd.h for its first, 64 byte long version."""
_EXIT = 1 << 3
"""PIDFD_INFO_EXIT."""


class Process:
    """A process, held so that its number cannot come to mean another one.

    Args:
        pid: its number.
        handle: a descriptor of it (pidfd), where there is one already.

    Raises:
        ProcessLookupError: there is none.
    """

    def __init__(self, pid: int, handle: int = -1) -> None:
        self.pid, self.born, self.handle = pid, born(pid), handle
        if handle >= 0:
            return
        try:
            self.handle = os.pidfd_open(pid)
        except ProcessLookupError:
            raise
        except (OSError, AttributeError):  # an old kernel, a strict sandbox, macOS
            self.handle = -1
            os.kill(pid, 0)

    def over(self, wait: float = 0.0) -> bool:
        """Whether it ended; waits at most `wait` seconds for that."""
        if self.handle >= 0:
            return bool(select.select([self.handle], [], [], wait)[0])
        end = time.monotonic() + wait
        while not (gone := self._gone()) and time.monotonic() < end:
            time.sleep(min(1.0, wait))
        return gone

    def _gone(self) -> bool:
        if self.born:
            return born(self.pid) != self.born
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    def status(self) -> int | None:
        """Its status as `os.wait` gives it; None when that cannot be known. Asked when it is over."""
        for _ in range(20):  # between death and burial neither may answer for a moment
            try:
                fields = Path(f"/proc/{self.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] in "ZX" and fields[19] == self.born:
                    return int(fields[49])
            except (OSError, IndexError, ValueError):
                pass
            status = self._asked()
            if status is not None:
                return status
            time.sleep(0.01)
        return None

    def _asked(self) -> int | None:
        if self.handle < 0:
            return None
        try:
            import fcntl

            asked = struct.pack("=Q56x", _EXIT)
            mask, status = struct.unpack("=Q52xi", fcntl.ioctl(self.handle, _GET_INFO, asked))
        except (OSError, ImportError, struct.error):
            return None
        return status if mask & _EXIT else None


def born(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty when there is none, or no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def alive(pid: int, when: str) -> bool:
    """Whether the process that began `when` is there; one that is dead and not yet buried is not."""
    return bool(when) and born(pid) == when and state(pid) not in ("Z", "X")


def state(pid: int) -> str:
    """`R`, `S`, `D`, `T`, `Z` …; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def written(pid: int) -> int:
    """Bytes that a process and those under it have written by now; any change is a sign of life."""
    total, todo = 0, [pid]
    while todo and len(todo) < 5000:
        each = todo.pop()
        try:
            lines = Path(f"/proc/{each}/io").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("wchar"))
        except (OSError, ValueError, IndexError):
            pass
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                todo += map(int, task.read_text().split())
            except (OSError, ValueError):
                continue
    return total
