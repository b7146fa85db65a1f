"""Texts folded and screened by the compiled kernel in one look, where it is there: Look, look_at. Needs polars.

Comes to what repeats.folded_text and the patterns of screens.py say: plain characters are folded by the kernel, texts
with another one in Python; of the screens it says which texts none of them can let through. Knows no test.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pretune.check.facts.mangled import rare_syllables
from pretune.check.facts.repeats import folded_text
from pretune.check.facts.text_tests import BIDI, CONTROLS, INVISIBLES

if TYPE_CHECKING:
    import polars as pl

PLAIN = (
    "\\x00-\\x7f\xa0-\xb4\xb6-\xde\xe0-\xff\u200b-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u27bf\u3000-\u3029\u3030-\u3036"
    "\u3041-\u3096\u30a1-\u30fa\u30fc\u3131-\u318e\u4e00-\u9fff가-힣\uff01-\uff9d\ufe0f\U0001f000-\U0001faff\u0410-\u044f"
)
"""Characters that NFC leaves alone whatever stands beside them, and whose case folds as it is lowered."""

CAPITALS = "A-Z\xc0-\xde\uff21-\uff3a\u0410-\u042f"
"""Those of them that have small letters."""

SCREENED = f"\u1100-\u1112\xa0-\xfe\ufffd&<\\\\{INVISIBLES}{BIDI}{CONTROLS}"
"""Of each screen but that for long words a character without which it lets no text through; rare syllables besides."""

_BLANK, _UPPER, _ODD, _SCREENED, _ENDS_RUN = 1, 2, 3, 8, 16
"""What the kernel is told of a character (fold.c)."""

_HAS_SCREENED, _HAS_RUN, _NOT_FOLDED = 1, 2, 4
"""What it says of a text."""

_KEPT = 4
"""Looks that are kept: of the roles of one block."""


class Look(NamedTuple):
    """What the kernel says of texts.

    Attributes:
        folded: the texts folded; null where there is none.
        sizes: characters that they then have, null likewise.
        some: the numbers of the texts that a screen may let through, ascending.
    """

    folded: pl.Series
    sizes: pl.Series
    some: pl.Series


class _Kept:
    """The last looks; the same texts are asked for their folds and for their screens."""

    def __init__(self) -> None:
        self.looks: list[tuple[pl.Series, Look]] = []


_kept = _Kept()


def forget() -> None:
    """Keep no look: a block's texts take memory."""
    _kept.looks.clear()


def look_at(texts: pl.Series) -> Look | None:
    """Fold and screen texts; None: there is no kernel."""
    from pretune.corpus.kernel import kernel

    for known, look in _kept.looks:
        if known is texts:
            return look
    module = kernel()
    if module is None:
        return None
    _kept.looks = [*_kept.looks[1 - _KEPT :], (texts, _look(module, texts))]
    return _kept.looks[-1][1]


def _look(module: Any, texts: pl.Series) -> Look:
    import numpy as np
    import polars as pl

    from pretune.corpus.kernel import buffers_of, series_of

    data, offsets = buffers_of(texts)
    found, ends, counts, flags = module.fold(data, offsets, *_tables())
    folded = series_of(found, ends)
    sizes = pl.Series(np.frombuffer(counts, np.uint32))
    says = np.frombuffer(flags, np.uint8)
    odd = pl.Series(np.flatnonzero(says & _NOT_FOLDED), dtype=pl.UInt32)
    if len(odd):
        again = pl.Series([folded_text(text) for text in texts.gather(odd).to_list()], dtype=pl.String)
        folded = folded.scatter(odd, again)
        sizes = sizes.scatter(odd, again.str.len_chars())
    if texts.null_count():
        nothing = texts.is_null()
        folded = folded.zip_with(~nothing, pl.repeat(None, len(texts), dtype=pl.String, eager=True))
        sizes = sizes.zip_with(~nothing, pl.repeat(None, len(texts), dtype=pl.UInt32, eager=True))
    some = pl.Series(np.flatnonzero(says & (_HAS_SCREENED | _HAS_RUN)), dtype=pl.UInt32)
    return Look(folded, sizes, some)


@lru_cache(maxsize=1)
def _tables() -> tuple[Any, Any]:
    """What the kernel is told: a kind for each code point, and the small letter of a capital."""
    import numpy as np

    kinds: np.ndarray[Any, Any] = np.full(0x110000, _ODD, np.uint8)
    lowers: np.ndarray[Any, Any] = np.zeros(0x110000, np.uint32)
    for first, last in _ranges(PLAIN):
        kinds[first : last + 1] = 0
    white = [point for point in range(0x3001) if chr(point).isspace()]
    kinds[[point for point in white if kinds[point] == 0]] = _BLANK
    for point in (point for first, last in _ranges(CAPITALS) for point in range(first, last + 1)):
        small = chr(point).lower()
        if kinds[point] == 0 and small != chr(point):
            kinds[point], lowers[point] = _UPPER, ord(small)
    for first, last in _ranges(SCREENED + rare_syllables()):
        kinds[first : last + 1] |= _SCREENED
    kinds[[*white, *(point for point in range(128) if not chr(point).isalnum())]] |= _ENDS_RUN
    return kinds, lowers


def _ranges(inside: str) -> list[tuple[int, int]]:
    """The ranges of the inside of a character class, as code points."""
    found = re.findall(r"(\\x[0-9a-f]{2}|\\.|[^\\])(?:-(\\x[0-9a-f]{2}|[^\\]))?", inside, re.DOTALL)
    return [(_point(first), _point(last or first)) for first, last in found]


def _point(text: str) -> int:
    """A character, or its escape."""
    return int(text.removeprefix("\\x"), 16) if text.startswith("\\x") else ord(text[-1])
