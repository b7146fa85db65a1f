"""Nobody can tell that the wrapper is there: terminal, environment, files, job control, signals from the keyboard."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from knock.runs import home, run, until, words

LOOK = """
import json, os, resource, signal, sys
fds = sorted(int(name) for name in os.listdir("/proc/self/fd"))
print(json.dumps({
    "environment": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv, "umask": os.umask(0), "nice": os.nice(0),
    "tty": [os.isatty(number) for number in (0, 1, 2)],
    "size": list(os.get_terminal_size(0)) if os.isatty(0) else None,
    "files": [os.readlink(f"/proc/self/fd/{number}").split(":")[0] for number in fds if os.path.exists(f"/proc/self/fd/{number}")],
    "signals": [str(signal.getsignal(number)) for number in range(1, 32) if number not in (9, 19)],
    "blocked": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
    "limits": [resource.getrlimit(number) for number in range(10)],
}, sort_keys=True))
"""


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target."""
    return home(tmp_path)


def test_the_command_sees_what_it_would_see(environment, tmp_path):
    """Environment, folder, arguments, umask, open files, dispositions, mask and limits are the same as without."""
    look = [sys.executable, "-c", LOOK, "--to", "x", "--", "a b", "가"]
    with (tmp_path / "more").open("w+b") as more:
        plain, ours = (
            subprocess.run(line, env=environment, capture_output=True, timeout=40, check=True, cwd=tmp_path,
                           pass_fds=[more.fileno()])
            for line in (look, words(*look))
        )  # fmt: skip
    assert ours.stdout == plain.stdout
    assert ours.stderr == plain.stderr == b""


TERMINAL = """
import fcntl, os, struct, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[1]), int(sys.argv[2]), 0, 0))
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Takes its standard input as its terminal and becomes a command. A fork of the tests, which have threads, may hang."""


@contextmanager
def terminal(environment, *command, size=(33, 77)):
    """A command as leader of a session with a terminal of its own, killed in the end; the process and the other end."""
    master, slave = pty.openpty()
    line = [sys.executable, "-S", "-E", "-c", TERMINAL, *map(str, size), *command]
    with subprocess.Popen(
        line, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as one:
        os.close(slave)
        try:
            yield one, master
        finally:
            one.kill()


def in_terminal(environment, *command, keys=()):
    """Run in a terminal of its own; what it shows, and its exit code.

    keys: pairs of a text to wait for and what is typed then.
    """
    shown, waiting, end = b"", list(keys), time.monotonic() + 30
    with terminal(environment, *command) as (process, master):
        while select.select([master], [], [], max(0, end - time.monotonic()))[0]:
            try:
                part = os.read(master, 65536)
            except OSError:  # the last process that had the terminal is gone
                break
            shown += part
            while waiting and waiting[0][0] in shown:
                os.write(master, waiting.pop(0)[1])
        os.close(master)
        return shown, process.wait(10)


def test_terminal(environment):
    """In a terminal the command has it on all three, with its size; a change of size reaches it."""
    line = "test -t 0 && test -t 1 && test -t 2 && stty size && ps -o tpgid=,pgid= -p $$"
    plain, _ = in_terminal(environment, "sh", "-c", line)
    shown, status = in_terminal(environment, *words("sh", "-c", line))
    assert status == 0
    lines = shown.decode().split("\r\n")
    assert lines[0] == plain.decode().split("\r\n")[0] == "33 77"
    assert len(set(lines[1].split())) == 1  # the command's group is the foreground one, as without
    assert "finished" in shown.decode()  # no target: the terminal is told, with the bell
    assert "\a" in shown.decode()


def test_interrupt_from_the_keyboard(environment, tmp_path):
    """Ctrl-C reaches the command once, which finishes its work and chooses its exit code."""
    log = tmp_path / "log"
    code = (
        "import os, signal, sys, time\n"
        "def got(number, frame):\n"
        f"    open({str(log)!r}, 'a').write('x'); time.sleep(0.5); os.write(1, b'saved'); sys.exit(5)\n"
        "signal.signal(signal.SIGINT, got); print('ready', flush=True); time.sleep(20)\n"
    )
    shown, status = in_terminal(environment, *words(sys.executable, "-c", code), keys=[(b"ready", b"\x03")])
    assert status == 5
    assert b"saved" in shown
    assert log.read_text() == "x"


def test_interrupt_that_kills(environment):
    """A command that dies of Ctrl-C takes the wrapper with it by the same signal, so that a shell's loop stops, too."""
    line = "echo ready; exec sleep 20"
    _, status = in_terminal(environment, *words("sh", "-c", line), keys=[(b"ready", b"\x03")])
    assert status == -signal.SIGINT


def test_hang_up(environment, tmp_path):
    """When the terminal goes away the command gets SIGHUP once."""
    log = tmp_path / "log"
    code = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGHUP, lambda *_: (open({str(log)!r}, 'a').write('h'), time.sleep(0.5), sys.exit(0)))\n"
        f"open({str(log)!r} + '.ready', 'w').close(); time.sleep(20)\n"
    )
    with terminal(environment, *words(sys.executable, "-c", code)) as (process, master):
        until(Path(f"{log}.ready").exists)
        os.close(master)
        process.wait(20)
    until(log.exists)
    time.sleep(0.3)
    assert log.read_text() == "h"


