"""Whether a model says the same of sequences without padding as of each alone: plain_outputs, differs.

The sequences are random, made without touching torch's global random numbers: a very short one, one of one token, and
so many long ones that together they are longer than the model's positions. Knows no hook and no attention function.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.train.batches import first_position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

TOLERANCE = 5e-5
"""Difference of two outputs by their largest number that rounding may make: float32 has 6e-8 for one operation."""
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Alone:
    """What a model said of each sequence by itself.

    Attributes:
        sequences: token ids, int64, shape (its length,) each.
        outputs: one mapping for each sequence: name -> tensor.
        pooled: whether an output that is no hidden state is one row for a whole sequence.
    """

    sequences: tuple[torch.Tensor, ...]
    outputs: tuple[dict[str, torch.Tensor], ...]
    pooled: bool


def plain_outputs(model: Any) -> Alone:
    """Ask a model, as it is, about each sequence alone."""
    import torch

    sequences = _sequences(model)
    found = []
    with _asking(model):
        for ids in sequences:
            row = ids[None]
            found.append(_tensors(model(input_ids=row, attention_mask=torch.ones_like(row))))
    length = len(sequences[0])
    named = [name for name in found[0] if name not in {"last_hidden_state", "pooler_output"}]
    pooled = bool(named) and not any(found[0][name].shape[:2] == (1, length) for name in named)
    return Alone(tuple(sequences), tuple(found), pooled)


def differs(model: Any, alone: Alone) -> str:
    """Ask a model about the same sequences without padding; how the answer differs, or an empty string."""
    import torch

    lens = [len(one) for one in alone.sequences]
    first = first_position(model)
    positions = torch.cat([torch.arange(one) + first for one in lens])[None].to(alone.sequences[0].device)
    row = torch.cat(alone.sequences)[None]
    try:
        with _asking(model):
            together = _tensors(model(input_ids=row, position_ids=positions, lens=lens))
    except Exception as error:  # noqa: BLE001 - whatever a model says to an argument it does not know
        return (
            f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"
        )
    for name, found in together.items():
        expected = [one[name] for one in alone.outputs if name in one]
        if len(expected) != len(lens):
            continue
        tokens = all(one.shape[:2] == (1, length) for one, length in zip(expected, lens, strict=True))
        wanted = torch.cat(expected, 1 if tokens else 0)
        if wanted.shape != found.shape:
            return f"{name} has shape {tuple(found.shape)}, expected {tuple(wanted.shape)}"
        apart = (wanted.double() - found.double()).abs().max() / wanted.double().abs().max().clamp_min(1e-30)
        if not apart <= TOLERANCE:
            return f"{name} would differ by {float(apart):.1e} of its largest value, expected at most {TOLERANCE:.0e}"
    return "" if set(together) & set(alone.outputs[0]) else "its output has no tensor to compare"


def _sequences(model: Any) -> list[torch.Tensor]:
    import torch

    config = model.config.get_text_config()
    positions = getattr(config, "max_position_embeddings", None) or _LONGEST
    long = min(max(2, positions // 2), _LONGEST)
    lens = [min(7, long), 1, long, long, min(3, long)]
    vocabulary, pad = config.vocab_size, getattr(config, "pad_token_id", None)
    generator = torch.Generator().manual_seed(0)
    made = [torch.randint(vocabulary, (one,), generator=generator) for one in lens]
    if pad is not None:
        made = [torch.where(one == pad, (pad + 1) % vocabulary, one) for one in made]
    device = next(model.parameters()).device
    return [one.to(device) for one in made]


def _tensors(output: Any) -> dict[str, torch.Tensor]:
    import torch

    return {name: one for name, one in output.items() if isinstance(one, torch.Tensor) and one.is_floating_point()}


@contextmanager
def _asking(model: Any) -> Iterator[None]:
    """Without gradients and dropout; afterwards each module is in training or not as it was."""
    import torch

    training: Sequence[Any] = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
