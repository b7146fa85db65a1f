"""`test`, `flush`, `attach`, help and mistakes on the command line; `ps` shows no secret."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knock.runs import errand, home, run, until, words
from knock.webhook import Webhook


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target."""
    return home(tmp_path)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["test", "--help"], ["attach", "--help"], ["flush", "--help"]])
def test_help(environment, arguments):
    """Help is on stdout, fits a terminal and ends with 0."""
    done = errand(environment, *arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: pretune knock")
    assert max(map(len, done.stdout.decode().splitlines())) <= 88


def test_root_help_lists_it(environment):
    """`pretune --help` names the part."""
    done = subprocess.run([sys.executable, "-m", "pretune", "--help"], env=environment, capture_output=True, check=True)
    assert b"\n  knock " in done.stdout


def test_no_click(environment):
    """A run that is watched imports neither click nor anything that costs more than the supervisor."""
    line = [sys.executable, "-X", "importtime", "-m", "pretune", "knock", "true"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    mine = done.stderr[: done.stderr.index("pretune.knock.supervise")]
    heavy = {"click", "typing", "re", "json", "socket", "subprocess", "dataclasses", "pathlib", "threading", "logging"}
    assert not {line.rpartition("|")[2].strip() for line in mine.splitlines()} & heavy


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to"], "--to needs a value"),
        (["--frobnicate", "x"], "--frobnicate is no option"),
        (["--to", "x"], "no command to run"),
        (["--stall", "soon", "x"], "expected a time"),
        (["slack", "sleep", "1"], "slack needs --webhook-url"),
        (["telegram", "--token", "verysecret", "sleep", "1"], "telegram needs --chat-id"),
        (["attach", "python"], "attach needs the number"),
        (["attach", "4194303999"], "there is no process"),
        (["attach", "1", "2"], "attach follows one process"),
        (["flush", "now"], "flush takes no arguments"),
        (["test"], "no target"),
        (["test", "nosuchname"], "neither a URL nor a name"),
    ],
)
def test_mistakes(environment, arguments, said):
    """A mistake is one line, perhaps with a hint, exit code 2, nothing on stdout, no secret."""
    done = errand(environment, *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert said in done.stderr.decode()
    assert len(done.stderr.splitlines()) <= 2
    assert b"verysecret" not in done.stderr


def test_test(environment, tmp_path):
    """`test` tells of each target what came of it; a name from knock.toml, a URL, a service."""
    with Webhook() as good, Webhook("404") as bad:
        (tmp_path / "config/pretune").mkdir(parents=True)
        (tmp_path / "config/pretune/knock.toml").write_text(
            f'[targets]\nteam = {{ url = "{good.url}", mentions = ["U1"] }}\n'
        )
        done = errand(environment, "test", "team")
        assert (done.returncode, done.stdout) == (0, b"team: delivered\n")
        assert "<@U1>" in good.texts()[0]
        done = errand(environment, "test", "--to", bad.url)
        assert (done.returncode, done.stdout) == (1, b"127.0.0.1: refused, answered 404\n")
        done = errand(environment, "test", "slack", "--webhook-url", good.url, "--channel", "c")
        assert done.returncode == 0
        assert good.bodies[-1]["channel"] == "c"


def test_flush_with_nothing(environment):
    """An empty spool is flushed at once."""
    assert errand(environment, "flush").stdout == b"0 delivered, 0 refused for good, 0 kept\n"


@pytest.mark.parametrize(
    ("end", "said"), [("exit 0", "finished"), ("exit 7", "exit code 7"), ("kill -9 $$", "SIGKILL")]
)
def test_attach(environment, tmp_path, end, said):
    """A process that is not our child is followed to its end; how it ended is told where the kernel tells it."""
    log = tmp_path / "log"
    line = f"echo the last line >&2; sleep 1.5; {end}"
    with Webhook() as hook, log.open("wb") as out:
        run_ = subprocess.Popen(["sh", "-c", line], stderr=out)
        time.sleep(0.1)
        follower = subprocess.Popen(
            [sys.executable, "-m", "pretune", "knock", "attach", str(run_.pid), "--to", hook.url, "--linger", "1"],
            env=environment, stderr=subprocess.PIPE,
        )  # fmt: skip
        time.sleep(1.9)
        run_.wait()
        text = hook.wait("sh -c")
        assert said in text or "exit code is not known" in text
        assert ("```\nthe last line" in text) == text.startswith("failed")
        assert b"following process" in follower.communicate(timeout=20)[1]
        assert follower.returncode == int(not text.startswith("finished"))


def test_attach_lets_go(environment):
    """Ctrl-C ends the following, not the process."""
    with subprocess.Popen(["sleep", "30"]) as run_:
        follower = subprocess.Popen(
            [sys.executable, "-m", "pretune", "knock", "attach", str(run_.pid)], env=environment, stderr=subprocess.PIPE
        )
        assert b"following" in follower.stderr.readline()
        time.sleep(0.3)
        follower.send_signal(signal.SIGINT)
        assert b"let go" in follower.communicate(timeout=20)[1]
        assert follower.returncode == 130
        assert run_.poll() is None
        run_.kill()


def test_process_list_shows_no_secret(environment, tmp_path):
    """Neither the wrapper's nor the messenger's line in `ps` holds a URL or token that was given."""
    mark = tmp_path / "mark"
    for target in (
        ["--to", "http://127.0.0.1:9/verysecret"],
        ["telegram", "--token", "12345:verysecret", "--chat-id", "4"],
    ):
        wrapper = subprocess.Popen(words(*target, "sh", "-c", f"touch {mark}; sleep 20"), env=environment)
        until(mark.exists)
        time.sleep(0.3)
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _there(path)]
        assert not [line for line in lines if b"verysecret" in line and b"pytest" not in line]
        wrapper.send_signal(signal.SIGTERM)
        wrapper.wait(20)
        mark.unlink()


