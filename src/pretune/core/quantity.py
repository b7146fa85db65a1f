"""How numbers are written for people: counts, shares, ratios, bytes. Knows nothing of what is counted."""

from __future__ import annotations


def number(count: int) -> str:
    """12345 -> `12,345`."""
    return f"{count:,}"


def percent(share: float) -> str:
    """0.1234 -> `12 %`; below ten with one digit, and never 0 % or 100 % of what is not; for sentences."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    hundred = share * 100
    return f"{hundred:.1f} %" if 0 < round(hundred, 1) < 10 else f"{hundred:.0f} %"


def share(part: float, whole: float) -> str:
    """`part` of `whole` in per cent with one digit, as columns want it: `12.3 %`, `< 0.1 %`; an exact nothing: `0 %`.

    A whole of nothing has no shares: `-`.
    """
    if not whole:
        return "-"
    hundred = part / whole * 100
    if not part:
        return "0 %"
    if part == whole:
        return "100 %"
    if hundred < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if 99.9 < hundred < 100 else f"{hundred:.1f} %"


def ratio(part: float, whole: float, digits: int = 2) -> str:
    """`part / whole` with so many digits; `-` where there is no whole."""
    return f"{part / whole:,.{digits}f}" if whole else "-"


def size(count: int) -> str:
    """Bytes in decimal units: `999 bytes`, `1.2 kB`, `168 MB`."""
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
