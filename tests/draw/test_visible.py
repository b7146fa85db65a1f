"""Text from strangers made safe and legible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.visible import character, one_line, visible, word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("한글 text\n", "한글 text\n"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"),
        ("\ufffe", "\\ufffe"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_visible(text: str, expected: str) -> None:
    """Controls, lone surrogates and marks of direction are written out; letters, emoji and line ends stay."""
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("char", "expected"),
    [
        ("쀼", "쀼"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u00a0", "U+00A0 NO-BREAK SPACE"),
        ("\u0302", "◌\u0302 U+0302"),
        ("\x07", "U+0007"),
        ("\ue000", "U+E000"),
        ("ab", "ab"),
    ],
)
def test_character(char: str, expected: str) -> None:
    """A character that shows nothing is named by number and name."""
    assert character(char) == expected


def test_word() -> None:
    """A word is cut when it is long, and its blanks are spelled out."""
    assert word("가\u200b나\t") == "가\\u200b나\\t"
    assert word("x" * 30, 5) == "xxxx…"
    assert one_line("a \n b") == "a b"


@given(st.text())
def test_nothing_unsafe_is_left(text: str) -> None:
    """Whatever goes in, no control but the line end comes out, and all of it can be written as UTF-8."""
    for shown in (visible(text), word(text)):
        shown.encode()
        assert not {char for char in shown if ord(char) < 32 and char != "\n"}
