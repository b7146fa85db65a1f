"""The loss on the dev set, from the outputs that are scored anyway: dev_loss. A mean over examples (tags: tokens).

The same losses as in training, so that the two curves can be laid over each other. Knows neither engine nor task.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.train.examples import Examples
    from pretune.train.losses import Loss

_AT_ONCE = 512
"""Examples whose losses are computed together: what is padded for it stays small."""


def dev_loss(
    examples: Examples, outputs: Sequence[Any], *, names: Sequence[str], each_token: bool, loss: Loss
) -> float | None:
    """The mean loss of examples; None where they have no labels, or not one of them counts.

    Args:
        examples: with labels, (N,) or, as `ids`, (T,).
        outputs: of predict.predict, float32: (N, ...), or (T, ...) where `each_token`.
        names: what the model calls them, `start_logits`.
        each_token: whether the outputs have a row a token.
        loss: of losses.py.
    """
    import torch

    if not examples.labels:
        return None
    total, count = 0.0, 0
    for first in range(0, len(examples), _AT_ONCE):
        last = min(first + _AT_ONCE, len(examples))
        rows, tokens = slice(first, last), slice(int(examples.starts[first]), int(examples.starts[last]))
        labels = {
            name: torch.as_tensor(one[tokens if len(one) == len(examples.ids) else rows])
            for name, one in examples.labels.items()
        }
        given = [torch.as_tensor(one[tokens if each_token else rows]) for one in outputs]
        if each_token:
            given = [one[None] for one in given]  # as a model gives them without pads: (1, T, ...)
        batch = {"lens": examples.lengths[rows].tolist(), "count": last - first, **labels}
        found = loss(SimpleNamespace(**dict(zip(names, given, strict=True))), batch)[0]
        total += float(found.double())
        count += _counted(labels, last - first)
    return total / count if count else None


def _counted(labels: dict[str, Any], examples: int) -> int:
    """How many losses there are: of the tokens that have a tag, else of the examples."""
    from pretune.train.batches import IGNORED

    flat = labels.get("labels")
    if flat is None or len(flat) == examples:
        return examples
    return int((flat != IGNORED).sum())
