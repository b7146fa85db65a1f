"""What a model does with a sentence, found out by a few tiny forward passes: look, Looks. No table of architectures.

Random sentences of six tokens go through the model: whole, with a token changed at either end, with padding on either
side. From what moves follow the place its pooler reads, whether it sees both ways, and which padding leaves it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LENGTH = 6
"""Tokens of a tiny sentence."""

SAME = 1e-3
"""States that differ by less, relative to their spread, are the same; rounding gives 1e-6, real influence 0.01 and up.

Bfloat16 rounds at 0.4 %, so models are looked at in float32.
"""


@dataclass(frozen=True, slots=True)
class Pooler:
    """What a model's pooler_output is made of.

    Attributes:
        place: index of the token whose state it reads, -1 the last; None: none of them alone.
        activation: `tanh`, `gelu`, `relu` or `none` behind the linear layer; empty: not told apart.
    """

    place: int | None
    activation: str


@dataclass(frozen=True, slots=True)
class Looks:
    """What was seen.

    Attributes:
        pooler: of the model's pooler_output; None without one.
        causal: no token sees what follows it.
        left_padding: states of the sentence stay as they are behind padding on the left, given a mask.
        right_padding: the same with padding on the right.
        even_layers: every layer has one state for each token.
        layers: hidden states that the model gives, the embeddings' included.
    """

    pooler: Pooler | None
    causal: bool
    left_padding: bool
    right_padding: bool
    even_layers: bool
    layers: int


def look(model: Any, *, seed: int = 0) -> Looks:
    """Look at a base model of transformers by five forward passes over six tokens.

    Args:
        model: in evaluation mode. Its weights are not changed; passes run in its own precision.
        seed: of the tiny sentences.
    """
    import torch

    size = _ids(model)
    generator = torch.Generator().manual_seed(seed)
    # ids from the middle of the vocabulary: special tokens stand at its ends.
    ids = torch.randint(size // 4, max(size // 4 + 1, size * 3 // 4), (1, LENGTH), generator=generator)
    pad = getattr(model.config, "pad_token_id", None)
    pad = 0 if not isinstance(pad, int) or pad < 0 else pad
    ids = torch.where(ids == pad, (ids + 1) % size, ids)
    output = _run(model, ids)
    states = output.hidden_states
    whole = states[-1]
    even = all(one.shape[:2] == ids.shape for one in states)
    causal = even and not _moved(whole[0, 0], _run(model, _changed(ids, -1, size)).hidden_states[-1][0, 0], whole)
    fill = torch.full((1, LENGTH - 1), pad)
    pooled = getattr(output, "pooler_output", None)
    return Looks(
        pooler=None if pooled is None else _pooler(model, whole[0], pooled[0]),
        causal=causal,
        left_padding=_padded(model, whole, torch.cat([fill, ids], dim=1), slice(LENGTH - 1, None)),
        right_padding=_padded(model, whole, torch.cat([ids, fill], dim=1), slice(0, LENGTH)),
        even_layers=even,
        layers=len(states),
    )


def _ids(model: Any) -> int:
    """How many ids the model knows; 1,000 where it has no table of them (CANINE hashes characters)."""
    try:
        return int(model.get_input_embeddings().weight.shape[0])
    except (NotImplementedError, AttributeError):
        return 1000


def _run(model: Any, ids: Any, mask: Any | None = None) -> Any:
    """One forward pass without gradients."""
    import torch

    device = next(model.parameters()).device
    inputs = {"input_ids": ids.to(device)}
    if mask is not None:
        inputs["attention_mask"] = mask.to(device)
    with torch.inference_mode():
        return model(**inputs, output_hidden_states=True, return_dict=True)


def _changed(ids: Any, place: int, size: int) -> Any:
    """The same ids but for one."""
    other = ids.clone()
    other[0, place] = (other[0, place] + size // 3 + 1) % size
    return other


def _moved(one: Any, other: Any, whole: Any) -> bool:
    """Whether states differ by more than rounding, measured by the spread of all states of the sentence."""
    scale = float(whole.float().std())
    return float((one.float() - other.float()).abs().max()) > SAME * max(scale, 1e-30)


def _padded(model: Any, whole: Any, ids: Any, there: slice) -> bool:
    """Whether the sentence's states stay the same inside a padded row."""
    import torch

    mask = torch.zeros_like(ids)
    mask[:, there] = 1
    found = _run(model, ids, mask).hidden_states[-1]
    if found.shape[1] != ids.shape[1]:
        return False
    return not _moved(whole, found[:, there], whole)


def _pooler(model: Any, states: Any, pooled: Any) -> Pooler:
    """Which token and activation give the pooler's output, tried one by one."""
    import torch

    activations = {
        "tanh": torch.tanh,
        "gelu": torch.nn.functional.gelu,
        "relu": torch.relu,
        "none": lambda values: values,
    }
    scale = max(float(pooled.float().std()), 1e-6)
    layers = [
        layer
        for name, part in model.named_modules()
        if "pooler" in name.lower()
        for layer in part.modules()
        if isinstance(layer, torch.nn.Linear) and layer.in_features == states.shape[-1]
    ]
    with torch.inference_mode():
        for place in range(len(states)):
            for outcome in (*(layer(states[place]) for layer in layers), states[place]):
                fits = [
                    name
                    for name, activation in activations.items()
                    if outcome.shape == pooled.shape
                    and float((activation(outcome) - pooled).abs().max()) < SAME * scale
                ]
                if fits:
                    where = -1 if place == len(states) - 1 else place
                    return Pooler(where, fits[0] if len(fits) == 1 else "")
    return Pooler(None, "")


def sentence_token(looks: Looks, special: list[bool], *, cls: list[bool]) -> int | None:
    """Index of the token that stands for a sentence: what the pooler reads, else what order and template leave.

    Args:
        looks: what was seen of the model.
        special: of a sentence's tokens, which the template put there.
        cls: which of them is the tokenizer's cls token.

    Returns:
        0, -1, or None where no token was put there to stand for the sentence and any sees the others.
    """
    if looks.pooler is not None and looks.pooler.place in {0, -1}:
        return looks.pooler.place
    if looks.causal:
        return -1
    if special and special[0]:
        return 0
    if special and cls[-1]:
        return -1
    return None
