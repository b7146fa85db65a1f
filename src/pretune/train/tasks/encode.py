"""Texts and pairs of texts to flat arrays of token ids: encode, Encoded. Specials and segments are the tokenizer's own.

Everything is encoded in large batches by the tokenizers library; what is longer than the model is cut, and counted.
Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.quantity import number, percent
from pretune.train.examples import Examples
from pretune.train.windows_frame import backend_of, bare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BATCH = 2048
"""Texts that are encoded at a time."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """N texts, or pairs, as T tokens.

    Attributes:
        ids: shape (T,), int32.
        starts: shape (N + 1,), int64.
        types: shape (T,), int8; None where the model's tokenizer names no token_type_ids.
        offsets: shape (T, 2), int32, characters of the text, (0, 0) for special tokens; None: not asked.
        cut: how many texts were cut.
        longest: tokens that the texts were cut to; None: nothing cuts.
    """

    ids: Any
    starts: Any
    types: Any
    offsets: Any
    cut: int
    longest: int | None

    def examples(self, tokenizer: Any, labels: Mapping[str, Any]) -> Examples:
        """As what is trained on."""
        return Examples(self.ids, self.starts, self.types, labels, **padding_of(tokenizer))

    def said(self, what: str) -> tuple[str, ...]:
        """How many texts were cut, as a line; none where none was."""
        if not self.cut:
            return ()
        count = len(self.starts) - 1
        share = percent(self.cut / count)
        return (f"{number(self.cut)} of {number(count)} {what} ({share}) were cut to {self.longest} tokens",)


def encode(
    texts: Sequence[str],
    tokenizer: Any,
    *,
    pairs: Sequence[str] | None = None,
    longest: int | None = None,
    offsets: bool = False,
) -> Encoded:
    """The tokens of texts with the special tokens that this tokenizer puts around them.

    Args:
        texts: the texts, or the first of two.
        tokenizer: a fast tokenizer of transformers, left as it was.
        pairs: the second texts.
        longest: tokens, special ones included, to which longer texts are cut; of two texts the longer one first.
        offsets: whether places are wanted.

    Raises:
        UserError: a slow tokenizer; no room for a token of a text.
    """
    import numpy as np

    backend = backend_of(tokenizer)
    names = getattr(tokenizer, "model_input_names", None)
    asked: list[Any] = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
    columns: dict[str, list[Any]] = {"ids": [], "types": [], **({"offsets": []} if offsets else {})}
    lengths: list[int] = []
    cut = 0
    special = backend.num_special_tokens_to_add(pairs is not None)
    if longest is not None and longest <= special:
        raise UserError(
            f"max_length is {longest}, but {special} tokens of each example are special ones",
            hint="give a larger --max-length",
        )
    with bare(backend):
        for at in range(0, len(asked), _BATCH):
            part = asked[at : at + _BATCH]
            found = (backend.encode_batch if offsets else backend.encode_batch_fast)(part)
            long = [i for i, one in enumerate(found) if longest is not None and len(one) > longest]
            if long:
                side = getattr(tokenizer, "truncation_side", "right")
                backend.enable_truncation(longest, strategy="longest_first", direction=side)
                for i, one in zip(long, backend.encode_batch([part[i] for i in long]), strict=True):
                    found[i] = one
                backend.no_truncation()
                cut += len(long)
            lengths += map(len, found)
            for name, held in columns.items():
                kind = np.int8 if name == "types" else np.int32
                rows = [getattr(one, "type_ids" if name == "types" else name) for one in found]
                held += [np.array(row, kind).reshape((-1, 2) if name == "offsets" else -1) for row in rows]
    flat = {name: np.concatenate(held) if held else np.empty(0, np.int32) for name, held in columns.items()}
    uses_types = "token_type_ids" in names if names is not None else bool(flat["types"].any())
    return Encoded(
        ids=flat["ids"],
        starts=np.concatenate([[0], np.cumsum(np.array(lengths, np.int64))]).astype(np.int64),
        types=flat["types"] if uses_types else None,
        offsets=flat.get("offsets"),
        cut=cut,
        longest=longest,
    )


def padding_of(tokenizer: Any) -> dict[str, Any]:
    """`pad` and `pad_left` of Examples.

    Raises:
        UserError: the tokenizer has no pad token.
    """
    pad = getattr(tokenizer, "pad_token_id", None)
    if pad is None:
        raise UserError(
            "the tokenizer has no pad token, which batches need",
            hint="set tokenizer.pad_token and save it beside the model",
        )
    return {"pad": int(pad), "pad_left": getattr(tokenizer, "padding_side", "right") == "left"}


def lowest(*limits: int | None) -> int | None:
    """The smallest limit; None: there is none."""
    return min((limit for limit in limits if limit is not None), default=None)


def limit_of(tokenizer: Any, longest: int | None, asked: int | None) -> int | None:
    """Tokens that an example may have: what is asked for, what the tokenizer says, what the model has positions for."""
    named = getattr(tokenizer, "model_max_length", None)
    return lowest(asked, longest, int(named) if named is not None and named < 2**31 else None)
