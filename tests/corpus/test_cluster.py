"""Shards on a cluster that is made up here: what comes back, what is told, and every way in which it can fail."""

import logging

import pytest

from pretune.core.errors import UserError
from pretune.corpus import cluster
from pretune.corpus.scan import Shard


class KilledWorker(Exception):  # noqa: N818 - its name
    """As distributed calls it."""


class FutureCancelledError(Exception):
    """As distributed calls it."""


class Future:
    """A shard that is done once it was asked for `after` times."""

    def __init__(self, found, after):
        self.found, self.after = found, after
        self.released = self.cancelled = False

    def done(self):
        """Whether it is."""
        self.after -= 1
        return self.after < 0

    def result(self):
        """What it gave, or what went wrong."""
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def release(self):
        """It is not needed any more."""
        self.released = True


class Client:
    """A client of two workers."""

    def __init__(self, address=None, scheduler_file=None, **_):
        if address == "nowhere":
            raise OSError("nobody\nthere")
        self.address = address or scheduler_file
        self.workers = [2]
        self.futures = []
        made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def nthreads(self):
        """The workers; the last entry of `workers` stays."""
        number = self.workers.pop(0) if len(self.workers) > 1 else self.workers[0]
        if isinstance(number, Exception):
            raise number
        return dict.fromkeys(range(number), 1)

    def submit(self, function, *arguments, pure, retries):
        """Run it at once; later shards are done earlier."""
        assert (pure, retries) == (False, 3)
        try:
            found = function(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is comes back
            found = error
        self.futures.append(Future(found, 6 - len(self.futures)))
        return self.futures[-1]

    def cancel(self, futures):
        """Cancel."""
        for future in futures:
            future.cancelled = True


made = []


@pytest.fixture(autouse=True)
def _made_up(monkeypatch):
    """The made-up cluster, and no waiting."""
    made.clear()
    monkeypatch.setattr(cluster, "need", lambda *_, **__: type("distributed", (), {"Client": Client}))
    monkeypatch.setattr(cluster, "LOOK_SECONDS", 0)


def name(shard):
    """A shard's name."""
    return f"{shard.at}/{shard.of}".encode()


def test_the_shards_come_back_in_their_order():
    """Four for each worker, whichever is done first; each is let go at once, and its size kept in a file."""
    told = []
    files = cluster.gather("tcp://here", name, done=lambda ready, of: told.append((ready, of)))
    assert [file.read_bytes() for file in files] == [f"{at}/8".encode() for at in range(1, 9)]
    assert told == sorted(told)
    assert (told[0], told[-1]) == ((0, 8), (8, 8))
    assert all(future.released for future in made[0].futures)
    assert len(cluster.gather("tcp://here", name, shards=3)) == 3


def test_arguments_stand_before_the_shard():
    """The work is given its arguments, then its shard."""
    files = cluster.gather("tcp://here", lambda *given: repr(given).encode(), "a", {"b": 1}, shards=1)
    assert files[0].read_bytes() == f"('a', {{'b': 1}}, {Shard(1, 1)!r})".encode()


def raising(error):
    """Work that raises."""

    def work(*_):
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (UserError("x.jsonl is empty", hint="fill it"), "on a worker: x.jsonl is empty", "fill it"),
        (KilledWorker("tried-1"), "a shard was given up: several workers died over it", "--memory-limit"),
        (FutureCancelledError("k cancelled for reason: lost.\nmore"), "the cluster lost a shard: lost.", "log"),
        (MemoryError(), "the cluster lost a shard: MemoryError", "log"),
        (
            ModuleNotFoundError("No module named 'pretune'"),
            "a worker cannot run pretune: No module named",
            "pip install",
        ),
    ],
)
def test_what_goes_wrong_on_a_worker_is_one_line(error, message, hint):
    """The user's mistakes and those of the cluster; the others are cancelled."""
    with pytest.raises(UserError) as told:
        cluster.gather("tcp://here", raising(error))
    assert told.value.message.startswith(message)
    assert "\n" not in told.value.message
    assert hint in told.value.hint
    assert all(future.cancelled for future in made[0].futures)


def test_a_bug_stays_one():
    """What nobody expected is raised as it is."""
    with pytest.raises(ZeroDivisionError):
        cluster.gather("tcp://here", raising(ZeroDivisionError("x")))


def test_nobody_there(monkeypatch, tmp_path):
    """No scheduler, no scheduler file, no workers, no workers any more, a scheduler that went away."""
    with pytest.raises(UserError, match="no Dask scheduler answers at nowhere: nobody"):
        cluster.gather("nowhere", name)
    with pytest.raises(UserError, match=r"there is no scheduler file .*s\.json"):
        cluster.gather(str(tmp_path / "s.json"), name)
    (tmp_path / "s.json").write_text("{}")
    assert len(cluster.gather(str(tmp_path / "s.json"), name)) == 8
    monkeypatch.setattr(cluster, "WATCH_SECONDS", -1)
    monkeypatch.setattr(cluster, "ALONE_SECONDS", -1)
    for workers, message in (([0], "has no workers"), ([2, 0], "has no workers left"), ([2, OSError()], "went away")):
        monkeypatch.setattr(Client, "workers", workers, raising=False)
        monkeypatch.setattr(Client, "__init__", lambda self, **_: (made.append(self), setattr(self, "futures", []))[0])
        with pytest.raises(UserError, match=message):
            cluster.gather("tcp://here", name)


def test_stopping_cancels():
    """Ctrl-C: what is under way is cancelled."""
    looks = iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        cluster.gather("tcp://here", name, stop=lambda: next(looks))
    assert all(future.cancelled for future in made[0].futures)
    assert made[0].closed


def test_the_clusters_own_log_is_quiet_meanwhile():
    """What distributed logs of lost connections is not shown, and its levels are put back."""
    log = logging.getLogger("distributed.client")
    before = log.level
    seen = []
    cluster.gather("tcp://here", name, done=lambda *_: seen.append(log.level))
    assert set(seen) == {logging.CRITICAL}
    assert log.level == before
