"""Dropout from 16-bit random numbers, several times cheaper on CPUs than torch's own: replace_dropout, restore_dropout.

torch draws dropout one number after the other (8 ns an element here); four 16-bit numbers of one 64-bit word cost a
quarter of that and set any rate to within 1/65536. Every draw is seeded from torch's global generator, so that saving
torch's random state makes a run repeat bit for bit. Knows no model: any module with torch.nn.Dropout inside will do.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

_LEVELS = 1 << 16


def dropped_of(rate: float) -> int:
    """How many of 65,536 equally likely numbers mean: dropped."""
    return min(max(round(rate * _LEVELS), 0), _LEVELS)


def scale_of(rate: float) -> float:
    """What kept elements are multiplied by, so that the expected value stays: 1 / (1 - the rate as rounded)."""
    kept = _LEVELS - dropped_of(rate)
    return _LEVELS / kept if kept else 0.0


class Keep:
    """Draws masks of what is kept; one draw from torch's global CPU generator seeds all masks of one object."""

    __slots__ = ("_bits", "_lowest")

    def __init__(self, rate: float) -> None:
        import numpy as np
        import torch

        seed = int(torch.empty((), dtype=torch.int64).random_())
        self._bits: Any = np.random.SFC64(seed)  # streams of numpy's bit generators never change (NEP 19)
        self._lowest = dropped_of(rate) - _LEVELS // 2

    def mask(self, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
        """1 where an element is kept, 0 where it is dropped; a tensor of this shape and type on the CPU."""
        import numpy as np
        import torch

        made = torch.empty(tuple(shape), dtype=dtype)
        if self._lowest >= _LEVELS // 2:
            return made.zero_()
        words = self._bits.random_raw(-(-made.numel() // 4))
        bits = torch.from_numpy(words.view(np.int16)[: made.numel()]).view(made.shape)
        return torch.ge(bits, self._lowest, out=made)


@cache
def _classes() -> tuple[type[torch.autograd.Function], type[torch.nn.Module]]:
    """The autograd node and the module; made when first asked for, as torch takes seconds to import."""
    import torch

    class Dropped(torch.autograd.Function):  # type: ignore[misc]
        """Multiplies by a mask, forward and backward by the same one."""

        @staticmethod
        def forward(ctx: Any, values: torch.Tensor, rate: float) -> torch.Tensor:
            """Values, shape and type kept."""
            mask = Keep(rate).mask(values.shape, values.dtype)
            ctx.save_for_backward(mask)
            ctx.scale = scale_of(rate)
            return (values * mask).mul_(ctx.scale)

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
            """Gradient of the values."""
            (mask,) = ctx.saved_tensors
            return (grads[0] * mask).mul_(ctx.scale), None

    class FastDropout(torch.nn.Dropout):  # type: ignore[misc]
        """A torch.nn.Dropout; on the CPU drawn from 16-bit numbers, elsewhere (where it is cheap) torch's own."""

        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - torch's name
            """The input with elements dropped while training."""
            if not self.training or self.p == 0 or input.device.type != "cpu" or not input.is_floating_point():
                return super().forward(input)
            made: torch.Tensor = Dropped.apply(input, self.p)
            return made

    return Dropped, FastDropout


def replace_dropout(model: torch.nn.Module) -> int:
    """Make every torch.nn.Dropout of a model a fast one, in place.

    Modules stay the objects they were: names, hooks and the state_dict do not change. Subclasses of Dropout with a
    forward of their own are left alone, and so is what a model does with torch.nn.functional.dropout.

    Returns:
        How many were changed.
    """
    import torch

    found = [module for module in model.modules() if type(module) is torch.nn.Dropout]
    for module in found:
        module.__class__ = _classes()[1]
    return len(found)


def restore_dropout(model: torch.nn.Module) -> int:
    """Undo `replace_dropout`; returns how many modules were changed back."""
    import torch

    found = [module for module in model.modules() if type(module) is _classes()[1]]
    for module in found:
        module.__class__ = torch.nn.Dropout
    return len(found)
