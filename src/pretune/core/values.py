"""What may stand at a place of a message: an amount, a list of names. Knows no catalogue."""

from __future__ import annotations

import re

_AMOUNT = re.compile(
    r"`?(?:(?:about|under|over|only|also|up to|at least|at most|more than|fewer than|less than|nearly) )?"
    r"[-+~≈<>]?(?:\d[\d,.]*(?:e[-+]?\d+)?(?: ?[%kKMG])?(?:st|nd|rd|th)?"
    r"(?: ?(?:-|to|of|or|and|x|,) ?\d[\d,.]*)*|n|nth|N|…)`?"
)
_NAME = r"(?:`[^`]*`|\"[^\"]*\"|[^\s,;:()]+)"
_LIST = re.compile(rf"{_NAME}(?:,? (?:and|or) {_NAME}|, {_NAME})*(?:, …|,? and \d[\d,]* more)?")
_MORE = re.compile(r",? and (\d[\d,]*) more$")
_JOIN = re.compile(r"`[^`]*`|\"[^\"]*\"|,? (and|or) ")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")


def is_amount(value: str) -> bool:
    """Whether a value is a number, as what is counted has: `1,024`, `0.3 %`, `about 12`, `n`."""
    return _AMOUNT.fullmatch(value.strip()) is not None


def listed(text: str) -> str | None:
    """A list of names in Korean, whose names stay as they are: `a, b or c`; None where it is no list."""
    text = text.strip()
    if not re.search(r", | or | and ", text) or _LIST.fullmatch(text) is None:
        return None
    more = _MORE.search(text)
    text, rest = (text[: more.start()], f" 외 {more[1]}개") if more else (text, "")
    names = re.split(r",? (?:and|or) |, ", _QUOTED.sub("`", text))
    if "`" in names and any(re.fullmatch(r"[a-z]+", name) for name in names):  # "`a`, beside `b`"
        return None
    return _JOIN.sub(lambda one: {"and": ", ", "or": " 또는 "}.get(one[1], one[0]), text) + rest


def outside_quotes(text: str) -> frozenset[int]:
    """The places of a text that no pair of ticks or quotation marks holds."""
    inside = {place for one in _QUOTED.finditer(text) for place in range(one.start() + 1, one.end())}
    return frozenset(range(len(text) + 1)) - inside


def holds_clauses(value: str, signs: str) -> bool:
    """Whether a value is more than a phrase: one of the signs, outside of quotes, parts what stands in it."""
    return re.search(rf"\w[^ ]*[{signs}] ", _QUOTED.sub("x", value)) is not None
