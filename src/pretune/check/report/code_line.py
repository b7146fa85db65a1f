"""The line of source that a finding stands on, made fit to be shown: without indentation, cut, nothing invisible."""

from __future__ import annotations

import unicodedata

from pretune.draw.visible import visible

WIDEST = 160
"""Characters shown where nobody says how wide the line may be."""


def fitted(line: str, column: int | None, width: int = WIDEST) -> tuple[str, int]:
    """The line as it is shown, and how many columns stand before its place (Hangul has two).

    Args:
        line: as it stands in the source.
        column: of the place, from 1; None: the line's beginning.
        width: columns there are, at least 16.
    """
    width = max(width, 16)
    body = line.strip()
    at = min(max((column or 1) - 1 - (len(line) - len(line.lstrip())), 0), len(body))
    before, after = visible(body[:at].expandtabs()), visible(body[at:].expandtabs())
    if columns(before) > width // 2 and columns(before + after) > width:
        before = "…" + _end(before, width // 2 - 1)
    if columns(before + after) > width:
        after = _beginning(after, width - columns(before) - 1) + "…"
    return before + after, columns(before)


def columns(text: str) -> int:
    """How wide a text stands in a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _beginning(text: str, width: int) -> str:
    """As much of its beginning as fits."""
    text = text[: max(width, 0)]
    while columns(text) > width > 0:
        text = text[:-1]
    return text


def _end(text: str, width: int) -> str:
    """As much of its end as fits."""
    text = text[-width:] if width > 0 else ""
    while columns(text) > width > 0:
        text = text[1:]
    return text
