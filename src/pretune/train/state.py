"""All that a run needs to go on bit for bit: weights, optimizer, schedule, random generators, and where it stands.

Weights in plain transformers layout, so that a checkpoint loads by from_pretrained; the optimizer's state by the names
of parameters, as safetensors; scalars as JSON. Nothing is pickled. Knows no engine, and not how files reach the disk.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.train import rng
from pretune.train.optimizer_state import (
    like,
    load_optimizer,
    optimizer_tensors,
    plain_scheduler,
    whole,
)
from pretune.train.processes import rank_and_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

POSITION = "position.json"
SCHEDULER = "scheduler.json"
SCALER = "scaler.json"
OPTIMIZER = "optimizer.safetensors"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands between two optimizer steps.

    Attributes:
        step: optimizer steps done.
        epoch: the running one, from 0.
        batch: batches of this epoch that this process has done; accumulated ones count each.
        sums: what was added up since the last entry of the log, by name.
        processes: how many there are.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)
    processes: int = 1


def collect(
    model: Any, optimizer: Any, scheduler: Any, position: Position, *, scaler: Any = None, tokenizer: Any = None
) -> dict[str, bytes | Callable[[Path], object]]:
    """The files of a checkpoint, as checkpoints.save takes them. Every process has to call it; one of them saves.

    Args:
        model: of transformers, out of its wrappers (accelerator.unwrap_model); sharded parameters are gathered.
        optimizer: of torch, or in a wrapper that keeps it as `.optimizer`.
        scheduler: its state has to be JSON, as those of torch and transformers are.
        position: where the run stands.
        scaler: of fp16's gradients; None: there is none.
        tokenizer: what has save_pretrained, so that the checkpoint works in a pipeline.
    """
    weights = {name: whole(value) for name, value in model.state_dict().items()}
    tensors, settings = optimizer_tensors(model, optimizer)
    tensors = {name: whole(value).contiguous() for name, value in tensors.items()}
    generators = rng.gathered()

    def write_model(folder: Path) -> None:
        _save_model(model, weights, folder)
        if tokenizer is not None:
            tokenizer.save_pretrained(folder)

    def write_optimizer(path: Path) -> None:
        from safetensors.torch import save_file

        save_file(tensors, path, {"settings": json.dumps(settings)})

    files: dict[str, bytes | Callable[[Path], object]] = {".": write_model, OPTIMIZER: write_optimizer}
    files[SCHEDULER] = _json(plain_scheduler(scheduler).state_dict())
    if scaler is not None:
        files[SCALER] = _json(scaler.state_dict())
    return {**files, **generators, POSITION: _json(asdict(position))}


def restore(folder: Path, model: Any, optimizer: Any, scheduler: Any, *, scaler: Any = None) -> Position:
    """Put a run where a checkpoint stands: after this the next batch gives what it would have given.

    The random generators are set last; whoever draws from them between this and the first batch changes the run.

    Args:
        folder: a complete checkpoint (checkpoints.find).
        model: as for `collect`, made anew in the same way, and so the others.
        optimizer: the same.
        scheduler: the same.
        scaler: the same.

    Raises:
        UserError: the checkpoint is of another model, or of another number of processes.
    """
    import torch
    from safetensors import safe_open

    position = read_position(folder)
    rank, processes = rank_and_number()
    if position.processes != processes:
        raise UserError(
            f"{folder} was written by {position.processes} processes, {processes} run here",
            hint="resume with as many processes, so that every one goes on with its own batches",
        )
    load_weights(model, folder)
    with safe_open(folder / OPTIMIZER, "pt") as file:
        settings = json.loads(file.metadata()["settings"])
        load_optimizer(model, optimizer, {name: file.get_tensor(name) for name in file.keys()}, settings)  # noqa: SIM118
    plain_scheduler(scheduler).load_state_dict(json.loads((folder / SCHEDULER).read_bytes()))
    if scaler is not None and (folder / SCALER).exists():
        scaler.load_state_dict(json.loads((folder / SCALER).read_bytes()))
    if torch.cuda.is_available():
        torch.cuda.init()
    rng.restore((folder / f"rng-{rank}.safetensors").read_bytes())
    return position


def read_position(folder: Path) -> Position:
    """Where a checkpoint stands."""
    return Position(**json.loads((folder / POSITION).read_bytes()))


def load_weights(model: Any, folder: Path) -> None:
    """Give a model the weights of a checkpoint; dtypes have to be the same.

    Raises:
        UserError: names, shapes or dtypes differ.
    """
    import torch
    from safetensors import safe_open

    index = folder / f"{WEIGHTS}.index.json"
    names = set(json.loads(index.read_bytes())["weight_map"].values()) if index.exists() else {WEIGHTS}
    own = model.state_dict()
    seen = set()
    with torch.no_grad():
        for name in sorted(names):
            with safe_open(folder / name, "pt") as file:
                for key in file.keys():  # noqa: SIM118 - it is no mapping
                    value, target = file.get_tensor(key), own.get(key)
                    _require_same(folder, key, value, target)
                    target.copy_(like(value, target))
                    seen.add(key)
    places = {own[name].data_ptr() for name in seen if not hasattr(own[name], "full_tensor")}
    missing = [name for name in own if name not in seen and own[name].numel() and own[name].data_ptr() not in places]
    if missing:
        raise UserError(
            f"{folder} lacks {missing[0]}, which this model has", hint="resume with the model it was written with"
        )


def _require_same(folder: Path, name: str, value: Any, target: Any) -> None:
    if target is None:
        found, expected = "is there", "this model has none"
    elif value.shape == target.shape and value.dtype == target.dtype:
        return
    else:
        found = f"is {value.dtype} {list(value.shape)} there".replace("torch.", "")
        expected = f"{target.dtype} {list(target.shape)} here".replace("torch.", "")
    raise UserError(
        f"{folder} is of another model: {name} {found}, {expected}", hint="resume with the model it was written with"
    )


def _save_model(model: Any, weights: Mapping[str, Any], folder: Path) -> None:
    """Write config and weights under the names that the model itself uses, so that they can be compared on loading."""
    from transformers.utils import logging

    known = inspect.signature(model.save_pretrained).parameters
    own_names = {"save_original_format": False} if "save_original_format" in known else {}  # transformers 5
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a bar for a moment, at every checkpoint, in the middle of the run's own
    try:
        model.save_pretrained(folder, state_dict=dict(weights), **own_names)
    finally:
        if shown:
            logging.enable_progress_bar()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
