"""`pretune knock COMMAND` with real processes, real signals and a faulty webhook on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knock.runs import errand, home, run, spool_of, until, words
from knock.webhook import Webhook

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
    return home(tmp_path)


@pytest.mark.parametrize("code", [0, 1, 3, 137, 255])
def test_exit_code(environment, code):
    """The exit code is the command's, with and without `--`."""
    assert run(environment, "sh", "-c", f"exit {code}").returncode == code
    assert run(environment, "--", "sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "ABRT", "HUP", "INT"])
def test_death_by_the_same_signal(environment, name):
    """A command that dies of a signal takes the wrapper with it by the same signal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it for the tests and all that they start
    try:
        done = run(environment, "sh", "-c", f"kill -{name} $$")
    finally:
        signal.signal(signal.SIGHUP, before)
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
        hook.wait("failed")
        kept = spool_of(tmp_path)
        assert len(kept) == 1
        assert kept[0].stat().st_mode & 0o77 == 0
        hook.faults[:] = ["ok"]

        def flushed():
            return b"1 delivered" in errand(environment, "flush").stdout

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
        assert "exit code" in hook.wait("finished") or "exit code is not known" in hook.texts()[-1]
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


@pytest.mark.parametrize("how", [["nohup"], ["sh", "-c", 'trap "" TERM; exec "$@"', "sh"]])
def test_under_nohup(environment, tmp_path, how):
    """What was ignored before stays ignored, by command and wrapper; the end is told."""
    mark = tmp_path / "mark"
    with Webhook() as hook:
        line = [*how, *words("--no-start", "--to", hook.url, "sh", "-c", f"touch {mark}; sleep 1.5; exit 4")]
        wrapper = subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, process_group=0)  # fmt: skip
        until(mark.exists)
        os.killpg(wrapper.pid, signal.SIGHUP if how == ["nohup"] else signal.SIGTERM)
        assert wrapper.wait(20) == 4
        hook.wait("exit code 4")


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("import os; os._exit(9)", "exit code 9"),
        ("import sys; sys.exit('no')", "exit code 1"),
        ("raise KeyboardInterrupt", "SIGINT"),
        ("import os; os.kill(os.getpid(), 9)", "perhaps out of memory"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os.kill(os.getpid(), 11)", "segmentation fault"),
        ("import os; os.kill(os.getpid(), 40)", "killed by signal 40"),
        ("pass", "finished"),
    ],
)
def test_every_way_to_end_is_told(environment, code, part):
    """Exit codes, exceptions and signals each have their words."""
    with Webhook() as hook:
        run(environment, "--no-start", "--to", hook.url, sys.executable, "-c", code)
        hook.wait(part)
        time.sleep(0.2)
        assert len(hook.bodies) == 1


def test_messages_are_useful(environment, tmp_path):
    """Command, host, duration, cause and the last lines of stderr are in the message of a failure; start is told apart."""
    with Webhook() as hook, (tmp_path / "log").open("wb") as log:
        log.write(b"an earlier run\n")
        log.flush()
        line = "i=0; while [ $i -lt 50 ]; do echo line $i >&2; i=$((i+1)); done; printf '10%%\\r99%%\\n' >&2; sleep 1.9; exit 3"
        subprocess.run(words("--to", hook.url, "sh", "-c", line), env=environment, stderr=log, timeout=40, check=False)
        text = hook.wait("failed")
        for part in ("sh -c", "exit code 3", "after ", f"on {socket.gethostname()}", "line 49", "99%"):
            assert part in text
        assert "an earlier run" not in text
        assert "10%" not in text.partition("```")[2]
        assert any(text.startswith("started: sh -c") for text in hook.texts())


def test_secrets_of_every_kind(environment, tmp_path):
    """Values of named variables, arguments, URLs with passwords, tokens by their prefix: none leaves, none is printed."""
    env = {**environment, "WANDB_API_KEY": "envsecret1", "DB_PASSWORD": "envsecret2", "PRETUNE_KNOCK": ""}
    arguments = ["--api-key", "argsecret1", "--hf-token=argsecret2", "https://me:argsecret3@host/x", "hf_argsecret4abcdef",
                 "--lr", "0.1", "envsecret1"]  # fmt: skip
    line = 'echo "$WANDB_API_KEY $DB_PASSWORD Authorization: Bearer logsecret1abc sk-logsecret2abcdef" >&2; exit 1'
    with Webhook("ok", "ok", "500") as hook, (tmp_path / "log").open("w+b") as log:
        for _ in range(2):
            subprocess.run(words("--to", hook.url, "sh", "-c", line, *arguments, linger="0.3"), env=env, stderr=log,
                           timeout=40, check=False)  # fmt: skip
        text = hook.wait("failed")
        assert "--lr 0.1" in text
        everything = "".join(hook.texts()) + "".join(path.read_text() for path in spool_of(tmp_path))
        log.seek(0)
        said = b"\n".join(line for line in log.read().splitlines() if line.startswith(b"pretune"))
        for secret in ("envsecret", "argsecret", "logsecret"):
            assert secret not in everything.replace(hook.url, "")
            assert secret not in said.decode()
        assert "verysecret" not in said.decode()


def test_stall_of_a_silent_command(environment):
    """A command that writes nothing is told of after --stall, and again when it goes on; one that writes is not."""
    with Webhook() as hook:
        run(environment, "--no-start", "--stall", "1.5", "--to", hook.url, "sh", "-c", "sleep 4; echo x; sleep 1")
        assert "no progress" in hook.texts()[0]
        hook.wait("goes on")
        hook.wait("finished")
    with Webhook() as hook:
        line = "i=0; while [ $i -lt 12 ]; do echo x; sleep 0.3; i=$((i+1)); done"
        run(environment, "--no-start", "--stall", "1.5", "--to", hook.url, "sh", "-c", line)
        hook.wait("finished")
        assert len(hook.bodies) == 1


def test_the_simple_supervisor(environment):
    """Where there is no Linux, the simple form still keeps exit codes and tells the end."""
    code = (
        "import sys; from pretune.knock.supervise_simply import run\n"
        "sys.exit(run(sys.argv[2:], {'targets': [sys.argv[1]], 'linger': 1}))"
    )
    for line, status in (("exit 3", 3), ("kill -9 $$", -9), ("exit 0", 0)):
        with Webhook() as hook:
            done = subprocess.run([sys.executable, "-c", code, hook.url, "sh", "-c", f"echo out; {line}"], env=environment,
                                  capture_output=True, timeout=40, check=False)  # fmt: skip
            assert (done.returncode, done.stdout) == (status, b"out\n")
            hook.wait("failed" if status else "finished")
    done = subprocess.run([sys.executable, "-c", code, "http://127.0.0.1:9/x", "no-such-command"], env=environment,
                          capture_output=True, timeout=40, check=False)  # fmt: skip
    assert done.returncode == 127


def test_what_cannot_run_is_told(environment):
    """A command that was not found is told with its reason."""
    with Webhook() as hook:
        assert run(environment, "--to", hook.url, "no-such-command-here").returncode == 127
        assert "exit code 127 (command not found)" in hook.wait("failed")


def test_idle(environment, tmp_path):
    """While the command runs and says nothing, neither wrapper nor messenger uses the CPU or wakes up."""
    mark = tmp_path / "mark"
    wrapper = subprocess.Popen(words("--to", "http://127.0.0.1:9/x", "--no-start", "sh", "-c", f"echo > {mark}; exec sleep 30"),
                               env=environment)  # fmt: skip
    until(mark.exists)
    time.sleep(2.5)

    def wakes():
        children = Path(f"/proc/{wrapper.pid}/task/{wrapper.pid}/children").read_text().split()
        threads = [path for pid in (str(wrapper.pid), *children) for path in Path(f"/proc/{pid}/task").glob("*/status")]
        return [line for path in threads for line in path.read_text().splitlines() if "ctxt_switches" in line]

    before = wakes()
    time.sleep(2)
    assert wakes() == before
    wrapper.send_signal(signal.SIGTERM)
    assert wrapper.wait(20) == -signal.SIGTERM
