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
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

FAREWELL = 1.6
"""Seconds that the end may wait for the first answer of the services."""
_NOT_OURS = {
    signal.SIGKILL,
    signal.SIGSTOP,
    *(getattr(signal, f"SIG{name}") for name in "SEGV BUS FPE ILL TRAP SYS".split()),
}
_GIVING_UP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


def run(command: Sequence[str], plan: dict[str, Any]) -> NoReturn:
    """Run `command` and end this process exactly as it ended: with its exit code, or by its signal.

    Args:
        command: program and arguments.
        plan: what the messenger is given, see `messenger.serve`.
    """
    watched = signal.valid_signals() - _NOT_OURS
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, the kernel would swallow the exit status
    plan = {**plan, "command": list(command), "started": time.time(), "clock": time.monotonic(), "wrapper": os.getpid()}
    plan["log_from"] = _size_of_log()
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
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    lowest = 3
    for kept in sorted((messenger.down, messenger.up)):
        os.closerange(lowest, kept)
        lowest = max(lowest, kept + 1)
    os.closerange(lowest, 1 << 20)


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


def say(text: str) -> None:
    """One line for the person, on stderr; dropped when it cannot be written at once."""
    line = f"pretune knock: {text}\n".encode(errors="backslashreplace")
    try:
        if select.select([], [2], [], 0)[1]:
            os.write(2, line[:4096])
    except (OSError, ValueError):
        pass


class Messenger:
    """The process beside us that talks to the services: a fork that begins its work when told to.

    Args:
        plan: what it is given.

    Attributes:
        pid: its process id; 0 when there is none.
        down: descriptor for lines to it.
        up: descriptor of lines from it.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan, self.pid, self.down, self.up = plan, 0, -1, -1
        self._rest = b""
        try:
            self._start()
        except OSError:  # no process or descriptor left: the run goes on without
            self.pid = 0

    def _start(self) -> None:
        ends = [_above(end) for _ in range(2) for end in os.pipe()]
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(ends[1])
                os.close(ends[2])
                os.read(ends[0], 1)  # the command starts first
                from pretune.knock.messenger import serve

                serve(self.plan, ends[0], ends[3])
            except BaseException:  # noqa: BLE001 - never a traceback into the terminal of the run
                if "PRETUNE_DEBUG" in os.environ:
                    sys.excepthook(*sys.exc_info())
            finally:
                os._exit(0)
        os.close(ends[0])
        os.close(ends[3])
        self._rest = b""
        self.down, self.up = ends[1], ends[2]
        os.set_blocking(self.down, False)

    def tell(self, line: str) -> bool:
        """Send it a line; whether that was possible."""
        try:
            return self.pid > 0 and os.write(self.down, b"\n" + line.encode() + b"\n") > 0
        except OSError:
            return False

    def has(self, number: int, *, otherwise: bool = False) -> bool:
        """Whether it, too, got signal `number`, so that the whole group did; `otherwise` when it does not answer."""
        if not self.tell(f"signal {int(number)}"):
            return otherwise
        end = time.monotonic() + 0.5
        while (left := end - time.monotonic()) > 0:
            for line in self._lines(left):
                if line.startswith("got "):
                    return line == "got 1"
            if self.up < 0:
                break
        return otherwise

    def agrees(self) -> bool:
        """Whether all targets can be used; says what is wrong."""
        self.tell("ready?")
        end = time.monotonic() + 10
        while self.up >= 0 and (left := end - time.monotonic()) > 0:
            for line in self._lines(left):
                if line.startswith("ready "):
                    return line == "ready 1"
        return False

    def report(self, line: str) -> None:
        """Tell it the end and wait a moment for the answers of the services; a signal ends the waiting."""
        if not self.tell(line):
            try:
                self._start()
            except OSError:
                return
            self.tell(line)
        end = time.monotonic() + FAREWELL
        while self.up >= 0 and (left := end - time.monotonic()) > 0:
            if "done" in self._lines(min(left, 0.1)) or signal.sigpending() & _GIVING_UP:
                break

    def _lines(self, wait: float) -> list[str]:
        """The lines that came within `wait` seconds; what is meant for the person is said."""
        if self.up < 0 or not select.select([self.up], [], [], wait)[0]:
            return []
        data = os.read(self.up, 65536)
        if not data:
            os.close(self.up)
            self.up = -1
        *lines, self._rest = (self._rest + data).split(b"\n")
        texts = [line.decode(errors="replace") for line in lines]
        for text in texts:
            if text.startswith("say "):
                say(text[4:])
            elif text.startswith("tty ") and os.isatty(2):
                say(text[4:] + "\a")
        return texts


def _above(number: int) -> int:
    """The descriptor, or a copy above 2: a closed stdin of the command has to stay closed."""
    if number > 2:
        return number
    import fcntl

    copy: int = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(number)
    return copy
