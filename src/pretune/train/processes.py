"""The processes that train together: whether as many run as were asked for, and how the model is spread over them.

torchrun starts them, or accelerate launch; on the CPU, accelerate launch starts a single one however many it was asked
for and says nothing (huggingface/accelerate#2741). Knows no batches and no loop.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pretune.core.errors import UserError
from pretune.train.optimizer import adamw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pretune.train.options import Options

_LATER = 3.0
"""Seconds that a process waits with its error: the first one has said the same by then and ended them all."""

T = TypeVar("T")
WORLDS = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""Where launchers write how many processes they started."""


def require_processes(environ: Mapping[str, str] = os.environ) -> None:
    """Stop where accelerate launch was asked for several processes and started one.

    It then leaves an address for them to meet at, but no number of processes.

    Raises:
        UserError: that is so.
    """
    launched = "ACCELERATE_MIXED_PRECISION" in environ and "MASTER_PORT" in environ
    if launched and not any(name in environ for name in WORLDS):
        raise UserError(
            "accelerate launch was asked for several processes and started one, as it does on the CPU",
            hint="use torchrun --nproc_per_node N -m pretune train ..., or --num_processes 1",
        )


@contextmanager
def one_voice() -> Iterator[None]:
    """Let the first process alone tell a mistake that all of them meet; one that only another meets is told by it."""
    try:
        yield
    except UserError as error:
        rank = int(os.environ.get("RANK", "0"))
        if rank:
            time.sleep(_LATER)
            error.message = f"process {rank}: {error.message}"
        raise
    finally:
        _leave()


def _leave() -> None:
    """Let gloo's threads go before the interpreter does: left alone, they now and then abort the process (SIGABRT)."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return
    if torch.distributed.get_backend() == "gloo":
        torch.distributed.destroy_process_group()


def decided(decide: Callable[[], T]) -> T:
    """What the first process decides, on every process; the others wait for it meanwhile.

    Args:
        decide: run on the first process only; what it gives or raises is sent to the others, so it has to be plain.

    Raises:
        UserError: the first process met it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return decide()
    import torch
    from accelerate import PartialState
    from torch import distributed

    if not distributed.is_initialized():
        PartialState(cpu=not torch.accelerator.is_available())
    said: list[Any] = [None]
    trouble: UserError | None = None
    if distributed.get_rank() == 0:
        try:
            said = [("made", decide())]
        except UserError as error:
            trouble = error
            said = [("refused", (error.message, error.hint, error.exit_code))]
    distributed.broadcast_object_list(said, src=0)
    kind, what = said[0]
    if kind == "refused":
        raise trouble or UserError(what[0], hint=what[1], exit_code=what[2])
    made: T = what
    return made


def rank_and_number() -> tuple[int, int]:
    """Which of the processes this is, from 0, and how many there are; 0 of 1 where there is one."""
    from torch import distributed

    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def accelerator_of(options: Options) -> Any:
    """The Accelerator of a run: device, processes, autocast.

    Raises:
        UserError: fewer processes than asked for; float16 on a device that has none.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs

    require_processes()
    AcceleratorState._reset_state()  # noqa: SLF001 - as TrainingArguments does; else a second run keeps the first's precision
    mixed = {"autocast": "bf16", "fp16": "fp16"}.get(options.precision, "no")
    unused = DistributedDataParallelKwargs(find_unused_parameters=options.ddp_find_unused_parameters)
    # Without cpu=True, accelerate overlooks the other processes on a machine that has nothing but a CPU.
    cpu = not torch.accelerator.is_available()
    if cpu and options.precision == "fp16":
        raise UserError("fp16 does not work on this device: it has no GPU", hint="use --precision fp32")
    accelerator = Accelerator(mixed_precision=mixed, cpu=cpu, kwargs_handlers=[unused])
    # All Accelerators of a process share this. A Trainer that an error stopped within a step leaves False behind, and
    # then no optimizer step would do anything: after a failed cell of a notebook nothing would be learned, in silence.
    accelerator.sync_gradients = True
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != started:
        raise UserError(
            f"{started} processes were started, but this one sees {accelerator.num_processes}",
            hint="start them with torchrun --nproc_per_node N -m pretune train ...",
        )
    return accelerator


def spread(accelerator: Any, model: Any, options: Options) -> tuple[Any, Any]:
    """The model on its device and over all processes, and the optimizer of what of it is here.

    Copies of the model (DDP), or with options.fsdp a share of each layer on every process (FSDP2). Accelerate does
    the latter on GPUs only, torch's own fully_shard does it anywhere.
    """
    if options.fsdp and accelerator.num_processes > 1:
        model.to(accelerator.device)
        _shard(model, accelerator)
        # No copies are made of a model that is only evaluated; all that is left to accelerate is autocast.
        model = accelerator.prepare_model(model, device_placement=False, evaluation_mode=True)
        return model, accelerator.prepare_optimizer(adamw(model, options))
    spread_model, optimizer = accelerator.prepare(model, adamw(model, options))
    return spread_model, optimizer


def gradients_stay(model: Any, accelerator: Any) -> Any:
    """A context in which backward adds up gradients on this process only, before the last batch of a step."""
    if not hasattr(model, "set_requires_gradient_sync"):
        return accelerator.no_sync(model)
    return _Unsynchronized(model)


def mean_of(accelerator: Any) -> Callable[[Any], Any]:
    """A function that gives the mean of a tensor over all processes."""

    def mean(tensor: Any) -> Any:
        return tensor if accelerator.num_processes == 1 else accelerator.reduce(tensor, reduction="mean")

    return mean


class _Unsynchronized:
    """FSDP2's way of not summing gradients."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __enter__(self) -> None:
        self.model.set_requires_gradient_sync(False)

    def __exit__(self, *_: object) -> None:
        self.model.set_requires_gradient_sync(True)


def _shard(model: Any, accelerator: Any) -> None:
    import torch
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList):
            for layer in module:
                fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
