"""Curves as SVG: round ticks, gaps, marks, long series, hostile names; well-formed always."""

import math
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.chart import Mark
from pretune.draw.curves import MOST, Line, curves, thinned, ticks_of

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


def drawn(*lines: Line, **more: object) -> str:
    """A picture, which has to be well-formed."""
    found = curves(lines, name="n", title="t", description="d", **more)  # type: ignore[arg-type]
    ET.fromstring(found)
    return found


@given(NUMBERS, NUMBERS)
def test_ticks_enclose_the_range(one: float, other: float) -> None:
    """At equal distances, rising, few; also of a range of one number."""
    low, high = min(one, other), max(one, other)
    ticks = ticks_of(low, high)
    assert 2 <= len(ticks) <= 7
    assert all(a < b for a, b in pairwise(ticks))
    slack = 1e-6 * max(abs(low), abs(high), 1.0)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack


def test_ticks_are_round() -> None:
    """1, 2, 2.5 and 5 times a power of ten."""
    assert ticks_of(0.0, 5e-5) == (0, 2e-5, 4e-5, 6e-5)
    assert ticks_of(2.1, 5.3) == (2, 3, 4, 5, 6)
    assert ticks_of(3.0, 3.0)[0] < 3 < ticks_of(3.0, 3.0)[-1]


def test_long_series_are_thinned() -> None:
    """At most MOST points, first and last as they are; what is no number is left out."""
    found = thinned([(float(i), float(i)) for i in range(10_000)])
    assert len(found) <= MOST
    assert found[0] == (0, 0)
    assert found[-1] == (9999, 9999)
    assert thinned([(1.0, math.nan), (2.0, math.inf), (3.0, 1.0)]) == ((3.0, 1.0),)


def test_nothing_and_one_point() -> None:
    """No number: a sentence. One: a dot."""
    assert "no number is known" in drawn(Line("loss", ()))
    assert "no number is known" in drawn(Line("loss", ((1.0, math.nan),)))
    assert drawn(Line("loss", ((1.0, 2.0),))).count("<circle") == 1


def test_names_are_escaped() -> None:
    """Names come from tasks and people; an escape sequence is made visible."""
    found = drawn(Line("<script>&\x1b", ((1.0, 2.0), (2.0, 3.0))), mark=Mark(2, "step 2 \u202e"))
    assert "<script>" not in found
    assert "\x1b" not in found
    assert "\u202e" not in found


@pytest.mark.parametrize("at", [1, 5, 9, 20])
def test_a_mark_stands_only_where_the_axis_is(at: int) -> None:
    """A mark beyond the axis is left out."""
    found = drawn(Line("x", ((1.0, 1.0), (9.0, 2.0))), mark=Mark(at, "here"), zero=True)
    assert ("here" in found) == (at <= 9)


def test_words_are_korean_and_names_are_not(monkeypatch) -> None:
    """A legend of several words is said, a figure's name stays; so does the sentence of an empty picture."""
    monkeypatch.setenv("PRETUNE_LANG", "ko")
    found = drawn(Line("training loss", ((1.0, 2.0),)), mark=Mark(1, "default"))
    assert ">학습 손실<" in found
    assert ">기본값<" in found
    assert ">score<" in drawn(Line("score", ((1.0, 2.0),)))
    assert "no number" not in drawn(Line("score", ()))
