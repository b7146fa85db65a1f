"""What heads of whole sequences take of a batch without padding: each sequence's first token, or its last.

Such heads read one token of every row, and a batch without padding is a single row. Hooks hand them one row for each
sequence instead. Knows no attention.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import torch

_ROW_OF_TOKENS = 3
"""Axes of hidden states: rows, tokens, features. A pooler given two (ALBERT's) was handed the first token already."""
_current: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
"""Model -> `lens` and input_ids of its batch, while it computes."""


def follow(model: Any) -> Any:
    """Hook that notes the batch a model is given; the others below need it."""

    def note(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        lens = kwargs.get("lens")
        if lens is None:
            raise ValueError("the batch has no `lens`, which say where its sequences end")
        ids = kwargs.get("input_ids")
        _current[model] = {"lens": [int(one) for one in lens], "ids": args[0] if ids is None and args else ids}

    return model.register_forward_pre_hook(note, with_kwargs=True)


def pooled_each(model: Any) -> list[Any]:
    """Hooks that let a pooler, as BERT has it, pool each sequence."""
    import torch

    pooler = getattr(model.base_model, "pooler", None)
    if not isinstance(pooler, torch.nn.Module):
        return []

    def take(module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        del module
        return (_first(model, args[0]), *args[1:]) if args[0].ndim == _ROW_OF_TOKENS else args

    return [pooler.register_forward_pre_hook(take)]


def each_first(model: Any) -> list[Any]:
    """Hooks that show a head the first token of each sequence: hidden states (1, T, H) become (sequences, 1, H)."""
    if model.base_model is model:
        return []

    def take(module: Any, args: tuple[Any, ...], output: Any) -> Any:
        del module, args
        output.last_hidden_state = _first(model, output.last_hidden_state)
        return output

    return [model.base_model.register_forward_hook(take)]


def each_last(model: Any) -> list[Any]:
    """Hooks that give a model the logits of each sequence's last token, as decoders' `score` head."""
    import torch

    score = getattr(model, "score", None)
    if not isinstance(score, torch.nn.Module):
        return []
    kept: list[torch.Tensor] = []

    def keep(module: Any, args: tuple[Any, ...], output: torch.Tensor) -> None:
        del module, args
        kept[:] = [output]

    def choose(module: Any, args: tuple[Any, ...], output: Any) -> Any:
        del module, args
        output.logits = kept.pop()[0, _last(model)]
        return output

    return [score.register_forward_hook(keep), model.register_forward_hook(choose)]


def _first(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states (1, T, H) to those of first tokens, (sequences, 1, H)."""
    import torch

    lens = _present(model)
    starts = torch.tensor([end - one for end, one in zip(accumulate(lens), lens, strict=True)], device=hidden.device)
    return hidden[0, starts][:, None]


def _last(model: Any) -> torch.Tensor:
    """The place of each sequence's last token that is no pad token, as transformers looks for it."""
    import torch

    lens, ids = _present(model), _current[model]["ids"]
    sizes = torch.tensor(lens, device=ids.device)
    starts = sizes.cumsum(0) - sizes
    pad = model.config.get_text_config().pad_token_id
    if pad is None:
        return starts + sizes - 1
    within = torch.arange(ids.shape[1], device=ids.device) - starts.repeat_interleave(sizes, output_size=ids.shape[1])
    whose = torch.arange(len(lens), device=ids.device).repeat_interleave(sizes, output_size=ids.shape[1])
    last = torch.zeros_like(starts).scatter_reduce(0, whose, within * (ids[0] != pad), "amax")
    return starts + last


def _present(model: Any) -> list[int]:
    lens: list[int] = _current[model]["lens"]
    if 0 in lens:
        raise ValueError("a sequence without a token has nothing that could be pooled")
    return lens
