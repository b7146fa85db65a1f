"""How wrong a model's output is: reading, classes, similarity, tags. Each gives a sum and how many losses it has.

A step's loss is the sum over all its batches and processes by the number of all their losses, so that no
cut into batches changes it. Labels are not given to the model: its own loss is a mean over one batch, and that of
question answering counts pad positions (huggingface/transformers#25752). Knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pretune.train.batches import IGNORED

if TYPE_CHECKING:
    from torch import Tensor

Loss = Callable[[Any, dict[str, Any]], "tuple[Tensor, int]"]
"""(model's output, batch of batches.collate) -> (sum of the losses, float32 scalar; how many they are)."""


def reading(outputs: Any, batch: dict[str, Any]) -> tuple[Tensor, int]:
    """Extractive question answering: half the cross entropies of the first and of the last token of the answer.

    start_logits and end_logits are (B, L) or, padding-free, (1, T). The softmax is over the tokens of the example;
    a pad position has no share in it.
    """
    from torch.nn.functional import cross_entropy

    start = cross_entropy(_apart(outputs.start_logits, batch), batch["start_positions"], reduction="sum")
    end = cross_entropy(_apart(outputs.end_logits, batch), batch["end_positions"], reduction="sum")
    return (start + end) / 2, batch["count"]


def classes(outputs: Any, batch: dict[str, Any]) -> tuple[Tensor, int]:
    """Classification of whole examples: cross entropy of logits (B, C) and labels (B,)."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(outputs.logits.float(), batch["labels"], reduction="sum"), batch["count"]


def similarity(outputs: Any, batch: dict[str, Any]) -> tuple[Tensor, int]:
    """One number an example, as in STS: squared error of logits (B, 1) and labels (B,)."""
    from torch.nn.functional import mse_loss

    labels = batch["labels"].float()
    return mse_loss(outputs.logits.float().reshape(labels.shape), labels, reduction="sum"), batch["count"]


def tags(outputs: Any, batch: dict[str, Any]) -> tuple[Tensor, int]:
    """Classification of tokens: cross entropy of logits (B, L, C) and labels (B, L), where a label is not -100."""
    from torch.nn.functional import cross_entropy

    logits = outputs.logits.float()
    labels = batch["labels"].reshape(-1)
    return cross_entropy(logits.reshape(-1, logits.shape[-1]), labels, ignore_index=IGNORED, reduction="sum"), batch[
        "count"
    ]


def _apart(logits: Tensor, batch: dict[str, Any]) -> Tensor:
    """The logits of each example in a row of its own, float32, with -inf where it has no token: shape (B, L)."""
    import torch

    logits = logits.float()
    if "lens" not in batch:
        return logits.masked_fill(batch["attention_mask"] == 0, -torch.inf)
    parts = logits.reshape(-1).split(batch["lens"])
    return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=-torch.inf)
