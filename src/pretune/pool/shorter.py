"""A model cut to the layers that a choice needs, or left whole where cutting changes its numbers: shorten, Shorter.

A model that normalizes after its last layer gives other states for layer l when layer l is its last. Whether that is so
is tried on sentences, not looked up. Knows torch models of transformers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EQUAL = 1e-5
"""States may differ by this, relative to the largest."""

_COUNTS = ("num_hidden_layers", "num_layers", "n_layers", "n_layer", "num_decoder_layers")
_LISTS = ("layer_types", "mlp_layer_types", "sliding_window_pattern", "no_rope_layers")


@dataclass(frozen=True, slots=True)
class Shorter:
    """A model that gives the states of some layers of another one.

    Attributes:
        model: it has `layers` layers.
        layers: how many were kept.
        last: the last hidden state is the one that is wanted; else all of them must be averaged.
    """

    model: Any
    layers: int
    last: bool


def shorten(model: Any, layers: Sequence[int], samples: Sequence[Any]) -> Shorter:
    """Keep as few layers as give the same states.

    Args:
        model: a base model in evaluation mode; it is not changed.
        layers: indices into hidden_states that are needed.
        samples: a few arrays of token ids, each a sentence without padding.
    """
    total = _count(model.config)
    top = max(layers)
    if total is None or not samples:
        return Shorter(model, len(_states(model, samples[0])) - 1 if samples else top, last=False)
    if tuple(layers) == (total,):
        return Shorter(model, total, last=True)
    for count in _tried(top, total):
        shorter = _cut(model, count)
        if shorter is not None and _equal(model, shorter, layers, samples):
            return Shorter(shorter, count, last=len(layers) == 1 and top == count)
    return Shorter(model, total, last=False)


def _tried(top: int, total: int) -> Iterator[int]:
    """Numbers of layers to try, the fewest first: one more layer keeps the norm at the end away from the one wanted."""
    yield from (count for count in (top, top + 1) if count < total)


def _count(config: Any) -> int | None:
    """How many layers a config says there are."""
    value = getattr(config, "num_hidden_layers", None)
    return value if isinstance(value, int) else None


def _cut(model: Any, count: int) -> Any | None:
    """A model of the first layers with the same weights; None where that class cannot be built so."""
    import torch

    config = copy.deepcopy(model.config)
    written = config.to_dict()
    for name in _COUNTS:
        if name in written:
            setattr(config, name, count)
    for name in _LISTS:
        if isinstance(written.get(name), list):
            setattr(config, name, written[name][:count])
    try:
        with torch.random.fork_rng(devices=[]):
            shorter = type(model)(config)
        found = shorter.load_state_dict(model.state_dict(), strict=False)
    except (RuntimeError, ValueError, TypeError, IndexError, ZeroDivisionError, AttributeError):
        return None
    if found.missing_keys:
        return None
    first = next(model.parameters())
    return shorter.to(device=first.device, dtype=first.dtype).eval()


def _equal(model: Any, shorter: Any, layers: Sequence[int], samples: Sequence[Any]) -> bool:
    """Whether the states of the wanted layers are the same for every sample."""
    for ids in samples:
        wanted = _states(model, ids)
        try:
            found = _states(shorter, ids)
        except (RuntimeError, IndexError, ValueError, TypeError):
            return False
        for layer in layers:
            if layer >= len(found) or found[layer].shape != wanted[layer].shape:
                return False
            scale = wanted[layer].float().abs().max().clamp(min=1e-30)
            if not ((found[layer].float() - wanted[layer].float()).abs().max() <= EQUAL * scale):
                return False
    return True


def _states(model: Any, ids: Any) -> Any:
    """All hidden states of one sentence."""
    import torch

    device = next(model.parameters()).device
    with torch.inference_mode():
        inputs = torch.as_tensor(ids, dtype=torch.long, device=device)[None]
        return model(input_ids=inputs, output_hidden_states=True, return_dict=True).hidden_states
