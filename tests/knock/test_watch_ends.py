"""How a decorated function can end, in processes of its own: signals, crashes, forks, ranks, dead services."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knock.webhook import Webhook

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
PROGRAM = """
import multiprocessing, os, signal, sys, threading, time
from pretune import knock

@knock.when_done(to={url!r}, start=False{more})
def train():
    {body}

if __name__ == "__main__":
    train()
"""


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target and no rank."""
    names = ("PRETUNE_KNOCK", "RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURM_PROCID")
    clean = {key: value for key, value in os.environ.items() if key not in names}
    return {**clean, "PYTHONPATH": SOURCE, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config")}  # fmt: skip


def run(environment, body, url, *, more="", **how):
    """Run a program whose decorated function has this body."""
    text = PROGRAM.format(url=url, body=body.replace("\n", "\n    "), more=more)
    return subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, timeout=60, check=False,
                          start_new_session=True, **how)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        ("return 1", 0, "finished: train()"),
        ("sys.exit()", 0, "finished: train()\nsys.exit()"),
        ("sys.exit(4)", 4, "sys.exit(4)"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "interrupted"),
        ("os._exit(3)", 3, "exit code 3"),
        ("os._exit(0)", 0, "before it was done"),
        ("os.kill(os.getpid(), 9)", -9, "SIGKILL: perhaps out of memory"),
        ("os.killpg(0, 9)", -9, "SIGKILL"),
        ("os.kill(os.getpid(), 11)", -11, "SIGSEGV"),
        ("os.abort()", -6, "SIGABRT"),
        ("os.kill(os.getpid(), 15)", -15, "SIGTERM"),
        ("raise ValueError('broken')", 1, "ValueError: broken"),
    ],
)
def test_every_way_to_end(environment, body, code, part):
    """The exit status is the program's own, and one message tells the end in words."""
    with Webhook() as hook:
        assert run(environment, body, hook.url).returncode == code
        assert part in hook.wait(part)
        assert len(hook.bodies) == 1


def test_forked_workers_are_silent(environment):
    """Workers that are forked inside, end as they like and hold the pipe open, are not taken for the end."""
    body = """
for code in range(3):
    if os.fork() == 0:
        if code == 2:
            time.sleep(5)
            os._exit(0)
        sys.exit(code)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
os.kill(os.getpid(), 9)"""
    with Webhook() as hook:
        text = PROGRAM.format(url=hook.url, body=body.replace("\n", "\n    "), more="")
        silent = subprocess.DEVNULL  # the worker that lives on holds what it inherited
        subprocess.run(
            [sys.executable, "-c", text], env=environment, stdout=silent, stderr=silent, timeout=60, check=False
        )
        begun = time.monotonic()
        assert "SIGKILL" in hook.wait("failed", 4)
        assert time.monotonic() - begun < 4
        assert len(hook.bodies) == 1


def test_worker_processes_report_their_own(environment):
    """A decorated function that runs in workers of multiprocessing reports there, and nothing keeps them."""
    body = """
with multiprocessing.get_context("fork").Pool(1) as pool:
    print(pool.apply(inner, (5,)))"""
    program = PROGRAM.replace(
        "if __name__", "@knock.when_done(to={url!r}, start=False)\ndef inner(x): return x\n\nif __name__"
    )
    with Webhook() as hook:
        text = program.format(url=hook.url, body=body.replace("\n", "\n    "), more="")
        done = subprocess.run(
            [sys.executable, "-c", text], env=environment, capture_output=True, timeout=60, check=False
        )
        assert done.stdout == b"5\n"
        assert "returned 5" in hook.wait("finished: inner()")
        hook.wait("finished: train()")


@pytest.mark.parametrize("fault", ["ok", "slow", "trickle", "reset", "redirect", "500", "503 60"])
def test_the_run_is_sacred(environment, fault):
    """Whatever the service does, the result stays, and the end waits two seconds at most."""
    with Webhook(fault) as hook:
        body = "begun = time.monotonic(); import atexit; atexit.register(lambda: print(time.monotonic() - begun)); sys.exit(7)"
        begun = time.monotonic()
        done = run(environment, body, hook.url, more=", linger=1")
        assert done.returncode == 7
        assert time.monotonic() - begun < 6
        assert float(done.stdout) < 1.0  # in the function nothing is waited for
        assert b"verysecret" not in done.stderr
        if fault == "500":
            assert b"not delivered" in done.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/services/a", "::bad", "nosuchname"])
