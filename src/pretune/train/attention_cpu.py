"""Attention of sequences that stand one after the other, on the CPU: attend_each. One autograd node for all of them.

torch's attention falls back to a slow path as soon as there is dropout, and has none for sequences of several lengths
without padding. Here each sequence is two matrix products and a softmax in both directions, with the probabilities
kept from forward to backward. Knows no model and no mask but the causal one and a window.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pretune.train.dropout import Keep, dropped_of, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


def attend_each(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lens: Sequence[int],
    *,
    scale: float,
    rate: float = 0.0,
    causal: bool = False,
    window: int | None = None,
) -> torch.Tensor:
    """Softmax attention of each sequence to itself.

    Args:
        query: shape (heads, T, size), any strides.
        key: the same.
        value: shape (heads, T, size of values).
        lens: tokens of each sequence, T in all; 0 is allowed.
        scale: what scores are multiplied by.
        rate: dropout of probabilities, 0 while evaluating.
        causal: whether a token sees none after it.
        window: a token sees those nearer than this, itself at 0; None: all.

    Returns:
        Shape (T, heads, size of values), contiguous.
    """
    made: torch.Tensor = _node().apply(query, key, value, tuple(lens), scale, rate, causal, window)
    return made


def unseen(length: int, *, causal: bool, window: int | None, device: torch.device) -> torch.Tensor | None:
    """Shape (length, length): True where a token (row) does not see another (column); None: all see all."""
    import torch

    near = window is None or window >= length
    if not causal and near:
        return None
    at = torch.arange(length, device=device)
    ahead = at[None, :] - at[:, None]
    hidden = ahead > 0 if causal else torch.zeros_like(ahead, dtype=torch.bool)
    if not near:
        assert window is not None
        hidden = hidden | (ahead.abs() >= window)
    return hidden


@cache
def _node() -> type[torch.autograd.Function]:
    import torch

    class Ragged(torch.autograd.Function):  # type: ignore[misc]
        """Attention of each sequence to itself; saves probabilities, and what dropout left of them."""

        @staticmethod
        def forward(  # noqa: PLR0917 - torch hands them on in their order
            ctx: Any,
            query: torch.Tensor,
            key: torch.Tensor,
            value: torch.Tensor,
            lens: tuple[int, ...],
            scale: float,
            rate: float,
            causal: bool,
            window: int | None,
        ) -> torch.Tensor:
            """Shape (T, heads, size)."""
            heads, tokens, _ = query.shape
            made = value.new_empty((tokens, heads, value.shape[-1]))
            keep = Keep(rate) if dropped_of(rate) else None
            saved = []
            at = 0
            for length in lens:
                if not length:
                    continue
                part = slice(at, at + length)
                at += length
                scores = query.new_empty((heads, length, length))
                torch.baddbmm(scores, query[:, part], key[:, part].transpose(1, 2), beta=0, alpha=scale, out=scores)
                hidden = unseen(length, causal=causal, window=window, device=query.device)
                if hidden is not None:
                    scores.masked_fill_(hidden, float("-inf"))
                chances = torch.softmax(scores, -1, out=scores)
                left = chances
                if keep is not None:
                    left = keep.mask(chances.shape, chances.dtype).mul_(chances)
                made[part] = torch.bmm(left, value[:, part]).transpose(0, 1)
                saved += [chances] if keep is None else [chances, left]
            if keep is not None:
                made *= scale_of(rate)
            ctx.save_for_backward(query, key, value, made, *saved)
            ctx.lens, ctx.scale, ctx.kept = [one for one in lens if one], scale, scale_of(rate) if keep else None
            return made

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
            """Gradients of query, key and value, in the layout (T, heads, size)."""
            query, key, value, made, *saved = ctx.saved_tensors
            (grad,) = grads
            through = (grad * made).sum(-1).transpose(0, 1)[..., None]
            d_query, d_key, d_value = (
                one.new_empty((one.shape[1], one.shape[0], one.shape[2])) for one in (query, key, value)
            )
            scale = ctx.scale
            if ctx.kept is not None:
                grad = grad * ctx.kept
            grad = grad.transpose(0, 1)
            at = 0
            for nth, length in enumerate(ctx.lens):
                part = slice(at, at + length)
                at += length
                chances, left = (saved[nth], saved[nth]) if ctx.kept is None else saved[2 * nth : 2 * nth + 2]
                ours = grad[:, part]
                d_value[part] = torch.bmm(left.transpose(1, 2), ours).transpose(0, 1)
                slope = torch.bmm(ours, value[:, part].transpose(1, 2))
                if ctx.kept is None:
                    slope.sub_(through[:, part]).mul_(chances)
                else:
                    slope.mul_(left).addcmul_(chances, through[:, part], value=-1)
                d_query[part] = torch.bmm(slope, key[:, part]).transpose(0, 1)
                d_key[part] = torch.bmm(slope.transpose(1, 2), query[:, part]).transpose(0, 1)
            d_query.mul_(scale)
            d_key.mul_(scale)
            return *(one.transpose(0, 1) for one in (d_query, d_key, d_value)), None, None, None, None, None

    return Ragged
