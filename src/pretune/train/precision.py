"""Compute in bfloat16 and keep float32 weights: compute_in_bfloat16, restore_precision, faster.

The model's own weights stay float32, and with them gradients, their norm, the optimizer and all that is saved: they
are the master copies. For as long as a layer computes it sees a bfloat16 copy of its weights. Other than autocast,
which goes back to float32 at norms, softmax and residuals, everything between the layers is bfloat16 too. bfloat16
weights without float32 ones beside them learn worse (8 % more loss after 60 steps), so these are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from pretune.core.errors import UserError

if TYPE_CHECKING:
    import torch

_hooks: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()

_AMPERE = 8
"""The first of NVIDIA's compute capabilities that multiplies bfloat16; older ones emulate it."""

_PAYS = 1.2
"""How much faster bfloat16 products must be to choose them: casting costs something too."""


def compute_in_bfloat16(model: torch.nn.Module) -> None:
    """Let a model of float32 weights compute in bfloat16, in place; parameters and state_dict stay as they are.

    Raises:
        UserError: a weight is of 16 bits already: there would be no float32 copy to train.
    """
    import torch

    restore_precision(model)
    for name, weight in model.named_parameters():
        if weight.is_floating_point() and weight.dtype not in {torch.float32, torch.float64}:
            kind = str(weight.dtype).removeprefix("torch.")
            raise UserError(
                f"the model's weights are {kind} ({name}), expected float32: without float32 copies they learn badly",
                hint="load the model with dtype float32; --precision bf16 computes in bfloat16 all the same",
            )
    hooks: list[Any] = []
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            hooks.append(module.register_forward_hook(_cast))  # the rows that are read, not the whole table
        elif any(one.is_floating_point() for one in module.parameters(recurse=False)):
            hooks.append(module.register_forward_pre_hook(_lend))
            hooks.append(module.register_forward_hook(_take_back, always_call=True))
    _hooks[model] = hooks


def restore_precision(model: torch.nn.Module) -> None:
    """Undo `compute_in_bfloat16`; a model that is as it was stays so."""
    for hook in _hooks.pop(model, ()):
        hook.remove()


def faster(device: Any = "cpu", *, factor: float = _PAYS) -> Literal["bf16", "fp32"]:
    """Which of the two multiplies matrices faster on this device; measured, in well under a second.

    Not every CPU with bfloat16 instructions is faster with them: the same product took half the time of float32 on one
    and twice the time on another. Another device is taken to be faster with bfloat16, but for GPUs before Ampere.
    """
    import torch

    kind = torch.device(device).type
    if kind == "cuda" and torch.cuda.is_available() and torch.version.hip is None:
        return "bf16" if torch.cuda.get_device_capability(device)[0] >= _AMPERE else "fp32"
    if kind != "cpu":
        return "bf16"
    speed = matrix_speeds()
    return "bf16" if speed[torch.bfloat16] > factor * speed[torch.float32] else "fp32"


def matrix_speeds(*, rounds: int = 6, tokens: int = 1024, inner: int = 768) -> dict[torch.dtype, float]:
    """Floating-point operations a CPU second of one thread's share: best of a few products in float32 and bfloat16.

    CPU seconds are those of the process, so that neighbours count little; with several threads the speed is that of
    all of them divided by their number.
    """
    import time

    import torch
    from torch.nn.functional import linear

    best: dict[torch.dtype, float] = {}
    generator = torch.Generator().manual_seed(0)
    values, weights = (torch.randn(rows, inner, generator=generator) for rows in (tokens, 4 * inner))
    for _ in range(rounds):
        for kind in (torch.float32, torch.bfloat16):
            one, other = values.to(kind), weights.to(kind)
            start = time.process_time()
            linear(one, other)
            taken = max(time.process_time() - start, 1e-9)
            best[kind] = max(best.get(kind, 0.0), 2 * tokens * inner * 4 * inner / taken)
    return best


def _cast(module: torch.nn.Module, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
    import torch

    del module, args
    return output.to(torch.bfloat16)


def _lend(module: torch.nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put bfloat16 copies where the module finds its weights first, before the parameters of torch.nn.Module."""
    import torch

    for name, weight in module.named_parameters(recurse=False, remove_duplicate=False):
        if weight.is_floating_point():
            vars(module)[name] = weight.to(torch.bfloat16)
    return tuple(
        one.to(torch.bfloat16) if isinstance(one, torch.Tensor) and one.is_floating_point() else one for one in args
    )


def _take_back(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
    del args, output
    for name, _ in module.named_parameters(recurse=False, remove_duplicate=False):
        vars(module).pop(name, None)
