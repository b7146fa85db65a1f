"""`--knock`: start, figures, end and death of a run are told; a dead target changes nothing; one process speaks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from knock import runs
from knock.webhook import Webhook
from train import tiny_runs as tiny

QUICK = ("--logging-steps", "1", "--per-device-train-batch-size", "2")


def words(folder: Path, *more: str, steps: int = 2) -> list[str]:
    """A command that trains a few steps on reviews."""
    if not (folder / "model").exists():
        tiny.model(folder / "model")
        rows = [{"text": f"배송이 {word}요.", "label": i % 2} for i, word in enumerate(["빨라", "느려"] * 3)]
        tiny.lines(folder / "rows.jsonl", rows)
    data = ("--train", str(folder / "rows.jsonl"), "--dev", str(folder / "rows.jsonl"))
    made = [sys.executable, "-m", "pretune", "train", "classify", "--model", str(folder / "model"), *data]
    return [*made, "--out", str(folder / "out"), "--force", "--max-steps", str(steps), *QUICK, *more]


def train(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Train, in a home without targets of its own."""
    given = {**runs.home(folder), **environment}
    return subprocess.run(words(folder, *more), env=given, capture_output=True, text=True, timeout=120, check=False)


def test_start_and_end_are_told(tmp_path: Path) -> None:
    """The last message has the dev figures; the address of the webhook stands in no file of the run."""
    with Webhook() as hook:
        done = train(tmp_path, "--knock", hook.url)
        assert done.returncode == 0, done.stderr
        text = hook.wait("finished: pretune train classify (out)")
        assert "accuracy" in text
        assert "dev_loss" in text
    environment = json.loads((tmp_path / "out" / "environment.json").read_text())
    assert environment["command"][-2:] == ["--knock", "***"]
    kept = [path for path in (tmp_path / "out").rglob("*") if path.suffix in {".json", ".jsonl", ".html"}]
    assert not [path for path in kept if "verysecretpath" in path.read_text("utf-8")]


def test_a_mistake_is_told_in_its_own_line(tmp_path: Path) -> None:
    """What ended the run is the line that the terminal shows, without a traceback."""
    with Webhook() as hook:
        done = train(tmp_path, "--knock", hook.url, "--report-to", "nobody")
        assert done.returncode == 2
        text = hook.wait("failed: pretune train classify (out)")
    assert 'unknown tracker "nobody"' in text
    assert "Traceback" not in text


@pytest.mark.slow
def test_a_killed_run_is_told(tmp_path: Path) -> None:
    """SIGKILL in the middle: the messenger is a process of its own."""
    with Webhook() as hook:
        line = words(tmp_path, "--knock", hook.url, "--eval-strategy", "no", steps=100_000)
        process = subprocess.Popen(line, env=runs.home(tmp_path), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            log = tmp_path / "out" / "log.jsonl"
            runs.until(lambda: process.poll() is not None or (log.exists() and log.stat().st_size), 90)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert "SIGKILL" in hook.wait("pretune train classify (out)\nkilled", 20)
        finally:
            process.kill()
            assert process.stderr is not None
            process.stderr.close()


@pytest.mark.slow
def test_a_dead_target_changes_nothing(tmp_path: Path) -> None:
    """Nobody listens, or the target is none at all: the run trains to its end."""
    done = train(tmp_path, "--knock", "http://127.0.0.1:9/services/x", "--knock", "no such target")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["finished"]


def test_only_the_first_process_speaks(monkeypatch: Any) -> None:
    """Another rank begins no messenger; without targets nobody does."""
    from pretune.train import knocks

    monkeypatch.setattr("pretune.knock.enter.begin", lambda *_: 1 / 0)
    monkeypatch.setenv("RANK", "1")
    with knocks.told(["desktop"], "x"):
        pass
    monkeypatch.delenv("RANK")
    with knocks.told([], "x"):
        pass


def test_without_a_knock_a_run_feeds_nobody() -> None:
    """The watch is there in every run; with none around it nothing is begun, and nothing is said."""
    from pretune.train.knocks import Knocks
    from pretune.train.watch import Step

    watch = Knocks()
    watch.start(10, 0)
    watch.passed(1)
    watch.step(Step(1, 10, 0.1, 2.0, 1e-5, 0.5, 100, 2.0))
    watch.evaluated(1, {"f1": 3.0})
