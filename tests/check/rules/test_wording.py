"""How rules write numbers, shares, tokens and lists."""

import pytest

from pretune.check.rules.wording import number, percent, places, shown, some


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0 %"), (0.0005, "under 0.1 %"), (0.012, "1.2 %"), (0.1234, "12 %"), (0.9995, "over 99.9 %"), (1, "100 %")],
)
def test_percent(share: float, text: str) -> None:
    """Never 0 % or 100 % of what is not."""
    assert percent(share) == text


def test_shown() -> None:
    """Invisible characters are spelled out, long texts cut, back ticks quoted."""
    assert shown("가") == "`가`"
    assert shown("a\u200b\n") == "`a\\u200b\\u000a`"
    assert shown("x" * 50) == f"`{'x' * 39}…`"
    assert shown("`") == '"`"'
    assert number(12345) == "12,345"


def test_lists() -> None:
    """The first few, and how many more."""
    assert some(["a", "b", "c", "d"]) == "`a`, `b`, `c` and 1 more"
    assert some([]) == ""
    assert places(["1", "2"], 1) == "1 and 1 more"
