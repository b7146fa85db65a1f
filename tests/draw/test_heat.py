"""Shaded tables: shades by value, marks in the text, headings that fold, no line too wide; and their look on a page."""

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.heat import INK, SHADES, STEPS, Heat, Square, lines, step_of
from pretune.draw.page import Page, Section, render

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def heat(columns: int = 3, **given: str) -> Heat:
    """A table of two rows, with a framed cell and a kept one."""
    names = ("mean", "weighted mean", "pooler output", "한국어 문장")
    row = (Square(".123", 0, framed=True), Square("-.456", 8, kept=True), Square("-"), Square(""))
    return Heat("title", "layer", names[:columns], (("0", row[:columns]), ("0+12", row[:columns])), **given)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_step_is_a_shade(value: float, one: float, other: float) -> None:
    """Every finite value has a shade, the ends of the scale have the outermost ones."""
    low, high = min(one, other), max(one, other)
    assert 0 <= step_of(value, low, high) < STEPS
    if high > low:
        assert step_of(low, low, high) == 0
        assert step_of(high, low, high) == STEPS - 1


def test_what_is_no_number_has_no_shade() -> None:
    """Nan and infinity stay unshaded; a scale of one value has the middle shade."""
    assert step_of(float("nan"), 0, 1) == -1
    assert step_of(float("inf"), 0, 1) == -1
    assert step_of(3, 3, 3) == STEPS // 2


@pytest.mark.parametrize("width", [20, 30, 60, None])
def test_no_line_is_too_wide(width: int | None) -> None:
    """Columns that do not fit follow below; every number is there, with its marks."""
    found = ["".join(piece for piece, _ in line) for line in lines(heat(4, kept="kept", framed="framed"), width)]
    from pretune.draw.terminal import width_of

    assert width is None or max(map(width_of, found)) <= width
    assert "\n".join(found).count(">.123") == 2
    assert "\n".join(found).count("-.456*") == 2
    assert any("> framed" in line for line in found)


def test_shades_are_styles_and_blank_cells_are_not() -> None:
    """A cell's style names its shade; text without a shade is dim; without marks there is no legend."""
    styles = [style for line in lines(heat()) for _, style in line]
    assert {"heat0", "heat8", "heading", "dim"} <= set(styles)
    assert heat().legend == ""


def test_the_page_says_marks_in_words() -> None:
    """Headings for rows and columns; a mark is told to those who do not see it."""
    written = render(Page("k", "t", (), (), (Section("s", "s", (heat(kept="kept one", framed="own"),)),)))
    assert '<td class="n h0 framed"><span class="unseen">own: </span><bdi>.123</bdi></td>' in written
    assert '<td class="n h8 kept"><bdi>-.456</bdi><span class="unseen">, kept one</span></td>' in written
    assert written.count('<th scope="row">') == 2
    assert written.count('scope="col"') == 4


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_numbers_read_on_every_shade() -> None:
    """A contrast of at least 4.5 (WCAG 2.2, AA) on each shade, in a terminal and on the page, light and dark."""
    css = resources.files("pretune.draw").joinpath("page.css").read_text(encoding="utf-8")
    light, _, dark = css.partition("@media screen and (prefers-color-scheme: dark)")
    for sheet in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", sheet))
        assert all(_contrast(colours["ink"], colours[f"h{step}"]) >= 4.5 for step in range(STEPS))
    assert len(SHADES) == STEPS
    assert all(_contrast(INK, shade) >= 4.5 for shade in SHADES)
