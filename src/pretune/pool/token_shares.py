"""Which kind of token carries the score of each layer: layer_shares. After one pass that kept sums by kind of token.

The same sentences, grouped by sentence_groups before the pass. Knows tokenizers that tell where in the text a token
stands; the arithmetic is in shapley.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.groups import group_tokens
from pretune.pool.shapley import shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.pool.shapley import Shares
    from pretune.pool.store import Vectors
    from pretune.pool.tokenized import Tokenized


def sentence_groups(
    texts: Sequence[str], tokenizer: Any, sentences: Tokenized, *, max_length: int | None = None
) -> tuple[Any, ...]:
    """The group of each token of each sentence: S arrays of int64, indices into shapley.GROUPS.

    Args:
        texts: S sentences.
        tokenizer: a fast one of transformers.
        sentences: the same sentences as the model reads them.
        max_length: as they were tokenized.

    Raises:
        UserError: the tokenizer does not tell where in the text a token stands.
    """
    import numpy as np

    offsets = token_offsets(texts, tokenizer, max_length=max_length)
    return tuple(
        np.array(group_tokens(text, where, special.tolist()), dtype=np.int64)
        for text, where, special in zip(texts, offsets, sentences.special, strict=True)
    )


def token_offsets(
    texts: Sequence[str], tokenizer: Any, *, max_length: int | None = None
) -> list[list[tuple[int, int]]]:
    """First and last character (exclusive) of each token of each text.

    Raises:
        UserError: the tokenizer does not tell.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(
            f"{type(tokenizer).__name__} does not tell which characters a token stands for",
            hint="which token matters can be asked of fast tokenizers only (tokenizer.json)",
        )
    if not texts:
        return []
    found = tokenizer(
        list(texts),
        truncation=max_length is not None,
        max_length=max_length,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )
    return [[(int(start), int(end)) for start, end in one] for one in found["offset_mapping"]]


def layer_shares(vectors: Vectors, pairs: Any, scores: Any) -> dict[int, Shares]:
    """For each layer the exact Shapley shares of the groups of tokens in the mean's score.

    Args:
        vectors: of a sweep with token_groups.
        pairs: shape (P, 2), indices of sentences.
        scores: shape (P,).

    Raises:
        ValueError: sums by group were not kept.
    """
    if vectors.groups is None:
        raise ValueError("sums by kind of token were not kept: one_pass(..., token_groups=True)")
    return {
        layer: shares(vectors.groups[row][pairs[:, 0]], vectors.groups[row][pairs[:, 1]], scores)
        for row, layer in enumerate(vectors.layers)
    }
