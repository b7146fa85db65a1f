"""How rules write numbers, tokens and short lists in their messages. Knows no facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def number(count: int) -> str:
    """12345 -> `12,345`."""
    return f"{count:,}"


def percent(share: float) -> str:
    """0.1234 -> `12 %`; below ten with one digit, and never 0 % or 100 % of what is not."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    hundred = share * 100
    return f"{hundred:.1f} %" if hundred < 10 else f"{hundred:.0f} %"


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