def test_stop_and_continue(environment, tmp_path):
    """Ctrl-Z stops command and wrapper, so that the shell has its prompt; `fg` lets both go on."""
    mark = tmp_path / "mark"
    # one process: a shell that is stopped while it starts a command (vfork) is not reported as stopped at all
    line = f"import pathlib, sys, time; pathlib.Path({str(mark)!r}).touch(); time.sleep(1.5); sys.exit(6)"
    wrapper = subprocess.Popen(words(sys.executable, "-c", line), env=environment, process_group=0)
    until(mark.exists)
    os.killpg(wrapper.pid, signal.SIGTSTP)
    seen: list[int] = []
    until(lambda: seen.append(os.waitpid(wrapper.pid, os.WUNTRACED | os.WNOHANG)[1]) or seen[-1])
    assert os.WIFSTOPPED(seen[-1])
    os.killpg(wrapper.pid, signal.SIGCONT)
    assert wrapper.wait(20) == 6


def test_large_streams(environment):
    """Fifty million bytes pass from stdin to stdout untouched, because nobody stands between."""
    data = os.urandom(1 << 20) * 50
    assert run(environment, "cat", input=data).stdout == data


def test_a_reader_that_goes_away(environment):
    """A command whose reader is gone dies of SIGPIPE as it would without."""
    line = f'{" ".join(words("yes"))} | head -n 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, timeout=40, check=True)
    assert done.stdout.split() == [b"y", b"141"]


def test_a_pipe_ends_with_the_command(environment):
    """Who reads the command's output sees its end when the command ends, not when the messenger does."""
    begun = time.monotonic()
    line = f"{' '.join(words('--to', 'http://127.0.0.1:9/x', 'echo', 'a'))} | cat"
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, timeout=40, check=True)
    assert done.stdout == b"a\n"
    assert time.monotonic() - begun < 10


def test_killed_children_of_the_command_are_not_ours(environment):
    """What the command leaves running in the background lives on, as without the wrapper."""
    done = run(environment, "sh", "-c", "sleep 30 >/dev/null 2>&1 & echo $!")
    pid = int(done.stdout)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", [">&- 2>&-", "<&- >&- 2>&-", "2>&-", "2>/dev/full >/dev/full"])
def test_closed_and_full_streams(environment, how):
    """Closed or full standard streams change nothing."""
    line = f'"$@" {how}'
    command = words("--to", "http://127.0.0.1:9/x", "sh", "-c", "exit 4")
    done = subprocess.run(["sh", "-c", line, "sh", *command], env=environment, timeout=40, check=False)
    assert done.returncode == 4


@pytest.mark.parametrize("limit", [5, 6, 7, 8, 9, 10, 12, 16, 20])
def test_few_descriptors(environment, limit):
    """However few files may be open, the command runs; perhaps nobody can be told."""
    line = f'ulimit -n {limit}; exec "$@"'
    command = words("--to", "http://127.0.0.1:9/x", "sh", "-c", "exit 6")
    done = subprocess.run(
        ["sh", "-c", line, "sh", *command], env=environment, capture_output=True, timeout=40, check=False
    )
    assert done.returncode == 6
    assert b"Traceback" not in done.stderr


def test_a_folder_that_is_gone(environment, tmp_path):
    """A working folder that was removed, and a HOME that is not set, change nothing."""
    line = 'cd "$0" && rmdir "$0" && exec "$@"'
    (tmp_path / "gone").mkdir()
    bare = {
        key: value for key, value in environment.items() if key not in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    }
    done = subprocess.run(["sh", "-c", line, str(tmp_path / "gone"), *words("sh", "-c", "exit 8")], env=bare,
                          capture_output=True, timeout=40, check=False)  # fmt: skip
    assert done.returncode == 8
