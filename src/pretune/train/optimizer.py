"""AdamW and its schedule as the Trainer makes them: adamw, schedule. Knows no loop."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.train.options import Options

UNDECAYED = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")
"""Names, in lower case, of weights without decay; so are those of every torch.nn.LayerNorm."""


def require_float32(model: Any) -> None:
    """Stop before weights of 16 bits are trained as they are: most steps are too small to change such a weight.

    Raises:
        UserError: a weight that is to be trained has fewer than 32 bits.
    """
    for name, weight in model.named_parameters():
        if weight.requires_grad and weight.is_floating_point() and weight.element_size() < 4:
            kind = str(weight.dtype).removeprefix("torch.")
            raise UserError(
                f"the model's weights are {kind} ({name}); they would learn badly without float32 weights beside them",
                hint="load the model with dtype float32; --precision bf16 computes in bfloat16 all the same",
            )


def weight_groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """The weights that are trained in two groups, with and without decay, each in the model's order."""
    import torch

    norms = {
        f"{name}.{own}" if name else own
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.LayerNorm)
        for own, _ in module.named_parameters(recurse=False)
    }
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    decayed = {name for name, _ in trained if name not in norms and not UNDECAYED.search(name.lower())}
    return [
        {"params": [weight for name, weight in trained if name in decayed], "weight_decay": weight_decay},
        {"params": [weight for name, weight in trained if name not in decayed], "weight_decay": 0.0},
    ]


def adamw(model: Any, options: Options) -> Any:
    """AdamW in one kernel for all weights."""
    from torch.optim import AdamW

    return AdamW(
        weight_groups(model, options.weight_decay),
        lr=options.learning_rate,
        betas=(options.adam_beta1, options.adam_beta2),
        eps=options.adam_epsilon,
        fused=True,
    )


def schedule(optimizer: Any, options: Options, steps: int) -> Any:
    """The learning rate over so many steps; a warmup below 1 is a fraction of them."""
    from transformers import get_scheduler

    warmup = options.warmup_steps
    return get_scheduler(
        options.lr_scheduler_type,
        optimizer=optimizer,
        num_warmup_steps=int(warmup) if warmup >= 1 else math.ceil(steps * warmup),
        num_training_steps=steps,
    )
