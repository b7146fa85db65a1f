"""What is said about a run: how it ended in words, where, how long, the last lines of its log. Does not send.

The last lines can be read only when stderr goes into a file (nohup, Slurm, `2> log`): a terminal's or pipe's content
passes nobody but its reader.
"""

from __future__ import annotations

import os
import shlex
import signal
from dataclasses import dataclass

from pretune.core.language import say
from pretune.knock.redact import keep_tail, redact, redact_command

LONGEST_COMMAND = 400
_MEANT = {
    "SIGSEGV": "segmentation fault: a bug in native code",
    "SIGABRT": "aborted: native code gave up",
    "SIGBUS": "bus error: often a full /dev/shm",
    "SIGILL": "illegal instruction: built for another CPU",
    "SIGINT": "interrupted",
    "SIGTERM": "asked to stop",
    "SIGHUP": "the terminal went away",
    "SIGXCPU": "its CPU time limit",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, already without secrets.

    Attributes:
        title: one line.
        body: host, duration and the like, one line or two.
        tail: the last lines of the log; may be empty.
        good: whether it is good news.
        picture: a small PNG in base64, for services that take attachments; may be empty.
        edits: the name of a message that this one replaces, where the service can; empty: it stands alone.
    """

    title: str
    body: str
    tail: str = ""
    good: bool = True
    edits: str = ""
    picture: str = ""


def cause(status: int, oom_kills: int = 0) -> str:
    """How a process ended, in words.

    Args:
        status: as `os.wait` gives it.
        oom_kills: how many processes of its control group the kernel has killed for memory meanwhile.
    """
    number, code = status & 0x7F, status >> 8  # what os.WTERMSIG and os.WEXITSTATUS do, also where there are none
    if number:
        name = _signal(number)
        meant = _memory(oom_kills) if name == "SIGKILL" else _MEANT.get(name)
        return f"killed by {name}" + (f": {meant}" if meant else "")
    if code == 0:
        return "exit code 0"
    words = {126: " (cannot be executed)", 127: " (command not found)"}.get(code, "")
    if 128 < code < 160:
        why = f": {_memory(oom_kills)}" if code == 137 else ""
        words = f" (a process under it was killed by {_signal(code - 128)}{why})"
    elif oom_kills:
        words = f" ({_memory(oom_kills)})"
    return f"exit code {code}{words}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _memory(kills: int) -> str:
    return "out of memory, the kernel counted an oom_kill" if kills > 0 else "perhaps out of memory"


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 13 min`, `4 d 2 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for large, small, size, part in (("d", "h", 86400, 3600), ("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size} {large} {whole % size // part} {small}"
    return f"{whole} s"


def named(command: list[str], secrets: tuple[str, ...]) -> str:
    """The command as one would type it, without secrets, on one line, cut when it is long."""
    text = " ".join(shlex.join(redact_command(command, secrets)).split()).replace(f"'{'[secret]'}'", "[secret]")
    return text if len(text) <= LONGEST_COMMAND else text[: LONGEST_COMMAND - 1] + "…"


def started(command: str, host: str) -> Message:
    """The run has begun."""
    return Message(say("started: ") + command, say(f"on {host}"))


def ended(command: str, host: str, *, seconds: float, why: str, good: bool, more: str = "", tail: str = "") -> Message:
    """The run has ended.

    Args:
        command: as `named` gives it.
        host: where it ran.
        seconds: how long.
        why: as `cause` gives it.
        good: whether it ended well.
        more: anything else, such as its memory.
        tail: the last lines of its log; left out of good news.
    """
    parts = [why, f"after {duration(seconds)}", f"on {host}", more]
    body = ", ".join(say(part) for part in parts if part)
    return Message(say("finished: " if good else "failed: ") + command, body, "" if good else tail, good)


class Log:
    """The file that stderr goes into, if it is one.

    Args:
        descriptor: of stderr, while it is still the run's; or its path in /proc.
        start: bytes that it held before the run.
    """

    def __init__(self, descriptor: int | str = 2, *, start: int = 0) -> None:
        self._file, self._start = -1, start
        try:
            import stat

            if stat.S_ISREG(os.stat(descriptor).st_mode):  # noqa: PTH116 - a descriptor, or a path
                path = descriptor if isinstance(descriptor, str) else f"/proc/self/fd/{descriptor}"
                self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            pass  # closed, or only to be written

    @property
    def descriptor(self) -> int:
        """What has to stay open; -1 when there is none."""
        return self._file

    def tail(self, secrets: tuple[str, ...], *, lines: int = 20, most: int = 3000) -> str:
        """The last lines that were written since we began, without secrets."""
        if self._file < 0:
            return ""
        try:
            size = os.fstat(self._file).st_size
            first = max(self._start if size >= self._start else 0, size - 65536)
            text = os.pread(self._file, 65536, first).decode(errors="replace")
        except OSError:
            return ""
        shown = [line.rpartition("\r")[2] or line for line in text.replace("\r\n", "\n").rstrip().split("\n")]
        return keep_tail(redact("\n".join(shown[-lines:])[-5 * most :], secrets), most)
