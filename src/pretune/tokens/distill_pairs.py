"""A new token's texts, cut with it and without it: Pair, pairs_of. Knows tokenizers, not the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.tokens.distill_texts import templates

if TYPE_CHECKING:
    from collections.abc import Sequence

    import tokenizers

    from pretune.tokens.plan import Added

SENTENCES = 12
"""Built-in sentences a token."""

FEWEST = 2
"""Sentences of the user's; where there are fewer, the built-in ones come in."""

LONGEST = 128
"""Tokens of a text, at most."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A text cut both ways.

    Attributes:
        old: ids as it is cut now.
        new: ids with new tokens.
        places: (token of `new`, tokens of `old`) that stand for the same part of the text: one for one, but for the
            token that is trained, which stands for all its pieces.
        word: the first token of `new` that is trained.
    """

    old: tuple[int, ...]
    new: tuple[int, ...]
    places: tuple[tuple[int, tuple[int, ...]], ...] = field(repr=False)
    word: int


def pairs_of(
    entry: Added, encoders: tuple[tokenizers.Tokenizer, tokenizers.Tokenizer], own: Sequence[str], longest: int
) -> list[Pair]:
    """The texts of an entry in which it comes out, cut both ways, the shortest first."""
    made: list[Pair] = []
    for text in own:
        made += _pair(entry, encoders, text, longest)
    if len(made) < FEWEST:
        for text in templates(entry.word):
            made += _pair(entry, encoders, text, longest)
            if len(made) >= SENTENCES:
                break
    return sorted(made, key=lambda pair: len(pair.new)) if own else made


def _pair(
    entry: Added, encoders: tuple[tokenizers.Tokenizer, tokenizers.Tokenizer], text: str, longest: int
) -> list[Pair]:
    """A text cut both ways; none where the entry does not come out, or the text is too long."""
    old, new = (encoder.encode(text) for encoder in encoders)
    if entry.id not in new.ids or entry.id in old.ids or len(old.ids) > longest:
        return []
    spans: dict[tuple[int, int, int], int] = {}
    for at, (token, span) in enumerate(zip(old.ids, old.offsets, strict=True)):
        spans.setdefault((token, *span), at)
    places: list[tuple[int, tuple[int, ...]]] = []
    for at, (token, (begin, end)) in enumerate(zip(new.ids, new.offsets, strict=True)):
        if token == entry.id:
            inside = [i for i, (a, b) in enumerate(old.offsets) if a < b and begin <= a and b <= end]
            if inside:
                places.append((at, tuple(inside)))
        elif (token, begin, end) in spans:
            places.append((at, (spans[token, begin, end],)))
    return [Pair(tuple(old.ids), tuple(new.ids), tuple(places), new.ids.index(entry.id))]
