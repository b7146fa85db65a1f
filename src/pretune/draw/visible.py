"""Makes text from strangers safe to show: what is invisible, or moves a cursor or turns writing round, becomes visible.

Models and data come from strangers: an ESC in a token must not reach a terminal, nor an override of direction a page.
"""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """`text` with controls, lone surrogates and marks of direction written as escapes; line ends are kept."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _unsafe(char) else char for char in text)


def one_line(text: str) -> str:
    """`visible(text)` with each run of white space as one space."""
    return visible(" ".join(text.split()))


def beginning(text: str, most: int = 40) -> str:
    """`one_line(text)` with at most so many characters, for a message that names it."""
    whole = one_line(text)
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def word(text: str, most: int = 24) -> str:
    """A word for a table: at most `most` characters, all that is invisible spelled out, white space included."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(char if _inked(char) else _escape(char) for char in cut)


def character(char: str) -> str:
    """A character with what is needed to know it: `쀼`, `U+200B ZERO WIDTH SPACE`, `◌̂ U+0302`."""
    if len(char) != 1:
        return word(char)
    if unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return f"◌{char} U+{ord(char):04X}"
    if _inked(char) and unicodedata.category(char) != "Co":
        return char
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X} {name}".rstrip()


def _unsafe(char: str) -> bool:
    category = unicodedata.category(char)
    turns = category == "Cf" and (unicodedata.bidirectional(char) in _TURNING or char in _MARKS)
    return turns or char in _NEVER or (category in ("Cc", "Cs", "Zl", "Zp") and char != "\n")


def _inked(char: str) -> bool:
    """Whether something is seen where it stands; the joiners of emoji and of Indic letters are let through."""
    return char in "\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp")


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_MARKS = "\u200e\u200f\u061c"
_NEVER = "\ufffe\uffff\u200b\u2060\ufeff\u00ad"
"""Not in XML, and so in no picture; and what has no width and is no joiner."""


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
