"""The forms in which a word reaches a tokenizer's model: surfaces_of. Knows no vocabulary.

A byte-level tokenizer shows its model `word` at the beginning of a text and `Ġword` after a space; a sentencepiece one
`▁word` at both; BERT's `word`. What the normaliser folds together (case, accents) reaches the model as one form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tokenizers

LEADS = ("a", "가", ".")
"""What stands before the space when a word is looked at inside a text; the first that is cut off cleanly counts."""


class Surfaces(NamedTuple):
    """What the model sees of a word.

    Attributes:
        forms: its different forms, that at the beginning of a text first, then that after a space.
        reason: why it cannot be one entry of the vocabulary; empty: it can.
    """

    forms: tuple[str, ...] = ()
    reason: str = ""


def surfaces_of(encoder: tokenizers.Tokenizer, word: str) -> Surfaces:
    """The forms of a word, or why a tokenizer never shows it to its model in one piece.

    Args:
        encoder: the tokenizer; its added tokens are not looked at.
        word: as it would stand in a text.
    """
    if not word.strip() or word != word.strip():
        return Surfaces(reason="white space at its beginning or end, or nothing else")
    start = pieces_of(encoder, word)
    inside = _after_space(encoder, word)
    if not start or not any(start) or inside is None:
        return Surfaces(reason="the normaliser leaves nothing of it")
    for pieces in (start, inside):
        if len(pieces) != 1:
            shown = " | ".join(pieces[:6])
            return Surfaces(reason=f"the pre-tokenizer always cuts it: {shown}")
    return Surfaces(tuple(dict.fromkeys((start[0], inside[0]))))


def pieces_of(encoder: tokenizers.Tokenizer, text: str) -> list[str]:
    """What the pre-tokenizer makes of a text after the normaliser, in the alphabet of the model."""
    normalized = encoder.normalizer.normalize_str(text) if encoder.normalizer is not None else text
    if encoder.pre_tokenizer is None:
        return [normalized] if normalized else []
    return [piece for piece, _ in encoder.pre_tokenizer.pre_tokenize_str(normalized)]


def _after_space(encoder: tokenizers.Tokenizer, word: str) -> list[str] | None:
    """The pieces of a word that stands after a space; None: nothing is left of it."""
    for lead in LEADS:
        before, whole = pieces_of(encoder, lead), pieces_of(encoder, f"{lead} {word}")
        if before and whole[: len(before)] == before:
            return whole[len(before) :] or None
        if len(before) == 1 and len(whole) == 1 and whole[0].startswith(before[0]):  # nothing cuts this text
            return [whole[0][len(before[0]) :]]
    return None
