"""The line of source below a finding: cut to the width around its place, nothing invisible in it."""

import pytest

from pretune.check.report.code_line import columns, fitted


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("", None, ("", 0)),
        ("    x = f(1)", 9, ("x = f(1)", 4)),
        ("\t가 = f(1)  ", 6, ("가 = f(1)", 5)),
        ("x = 1", 99, ("x = 1", 5)),
        ("    x", 1, ("x", 0)),
        ("x = '\x1b[31m\u202e'", 1, ("x = '\\x1b[31m\\u202e'", 0)),
    ],
)
def test_a_line_that_fits(line: str, column: int | None, expected: tuple[str, int]) -> None:
    """Indentation goes, Hangul counts two columns, what is invisible is spelled out."""
    assert fitted(line, column) == expected


@pytest.mark.parametrize("width", [0, 16, 40])
@pytest.mark.parametrize("char", ["x", "가"])
@pytest.mark.parametrize("column", [1, 50, 100])
def test_a_long_line_is_cut_around_its_place(width: int, char: str, column: int) -> None:
    """Whatever the width, the line fits and its place is in it."""
    text, before = fitted(char * 100, column, width)
    assert columns(text) <= max(width, 16)
    assert before <= columns(text)
    assert "…" in text
