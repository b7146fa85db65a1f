"""The progress bar and Ctrl-C, in processes of their own on a pseudo-terminal, as a person meets them."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pretune.check.progress import Reading, reading_of

pytest.importorskip("polars")

SOURCE = Path(__file__).resolve().parents[2] / "src"
LINE = "나는 오늘 학교에 갔다. The model learns 한국어 문장을 만든다 {}\n"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Yes."""
        return True


@pytest.fixture(autouse=True)
def _heard():
    """Ctrl-C is not ignored, as it is in tests that a shell runs in the background, and in what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def long(tmp_path, make_model):
    """160 MB of text, which take a while, and a model."""
    make_model("bert", name="m")
    block = "".join(LINE.format(number) for number in range(100_000)).encode()
    with (tmp_path / "long.txt").open("wb") as file:
        for _ in range(160_000_000 // len(block)):
            file.write(block)
    return tmp_path


class Started:
    """`pretune check ...` with stderr on a pseudo-terminal, and what it says there."""

    def __init__(self, folder, *arguments):
        own, other = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm", "COLUMNS": "100"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pretune", "check", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=other,
        )
        os.close(other)
        self.said = b""
        self._reader = threading.Thread(target=self._read, args=(own,), daemon=True)
        self._reader.start()

    def _read(self, own):
        while True:
            try:
                data = os.read(own, 4096)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            self.said += data
        os.close(own)

    def until(self, word, seconds=60):
        """Wait until it has said so."""
        end = time.monotonic() + seconds
        while word not in self.said and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.02)
        assert word in self.said

    def end(self):
        """Exit code, stdout and stderr."""
        out = self.process.stdout.read()
        code = self.process.wait()
        self._reader.join(10)
        return code, out.decode(), self.said.decode()


def test_ctrl_c_reports_what_was_read(long):
    """On a terminal a bar shows MB/s and the time left; after Ctrl-C it is gone, and stdout is the report until then."""
    started = Started(long, "m", "--data", "long.txt", "--format", "json")
    started.until(b"MB/s")
    started.process.send_signal(signal.SIGINT)
    code, out, err = started.end()
    assert code == 130
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)
    assert re.search(r"(reading|stopping) [━╸╺ ]+ [0-9.]+/1[56][0-9.]+ MB [0-9.]+ MB/s [0-9]:[0-9]{2}:[0-9]{2}", plain)
    assert err.rstrip().endswith("\x1b[2K")
    assert "Traceback" not in err
    profile = json.loads(out)["profile"]
    assert not profile["complete"]
    assert re.fullmatch(r"stopped after [0-9.]+ of 1[56][0-9.]+ MB", profile["stopped"])
    assert 0 < profile["corpus"]["rows"] == profile["files"][0]["rows"]
    assert profile["tokenizers"][0]["tokens"] > profile["corpus"]["rows"]


def test_a_second_ctrl_c_ends_at_once(long):
    """Nothing on stdout, no traceback, soon, and the cursor is back."""
    started = Started(long, "m", "--data", "long.txt")
    started.until(b"MB/s")
    begun = time.monotonic()
    started.process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    started.process.send_signal(signal.SIGINT)
    code, out, err = started.end()
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert err.rstrip().endswith("interrupted")
    assert err.rfind("\x1b[?25h") > err.rfind("\x1b[?25l")
    assert time.monotonic() - begun < 10


def test_no_bar_without_a_terminal_and_none_for_what_is_quick(long):
    """In a pipe stderr stays empty in a pipe; on a terminal nothing appears within the first second."""
    (long / "short.txt").write_text(LINE)
    found = subprocess.run(
        [sys.executable, "-m", "pretune", "check", "m", "--data", "short.txt"],
        cwd=long,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stderr == ""
    assert "\x1b" not in found.stdout
    stream = Terminal()
    with reading_of(stream) as reading:
        reading.progress(10, 100)
    assert stream.getvalue() == ""


def test_the_bar_goes_back_when_the_reading_begins_again(monkeypatch):
    """A pass that begins again takes its bytes back; a second reading starts from nothing; more than all is all."""
    reading = Reading(Terminal())
    monkeypatch.setattr(reading._bar, "_patience", -1)
    for step in (40, 30, -70, 50):
        reading.progress(step, 100)
    assert reading._bar.done == 50
    reading.progress(70, 100)
    assert reading._bar.done == 100
    reading.end()
    reading.progress(10, 100)
    assert reading._bar.done == 10
    reading.end()


def test_ctrl_c_before_anything_was_read_ends_the_command():
    """There is nothing to report yet; the handler that was there is put back."""
    before = signal.getsignal(signal.SIGINT)
    with reading_of(io.StringIO()), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with reading_of(io.StringIO()) as reading:
        assert not reading.stop()
        signal.raise_signal(signal.SIGINT)
        assert reading.stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_taken_back_from_polars(tmp_path):
    """A library that takes the signal over in the middle, as polars does when it is imported, does not keep it."""
    program = (
        "import io, signal, sys, time\n"
        "from pretune.check.progress import reading_of\n"
        "with reading_of(io.StringIO()) as reading:\n"
        "    import polars as pl\n"
        "    reading.progress(1, 2)\n"
        "    frame = pl.LazyFrame({'a': range(3_000_000)}).select((pl.col('a') * 31 % 1_000_003).sort().sum())\n"
        "    print('begun', flush=True)\n"
        "    while not reading.stop():\n"
        "        frame.collect()\n"
        "    print('soft', flush=True)\n"
    )
    for _ in range(3):
        started = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert started.stdout.readline() == "begun\n"
        time.sleep(0.3)
        started.send_signal(signal.SIGINT)
        assert started.communicate()[0] == "soft\n"
        assert started.returncode == 0


def test_a_ctrl_c_that_python_drops_comes_again(capfd):
    """One that is raised in a finaliser, where exceptions are ignored, ends the command a moment later, in silence."""

    def held():
        try:
            yield
        finally:
            signal.raise_signal(signal.SIGINT)

    kept = [held()]
    next(kept[0])

    def cleared():
        kept.clear()
        time.sleep(5)

    with reading_of(io.StringIO()), pytest.raises(KeyboardInterrupt):
        cleared()
    assert capfd.readouterr().err == ""


def test_an_ignored_ctrl_c_stays_ignored():
    """Under nohup nothing is taken over; in another thread neither."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with reading_of(io.StringIO()):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    seen = []

    def watch():
        with reading_of(io.StringIO()) as reading:
            seen.append(reading.stop())

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert seen == [False]
