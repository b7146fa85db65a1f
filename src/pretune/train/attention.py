"""Attention without padding for models of transformers: use_sequences. Other dropout: use_attention_dropout.

A padding-free batch is one row of T tokens with `position_ids` that begin anew in each sequence and `lens`, the tokens
of each. Models hand `lens` on to the attention function that is registered here, and no mask is ever built. Whether a
model is served is found out on a few sequences (attention_trial.py); what is not served is refused, never computed
wrong. Knows no training.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pretune.core.errors import UserError
from pretune.train.attention_cpu import attend_each, unseen
from pretune.train.attention_heads import each_first, each_last, follow, pooled_each
from pretune.train.attention_trial import differs, plain_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from pretune.train.attention_trial import Alone

SEQUENCES = "pretune_sequences"
"""The name that attention without padding is registered under; `@0.0` behind it sets the dropout rate."""
_PADDED = "pretune_padded"
_OURS = "pretune_"


class NotServedError(UserError):
    """This model's attention cannot be given sequences without padding, or not with another dropout rate."""


@dataclass(slots=True)
class _Changed:
    """What a model was before.

    Attributes:
        implementation: the attention it was loaded with.
        hooks: what `remove` takes off again.
    """

    implementation: str
    hooks: list[Any] = field(default_factory=list)


_changed: WeakKeyDictionary[Any, _Changed] = WeakKeyDictionary()


def use_sequences(model: Any, *, dropout: float | None = None) -> None:
    """Let a model take batches without padding: input_ids (1, T), position_ids (1, T), lens.

    What a head says of a whole sequence (a class, a score) then has one row for each of `lens`.

    Args:
        model: of transformers, with any head; its weights are not touched.
        dropout: attention dropout while training, instead of the model's own.

    Raises:
        NotServedError: what the model says of a few sequences one by one is not what it says of them together.
    """
    restore_attention(model)
    name = _registered(SEQUENCES, dropout)
    before = _Changed(_implementation(model))
    single = _asked(model)
    pooled = single.pooled
    _set(model, name)
    reasons = []
    for way in (each_first, each_last) if pooled else (None,):
        hooks = [follow(model), *pooled_each(model), *(way(model) if way else ())]
        why = differs(model, single)
        reasons.append(why)
        if not why:
            before.hooks = hooks
            _changed[model] = before
            return
        _remove(hooks)
    _set(model, before.implementation)
    raise NotServedError(
        f"{type(model).__name__} cannot be trained without padding: {reasons[0]}", hint="use --padding longest"
    )


def _asked(model: Any) -> Alone:
    """What the model says of random sequences; some take none: BART's classifier wants an end token in each."""
    try:
        return plain_outputs(model)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        why = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise NotServedError(
            f"{type(model).__name__} cannot be trained without padding: {type(error).__name__}: {why}",
            hint="use --padding longest",
        ) from None


def use_attention_dropout(model: Any, rate: float) -> None:
    """Set the attention dropout of a model that is given padded batches; its config is left as it is.

    Raises:
        NotServedError: the model does not ask transformers for its attention.
    """
    restore_attention(model)
    before = _Changed(_implementation(model))
    name = _registered(_PADDED, rate, before.implementation)
    _set(model, name)
    _changed[model] = before


