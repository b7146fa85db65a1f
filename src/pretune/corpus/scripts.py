"""Scripts of characters and words, as Unicode names them: script_name, script_of_word. Needs nothing but Python."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pretune.artifacts.coverage import script_of

COMMON = "Common"
"""The script of digits, marks, signs and spaces."""

_NO_SCRIPT = frozenset(
    "Modifier Superscript Subscript Feminine Masculine Micro Ohm Kelvin Angstrom Script Double".split()
)
"""First words of Unicode names of letters that belong to no script of their own."""


@lru_cache(maxsize=1 << 17)
def script_name(character: str) -> str:
    """The script of a character, COMMON for what is no letter; wide and narrow forms count as what they show."""
    shown = unicodedata.normalize("NFKC", character)[:1] if ord(character) > 0x2000 else character
    name = script_of(shown)
    return COMMON if name == "other" or name in _NO_SCRIPT else name


def script_of_word(word: str) -> str:
    """The script of the first letter of a word, COMMON for one without a letter."""
    return next((name for name in map(script_name, word) if name != COMMON), COMMON)
