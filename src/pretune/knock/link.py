"""A Python process's way to a messenger: one of its own, or that of the `pretune knock` it runs under. Sends nothing.

Nothing here raises or waits, but for `finish` and its bound. The messenger is a new process of its own, never a fork:
a program with threads or a GPU must not be forked.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.knock.protocol import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

FAREWELL = 1.6
"""Seconds that the end may wait for the first answer of the services."""
_ENTRY = "from pretune.knock.serve import main; main()"


def ancestors(pid: int | None = None) -> Iterator[int]:
    """The process ids above a process, nearest first; Linux only, else none."""
    pid = os.getpid() if pid is None else pid
    for _ in range(32):
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            return
        if pid <= 1:
            return
        yield pid


def _spawned(words: list[str], environment: dict[str, str]) -> int:
    """Started in a session of its own, so that what ends the program's whole group does not end who tells of it."""
    try:
        return os.posix_spawn("/bin/sh", words, environment, setsid=True)
    except NotImplementedError:  # a C library without it: the messenger does it itself, a moment later
        return os.posix_spawn("/bin/sh", words, environment)


def address(wrapper: int) -> str:
    """The name of the socket of the messenger beside the supervisor `wrapper` (abstract, Linux)."""
    return f"\0pretune-knock-{os.getuid()}-{wrapper}"


class Link:
    """A line to a messenger.

    Args:
        plan: the fields of `begin` (`protocol`); `pid` is filled in.
        join: whether the messenger of a `pretune knock` above may be used.

    Attributes:
        joined: whether it is that of a `pretune knock` above, which tells the end itself.
    """

    def __init__(self, plan: dict[str, Any], *, join: bool = True) -> None:
        self.joined = False
        self._down = self._up = -1
        self._socket: socket.socket | None = None
        self._rest, self._owner = b"", os.getpid()
        try:
            if not (join and self._join()):
                self._spawn()
        except (OSError, ValueError, AttributeError):  # no process or descriptor left, Windows: the run goes on without
            self.close()
        self.send({"kind": "begin", **plan, "pid": os.getpid()})

    @property
    def open(self) -> bool:
        """Whether there is a messenger to talk to, for this process (not for a fork of it)."""
        return (self._down >= 0 or self._socket is not None) and self._owner == os.getpid()

    def _join(self) -> bool:
        if not sys.platform.startswith("linux"):
            return False
        import struct

        for pid in ancestors():
            line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                line.connect(address(pid))
                peer = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            except OSError:
                line.close()
                continue
            if peer[1] != os.getuid():
                line.close()
                continue
            line.setblocking(False)
            self._socket, self.joined = line, True
            return True
        return False

    def _spawn(self) -> None:
        handle = -1
        inner, self._down = os.pipe()
        self._up, outer = os.pipe()
        try:
            os.set_inheritable(inner, True)
            os.set_inheritable(outer, True)
            with contextlib.suppress(OSError, AttributeError):  # an old kernel, macOS
                handle = os.pidfd_open(os.getpid())
                os.set_inheritable(handle, True)
            # by way of a shell that ends at once: the program must not get a child that it does not know of
            python = [sys.executable, "-P", "-c", _ENTRY, str(inner), str(outer), str(handle)]
            words = ["sh", "-c", '"$@" &', "sh", *python]
            paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
            shell = _spawned(words, environment)
            with contextlib.suppress(ChildProcessError):  # somebody waits for every child there is
                os.waitpid(shell, 0)
        finally:
            for number in (inner, outer, handle):
                if number >= 0:
                    os.close(number)
        os.set_blocking(self._down, False)

    def send(self, record: dict[str, Any]) -> bool:
        """Pass a record on; whether that was possible. Never waits: when the messenger lags behind, it is dropped."""
        if not self.open:
            return False
        line = encode(record)
        try:
            if self._socket is not None:
                return self._socket.send(line) > 0
            return os.write(self._down, line) > 0
        except OSError:
            return False

    def finish(self, record: dict[str, Any], *, wait: float = FAREWELL) -> list[str]:
        """Tell the end and wait at most `wait` seconds for the services' first answers; what there is to be said."""
        said: list[str] = []
        if self.send(record) and not self.joined:
            end = time.monotonic() + wait
            while self._up >= 0 and (left := end - time.monotonic()) > 0:
                lines = self.answers(left)
                said += [line.partition(" ")[2] for line in lines if line.startswith(("say ", "tty "))]
                if "done" in lines:
                    break
        self.close()
        return said

    def answers(self, wait: float = 0.0) -> list[str]:
        """The lines that came within `wait` seconds."""
        try:
            if self._up < 0 or self._owner != os.getpid() or not select.select([self._up], [], [], wait)[0]:
                return []
            data = os.read(self._up, 65536)
        except (OSError, ValueError):
            data = b""
        if not data:
            os.close(self._up)
            self._up = -1
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """Let go of the messenger; it goes on delivering."""
        for number in (self._down, self._up):
            if number >= 0:
                with contextlib.suppress(OSError):
                    os.close(number)
        if self._socket is not None:
            self._socket.close()
        self._down, self._up, self._socket = -1, -1, None