def restore_attention(model: Any) -> None:
    """Undo `use_sequences` or `use_attention_dropout`; a model that is as it was stays so."""
    before = _changed.pop(model, None)
    if before is not None:
        _remove(before.hooks)
        _set(model, before.implementation)
    elif str(getattr(getattr(model, "config", None), "_attn_implementation", "")).startswith(_OURS):
        try:  # a copy of a changed model, or one that shares its config
            _set(model, "sdpa")
        except ValueError:
            _set(model, "eager")


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None = None,
    *,
    lens: Sequence[int] | torch.Tensor | None = None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it, of each sequence to itself.

    Args:
        module: the layer that asks; its `is_causal` counts where the argument is None.
        query: shape (1, heads, T, size).
        key: shape (1, heads or a divisor of them, T, size).
        value: as key.
        attention_mask: must be None.
        lens: tokens of each sequence, T in all.
        dropout: rate, 0 while evaluating.
        scaling: of the scores; None: 1 / sqrt(size).
        sliding_window: a token sees those nearer than this; None: all.
        is_causal: whether a token sees none after it.
        others: what other attention functions use; a softcap, a bias or sinks are refused.

    Returns:
        Shape (1, T, heads, size), and None for the weights.

    Raises:
        ValueError: there are no `lens`, they do not add up to T, or more is asked for than this can do.
    """
    odd = [name for name in ("softcap", "position_bias", "s_aux", "head_mask") if others.get(name) is not None]
    if odd or attention_mask is not None:
        raise ValueError(f"attention without padding has no {', '.join(odd) or 'mask'}")
    if lens is None:
        raise ValueError("the batch has no `lens`, which say where its sequences end")
    sizes = [int(one) for one in lens]
    if query.shape[0] != 1 or query.shape[2] != key.shape[2] or sum(sizes) != query.shape[2]:
        raise ValueError(f"lens add up to {sum(sizes)}, but the tokens are {tuple(query.shape)}")
    if key.shape[1] != query.shape[1]:
        times = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
    causal = bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    window = None if sliding_window is None or sliding_window >= max(sizes, default=0) else sliding_window
    way = attend_each if query.device.type == "cpu" else _attend_on_device
    made = way(query[0], key[0], value[0], sizes, scale=scale, rate=dropout, causal=causal, window=window)
    return made[None], None


def _attend_on_device(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lens: Sequence[int],
    *,
    scale: float,
    rate: float,
    causal: bool,
    window: int | None,
) -> torch.Tensor:
    """The same with torch's own kernels: flash attention of a jagged batch where torch has one, else one by one.

    Not yet run on a GPU: the jagged part was tried on the CPU without causality, the other one as it is.
    """
    import torch

    attention: Any = torch.nn.functional.scaled_dot_product_attention
    if query.device.type == "cuda" and window is None:
        lens = [one for one in lens if one]  # the fused kernels take no empty sequence
        bounds = torch.tensor([0, *accumulate(lens)], device=query.device)
        jagged = [
            torch.nested.nested_tensor_from_jagged(
                one.transpose(0, 1).contiguous(), bounds, min_seqlen=min(lens), max_seqlen=max(lens)
            ).transpose(1, 2)
            for one in (query, key, value)
        ]
        made = attention(*jagged, dropout_p=rate, is_causal=causal, scale=scale)
        flat: torch.Tensor = made.transpose(1, 2).contiguous().values()
        return flat
    parts = []
    for one in zip(*(tensor.split(list(lens), 1) for tensor in (query, key, value)), strict=True):
        length = one[0].shape[1]
        hidden = unseen(length, causal=causal, window=window, device=query.device) if window is not None else None
        mask = None if hidden is None else ~hidden
        each = [tensor[None] for tensor in one]
        parts.append(
            attention(*each, attn_mask=mask, dropout_p=rate, is_causal=causal and mask is None, scale=scale)[0]
        )
    return torch.cat(parts, 1).transpose(0, 1).contiguous()


def _registered(kind: str, rate: float | None, implementation: str = "sdpa") -> str:
    """Register an attention function for this rate with transformers and give its name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS as MASKS
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS as FUNCTIONS

    name = kind if rate is None else f"{kind}@{rate}"
    if kind == SEQUENCES:
        AttentionInterface.register(name, attend if rate is None else _with_rate(attend, rate))
        return name
    name = f"{name}@{implementation}"
    assert rate is not None
    AttentionInterface.register(name, _with_rate(FUNCTIONS.get(implementation, _eager), rate))
    if implementation in MASKS:
        MASKS.register(name, MASKS[implementation])
    return name


def _eager(module: torch.nn.Module, *tensors: Any, **others: Any) -> Any:
    """The attention that stands in a model's own source, which transformers registers nowhere."""
    return sys.modules[type(module).__module__].eager_attention_forward(module, *tensors, **others)


def _with_rate(function: Callable[..., Any], rate: float) -> Callable[..., Any]:
    """The attention function with this dropout while training."""

    def attention(module: torch.nn.Module, *tensors: Any, dropout: float = 0.0, **others: Any) -> Any:
        del dropout  # the model's own
        return function(module, *tensors, dropout=rate if module.training else 0.0, **others)

    return attention


def _implementation(model: Any) -> str:
    """What attention a model has; raises where it is not transformers' to choose."""
    may = getattr(model, "_can_set_attn_implementation", None)
    found = getattr(getattr(model, "config", None), "_attn_implementation", None)
    if found is None or may is None or not may():
        raise NotServedError(
            f"{type(model).__name__} computes attention in its own way, which cannot be replaced",
            hint="use --padding longest, and the config's own attention dropout",
        )
    return str(found)


def _set(model: Any, name: str) -> None:
    model.set_attn_implementation(name)


def _remove(hooks: list[Any]) -> None:
    for hook in hooks:
        hook.remove()
