"""Scripts of words and characters, Hangul in words, and where BERT's WordPiece begins a word anew: Letters, letters_of.

Knows Unicode through `artifacts.coverage`; knows no tokenizer.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pretune.artifacts.coverage import is_jamo, is_syllable, script_of

if TYPE_CHECKING:
    import numpy as np

    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

COMMON = "Common"
"""The script of digits, marks, signs and spaces."""

_CJK = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FFFF))


@dataclass(frozen=True)
class Letters:
    """Letters of the words of a table.

    Attributes:
        scripts: names; the last is COMMON, for words without a letter.
        of_words: for each word the index of the script of its first letter, int64.
        hangul: Hangul syllables and conjoining jamo of each word, int64; `syllables`: the syllables among them.
        continues: bool for each of 0x110000 code points: a character that stands inside a word of BERT's pre-tokenizer
            (neither white space nor a punctuation mark nor a Han character).
    """

    scripts: tuple[str, ...]
    of_words: Array
    hangul: Array
    syllables: Array
    continues: Array


_NO_SCRIPT = frozenset(
    "Modifier Superscript Subscript Feminine Masculine Micro Ohm Kelvin Angstrom Script Double".split()
)
"""First words of Unicode names of letters that belong to no script of their own."""


@lru_cache(maxsize=1 << 17)
def script_name(character: str) -> str:
    """The script of a character, COMMON for what is no letter; wide, narrow and circled forms count as what they show."""
    shown = unicodedata.normalize("NFKC", character)[:1] if ord(character) > 0x2000 else character
    name = script_of(shown)
    return COMMON if name == "other" or name in _NO_SCRIPT else name


def _continues(point: int) -> bool:
    character = chr(point)
    if character.isspace() or any(first <= point <= last for first, last in _CJK):
        return False
    ascii_mark = point < 128 and not character.isalnum()
    return not ascii_mark and not unicodedata.category(character).startswith("P")


def script_of_word(word: str) -> str:
    """The script of the first letter of a word, COMMON for one without a letter."""
    return next((name for name in map(script_name, word) if name != COMMON), COMMON)


def letters_of(table: UnitTable) -> Letters:
    """The letters of a table's words."""
    import numpy as np

    points = table.characters
    names = [script_name(chr(point)) for point in points.tolist()]
    scripts = (*sorted(set(names) - {COMMON}), COMMON)
    number = {name: at for at, name in enumerate(scripts)}
    common = number[COMMON]
    of_point: Array = np.full(0x110000, common, np.int64)
    of_point[points] = [number[name] for name in names]
    continues: Array = np.zeros(0x110000, bool)
    continues[points] = [_continues(point) for point in points.tolist()]
    places = np.flatnonzero(of_point[table.points] != common)
    unit = np.repeat(np.arange(len(table.units)), table.lengths)[places]
    first: Array = np.ones(len(unit), bool)
    first[1:] = unit[1:] != unit[:-1]
    of_unit: Array = np.full(len(table.units), common, np.int64)
    of_unit[unit[first]] = of_point[table.points[places[first]]]
    syllable, jamo = (
        np.array([point for point in points.tolist() if wanted(chr(point))], np.int64)
        for wanted in (is_syllable, is_jamo)
    )
    syllables = table.count_characters(syllable)[table.words]
    hangul = syllables + table.count_characters(jamo)[table.words]
    return Letters(scripts, of_unit[table.words], hangul, syllables, continues)
