"""Runs a command as if nobody were there, and tells the messenger how it ended. Linux; knows nothing of messages.

The command inherits every descriptor, so the supervisor is not in the path of its data. All signals are blocked and
taken one by one: a signal that the whole process group got has reached the command already (the messenger, of the same
group, is asked whether it got it, too), any other is handed on once. Only the standard library's smallest modules are
imported: what this process costs, every run pays.

It does not know whether SIGPIPE was ignored when it was started: Python hides that; the command gets the default.
"""

from __future__ import annotations

import errno
import os
import signal
import time

from pretune.knock.beside import Messenger, say
from pretune.knock.memory import oom_kills

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_NOT_OURS = {
    signal.SIGKILL,
    signal.SIGSTOP,
    *(getattr(signal, f"SIG{name}") for name in "SEGV BUS FPE ILL TRAP SYS".split()),
}


def run(command: Sequence[str], plan: dict[str, Any]) -> NoReturn:
    """Run `command` and end this process exactly as it ended: with its exit code, or by its signal.

    Args:
        command: program and arguments.
        plan: what the messenger is given, see `serve.serve`.
    """
    watched = signal.valid_signals() - _NOT_OURS
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, the kernel would swallow the exit status
    plan = {**plan, "command": list(command), "started": time.time(), "clock": time.monotonic(), "wrapper": os.getpid()}
    plan["log_from"], plan["oom_kills"] = _size_of_log(), oom_kills()
    plan["terminal"] = 2 if os.isatty(2) else 1 if os.isatty(1) else -1
    messenger = Messenger(plan)
    if plan.get("strict") and not messenger.agrees():
        os._exit(2)
    early = signal.sigpending()
    try:
        child = _spawn(command, before)
    except OSError as error:
        _fail(command[0], error, messenger)
    messenger.tell(f"run {child}")
    _let_go(messenger)
    for number in early & watched - {signal.SIGCHLD}:  # before the command was there: nobody else can have told it
        signal.sigtimedwait([number], 0)
        messenger.has(number)
        os.kill(child, number)
    status, usage = _watch(child, watched, messenger)
    messenger.report(f"end {status} {usage.ru_maxrss} {usage.ru_utime + usage.ru_stime:.2f}")
    _leave(status)


def _size_of_log() -> int:
    """Bytes that a file behind stderr holds already: what an earlier run wrote is not this one's."""
    try:
        return os.fstat(2).st_size
    except OSError:
        return 0


def _spawn(command: Sequence[str], mask: set[Any]) -> int:
    """Start the command with the signal mask, dispositions and environment that we were started with."""
    environment: dict[bytes, bytes] = dict(os.environb)
    if environment.get(b"LC_CTYPE") == b"C.UTF-8" and b"LC_CTYPE=" not in _first_environment():
        del environment[b"LC_CTYPE"]  # Python itself set it (PEP 538)
    how: dict[str, Any] = {"setsigmask": mask, "setsigdef": [signal.SIGPIPE, signal.SIGXFSZ]}
    try:
        return os.posix_spawnp(command[0], list(command), environment, **how)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    where = command[0] if "/" in command[0] else _which(command[0])  # a script without #!, as execvp does it
    return os.posix_spawn("/bin/sh", ["/bin/sh", where, *command[1:]], environment, **how)


def _first_environment() -> bytes:
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib costs its import
            return b"\0" + file.read()
    except OSError:
        return b""


def _which(name: str) -> str:
    for folder in os.get_exec_path():
        path = os.path.join(folder, name)  # noqa: PTH118 - as above
        if os.access(path, os.X_OK):
            return path
    return name


def _fail(name: str, error: OSError, messenger: Messenger) -> NoReturn:
    code = 127 if error.errno == errno.ENOENT else 126
    reason = "command not found" if code == 127 else (error.strerror or "cannot be run").lower()
    say(f"{name}: {reason}")
    messenger.report(f"fail {code}")
    os._exit(code)


def _let_go(messenger: Messenger) -> None:
    """Close what the command got: a pipe must end when the command, not when its supervisor, lets go of it."""
    lowest = 3
    for kept in sorted((messenger.down, messenger.up)):
        os.closerange(lowest, kept)
        lowest = max(lowest, kept + 1)
    os.closerange(lowest, 1 << 20)
    try:
        null = os.open(os.devnull, os.O_RDWR)
    except OSError:
        return
    for number in (0, 1):
        if number not in (messenger.plan["terminal"], null):
            os.dup2(null, number)


def _watch(child: int, watched: set[Any], messenger: Messenger) -> tuple[int, Any]:
    """Hand signals on until the command has ended; its wait status and what it used."""
    mine = {os.getpid(), messenger.pid}
    while True:
        got = signal.sigwaitinfo(watched)
        if got.si_signo != signal.SIGCHLD:
            if (got.si_pid in mine and got.si_code <= 0) or messenger.has(got.si_signo, otherwise=got.si_code > 0):
                continue
            os.kill(child, got.si_signo)
            continue
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                break
            if pid == child and os.WIFSTOPPED(status):
                messenger.tell("stopped")
                os.kill(os.getpid(), signal.SIGSTOP)  # the shell sees the job stopped, as it would without us
            elif pid == child:
                return status, usage
            elif pid == messenger.pid:
                messenger.pid = 0
            elif pid == 0:
                break


def _leave(status: int) -> NoReturn:
    """End as the command ended."""
    if os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # one core is enough
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
        os.kill(os.getpid(), number)
        os._exit(128 + number)  # the first process of a container does not die of signals
    os._exit(os.waitstatus_to_exitcode(status))
