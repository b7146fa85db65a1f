"""SIGTERM, SIGINT, SIGUSR1 and SIGHUP: the step is finished, a checkpoint saved, and the process ends as signals end one."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pretune.train.stops import SIGNALS, Interrupted, Stops, agreed

DRIVER = Path(__file__).with_name("stopping.py")


def test_remembers_the_first_signal(capfd):
    """The first signal counts and is answered in one line; the handlers that were there come back."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stops() as stops:
        assert not stops.should_stop()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stops.should_stop()
        assert stops.number == signal.SIGTERM
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert capfd.readouterr().err == "\nSIGTERM: finishing the step and saving a checkpoint\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1", "SIGHUP"])
def test_each_signal_is_caught(name):
    """kill, Ctrl-C, Slurm's warning, and a terminal that is closed: all of them save first."""
    with Stops() as stops:
        os.kill(os.getpid(), getattr(signal, name))
        assert stops.number == getattr(signal, name)


def test_second_interrupt_ends_at_once(capfd):
    """Ctrl-C a second time is a KeyboardInterrupt."""
    with Stops() as stops:
        os.kill(os.getpid(), signal.SIGINT)
        assert stops.should_stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert "Ctrl-C again ends it at once" in capfd.readouterr().err


def test_leaves_with_the_signals_status(tmp_path):
    """The exit code is 128 and the signal; the line says where it was saved and how to go on."""
    stops = Stops()
    stops.number = signal.SIGINT
    with pytest.raises(Interrupted) as caught:
        stops.leave(tmp_path / "checkpoint-7")
    assert caught.value.exit_code == 130
    assert caught.value.message == f"stopped by SIGINT; saved in {tmp_path}/checkpoint-7"
    assert caught.value.hint == "go on with the same command and --resume"
    stops.number = None  # another process got it
    with pytest.raises(Interrupted) as caught:
        stops.leave(None)
    assert (caught.value.exit_code, caught.value.message) == (143, "stopped by SIGTERM; nothing was saved")


def test_other_threads_catch_nothing():
    """Only a main thread may set handlers: entered in another one, it is quiet."""
    seen = []

    def inside() -> None:
        with Stops() as stops:
            seen.append(stops.should_stop())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [False]


def test_what_is_ignored_stays_ignored():
    """A background job of a shell ignores Ctrl-C in its terminal, and goes on doing so."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stops() as stops:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stops.should_stop()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_one_process_agrees_with_itself():
    """Without other processes nothing is asked."""
    pytest.importorskip("torch")
    assert agreed(True) is True
    assert agreed(False) is False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are forked")
@pytest.mark.parametrize(
    ("pair", "cases"),
    [
        ("loop:random", 1),
        pytest.param("loop:random", 4, marks=pytest.mark.slow),
        pytest.param("trainer:tokens", 4, marks=pytest.mark.slow),
    ],
)
def test_real_processes(tmp_path, pair, cases):
    """Each signal ends a run with its own status after a save; resumed, it logs and ends as the one nobody touched."""
    pytest.importorskip("torch")
    call = [sys.executable, str(DRIVER), str(tmp_path / "runs"), pair, str(cases)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"signals')]
    assert len(rows) == cases
    for row, (name, code) in zip(rows, [("SIGTERM", 143), ("SIGINT", 130), ("SIGUSR1", 138)], strict=False):
        assert row["code"] == code, row
        assert 3 <= row["step"] < 24
        assert row["same"], row
        assert f"{name}: finishing the step and saving a checkpoint" in row["said"]
        folder = row["folder"]
        assert row["said"].endswith(
            f"stopped by {name}; saved in {folder}/checkpoint-{row['step']}. go on with the same command and --resume\n"
        )
    for twice in rows[3:]:
        assert (twice["code"], twice["step"]) == (99, None)


@pytest.mark.slow
def test_two_processes_stop_together(tmp_path):
    """A signal to one of two processes stops both after the same step; resumed, each goes on with its own numbers."""
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, str(DRIVER.with_name("stopping_together.py")), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    for rank in range(2):
        for case, found in json.loads((tmp_path / f"{rank}.json").read_text()).items():
            assert found == {"left": [9, 143], "step": 9, "log": True, "weights": True}, (rank, case)
