"""What a fast tokenizer puts around a question and its context, and how it cuts: Frame, frame_of, bare.

Asks the tokenizer itself with a small pair. Knows fast tokenizers only (those of the `tokenizers` library).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBES = ("a", "the", "1", "가", "나라", ".")
"""Texts of which one has a token in any vocabulary."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The special tokens of a pair, and how the tokenizer wants long pairs cut.

    Attributes:
        before, between, after: ids of the special tokens around the first and the second text.
        types: token_type_ids of before, the first text, between, the second text, after.
        question_first: question, then context (padding right); else the other way round, as XLNet has it.
        cls_ids: ids of the tokens that stand for no answer, the one to look for first.
        truncation_side: `right`, or `left`: windows are cut from the context's end.
        max_length: the most tokens the tokenizer says the model takes; None: it does not say.
        uses_types: whether the model is given token_type_ids.
        spaces_kept: whether offsets of a window's first token keep a leading space (see windows_tokens.py).
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    types: tuple[tuple[int, ...], int, tuple[int, ...], int, tuple[int, ...]]
    question_first: bool = True
    cls_ids: tuple[int, ...] = ()
    truncation_side: Literal["right", "left"] = "right"
    max_length: int | None = None
    uses_types: bool = True
    spaces_kept: bool = False

    @property
    def special(self) -> int:
        """How many special tokens a window has."""
        return len(self.before) + len(self.between) + len(self.after)


def backend_of(tokenizer: Any) -> Any:
    """The `tokenizers.Tokenizer` of a transformers tokenizer, or the object itself when it is one.

    Raises:
        UserError: a slow tokenizer, which knows no offsets.
    """
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "encode_batch_fast"):
        raise UserError(
            f"{type(tokenizer).__name__} is a slow tokenizer, which does not know where its tokens stand in the text",
            hint="load it with AutoTokenizer, or convert it to a tokenizer.json",
        )
    return backend


@contextmanager
def bare(backend: Any) -> Iterator[Any]:
    """The tokenizer without truncation and padding, which are put back at the end."""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    try:
        yield backend
    finally:
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)


def frame_of(tokenizer: Any) -> Frame:
    """The frame of a fast tokenizer of transformers, or of a plain `tokenizers.Tokenizer`.

    Raises:
        UserError: a slow tokenizer, or one that sets no two texts apart.
    """
    backend = backend_of(tokenizer)
    with bare(backend):
        found = next((pair for pair in (backend.encode(text, text) for text in _PROBES) if _both(pair)), None)
    if found is None:
        raise UserError(
            "the tokenizer makes no pair of a question and a context", hint="is its post-processor missing?"
        )
    of = found.sequence_ids
    first, second = of.index(0), of.index(1)
    first_end, second_end = len(of) - of[::-1].index(0), len(of) - of[::-1].index(1)
    ids, types = found.ids, found.type_ids
    cls = [getattr(tokenizer, name, None) for name in ("cls_token_id", "bos_token_id")]
    length = getattr(tokenizer, "model_max_length", None)
    names = getattr(tokenizer, "model_input_names", None)
    return Frame(
        before=tuple(ids[:first]),
        between=tuple(ids[first_end:second]),
        after=tuple(ids[second_end:]),
        types=(
            tuple(types[:first]),
            types[first],
            tuple(types[first_end:second]),
            types[second],
            tuple(types[second_end:]),
        ),
        question_first=getattr(tokenizer, "padding_side", "right") == "right",
        cls_ids=tuple(one for one in cls if one is not None) or tuple(ids[:first][:1]),
        truncation_side="left" if getattr(tokenizer, "truncation_side", "right") == "left" else "right",
        max_length=int(length) if length is not None and length < 2**31 else None,
        uses_types="token_type_ids" in names if names is not None else any(types),
        spaces_kept=_spaces_kept(json.loads(backend.post_processor.__getstate__())),  # to_str() spells the vocabulary
    )


def _both(pair: Any) -> bool:
    """Whether the pair holds tokens of both texts, the first before the second."""
    texts = [one for one in pair.sequence_ids if one is not None]
    return texts == sorted(texts) and {0, 1} == set(texts)


def _spaces_kept(spec: Any) -> bool:
    """Whether a post-processor trims spaces off offsets, but for one space of each window's first token."""
    if not isinstance(spec, dict):
        return False
    if spec.get("type") == "Sequence":
        return any(_spaces_kept(one) for one in spec.get("processors", []))
    return bool(spec.get("trim_offsets") and spec.get("add_prefix_space"))