def test_targets_that_cannot_be_used(environment, url):
    """A sentence, no exception."""
    done = run(environment, "print('trained')", url, more=", linger=0")
    assert done.returncode == 0
    assert done.stdout == b"trained\n"
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["RANK", *(pytest.param(name, marks=pytest.mark.slow) for name in ("LOCAL_RANK", "SLURM_PROCID", "junk"))]
)
def test_crashing_ranks_make_one_message(environment, name):
    """Of four ranks that crash one tells it, and how many did; also where the numbers are garbage; a rerun is told."""
    text = "time.sleep(1.5)\nraise ValueError('together')"
    with Webhook() as hook:
        program = PROGRAM.format(url=hook.url, body=text.replace("\n", "\n    "), more="")
        for attempt in (1, 2):
            given = [{"RANK": "junk"} if name == "junk" else {name: str(number)} for number in range(4)]
            ranks = [
                subprocess.Popen(
                    [sys.executable, "-c", program], env={**environment, **each}, stderr=subprocess.DEVNULL
                )
                for each in given
            ]
            assert [rank.wait(60) for rank in ranks] == [1] * 4
            end = time.monotonic() + 15
            while len(hook.bodies) < attempt and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(3.5)  # so much later it is another run
            assert len(hook.bodies) == attempt, hook.texts()
        assert "and 3 more" in hook.texts()[0]


def test_a_rank_that_is_killed_is_told(environment):
    """Rank 3 dies by a segmentation fault while the others end well: told once, and rank 0 tells its good end."""
    body = "time.sleep(0.5)\nif os.environ['RANK'] == '3': os.kill(os.getpid(), 11)"
    with Webhook() as hook:
        program = PROGRAM.format(url=hook.url, body=body.replace("\n", "\n    "), more="")
        ranks = [
            subprocess.Popen(
                [sys.executable, "-c", program], env={**environment, "RANK": str(number), "WORLD_SIZE": "4"}
            )
            for number in range(4)
        ]
        assert [rank.wait(60) for rank in ranks] == [0, 0, 0, -11]
        assert "SIGSEGV" in hook.wait("rank 3 of 4")
        hook.wait("finished")
        time.sleep(1.0)
        assert len(hook.bodies) == 2, hook.texts()


@pytest.mark.parametrize("value", ["", "zero", "-1", "1.5", "9" * 40, "０"])
def test_garbage_ranks(environment, value):
    """A rank that is no number is no reason to fall silent, or over."""
    with Webhook() as hook:
        assert run({**environment, "RANK": value, "LOCAL_RANK": value}, "return", hook.url).returncode == 0
        hook.wait("finished")


def test_inside_a_running_loop(environment):
    """As in a notebook, where a loop runs already: a plain function, a thread, nothing waits."""
    body = """
import asyncio
async def cell():
    with knock.watching("cell", to=os.environ["SECOND"]) as run:
        run.progress(1, 2)
        await asyncio.to_thread(lambda: knock.progress(2, 2))
asyncio.run(cell())"""
    with Webhook() as hook, Webhook() as second:
        assert run({**environment, "SECOND": second.url}, body, hook.url).returncode == 0
        assert "step 2 of 2" in second.wait("finished: cell")
        hook.wait("finished: train()")


def test_under_pretune_knock(environment):
    """Under `pretune knock` the command's message has the traceback of the function, and there is just one."""
    program = "from pretune import knock\n@knock.when_done\ndef train():\n  raise ValueError('deep inside')\ntrain()"
    with Webhook() as hook:
        words = [sys.executable, "-m", "pretune.knock", "--no-start", "--to", hook.url, sys.executable, "-c", program]
        done = subprocess.run(words, env=environment, capture_output=True, timeout=60, check=False)
        assert done.returncode == 1
        text = hook.wait("failed")
        assert "exit code 1" in text
        assert "ValueError: deep inside" in text
        time.sleep(1.0)
        assert len(hook.bodies) == 1, hook.texts()


def test_import_is_light(environment):
    """Importing the part loads nothing but what Python has loaded already; naming the decorator little."""
    program = """
import sys
before = set(sys.modules)
import pretune.knock
assert {name.split(".")[0] for name in set(sys.modules) - before} == {"pretune", "__future__"}
from pretune.knock import when_done, slack_sender
heavy = {"asyncio", "inspect", "socket", "json", "urllib.request", "slack_sdk", "apprise", "torch", "transformers"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "TrainerCallback" in dir(pretune.knock)
"""
    subprocess.run([sys.executable, "-S", "-c", program], env=environment, timeout=60, check=True)
