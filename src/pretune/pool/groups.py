"""What kind of token each token of a sentence is: group_tokens. By its place and text; knows no model.

Function words are told for English and Korean (particles that stand as pieces of their own among them). In other
languages every word is a word.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from pretune.pool.shapley import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENGLISH = frozenset(
    "a an the this that these those some any each every no not and or but nor so yet if because while although as than "
    "then of in on at by for with about against between into through during before after above below to from up down "
    "out off over under again further once here there when where why how all both few more most other such only own "
    "same too very can will just should now i me my we our you your he him his she her it its they them their what "
    "which who whom am is are was were be been being have has had having do does did doing would could may might must "
    "shall".split()
)
_KOREAN = frozenset(
    "그 이 저 것 수 등 및 또 또는 그리고 그러나 하지만 때 때문 위해 대한 대해 통해 있다 없다 하다 되다".split()
)


def group_tokens(text: str, offsets: Sequence[tuple[int, int]], special: Sequence[bool]) -> list[int]:
    """The index into GROUPS of each token; a token without text counts as punctuation.

    Args:
        text: the sentence as the offsets count it.
        offsets: first and last character (exclusive) of each token.
        special: whether the tokenizer's template put the token there.
    """
    result: list[int] = []
    seen_special = False
    end_of_word = -1
    for (start, end), is_special in zip(offsets, special, strict=True):
        if is_special:
            result.append(GROUPS.index("separator" if seen_special or result else "cls"))
            seen_special = True
            end_of_word = -1
            continue
        piece = text[start:end].strip()
        continues = start == end_of_word
        end_of_word = end if piece and not _is_punctuation(piece) else -1
        result.append(GROUPS.index(_kind(piece, continues=continues, whole=not _goes_on(text, end))))
    return result


def _kind(piece: str, *, continues: bool, whole: bool) -> str:
    """The group of a piece of text. `whole`: whether the word ends with it."""
    from pretune.corpus.candidates import PARTICLES

    if not piece or _is_punctuation(piece):
        return "punctuation"
    if continues:
        return "function word" if whole and piece in PARTICLES else "subword"
    folded = unicodedata.normalize("NFC", piece).casefold()
    if whole and (folded in _ENGLISH or folded in _KOREAN):
        return "function word"
    return "word"


def _goes_on(text: str, end: int) -> bool:
    """Whether the word that a piece belongs to has more letters after it."""
    return end < len(text) and text[end].isalnum()


def _is_punctuation(piece: str) -> bool:
    """Whether no character is a letter, a mark or a digit."""
    return not any(unicodedata.category(character)[0] in "LMN" for character in piece)


def group_sums(states: Any, groups: Any) -> Any:
    """Sums of the states of each group: shape (B, G, D), float32.

    Args:
        states: shape (B, L, D).
        groups: shape (B, L), int; -1 for padding.
    """
    import torch

    chosen = torch.stack([groups == place for place in range(len(GROUPS))], dim=1)
    return torch.matmul(chosen.to(states.dtype), states).float()
