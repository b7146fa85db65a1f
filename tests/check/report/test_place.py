"""Taking `where` apart, and making strangers' text safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.check.report.place import one_line, place, shown


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ("", None, None, "")),
        ("config.json", ("config.json", None, None, "")),
        ("m/config.json:/vocab_size", ("m/config.json", None, None, "/vocab_size")),
        ("m/config.json:/id2label/a:b", ("m/config.json", None, None, "/id2label/a:b")),
        ("setup.toml:/", ("setup.toml", None, None, "/")),
        ("train.jsonl:17", ("train.jsonl", 17, None, "")),
        ("a:b.jsonl:17", ("a:b.jsonl", 17, None, "")),
        ("train.py:42:8", ("train.py", 42, 8, "")),
        ("train.py:42:8/0", ("train.py", 42, 8, "/0")),
        ("train.jsonl:0", ("train.jsonl:0", None, None, "")),
        ("C:/m/config.json:/x", ("C:/m/config.json", None, None, "/x")),
        ("C:\\m\\train.csv:9", ("C:\\m\\train.csv", 9, None, "")),
        ("--config num_labels", ("", None, None, "")),
        ("setup:/config/x", ("", None, None, "/config/x")),
    ],
)
def test_place(where: str, expected: tuple[object, ...]) -> None:
    """Files, lines, columns and pointers come apart, also with colons and drive letters in the path."""
    at = place(where)
    assert (at.file, at.line, at.column, at.pointer) == expected
    assert at.text == where


def test_a_cell() -> None:
    """The place in a notebook has its cell, and the line is one of that."""
    at = place("학습/note.ipynb:cell 3:12:8")
    assert (at.file, at.cell, at.line, at.column) == ("학습/note.ipynb", 3, 12, 8)
    assert place("train.py:42:8").cell is None


@given(st.text())
def test_any_text_is_a_place(where: str) -> None:
    """No text makes taking it apart fail."""
    assert place(where).text == where


@given(st.text())
def test_shown_text_moves_no_cursor(text: str) -> None:
    """Shown text is free of control characters but line ends, and one line is one line."""
    assert all(char == "\n" or char.isprintable() or ord(char) > 0x9F for char in shown(text))
    assert len(one_line(text).splitlines()) <= 1


def test_hangul_stays() -> None:
    """Hangul, also taken apart (NFD), and emoji are shown as they are."""
    assert shown("주말 주말 👍🏽 é") == "주말 주말 👍🏽 é"


def test_bidirectional_overrides_are_escaped() -> None:
    """A right-to-left override, which would turn the message round, is written as an escape."""
    assert shown("a\u202eb\u2066c") == "a\\u202eb\\u2066c"
