"""Progress, stalls, heartbeats and the picture: what is said when, with a clock of the test's own."""

import math
import threading
import time

import pytest

from knock.webhook import Webhook
from pretune.knock.heartbeat import EVERY as BEAT
from pretune.knock.heartbeat import url_for
from pretune.knock.pace import EVERY, FIRST, Watch
from pretune.knock.plot import POINTS, Curve, picture, smooth


def progress(**values):
    """A record."""
    return {"kind": "progress", **values}


def test_progress_is_one_message_that_is_edited():
    """The first comes after a few seconds, the next not before the pause is over, with an estimate of what is left."""
    watch = Watch({"name": "train"}, 0.0)
    assert watch.due() == math.inf
    assert watch.take(progress(step=0, total=100), 0.0) == []
    assert watch.take(progress(step=10, total=100, loss=2.0, metrics={"lr": 1e-4}), 5.0) == []
    assert watch.due() == FIRST
    (message,) = watch.tick(FIRST)
    assert message.edits == "progress"
    assert message.title == "running: train"
    assert "step 10 of 100 (10%)" in message.body
    assert "loss 2, lr 0.0001" in message.body
    assert "about 42 s left" in message.body
    assert watch.due() == math.inf
    watch.take(progress(step=50, total=100), 20.0)
    assert watch.due() == FIRST + EVERY
    assert watch.tick(20.0) == []
    assert "about 12 s left" in watch.tick(FIRST + EVERY)[0].body
    assert watch.take(progress(step=60, total=100, eta=5.0), 30.0) == []
    assert "about 5.0 s left" in watch.tick(100.0)[0].body


def test_pauses_grow_with_the_run():
    """Half a day in, minutes lie between two messages."""
    watch = Watch({"name": "train"}, 0.0)
    watch.take(progress(step=1), 43200.0)
    watch.tick(43200.0 + FIRST)
    watch.take(progress(step=2), 43210.0)
    assert watch.due() - 43208.0 > 200


def test_stall_and_all_clear():
    """No sign of life for so long is told once, the next sign is the all-clear, and then it counts anew."""
    watch = Watch({"name": "train", "stall": 60}, 0.0)
    watch.take(progress(step=3, total=9, loss=0.5), 30.0)
    watch.tick(40.0)
    assert watch.due() == 90.0
    assert watch.tick(89.9) == []
    (alert,) = watch.tick(90.0)
    assert alert.title == "no progress for 1 min 0 s: train"
    assert "step 3 of 9" in alert.body
    assert not alert.good
    assert watch.tick(500.0) == []
    (clear,) = watch.take(progress(), 690.0)
    assert clear.title == "goes on: train"
    assert "after 11 min 0 s" in clear.body
    assert watch.tick(750.0)[0].title.startswith("no progress")
    watch.end(good=True)
    assert watch.due() == math.inf


def test_stall_can_be_set_and_cleared_later():
    """A record sets the time, 0 switches it off, `clear` says why it was none."""
    watch = Watch({"command": "python train.py"}, 0.0)
    watch.take({"kind": "stall", "after": 10}, 5.0)
    assert watch.due() == 15.0
    assert "python train.py" in watch.tick(15.0)[0].title
    assert "was compiling" in watch.take({"kind": "clear", "why": "was compiling"}, 20.0)[0].body
    watch.take({"kind": "stall", "after": 0}, 21.0)
    assert watch.due() == math.inf


def test_a_loss_that_is_no_number_is_told_once():
    """The rest of such a run is lost."""
    watch = Watch({"name": "train"}, 0.0)
    (message,) = watch.take(progress(step=1, loss=math.nan), 1.0)
    assert message.title == "the loss is nan: train"
    assert not message.good
    assert watch.take(progress(step=2, loss=math.nan), 2.0) == []
    assert "loss nan" in watch.facts()


def test_facts_for_the_last_message():
    """Step, epoch, loss and the last of each metric, odd values included; nothing when nothing was told."""
    watch = Watch({"name": "train"}, 0.0)
    assert watch.facts() == ""
    watch.take(progress(step=7, epoch=1.5, loss=0.25), 1.0)
    watch.take({"kind": "metrics", "values": {"eval_f1": 0.123456, "best": "x" * 200}}, 2.0)
    watch.take({"kind": "metrics", "values": {"eval_f1": 0.5}}, 3.0)
    assert watch.facts() == f"step 7, epoch 1.5, loss 0.25, best {'x' * 60}, eval_f1 0.5"
    for odd in (progress(step="x", total=None, loss=[1], metrics=3), {"kind": "metrics"}, {"kind": "?"}):
        assert watch.take(odd, 4.0) == []


def test_curves_stay_small():
    """However many points, a few hundred are kept, over the whole run; what is no number is left out."""
    curve = Curve()
    for step in range(100_000):
        curve.add(step, 1 / (step + 1))
    curve.add(math.inf, math.nan)
    assert POINTS // 2 <= len(curve.points) <= POINTS
    assert curve.points[0][0] == 0
    assert curve.points[-1][0] > 95_000
    assert len(smooth([1.0, 2.0, 3.0])) == 3


def test_picture():
    """A small PNG of the loss; none of too few points."""
    pytest.importorskip("matplotlib")
    watch = Watch({"name": "train $x$"}, 0.0)
    assert watch.picture() is None
    for step in range(200):
        watch.take(progress(step=step, loss=3 / (step + 1), metrics={"eval_loss": 1.0}), float(step))
    data = watch.picture()
    assert data is not None
    assert data.startswith(b"\x89PNG")
    assert len(data) < 32 * 1024
    assert picture({"loss": Curve()}) is None


@pytest.mark.parametrize(
    ("url", "start", "fail"),
    [
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/start", "https://hc-ping.com/uuid/fail"),
        ("https://example.org/ping/uuid", "https://example.org/ping/uuid/start", "https://example.org/ping/uuid/fail"),
        ("https://example.org/x?s={state}", "https://example.org/x?s=start", "https://example.org/x?s=fail"),
        ("https://cronitor.link/p/key/job", "https://cronitor.link/p/key/job?state=run", "https://cronitor.link/p/key/job?state=fail"),
        ("https://example.org/plain", "https://example.org/plain", ""),
    ],
)  # fmt: skip
def test_heartbeat_urls(url, start, fail):
    """The known services are told in their way; of others silence is the alarm."""
    assert url_for(url, "start") == start
    assert url_for(url, "fail") == fail


def test_heartbeat_beats():
    """At the start, every minute, not while it stalls, and at the end."""
    with Webhook() as hook:
        url = hook.url.partition("/services")[0] + "/beat?s={state}"
        watch = Watch({"name": "train", "heartbeat": url, "stall": 90}, 0.0)
        watch.tick(0.0)
        for now in (BEAT, 2 * BEAT, 3 * BEAT):
            for _ in range(200):
                if not [thread for thread in watch.threads if thread.is_alive()]:
                    break
                threading.Event().wait(0.02)
            watch.tick(now)
        watch.end(good=False)
        for thread in watch.threads:
            thread.join(10)
        time.sleep(0.1)
        states = [line.split("s=")[1].split()[0] for line in hook.lines]
        assert sorted(states) == ["fail", "run", "start"]
