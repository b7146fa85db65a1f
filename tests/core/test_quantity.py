"""Numbers as people read them: nothing is rounded to none, and nothing to all."""

import pytest

from pretune.core.quantity import number, percent, ratio, share, size


@pytest.mark.parametrize(
    ("part", "told", "short"),
    [
        (0, "0 %", "0 %"),
        (0.0004, "< 0.1 %", "under 0.1 %"),
        (0.0066, "0.7 %", "0.7 %"),
        (0.0999, "10.0 %", "10 %"),
        (0.219, "21.9 %", "22 %"),
        (0.9996, "> 99.9 %", "over 99.9 %"),
        (1, "100 %", "100 %"),
    ],
)
def test_shares(part: float, told: str, short: str) -> None:
    """A column has one digit, a sentence as few as it needs; only nothing is 0 % and only all is 100 %."""
    assert share(part, 1) == told
    assert percent(part) == short


def test_of_nothing() -> None:
    """Nothing has no shares and no ratios."""
    assert share(0, 0) == ratio(1, 0) == "-"


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1234, "1.2 kB"),
        (9_960, "10 kB"),
        (999_600, "1.0 MB"),
        (3 * 10**15, "3,000 TB"),
    ],
)
def test_size(count: int, told: str) -> None:
    """Bytes in decimal units with two or three digits."""
    assert size(count) == told
    assert number(1234567) == "1,234,567"
