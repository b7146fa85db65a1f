"""The state of every random generator that training draws from, as bytes, and back. Reads no pickles.

Python's, numpy's and torch's global generators, on the CPU and on every GPU that this process uses. A safetensors file:
the words as tensors, the few scalars as JSON in its metadata.
"""

from __future__ import annotations

import json
import random
from typing import Any


def states() -> bytes:
    """What all generators are about to give, as the bytes of a safetensors file."""
    import numpy as np
    import torch
    from safetensors.torch import save

    version, words, gauss = random.getstate()
    name, key, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - the global one is what is meant
    tensors = {
        "python": torch.tensor(words, dtype=torch.int64),
        "numpy": torch.from_numpy(np.asarray(key).astype(np.int64)),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        tensors |= {f"cuda.{number}": state for number, state in enumerate(torch.cuda.get_rng_state_all())}
    said = {
        "python": [version, gauss],
        "numpy": [str(name), int(position), int(has_gauss), float(cached)],
    }
    return save(tensors, {"generators": json.dumps(said)})


def restore(data: bytes) -> None:
    """Set all generators to what `states` gave; a GPU that is not here is left out.

    Raises:
        ValueError: the bytes are no such states.
    """
    import numpy as np
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(data[:8], "little")
    try:
        said: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["generators"])
        tensors = load(data)
        version, gauss = said["python"]
        name, position, has_gauss, cached = said["numpy"]
        words, key, own = tensors["python"], tensors["numpy"], tensors["torch"]
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise ValueError(f"no states of random generators: {error}") from None
    random.setstate((version, tuple(words.tolist()), gauss))
    np.random.set_state((name, key.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    torch.set_rng_state(own)
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            if f"cuda.{number}" in tensors:
                torch.cuda.set_rng_state(tensors[f"cuda.{number}"], number)


def gathered() -> dict[str, bytes]:
    """The states of all processes by file name, `rng-0.safetensors` and so on; every process has to call it."""
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return {"rng-0.safetensors": states()}
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, states())
    return {f"rng-{rank}.safetensors": data for rank, data in enumerate(found)}
