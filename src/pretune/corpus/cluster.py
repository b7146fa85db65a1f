"""The shards of a pass on a Dask cluster that is already running: gather. Knows nothing of what a shard computes.

A shard that was lost with its worker is computed again by another one; the sums do not depend on who did what.
"""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.scan import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECT_SECONDS = 20
"""How long a scheduler is tried."""
SHARDS_PER_WORKER = 4
"""Small enough that little is lost with a worker, and that none waits long for the last one."""
LOOK_SECONDS = 0.25
"""Between two looks at whether a shard is done, and whether to stop."""
WATCH_SECONDS = 5
"""Between two looks at whether there are workers."""
ALONE_SECONDS = 60
"""How long a cluster may be without any worker: a nanny starts a new one within seconds."""


def gather(
    address: str,
    work: Callable[..., bytes],
    *arguments: Any,
    shards: int | None = None,
    done: Callable[[int, int], None] = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Path]:
    """What `work(*arguments, shard)` gives for each shard, as files that are gone when this process ends.

    Args:
        address: of the scheduler: `tcp://10.0.0.1:8786`, or the path of a scheduler file (.json).
        work: an importable function; pretune, the model's files and the data must be there on each worker.
        arguments: what it is given before the shard.
        shards: into how many parts the corpus is dealt; None: four for each worker.
        done: told again and again how many shards are done, of how many.
        stop: asked whether to give up.

    Raises:
        UserError: no cluster answers there; a shard failed on several workers, or by a mistake of the user.
        KeyboardInterrupt: `stop` said so; what was under way is cancelled.
    """
    distributed = need("distributed", extra="cluster")
    with _client(distributed, address) as client:
        workers = _workers(client)
        if not workers:
            raise UserError(f"the Dask scheduler at {address} has no workers", hint=f"dask worker {address}")
        number = shards or SHARDS_PER_WORKER * workers
        futures = [
            client.submit(tried, work, *arguments, Shard(at, number), pure=False, retries=3)
            for at in range(1, number + 1)
        ]
        try:
            return _collected(client, futures, done, stop)
        finally:
            client.cancel(futures)


def tried(work: Callable[..., bytes], *arguments: Any) -> bytes | tuple[str, str]:
    """On a worker: what `work` gives, or the message and the hint of the user's mistake, which is not tried again."""
    try:
        return work(*arguments)
    except UserError as mistake:
        return mistake.message, mistake.hint


@contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    """A client of the cluster.

    Raises:
        UserError: none answers.
    """
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    if address.endswith(".json") and not Path(address).is_file():
        raise UserError(f"there is no scheduler file {address}", hint="dask scheduler --scheduler-file " + address)
    with _quiet():
        try:
            client = distributed.Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).partition("\n")[0][:80] or type(error).__name__
            raise UserError(f"no Dask scheduler answers at {address}: {reason}", hint="dask scheduler") from None
        with client:
            yield client


@contextmanager
def _quiet() -> Iterator[None]:
    """What distributed logs of a connection that fails, with its traceback, is said in one line here."""
    known = ["distributed", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed."))]
    levels = {name: logging.getLogger(name).level for name in known}
    try:
        for name in levels:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _collected(
    client: Any, futures: list[Any], done: Callable[[int, int], None], stop: Callable[[], bool]
) -> list[Path]:
    """The results, each kept in a file and let go on the cluster as soon as it is there."""
    folder = Path(tempfile.mkdtemp(prefix="pretune-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    waiting = dict(enumerate(futures))
    watched = time.monotonic()
    alone = 0.0
    while waiting:
        if stop():
            raise KeyboardInterrupt
        done(len(futures) - len(waiting), len(futures))
        ready = [at for at, future in waiting.items() if future.done()]
        for at in ready:
            future = waiting.pop(at)
            (folder / str(at)).write_bytes(_result(future))
            future.release()
            done(len(futures) - len(waiting), len(futures))
        if not ready:
            time.sleep(LOOK_SECONDS)
        if time.monotonic() - watched > WATCH_SECONDS:
            alone = 0.0 if _workers(client) else alone + time.monotonic() - watched
            watched = time.monotonic()
            if alone > ALONE_SECONDS:
                raise UserError("the cluster has no workers left", hint="start some, and the check again")
    return [folder / str(at) for at in range(len(futures))]


def _workers(client: Any) -> int:
    """How many workers there are.

    Raises:
        UserError: the scheduler does not answer.
    """
    try:
        return len(client.nthreads())
    except (OSError, TimeoutError, ValueError, RuntimeError):
        raise UserError("the Dask scheduler went away", hint="start it, and the check, again") from None


def _result(future: Any) -> bytes:
    """What a shard gave.

    Raises:
        UserError: it has none.
    """
    try:
        found = future.result()
    except Exception as error:
        name, reason = type(error).__name__, str(error).partition("\n")[0][:120]
        if isinstance(error, ImportError):
            hint = 'pip install "pretune[fast,cluster]" on every worker, in one version'
            raise UserError(f"a worker cannot run pretune: {reason}", hint=hint) from None
        if name == "KilledWorker":
            hint = "too little memory, most often: dask worker --nthreads 1 --memory-limit 2GB"
            raise UserError("a shard was given up: several workers died over it", hint=hint) from None
        if isinstance(error, OSError | MemoryError) or "Cancelled" in name:
            why = reason.rpartition("reason: ")[2] or name  # without the key, which says nothing to a reader
            raise UserError(f"the cluster lost a shard: {why}", hint="see what the workers log") from None
        raise
    if isinstance(found, bytes):
        return found
    message, hint = found
    raise UserError(f"on a worker: {message}", hint=hint)
