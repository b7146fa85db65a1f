"""The run is sacred: whatever a service does, at the start or only at the end, the command neither waits nor changes."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from knock.runs import home, run, spool_of, until
from knock.webhook import Webhook

FAULTS = ["slow", "trickle", "reset", "redirect", "garbage", "400", "404", "500", "429 1", "503 60"]
START, END = 0.25, 2.0
"""Seconds that the issue allows."""


def told(environment, tmp_path, *targets, seconds=0.0):
    """Run a command with a known result; when it started and ended, and what came out."""
    times = tmp_path / "times"
    line = f"date +%s.%N > {times}; echo out; echo err >&2; sleep {seconds}; date +%s.%N >> {times}; exit 3"
    begun = time.time()
    done = run(environment, *[word for target in targets for word in ("--to", target)], "sh", "-c", line)
    after = time.time()
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert done.stderr.startswith(b"err\n") or b"\nerr\n" in done.stderr
    assert b"verysecret" not in done.stderr
    start, end = map(float, times.read_text().split())
    return start - begun, after - end, done.stderr.decode()


def bounded(environment, tmp_path, *targets, seconds=0.0):
    """The bounds hold; on a machine that is busy otherwise, at the second attempt."""
    for last in (False, True):
        start, end, said = told(environment, tmp_path, *targets, seconds=seconds)
        if start <= START and end <= END:
            break
        assert not last, f"started after {start:.2f} s, the end took {end:.2f} s more"
    return said


@pytest.fixture
def environment(tmp_path):
    """A home of its own, no target."""
    return home(tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_at_the_end(environment, tmp_path, fault):
    """A service that fails when the end is told delays the end by two seconds at most."""
    with Webhook(fault) as hook:
        bounded(environment, tmp_path, hook.url)
        assert "exit code 3" in hook.wait("failed")


@pytest.mark.parametrize("fault", ["slow", "reset", "404", "503 60"])
def test_fault_at_the_start_only(environment, tmp_path, fault):
    """A service that fails when the start is told has no part in the run, and is still told the end."""
    with Webhook(fault, "ok") as hook:
        bounded(environment, tmp_path, hook.url, seconds=3.5)
        hook.wait("started")
        assert "exit code 3" in hook.wait("failed")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/services/verysecret", "connection refused"),
        ("http://no-such-host.invalid/verysecret", "its name is not known"),
        ("http://[bad/verysecret", "cannot be read"),
        ("http://127.0.0.1:99999/verysecret", "cannot be read"),
        ("nosuch://verysecret", "apprise does not know"),
        ("json://127.0.0.1:9/verysecret", "cannot be reached"),
        ("not-a-name", "neither a URL nor a name"),
    ],
)
def test_targets_that_cannot_be_reached(environment, tmp_path, url, said):
    """A closed port, an unknown host or a bad URL is one sentence, and the run is as it would have been."""
    assert said in bounded(environment, tmp_path, url)


def test_tls_that_fails(environment, tmp_path):
    """A certificate that nobody signed is told, gets nothing, and the message waits in the spool."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    line = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -keyout k -out c"
    )
    subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True)
    both = tmp_path / "both"
    both.write_text((tmp_path / "k").read_text() + (tmp_path / "c").read_text())
    with Webhook(tls=str(both)) as hook:
        assert "TLS failed" in bounded(environment, tmp_path, hook.url)
        assert hook.bodies == []
        assert spool_of(tmp_path)


def test_one_dead_service_does_not_hold_back_the_others(environment, tmp_path):
    """Of several targets each is told for itself."""
    with Webhook("slow") as slow, Webhook() as good:
        bounded(environment, tmp_path, slow.url, good.url)
        good.wait("failed")


def test_retry_after_is_honoured(environment, tmp_path):
    """A service that asks for a second of patience is asked again after it, not before, and told once."""
    with Webhook("429 1", "ok") as hook:
        told(environment, tmp_path, hook.url)
        until(lambda: len(hook.times) == 2)
        assert hook.times[1] - hook.times[0] >= 1.0
        time.sleep(0.5)
        assert len(hook.bodies) == 2
        until(lambda: not spool_of(tmp_path))


def test_what_is_refused_for_good_is_not_kept(environment, tmp_path):
    """An answer 404 is said once and never tried again."""
    with Webhook("404") as hook:
        _, _, said = told(environment, tmp_path, hook.url)
        assert "answered 404" in said
        until(lambda: not spool_of(tmp_path))
        run(environment, "true")
        time.sleep(0.3)
        assert len(hook.bodies) == 1


def test_the_next_run_delivers(environment, tmp_path):
    """What an outage kept back is delivered by the next run, marked as late."""
    with Webhook("500") as hook:
        told(environment, tmp_path, hook.url)
        until(lambda: len(hook.bodies) >= 2)
        until(lambda: not _messengers(tmp_path), 20)
        assert len(spool_of(tmp_path)) == 1
        hook.faults[:] = ["ok"]
        run(environment, "true")
        assert "[late, from" in hook.wait("late")
        until(lambda: not spool_of(tmp_path))


def test_a_home_that_cannot_be_written(environment, tmp_path):
    """Without a place for the spool messages are delivered all the same."""
    (tmp_path / "file").write_text("")
    with Webhook() as hook:
        bounded({**environment, "XDG_STATE_HOME": str(tmp_path / "file"), "HOME": "/nonexistent"}, tmp_path, hook.url)
        hook.wait("failed")


def test_strict_refuses(environment, tmp_path):
    """With --strict a target that cannot be used keeps the command from starting: exit code 2."""
    mark = tmp_path / "mark"
    done = run(environment, "--strict", "--to", "nosuchname", "touch", str(mark))
    assert done.returncode == 2
    assert not mark.exists()
    assert b"neither a URL nor a name" in done.stderr
    with Webhook() as hook:
        assert run(environment, "--strict", "--to", hook.url, "touch", str(mark)).returncode == 0
        assert mark.exists()


def _messengers(folder: Path) -> list[str]:
    """Processes that were started with this home."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder / "state").encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_nobody_stays_behind(environment, tmp_path):
    """When all is delivered, no process of the run is left, and none was ever a zombie of the caller."""
    with Webhook() as hook:
        told(environment, tmp_path, hook.url)
        hook.wait("failed")
        until(lambda: not _messengers(tmp_path))


def test_a_late_start_is_not_told(environment, tmp_path):
    """A start that an outage has kept back is dropped when the end is told: nobody is told a start after the end."""
    with Webhook("500", "ok") as hook:
        told(environment, tmp_path, hook.url, seconds=0.9)
        hook.wait("failed")
        time.sleep(1.5)
        assert [text.partition(":")[0] for text in hook.texts()].count("started") <= 1
        until(lambda: not spool_of(tmp_path))
