"""The states of a layer to vectors of sentences: Marks, weights, pool. Every averaging pooling is one matrix product.

Each pooling but `max` is a weighted sum of states, so all of them are rows of one matrix of weights (K, L) that is
multiplied with the states (L, D). Knows torch tensors and which token is what; no model and no tokenizer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

AVERAGING = ("cls", "mean", "mean_words", "weighted_mean", "idf", "sif", "last_token", "last_word", "separator")
"""Poolings that are weighted sums of the states, in the order of the rows of `weights`."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of each token of B sentences that are all L tokens long.

    Attributes:
        special: shape (B, L), bool; put there by the tokenizer's template.
        idf: shape (B, L), float32; inverse document frequency of the token, 0 for special ones.
        sif: shape (B, L), float32; smooth inverse frequency of the token, 0 for special ones.
        cls: shape (B,), int64; index of the token that the model's own head reads.
        separator: shape (B,), int64; index of the separator after the sentence, -1 where there is none.
    """

    special: Any
    idf: Any
    sif: Any
    cls: Any
    separator: Any


def weights(marks: Marks) -> Any:
    """Weights of each token for each of AVERAGING: shape (B, K, L), float32; each row adds up to 1, or to 0.

    A row of zeros is a pooling over no token at all: a sentence of special tokens has no words to average.
    """
    import torch

    special = marks.special
    length = special.shape[1]
    words = (~special).float()
    everything = torch.ones_like(words)
    place = torch.arange(length, device=special.device)
    last_word = torch.where(special, -1, place).amax(dim=1)

    def one(index: Any) -> Any:
        """1 at the index of each sentence; all 0 for -1."""
        return (place == index[:, None]).float()

    rows = {
        "cls": one(marks.cls),
        "mean": everything,
        "mean_words": words,
        "weighted_mean": everything * (place + 1),
        "idf": marks.idf,
        "sif": marks.sif,
        "last_token": one(torch.full_like(marks.cls, length - 1)),
        "last_word": one(last_word),
        "separator": one(marks.separator),
    }
    table = torch.stack([rows[name] for name in AVERAGING], dim=1)
    total = table.sum(dim=2, keepdim=True)
    return table / torch.where(total > 0, total, 1.0)


def pool(states: Any, table: Any, *, largest: bool) -> Any:
    """Vectors of B sentences by all poolings: shape (B, K or K + 1, D), float32; `max` is the last.

    Args:
        states: shape (B, L, D), of one layer, no padding; any floating-point type.
        table: shape (B, K, L), float32, from `weights`.
        largest: whether to add the largest value of each dimension.
    """
    import torch

    vectors = torch.bmm(table, states.float())
    if not largest:
        return vectors
    return torch.cat([vectors, states.amax(dim=1, keepdim=True).float()], dim=1)


def document_weights(token_ids: Sequence[Any], special: Sequence[Any], size: int) -> tuple[Any, Any]:
    """Inverse document frequency and smooth inverse frequency of each token id: two arrays (size,), float32.

    Args:
        token_ids: arrays of ids, one for each distinct sentence.
        special: arrays of bool beside them; these tokens are not counted.
        size: ids are below this.

    The formulas are ln((1 + N) / (1 + df)) + 1, as scikit-learn has it, and a / (a + p) with a = 0.001, p the share of
    the id among all tokens (Arora, Liang and Ma 2017; their common component is not taken off).
    """
    import numpy as np

    documents = np.zeros(size)
    counts = np.zeros(size)
    for ids, fixed in zip(token_ids, special, strict=True):
        words = np.asarray(ids)[~np.asarray(fixed)]
        documents[np.unique(words)] += 1
        np.add.at(counts, words, 1)
    idf = np.log((1 + len(token_ids)) / (1 + documents)) + 1
    share = counts / max(1.0, counts.sum())
    return idf.astype(np.float32), (1e-3 / (1e-3 + share)).astype(np.float32)
