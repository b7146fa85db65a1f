"""`pretune knock COMMAND` with real processes, real signals and a faulty webhook on loopback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knock.webhook import Webhook

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
CAREFUL = """
import os, signal, sys, time
name = sys.argv[1]
def got(number, frame):
    with open(name, "a") as out: out.write(f"{number} ")
    time.sleep(0.3)
    if number != signal.SIGUSR1: sys.exit(9)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1): signal.signal(number, got)
open(name + ".ready", "w").close()
end = time.monotonic() + 20
while time.monotonic() < end: time.sleep(0.05)
"""


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target."""
    clean = {key: value for key, value in os.environ.items() if key != "PRETUNE_KNOCK"}
    return {**clean, "PYTHONPATH": SOURCE, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config")}  # fmt: skip


def words(*more):
    """The command line of the wrapper."""
    return [sys.executable, "-m", "pretune.knock", "--linger", "3", *more]


def run(environment, *more, **how):
    """Run to the end, bounded."""
    return subprocess.run(words(*more), env=environment, capture_output=True, timeout=30, check=False, **how)


def until(check, seconds=15):
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize("code", [0, 1, 3, 137, 255])
def test_exit_code(environment, code):
    """The exit code is the command's, with and without `--`."""
    assert run(environment, "sh", "-c", f"exit {code}").returncode == code
    assert run(environment, "--", "sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "ABRT", "HUP", "INT"])
def test_death_by_the_same_signal(environment, name):
    """A command that dies of a signal takes the wrapper with it by the same signal."""
    done = run(environment, "sh", "-c", f"kill -{name} $$")
    assert done.returncode == -getattr(signal, f"SIG{name}")
    assert done.stderr == b""


def test_commands_that_cannot_run(environment, tmp_path):
    """Not found is 127, not executable 126, a script without #! runs."""
    assert run(environment, "no-such-command-here").returncode == 127
    plain = tmp_path / "plain"
    plain.write_text("exit 4\n")
    assert run(environment, str(plain)).returncode == 126
    plain.chmod(0o755)
    assert run(environment, str(plain)).returncode == 4


def test_bytes_and_files(environment, tmp_path):
    """Input, output, further descriptors, environment and a closed stdin reach the command as they are."""
    data = bytes(range(256)) * 4000
    assert run(environment, "cat", input=data).stdout == data
    assert run(environment, "env").stdout.split().count(b"LC_CTYPE=C.UTF-8") == int("LC_CTYPE" in environment)
    with (tmp_path / "third").open("w+b") as third:
        number = third.fileno()
        run(environment, sys.executable, "-c", f"import os; os.write({number}, b'x')", pass_fds=[number])
        assert (tmp_path / "third").read_bytes() == b"x"
    line = 'exec "$@" <&-'
    closed = subprocess.run(["sh", "-c", line, "sh", *words("ls", "/proc/self/fd")], env=environment, capture_output=True,
                            timeout=30, check=False)  # fmt: skip
    plain = subprocess.run(
        ["sh", "-c", line, "sh", "ls", "/proc/self/fd"], capture_output=True, timeout=30, check=False
    )
    assert closed.stdout == plain.stdout


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1"])
@pytest.mark.parametrize("whole", [False, True])
def test_each_signal_once(environment, tmp_path, name, whole):
    """Sent to the wrapper or to its group, a signal reaches the command once, and it may finish its work."""
    number = getattr(signal, f"SIG{name}")
    log = tmp_path / "log"
    wrapper = subprocess.Popen(words(sys.executable, "-c", CAREFUL, str(log)), env=environment, start_new_session=True)
    try:
        until(Path(f"{log}.ready").exists)
        (os.killpg if whole else os.kill)(wrapper.pid, number)
        until(log.exists)
        if name == "USR1":
            time.sleep(0.6)
            wrapper.send_signal(signal.SIGTERM)
        assert wrapper.wait(15) == 9
        assert log.read_text().split().count(str(int(number))) == 1
    finally:
        wrapper.kill()


def test_ignored_stays_ignored(environment):
    """A signal that was ignored before, as nohup does it, is ignored by the command."""
    line = 'trap "" HUP; exec "$@"'
    probe = [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGHUP))"]
    done = subprocess.run(["sh", "-c", line, "sh", *words(*probe)], env=environment, capture_output=True, timeout=30,
                          check=False)  # fmt: skip
    assert done.stdout.strip() == b"1"  # SIG_IGN


@pytest.mark.parametrize("fault", ["ok", "slow", "trickle", "reset", "redirect", "garbage", "404", "500", "503 60"])
def test_the_run_is_sacred(environment, fault):
    """Whatever the service does, the result is the command's and the end waits two seconds at most."""
    with Webhook(fault) as hook:
        begun = time.monotonic()
        done = run(environment, "--no-start", "--to", hook.url, "sh", "-c", "echo out; exit 3")
        assert (done.returncode, done.stdout) == (3, b"out\n")
        assert time.monotonic() - begun < 4.5
        assert b"verysecret" not in done.stderr
        assert "exit code 3" in hook.wait("failed")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/services/a", "https://127.0.0.1:9/x", "::bad", "nosuchname"])
def test_targets_that_cannot_be_reached(environment, url):
    """A closed port or a bad name never stops the run."""
    assert run(environment, "--to", url, "true").returncode == 0


def test_outage_is_survived_by_the_spool(environment, tmp_path):
    """What an outage kept back, in private files, is delivered once by `flush`, marked late."""
    with Webhook("503 600") as hook:
        run(environment, "--no-start", "--to", hook.url, "sh", "-c", "exit 5")
        kept = list((tmp_path / "state/pretune/knock").glob("*.json"))
        assert len(kept) == 1
        assert kept[0].stat().st_mode & 0o77 == 0
        hook.faults[:] = ["ok"]

        def flushed():
            done = subprocess.run([sys.executable, "-m", "pretune.knock", "flush"], env=environment, capture_output=True,
                                  timeout=30, check=False)  # fmt: skip
            return b"1 delivered" in done.stdout

        until(flushed)
        assert "late" in hook.wait("late")
        assert len(hook.bodies) == 2
        assert not kept[0].exists()


def test_wrapper_killed(environment, tmp_path):
    """When the wrapper is SIGKILLed, the training lives on, and the user is told both."""
    with Webhook() as hook:
        mark = tmp_path / "mark"
        line = f"echo $$ > {mark}.pid; sleep 3; touch {mark}"
        wrapper = subprocess.Popen(words("--no-start", "--to", hook.url, "sh", "-c", line), env=environment)
        until(Path(f"{mark}.pid").exists)
        time.sleep(0.3)
        wrapper.kill()
        wrapper.wait()
        hook.wait("the run goes on")
        hook.wait("exit code is not known")
        assert mark.exists()


def test_secrets_and_mentions(environment, tmp_path):
    """No secret leaves and nobody is pinged; the tail of the log is told and kept within bounds."""
    with Webhook() as hook, (tmp_path / "log").open("wb") as log:
        line = 'i=0; while [ $i -lt 300 ]; do echo "line $i 가나다 <!channel> @everyone $MY_API_KEY" >&2; i=$((i+1)); done; exit 1'
        subprocess.run(words("--no-start", "--to", hook.url, "sh", "-c", line, "--hf-token", "abcdefgh"),
                       env={**environment, "MY_API_KEY": "opensesame"}, stderr=log, timeout=30, check=False)  # fmt: skip
        text = hook.wait("line 299")
        assert "opensesame" not in text
        assert "abcdefgh" not in text
        assert "<!channel>" not in text
        assert "@everyone" not in text
        assert len(text) < 4100


def test_knockknocks_grammar(environment):
    """`pretune knock slack --webhook-url U --channel C COMMAND` works, and mentions ping."""
    with Webhook() as hook:
        line = [sys.executable, "-m", "pretune.knock", "slack", "--webhook-url", hook.url, "--channel", "c"]
        subprocess.run(
            [*line, "--user-mentions", "U1", "--linger", "1", "true"], env=environment, timeout=30, check=True
        )
        assert "<@U1>" in hook.wait("finished")
        assert hook.bodies[0]["channel"] == "c"
