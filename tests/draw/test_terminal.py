"""Tables in lines: widths, Hangul, folding, and what becomes of a table that is too wide."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.table import Column, table
from pretune.draw.terminal import can_draw, folded, lines, sparkline, text, width_of

SIDE_BY_SIDE = table(
    "which",
    ["", "klue/roberta-base", "한국어/모델"],
    [["unknown"], ["words", "0.6 %", "0.2 %"], ["texts", "13.8 %", "5.1 %"]],
    note="how to read it",
    things="columns",
)


def test_numbers_stand_right_and_hangul_takes_two_columns() -> None:
    """Columns line up, the last one too, and no line ends in blanks."""
    assert text(SIDE_BY_SIDE) == (
        "which\n"
        "         klue/roberta-base  한국어/모델\n"
        "unknown\n"
        "  words              0.6 %        0.2 %\n"
        "  texts             13.8 %        5.1 %\n"
        "how to read it\n"
    )


def test_headings_are_folded_first() -> None:
    """A table that is a little too wide folds its headings at hyphens and slashes."""
    assert text(SIDE_BY_SIDE, 30) == (
        "which\n"
        "            klue/\n"
        "         roberta-  한국어/\n"
        "             base     모델\n"
        "unknown\n"
        "  words     0.6 %    0.2 %\n"
        "  texts    13.8 %    5.1 %\n"
        "how to read it\n"
    )


def test_tables_below_each_other_where_columns_do_not_fit() -> None:
    """A narrow terminal gets one table for each thing compared."""
    assert text(SIDE_BY_SIDE, 18).count("unknown") == 2


def test_rows_become_lists() -> None:
    """Where rows are compared, each becomes a list under its name."""
    wide = table("", ["word", Column("pieces", numbers=False), "times"], [["바이오쇼크", "바이오 ##쇼 ##크", "277"]])
    assert text(wide, 28) == "바이오쇼크\n  pieces  바이오 ##쇼 ##크\n  times                277\n"


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
@given(
    st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=4),
    st.lists(st.text(max_size=20), min_size=3, max_size=3),
    st.sampled_from(["rows", "columns"]),
)
def test_no_line_is_too_wide(width: int, rows: list[list[str]], headings: list[str], things: str) -> None:
    """Whatever stands in a table, each line fits and is one line."""
    for line in lines(table("a title", headings, rows, note="a note", things=things), width):  # type: ignore[arg-type]
        whole = "".join(piece for piece, _ in line)
        assert width_of(whole) <= width
        assert "\n" not in whole


@pytest.mark.parametrize("width", [2, 7, 80])
def test_folded_loses_nothing(width: int) -> None:
    """Folding breaks at spaces where it can, inside words where it must, and keeps every character."""
    told = "바이오쇼크 is a game with a_very_long_name"
    parts = folded(told, width)
    assert "".join("".join(parts).split()) == "".join(told.split())
    assert max(map(width_of, parts)) <= width


def test_sparkline() -> None:
    """Only nothing is blank; the largest fills its column; ASCII where the encoding has no blocks."""
    assert sparkline([0, 0.01, 4, 8]) == " ▁▄█"
    assert sparkline([0, 0.01, 4, 8], plain=True) == " .=@"
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""


def test_can_draw() -> None:
    """UTF-8 has the blocks, ASCII and an unknown encoding have not."""
    assert can_draw(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert not can_draw(io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert can_draw(io.StringIO())
