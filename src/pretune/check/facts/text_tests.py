"""Tests of single texts: blank, decomposed, mangled, invisible and control characters, markup, words without end.

What each finds is counted by name over all rows. Knows no rows and no tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.facts.hits import Found
from pretune.check.facts.mangled import undone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INVISIBLES = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u3164\ufeff\uffa0"
BIDI = "\u202a-\u202e\u2066-\u2069"
CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"
JAMO = "[\u1100-\u1112][\u1161-\u1175]"
"""A leading and a vowel jamo, which NFC composes; archaic ones, which no syllable exists for, stay as they are."""
MISSING = frozenset({"nan", "NaN", "NA", "N/A", "n/a", "null", "NULL", "None", "<NA>", "#N/A", "-nan", "-NaN", "#NA"})
"""What pandas reads as a missing value, besides the empty cell."""
BLANKING = ("text", "question", "context", "text_pair")
"""Roles whose text must not be blank; a message may be by design (a tool call), a token is looked at by itself."""

_INVISIBLE = re.compile(f"[{INVISIBLES}]")
_BIDI = re.compile(f"[{BIDI}]")
_JOINERS = "\u200c\u200d"
_MARKS = "\u200e\u200f\u061c"
_CONTROL = re.compile(f"[{CONTROLS}]")
_JAMO = re.compile(JAMO)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|apos|#[0-9]{2,5}|#x[0-9a-fA-F]{2,5});")
_TAG = re.compile(
    r"</?(?:br|p|div|span|b|i|u|a|li|ul|ol|td|tr|table|font|img|strong|em|h[1-6])"
    r"(?:[ \t\r\n\f\v][^<>]{0,200})?[ \t\r\n\f\v]*/?>",
    re.IGNORECASE | re.ASCII,
)
_ESCAPE = re.compile(r"(?<!\\)\\[nrt](?![a-zA-Z])|(?<!\\)\\u[0-9a-fA-F]{4}")
_RUN = re.compile(r"[^\W_]{101,}")
_BLANKS = " \t\r\n\ufe0f"


def blank(text: str) -> Found | None:
    """No text, or none that can be seen; the kind `unseen`: invisible characters only."""
    bare = text.strip()
    if not bare:
        return Found()
    return None if _INVISIBLE.sub("", text).strip(_BLANKS) else Found(kinds=(("unseen", 1),))


def decomposed(text: str) -> Found | None:
    """Hangul in jamo that NFC would compose."""
    return Found() if _JAMO.search(text) else None


def mojibake(text: str) -> Found | None:
    """Text that was decoded with another encoding than it was written in; says how, and what was meant."""
    how = undone(text)
    return None if how is None else Found(how)


def replaced(text: str) -> Found | None:
    """U+FFFD or a lone surrogate."""
    return Found() if "\ufffd" in text or any("\ud800" <= char <= "\udfff" for char in text) else None


def unseen(text: str) -> Found | None:
    """Invisible characters; the kinds are the characters."""
    found = Counter(invisible(text))
    return Found(kinds=tuple(found.items())) if found else None


def no_break(text: str) -> Found | None:
    """No-break spaces."""
    return Found() if "\xa0" in text else None


def control(text: str) -> Found | None:
    """Control characters; the kinds are the characters."""
    found = Counter(_CONTROL.findall(text))
    return Found(kinds=tuple(found.items())) if found else None


def entity(text: str) -> Found | None:
    """An HTML entity; says the first."""
    return _first(_ENTITY, text)


def tag(text: str) -> Found | None:
    """An HTML tag; says the first."""
    return _first(_TAG, text)


def escape(text: str) -> Found | None:
    """An escape that is written out; says the first."""
    return _first(_ESCAPE, text) if "\\" in text else None


def long_word(text: str) -> Found | None:
    """A run of more than 100 letters and digits; its size is the longest one's."""
    longest = max(map(len, _RUN.findall(text)), default=0) if len(text) > 100 else 0
    return Found(size=longest) if longest else None


def missing_word(text: str) -> Found | None:
    """A word that pandas takes for a missing value; says it."""
    return Found((text,)) if text in MISSING else None


def _first(pattern: re.Pattern[str], text: str) -> Found | None:
    match = pattern.search(text)
    return Found((match.group(),)) if match else None


def invisible(text: str) -> list[str]:
    """The invisible characters that are not meant: joiners between emoji or in the scripts that need them are."""
    if text.isascii():
        return []
    found = _BIDI.findall(text)
    for match in _INVISIBLE.finditer(text):
        char, at = match.group(), match.start()
        if char in _JOINERS + _MARKS and (_joinable(text[at - 1 : at]) or _joinable(text[at + 1 : at + 2])):
            continue
        found.append(char)
    return found


def _joinable(char: str) -> bool:
    """True beside emoji, and beside letters of scripts that are written with joiners or from right to left."""
    if not char:
        return False
    code = ord(char)
    emoji = code >= 0x1F000 or 0x2190 <= code <= 0x2BFF or char == "\ufe0f"
    return (
        emoji
        or unicodedata.bidirectional(char) in {"R", "AL", "AN"}
        or 0x0900 <= code <= 0x109F
        or 0x1780 <= code <= 0x18AF
    )


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test that each text of a row is put to.

    Attributes:
        find: what it finds in a text; None: nothing.
        tables: only of tables.
    """

    find: Callable[[str], Found | None]
    tables: bool = False


TEXT_TESTS: Mapping[str, TextTest] = {
    "decomposed": TextTest(decomposed),
    "mojibake": TextTest(mojibake),
    "replaced": TextTest(replaced),
    "invisible": TextTest(unseen),
    "no-break": TextTest(no_break),
    "control": TextTest(control),
    "entity": TextTest(entity),
    "tag": TextTest(tag),
    "escape": TextTest(escape),
    "long-word": TextTest(long_word),
    "missing-word": TextTest(missing_word, tables=True),
}
"""Name -> test. `blank` stands apart: it is asked of each role by itself, `blank:text`."""