def _there(path):
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def test_targets_from_the_environment(environment):
    """PRETUNE_KNOCK names targets, several of them apart by commas or spaces; --to goes before it."""
    with Webhook() as one, Webhook() as two:
        env = {**environment, "PRETUNE_KNOCK": f"{one.url}, {two.url}"}
        run(env, "true")
        one.wait("finished")
        two.wait("finished")
        run(env, "--to", two.url, "false")
        two.wait("failed")
        time.sleep(0.2)
        assert len(one.bodies) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('default = "team', "cannot be read"),
        ('targets = "team"', "targets is no table"),
        ("[targets]\nteam = 5\n", "neither a URL nor a name"),
        ('[targets]\nteam = { channel = "x" }\n', "a target has no url"),
        ('[targets]\nteams = "http://127.0.0.1:9/"\n', 'did you mean "teams"'),
        ('[targets]\nteam = { service = "slak" }\n', "is no service"),
        ('[targets]\nteam = { service = "slack" }\n', "slack needs webhook_url"),
        ("\xff\xfe", "cannot be read"),
    ],
)
def test_mistakes_in_the_file(environment, tmp_path, text, said):
    """A knock.toml that cannot be used is one sentence, and the run goes on."""
    (tmp_path / "config/pretune").mkdir(parents=True)
    (tmp_path / "config/pretune/knock.toml").write_bytes(text.encode("latin-1"))
    done = run(environment, "--to", "team", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert said in done.stderr.decode()


def test_default_of_the_file(environment, tmp_path):
    """The file's `default` counts where nothing else is named."""
    with Webhook() as hook:
        (tmp_path / "config/pretune").mkdir(parents=True)
        (tmp_path / "config/pretune/knock.toml").write_text(f'default = "me"\n[targets]\nme = "{hook.url}"\n')
        run(environment, "true")
        hook.wait("finished")


def test_no_target(environment, tmp_path):
    """Without any target nothing is printed but into a terminal, and a desktop that is there is told."""
    done = run(environment, "true")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    shown = tmp_path / "shown"
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\necho "$@" >> {shown}\n')
    program.chmod(0o755)
    desktop = {**environment, "DISPLAY": ":7", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run(desktop, "sh", "-c", "exit 3")
    until(lambda: shown.exists() and "exit code 3" in shown.read_text())
    done = run(desktop, "desktop", "--title", "mine", "true")
    until(lambda: "mine: finished: true" in shown.read_text())
    assert b"there is no desktop here" in run(environment, "--to", "desktop", "true").stderr
