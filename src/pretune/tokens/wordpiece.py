"""Places a word in a WordPiece or WordLevel vocabulary: an entry, which the longest match then prefers.

A word that is one entry is found before anything shorter, so no word that was one token stops being one. What may
change are longer words that begin with the new entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.tokens.placement import New, Placement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

LIMIT = 100
"""Characters of the longest word where the model names no max_input_chars_per_word."""


def place(
    word: str, forms: Sequence[str], vocabulary: Collection[str], model: Mapping[str, Any], pieces: Mapping[str, Any]
) -> Placement:
    """The entries of a word.

    Args:
        word: as it was asked for.
        forms: as the model meets it.
        vocabulary: the entries there are.
        model: the `model` of tokenizer.json.
        pieces: form -> the entries that it is cut into now.
    """
    limit = int(model.get("max_input_chars_per_word") or LIMIT) if model.get("type") == "WordPiece" else None
    new = []
    for form in forms:
        if limit is not None and len(form) > limit:
            return Placement(word, reason=f"{len(form):,} characters, and WordPiece looks at {limit} of a word at most")
        if form not in vocabulary:
            new.append(New(form, tuple(pieces[form])))
    return Placement(word, tuple(forms), tuple(new))
