"""What may stand at a place of a message: an amount, a list of names. Knows no catalogue."""

from __future__ import annotations

import re

_AMOUNT = re.compile(
    r"`?(?:(?:about|under|over|only|also|up to|at least|at most|more than|fewer than|less than|nearly) )?"
    r"[-+~≈<>]?(?:\d[\d,.]*(?:e[-+]?\d+)?(?: ?[%kKMG])?(?:st|nd|rd|th)?(?: ?(?:-|to|of|or|and|x|,) ?\d[\d,.]*)*|n|nth|N|…)`?"
)
_NAME = r"(?:`[^`]*`|\"[^\"]*\"|[^\s,;:()]+)"
_LIST = re.compile(rf"({_NAME}(?:, {_NAME})*)(?:,? (and|or) ({_NAME}))?(, …)?")
_JOINED = {"and": ", ", "or": " 또는 "}


def is_amount(value: str) -> bool:
    """Whether a value is a number, as what is counted has: `1,024`, `0.3 %`, `about 12`, `n`."""
    return _AMOUNT.fullmatch(value.strip()) is not None


def listed(text: str) -> str | None:
    """A list of names in Korean, whose names stay as they are: `a, b or c`; None where it is no list."""
    found = _LIST.fullmatch(text.strip())
    if found is None or not (found[2] or ", " in text):
        return None
    return found[1] + (_JOINED[found[2]] + found[3] if found[2] else "") + (found[4] or "")
