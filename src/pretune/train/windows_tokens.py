"""Contexts and questions to flat arrays of token ids and offsets, each distinct text tokenized once.

Offsets are characters of the text, as the tokenizer's post-processor leaves them. One quirk is kept, because the
features of run_qa.py have it: RoBERTa's post-processor with `trim_offsets` and `add_prefix_space` trims the space off
every token but the first of each window, whose space it takes to be the one it added itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.train.windows_frame import backend_of, bare

if TYPE_CHECKING:
    from collections.abc import Sequence

_BATCH = 512
"""Texts that are encoded at a time: Encoding objects are large, arrays are not."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of distinct texts, one after another.

    Attributes:
        of: (texts,) int64: the number of each asked text among the distinct ones.
        bounds: (distinct + 1,) int64: distinct text k has tokens bounds[k]:bounds[k + 1].
        ids: (tokens,) int32.
        offsets: (tokens, 2) int32: characters of the text; without rows where nobody asked.
        first: (tokens, 2) int32: the offsets of a token when a window begins with it; the same array but for the quirk.
    """

    of: Any
    bounds: Any
    ids: Any
    offsets: Any
    first: Any


def tokens_of(texts: Sequence[str], tokenizer: Any, *, offsets: bool, spaces_kept: bool = False) -> Tokens:
    """The tokens of the texts, without special tokens.

    Args:
        texts: in any number of copies.
        tokenizer: a fast tokenizer of transformers, or a `tokenizers.Tokenizer`.
        offsets: whether places are wanted; without them it is faster.
        spaces_kept: `Frame.spaces_kept`.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    of = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, len(texts))
    distinct = list(numbers)
    ids: list[Any] = []
    places: list[Any] = []
    backend = backend_of(tokenizer)
    with bare(backend):
        encode = backend.encode_batch if offsets else backend.encode_batch_fast
        raw = spaces_kept and offsets
        processor = backend.post_processor
        if raw:
            backend.post_processor = None
        try:
            for at in range(0, len(distinct), _BATCH):
                encoded = encode(distinct[at : at + _BATCH], add_special_tokens=False)
                ids += [np.array(one.ids, np.int32) for one in encoded]
                if offsets:
                    places += [np.array(one.offsets, np.int32).reshape(-1, 2) for one in encoded]
        finally:
            if raw:
                backend.post_processor = processor
    flat = np.concatenate(ids) if ids else np.empty(0, np.int32)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in ids], dtype=np.int64)]).astype(np.int64)
    spans = np.concatenate(places) if places else np.empty((0, 2), np.int32)
    if not raw:
        return Tokens(of, bounds, flat, spans, spans)
    begins: Any = np.zeros(len(flat), bool)
    begins[bounds[:-1][bounds[:-1] < bounds[1:]]] = True
    leading, trailing = _spaces(backend)
    lead, trail = leading[flat], trailing[flat]
    usual = _trimmed(spans, lead - ((lead > 0) & (begins | (spans[:, 0] == 0))), trail)
    return Tokens(of, bounds, flat, usual, _trimmed(spans, np.maximum(lead - 1, 0), trail))


def _spaces(backend: Any) -> tuple[Any, Any]:
    """Spaces that each token of the vocabulary begins and ends with, by id."""
    import numpy as np

    vocabulary = backend.get_vocab(with_added_tokens=True)
    size = max(vocabulary.values(), default=0) + 1
    leading: Any = np.zeros(size, np.int32)
    trailing: Any = np.zeros(size, np.int32)
    for token, index in vocabulary.items():
        plain = token.replace("Ġ", " ")
        leading[index] = len(plain) - len(plain.lstrip())
        trailing[index] = len(plain) - len(plain.rstrip())
    return leading, trailing


def _trimmed(spans: Any, lead: Any, trail: Any) -> Any:
    """Offsets without the spaces, as process_offsets of tokenizers' byte_level.rs has them."""
    import numpy as np

    start = np.minimum(spans[:, 0] + lead, spans[:, 1])
    end = np.where(spans[:, 1] >= trail, np.maximum(spans[:, 1] - trail, start), spans[:, 1])
    return np.stack([start, np.where(trail > 0, end, spans[:, 1])], 1).astype(np.int32)
