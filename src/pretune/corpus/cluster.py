"""The shards of a pass on a Dask cluster that is already running: gather. Knows nothing of what a shard computes.

A shard that was lost with its worker is computed again by another one; the sums do not depend on who did what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.scan import Shard

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT_SECONDS = 20
SHARDS_PER_WORKER = 4
"""Small enough that little is lost with a worker, and that none waits long for the last one."""


def gather(
    address: str,
    work: Callable[..., bytes],
    *arguments: Any,
    shards: int | None = None,
    done: Callable[[int, int], None] = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[bytes]:
    """What `work(*arguments, shard)` gives for each shard.

    Args:
        address: of the scheduler: `tcp://10.0.0.1:8786`, or the path of a scheduler file (.json).
        work: an importable function; pretune, the model's files and the data must be there on each worker.
        arguments: what it is given before the shard.
        shards: into how many parts the corpus is dealt; None: four for each worker.
        done: told after each shard how many are done, of how many.
        stop: asked whether to give up.

    Raises:
        UserError: no cluster answers there; a shard failed on several workers, or by a mistake of the user.
    """
    distributed = need("distributed", extra="cluster")
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise UserError(f"no Dask scheduler answers at {address}: {str(error)[:80]}", hint="dask scheduler") from None
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise UserError(f"the Dask scheduler at {address} has no workers", hint=f"dask worker {address}")
        number = shards or SHARDS_PER_WORKER * workers
        futures = [
            client.submit(work, *arguments, Shard(at, number), pure=False, retries=3) for at in range(1, number + 1)
        ]
        found: dict[Any, bytes] = {}
        try:
            for future in distributed.as_completed(futures):
                found[future.key] = future.result()
                done(len(found), number)
                if stop():
                    raise KeyboardInterrupt
        except UserError:
            raise
        except (
            distributed.scheduler.KilledWorker,
            distributed.client.FutureCancelledError,
            MemoryError,
            OSError,
        ) as error:
            raise UserError(f"the cluster lost a shard: {str(error).splitlines()[0][:120]}") from None
        finally:
            client.cancel(futures)
        return [found[future.key] for future in futures]
