"""How rules write numbers, tokens and short lists in their messages. Knows no facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.quantity import number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["number", "percent", "places", "shown", "some"]


def shown(text: str, most: int = 40) -> str:
    """A token or a word in quotation marks, cut to `most` characters, invisible ones spelled out."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    safe = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)
    return f"`{safe}`" if "`" not in safe else f'"{safe}"'


def some(items: Iterable[str], most: int = 3) -> str:
    """The first few items, and how many more there are."""
    listed = list(items)
    text = ", ".join(shown(item) for item in listed[:most])
    return text + (f" and {len(listed) - most:,} more" if len(listed) > most else "")


def places(items: Iterable[str], most: int = 3) -> str:
    """The first few places, and how many more there are."""
    listed = list(items)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")
