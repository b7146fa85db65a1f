"""How rules write numbers, shares, tokens and lists."""

from pretune.check.rules.wording import number, places, shown, some


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
