"""Entries of a byte-level vocabulary as the text that they are: readable, in_line. For people; files keep entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.draw.visible import visible
from pretune.tokens.bpe import BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

SPACE = "▁"
"""Stands for a space, as in sentencepiece's entries."""


def readable(entry: str, *, byte_level: bool) -> str:
    """`▁학교` of an entry that is written in letters for bytes; bytes that are no whole character as escapes.

    Args:
        entry: as the vocabulary has it.
        byte_level: whether its letters stand for bytes; an added token is plain text even then.
    """
    if not byte_level or not all(letter in BYTES for letter in entry):
        return entry
    text = bytes(BYTES[letter] for letter in entry).decode("utf-8", "backslashreplace")
    return visible(text.replace(" ", SPACE)).replace("\n", "\\n")


def in_line(entries: Iterable[str | None], *, byte_level: bool) -> str:
    """Entries with spaces between them."""
    return " ".join(readable(str(entry), byte_level=byte_level) for entry in entries)
