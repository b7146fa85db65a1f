"""Runs that are killed with SIGKILL go on from their newest complete checkpoint as if nothing had been, bit for bit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")

DRIVER = Path(__file__).with_name("killing.py")
PAIRS = ("loop:random", "loop:tokens", "trainer:random", "trainer:tokens")

EVERY_OPERATION = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import killing
from pretune.train import checkpoints

folder = Path(sys.argv[1])
files = {"model.bin": b"1" * 3000, "inner/optimizer.bin": lambda path: path.write_bytes(b"2" * 3000)}


def write(step):
    with checkpoints.holding(folder):
        checkpoints.save(folder, step=step, files=files, keep=2)


def killed(event):
    seen = killing.die_at(event)
    write(3)


write(1)
write(2)
event, found = 0, []
while True:
    event += 1
    code, _ = killing.forked(lambda: killed(event))
    newest = checkpoints.newest(folder)
    assert newest is not None and newest.passed_over == (), (event, newest)
    found.append(newest.step)
    if code == 0:
        break
    write(newest.step)  # the next run cleans up and goes on
    assert not list(folder.glob(".*")), event
    for path in folder.glob("checkpoint-3"):
        path.rename(folder / "gone")
        __import__("shutil").rmtree(folder / "gone")
    write(1)
    write(2)
print(event, found.count(2), found.count(3))
"""


def kill(out: Path, kills: int, *pairs: str, seed: int = 1) -> list[dict]:
    """What came of killing runs of each engine and case so many times."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(out), str(kills), str(seed), *pairs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads((out / pair / "result.json").read_text()) for pair in pairs]


def test_killed_at_every_operation_of_a_save(tmp_path):
    """Before whichever file operation a save is killed: the newest checkpoint is the old or the new one, and complete."""
    done = subprocess.run(
        [sys.executable, "-c", EVERY_OPERATION, str(tmp_path / "run"), str(DRIVER.parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    operations, old, new = map(int, done.stdout.split())
    assert operations > 20
    assert old > 15
    assert new > 1


@pytest.mark.parametrize(
    ("kills", "pairs"), [(2, ("loop:random",)), pytest.param(3, PAIRS, marks=pytest.mark.slow)], ids=["one", "all"]
)
def test_killed_runs_go_on_bit_for_bit(tmp_path, kills, pairs):
    """Both engines, random order with accumulation and token budgets: the same log and weights after some kills."""
    pytest.importorskip("torch")
    for result in kill(tmp_path / "runs", kills, *pairs):
        assert result["killed"] == kills
        assert max(result["resumed"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_killed_thirty_times(tmp_path, pair):
    """The same after 30 kills of each engine and case, many of them inside a save."""
    pytest.importorskip("torch")
    (result,) = kill(tmp_path / "runs", 30, pair, seed=7)
    assert result["killed"] == 30
    assert result["inside"] >= 8
