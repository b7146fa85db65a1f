"""Sentences to token ids and marks, each distinct one once: tokenize. Knows tokenizers of transformers, no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Tokenized:
    """S sentences as the model reads them.

    Attributes:
        ids: S arrays of int64, special tokens included, nothing padded.
        special: S arrays of bool: put there by the tokenizer's template.
        types: S arrays of segment ids, or None for a model that has none.
        separator: shape (S,), int64; index of the separator after the sentence, -1 where there is none.
        cut: how many sentences were longer than the model reads.
        empty: indices of sentences without any token; they get no vector.
    """

    ids: tuple[Any, ...]
    special: tuple[Any, ...]
    types: tuple[Any, ...] | None
    separator: Any
    cut: int
    empty: tuple[int, ...]

    def batches(self, tokens: int) -> Iterator[Any]:
        """Indices of sentences that are all equally long, the longest first; at most `tokens` tokens in a batch.

        Nothing is ever padded: models exist whose states change with any padding (FNet, ConvBERT, CANINE) or with
        padding on the left (BERT, GPT-2), and products of short rows without a mask are faster than padded ones.
        """
        import numpy as np

        lengths = np.array([len(ids) for ids in self.ids])
        order = np.argsort(-lengths, kind="stable")
        order = order[lengths[order] > 0]
        for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            if not len(group):
                continue
            size = max(1, tokens // int(lengths[group[0]]))
            for first in range(0, len(group), size):
                yield group[first : first + size]


def tokenize(texts: Sequence[str], tokenizer: Any, *, max_length: int | None = None) -> Tokenized:
    """Tokenize each text as the tokenizer does for a single sentence.

    Args:
        texts: distinct sentences.
        tokenizer: of transformers, fast or slow.
        max_length: tokens the model reads at most, special ones included; None: no limit.
    """
    import numpy as np

    found = tokenizer(
        list(texts),
        truncation=max_length is not None,
        max_length=max_length,
        padding=False,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        verbose=False,
    )
    ids = [np.array(one, dtype=np.int64) for one in found["input_ids"]]
    special = [np.array(one, dtype=bool) for one in found["special_tokens_mask"]]
    types = None
    if "token_type_ids" in found and "token_type_ids" in tokenizer.model_input_names:
        types = tuple(np.array(one, dtype=np.int64) for one in found["token_type_ids"])
    ends = {tokenizer.sep_token_id, tokenizer.eos_token_id} - {None}
    separator = [_separator(one, fixed, ends) for one, fixed in zip(ids, special, strict=True)]
    return Tokenized(
        ids=tuple(ids),
        special=tuple(special),
        types=types,
        separator=np.array(separator, dtype=np.int64),
        cut=_cut(texts, tokenizer, ids, max_length),
        empty=tuple(place for place, one in enumerate(ids) if not len(one)),
    )


def _separator(ids: Any, special: Any, ends: set[int]) -> int:
    """Index of the first separator that the template put behind a token of the sentence; -1 without one."""
    for place in range(1, len(ids)):
        if special[place] and int(ids[place]) in ends:
            return place
    return -1


def _cut(texts: Sequence[str], tokenizer: Any, ids: Sequence[Any], max_length: int | None) -> int:
    """How many texts have more tokens than the limit: only those that reach it are asked again."""
    if max_length is None:
        return 0
    full = [text for text, one in zip(texts, ids, strict=True) if len(one) >= max_length]
    if not full:
        return 0
    whole = tokenizer(full, truncation=False, padding=False, return_attention_mask=False, verbose=False)
    return sum(len(one) > max_length for one in whole["input_ids"])
