"""Ends that nobody was there to tell: power cuts, kills of everything, ranks that all crash, Python inside the command."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from knock.runs import errand, home, run, until, words
from knock.webhook import Webhook
from pretune.knock import begun, ranks
from pretune.knock.targets import Target


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target."""
    return home(tmp_path)


def notes(folder):
    """Notes of runs that have begun."""
    return list((folder / "state/pretune/knock").glob("*.begun"))


def test_all_killed_at_once(environment, tmp_path):
    """When wrapper, messenger and run are SIGKILLed together, the next run tells it, once; nothing is told before."""
    with Webhook() as hook:
        wrapper = subprocess.Popen(
            words("--no-start", "--to", hook.url, "sleep", "60"), env=environment, process_group=0
        )
        until(lambda: notes(tmp_path) and notes(tmp_path)[0].read_bytes())
        assert notes(tmp_path)[0].stat().st_mode & 0o77 == 0
        run(environment, "true")
        assert hook.bodies == []
        os.killpg(wrapper.pid, signal.SIGKILL)
        wrapper.wait()
        time.sleep(0.2)
        run(environment, "true")
        text = hook.wait("lost: sleep 60")
        assert "killed together" in text
        until(lambda: not notes(tmp_path))
        run(environment, "true")
        assert len(hook.bodies) == 1


def test_a_run_that_ended_leaves_no_note(environment, tmp_path):
    """The note goes when the end has been told."""
    with Webhook() as hook:
        run(environment, "--to", hook.url, "sh", "-c", "sleep 0.5")
        hook.wait("finished")
        until(lambda: not notes(tmp_path))


def test_flush_tells_lost_runs(environment, tmp_path):
    """Without a target, `flush` says what was lost; a note that cannot be read is no fault."""
    folder = tmp_path / "state/pretune/knock"
    folder.mkdir(parents=True)
    note = begun.Note(folder, "1-2")
    note.write("python train.py", [], started=time.time() - 60, pids=[4194000])
    os.close(note.descriptor)
    (folder / "3-4.begun").write_bytes(b"\xff")
    assert b"lost: python train.py" in errand(environment, "flush").stdout
    assert not note.path.exists()


def test_notes_of_other_machines(tmp_path):
    """A restart of this machine is said; another machine's note counts as lost only when it is old."""
    note = begun.Note(tmp_path, "1-2")
    note.write("x", [Target("slack", "http://h/", "l")], started=time.time(), pids=[4194000])
    assert begun.lost(tmp_path) == []  # its lock is held
    os.close(note.descriptor)
    data = json.loads(note.path.read_bytes())
    note.path.write_text(json.dumps({**data, "boot": "other", "host": "elsewhere"}))
    assert begun.lost(tmp_path) == []
    os.utime(note.path, (1, time.time() - 90000))
    assert "nothing was heard" in begun.lost(tmp_path)[0][1].body
    note.path.write_text(json.dumps({**data, "boot": "other"}))
    (targets, message), = begun.lost(tmp_path)  # fmt: skip
    assert "restarted" in message.body
    assert targets[0].url == "http://h/"
    assert begun.lost(tmp_path) == []


def test_messenger_killed(environment, tmp_path):
    """A messenger that is SIGKILLed is replaced at the end, and the end is told once."""
    with Webhook() as hook:
        mark = tmp_path / "mark"
        wrapper = subprocess.Popen(
            words("--no-start", "--to", hook.url, "sh", "-c", f"echo $$ > {mark}; sleep 1.5; exit 3"), env=environment
        )
        until(lambda: notes(tmp_path) and mark.exists() and mark.read_text())
        children = Path(f"/proc/{wrapper.pid}/task/{wrapper.pid}/children").read_text().split()
        messenger = next(int(pid) for pid in children if pid != mark.read_text().strip())
        os.kill(messenger, signal.SIGKILL)
        assert wrapper.wait(20) == 3
        hook.wait("exit code 3")
        until(lambda: not notes(tmp_path))
        run(environment, "true")
        assert len(hook.bodies) == 1


def test_ranks(environment):
    """Of eight ranks that crash one tells it, with how many; of eight that finish rank 0 does."""
    with Webhook() as hook:
        for line, part in (("exit 1", "failed"), ("exit 0", "finished")):
            job = {"SLURM_JOB_ID": part, "SLURM_STEP_ID": "0", "SLURM_NTASKS": "8"}
            crashing = [
                subprocess.Popen(
                    words("--to", hook.url, "sh", "-c", line), env={**environment, **job, "SLURM_PROCID": str(number)}
                )
                for number in range(8)
            ]
            for each in crashing:
                each.wait(60)
            hook.wait(part)
        time.sleep(0.5)
        assert len(hook.bodies) == 2
        assert "of 8 and 7 more" in hook.texts()[0]


@pytest.mark.parametrize("value", ["", "zero", "-1", "٣", "1.5", "99999999999"])
def test_garbage_ranks(value):
    """A rank that is no number is 0."""
    assert ranks.rank({"RANK": value}) == 0
    assert ranks.rank({"RANK": value, "SLURM_PROCID": "3"}) == 3
    assert ranks.size({"WORLD_SIZE": value}) == 1


INSIDE = """
import os, sys, time
from pretune.knock.link import Link
link = Link({"name": "inner", "targets": []})
assert link.joined, "did not find the messenger above"
link.send({"kind": "metrics", "values": {"f1": 0.75}})
link.finish({"kind": "end", "good": False, "why": "ValueError: a cause", "tail": "Traceback: the last frame"})
sys.exit(1)
"""


def test_python_inside_the_command(environment):
    """A Python program under the command tells its figures and traceback to the messenger that is there."""
    with Webhook() as hook:
        run(environment, "--no-start", "--to", hook.url, "sh", "-c", f"{sys.executable} -c '{INSIDE}'")
        text = hook.wait("failed")
        assert "ValueError: a cause" in text
        assert "the last frame" in text
        assert "0.75" in text
        time.sleep(0.3)
        assert len(hook.bodies) == 1


OWN = """
import os, sys
from pretune.knock.link import Link
link = Link({{"name": "train()", "targets": [{url!r}], "start": False, "linger": 2}})
assert not link.joined
{end}
"""


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("link.finish({'kind': 'end', 'good': True, 'why': 'returned'})", "finished: train()"),
        ("link.finish({'kind': 'end', 'good': False, 'why': 'KeyError', 'tail': 'T' * 9000 + 'end'})", "TTTend"),
        ("os._exit(0)", "os._exit"),
        ("os.kill(os.getpid(), 9)", "failed: train()"),
    ],
)
def test_a_messenger_of_its_own(environment, end, said):
    """A Python process without a wrapper has a messenger of its own, which tells every way to end."""
    with Webhook() as hook:
        code = OWN.format(url=hook.url, end=end)
        subprocess.run([sys.executable, "-c", code], env=environment, timeout=40, check=False)
        hook.wait(said)
        time.sleep(0.2)
        assert len(hook.bodies) == 1
