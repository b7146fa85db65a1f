"""What a tokenizer can represent: the 11,172 Hangul syllables, and any single character.

Works on an encoder (a `tokenizers.Tokenizer`) and its vocabulary. Knows no text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import tokenizers

FIRST_SYLLABLE, LAST_SYLLABLE = 0xAC00, 0xD7A3
_SYLLABLE = re.compile(f"[{chr(FIRST_SYLLABLE)}-{chr(LAST_SYLLABLE)}]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_HANGUL = re.compile(f"[{chr(FIRST_SYLLABLE)}-{chr(LAST_SYLLABLE)}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
SYLLABLES = LAST_SYLLABLE - FIRST_SYLLABLE + 1


def is_syllable(character: str) -> bool:
    """Whether it is one of the 11,172 composed Hangul syllables."""
    return FIRST_SYLLABLE <= ord(character) <= LAST_SYLLABLE


def is_jamo(character: str) -> bool:
    """Whether it is a conjoining jamo (U+1100.., U+A960.., U+D7B0..), what NFD makes of a syllable."""
    code = ord(character)
    return 0x1100 <= code <= 0x11FF or 0xA960 <= code <= 0xA97F or 0xD7B0 <= code <= 0xD7FF


def has_jamo(text: str) -> bool:
    """Whether a text holds a conjoining jamo."""
    return not text.isascii() and _JAMO.search(text) is not None


def hangul_in(text: str) -> int:
    """How many composed syllables and conjoining jamo a text holds."""
    return 0 if text.isascii() else len(_HANGUL.findall(text))


def syllables_in(vocabulary: Iterable[str]) -> int:
    """How many different Hangul syllables occur anywhere in the tokens of a vocabulary."""
    return len(set(_SYLLABLE.findall("".join(vocabulary))))


@dataclass(frozen=True, slots=True)
class HangulCoverage:
    """What becomes of each of the 11,172 Hangul syllables, encoded alone; the five counts sum to that.

    Attributes:
        own: one token of its own.
        jamo: taken apart into conjoining jamo.
        bytes: spelled in bytes (byte-level or byte fallback), several tokens.
        unknown: the unknown token, or nothing at all.
        pieces: several other tokens.
    """

    own: int
    pieces: int
    jamo: int
    bytes: int
    unknown: int


def hangul_coverage(encoder: tokenizers.Tokenizer, *, unknown: int | None, byte_level: bool) -> HangulCoverage:
    """Encode every Hangul syllable alone and say what became of it. Takes about 0.1 s.

    Args:
        encoder: what to encode with.
        unknown: the id of the unknown token, None when there is none.
        byte_level: its tokens are bytes in GPT-2's alphabet.
    """
    syllables = [chr(code) for code in range(FIRST_SYLLABLE, LAST_SYLLABLE + 1)]
    counts = {"own": 0, "pieces": 0, "jamo": 0, "bytes": 0, "unknown": 0}
    for encoding in encoder.encode_batch(syllables, add_special_tokens=False):  # the fast one leaves tokens empty
        tokens, ids = encoding.tokens, encoding.ids
        meaningful = [token for token in tokens if token not in ("▁", "Ġ")]
        if not ids or (unknown is not None and unknown in ids):
            counts["unknown"] += 1
        elif any(is_jamo(character) for token in tokens for character in token):
            counts["jamo"] += 1
        elif len(meaningful) == 1:
            counts["own"] += 1
        elif byte_level or any(is_byte_token(token) for token in tokens):
            counts["bytes"] += 1
        else:
            counts["pieces"] += 1
    return HangulCoverage(**counts)


def is_byte_token(token: str) -> bool:
    """Whether it is a byte of sentencepiece's fallback: `<0xEA>`."""
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def unrepresentable(
    encoder: tokenizers.Tokenizer, characters: Iterable[str], *, unknown: int | None, ids: Mapping[str, int]
) -> frozenset[str]:
    """The characters that no token can carry: unknown when they stand alone and when they continue a word."""
    asked = list(dict.fromkeys(characters))
    missing = set()
    for character, encoding in zip(asked, encoder.encode_batch_fast(asked, add_special_tokens=False), strict=True):
        lost = not encoding.ids or (unknown is not None and unknown in encoding.ids)
        if lost and f"##{character}" not in ids and not character.isspace():
            missing.add(character)
    return frozenset(missing)


@lru_cache(maxsize=65536)
def script_of(character: str) -> str:
    """A script's name for a letter ("Hangul", "Han", "Latin", "Kana", ...), "other" for what is no letter.

    From the first word of the Unicode name, which the standard library has; good for telling scripts apart.
    """
    if is_syllable(character) or is_jamo(character):
        return "Hangul"
    if character.isascii():
        return "Latin" if character.isalpha() else "other"
    if not character.isalpha():
        return "other"
    first = unicodedata.name(character, "other").split(" ", 1)[0].split("-", 1)[0]
    return {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "HANGUL": "Hangul"}.get(first, first.capitalize())
