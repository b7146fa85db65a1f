"""Scripts of words and characters, Hangul in words, and where BERT's WordPiece begins a word anew: Letters, letters_of.

Knows no tokenizer.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pretune.artifacts.coverage import is_jamo, is_syllable
from pretune.corpus.scripts import COMMON, script_name

if TYPE_CHECKING:
    from pretune.corpus.unit_table import UnitTable

    Array = np.ndarray[Any, Any]

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


@lru_cache(maxsize=1 << 17)
def _continues(point: int) -> bool:
    character = chr(point)
    if character.isspace() or any(first <= point <= last for first, last in _CJK):
        return False
    ascii_mark = point < 128 and not character.isalnum()
    return not ascii_mark and not unicodedata.category(character).startswith("P")


def letters_of(table: UnitTable) -> Letters:
    """The letters of a table's words."""
    points = table.characters
    names = [script_name(chr(point)) for point in points.tolist()]
    scripts = (*sorted(set(names) - {COMMON}), COMMON)
    number = {name: at for at, name in enumerate(scripts)}
    common = number[COMMON]
    of_point: Array = np.full(0x110000, common, np.int64)
    of_point[points] = [number[name] for name in names]
    continues: Array = np.zeros(0x110000, bool)
    continues[points] = [_continues(point) for point in points.tolist()]
    ends = np.cumsum(table.lengths)[table.words]
    starts = ends - table.lengths[table.words]
    is_letter = (of_point != common).take(table.points)
    letters = table.before(is_letter)
    lettered = letters[ends] > letters[starts]
    of_words: Array = np.full(len(table.words), common, np.int64)
    of_words[lettered] = of_point[table.points[np.flatnonzero(is_letter)[letters[starts[lettered]]]]]
    counts = []
    for wanted in (is_syllable, is_jamo):
        there: Array = np.zeros(0x110000, bool)
        there[points] = [wanted(chr(point)) for point in points.tolist()]
        before = table.before(there.take(table.points)) if there.any() else None
        counts.append(np.zeros(len(starts), np.int64) if before is None else before[ends] - before[starts])
    return Letters(scripts, of_words, counts[0] + counts[1], counts[0], continues)
