"""Terminal, page and notebook show every number, also without colour, in 60 columns, and whatever strangers wrote."""

import io
import re
from html.parser import HTMLParser

import pytest

from pool import analysed
from pretune.draw.console import write
from pretune.pool.analysis import Analysis
from pretune.pool.choice import Choice
from pretune.pool.grid import decimal, grids, layers_of, listing, named, ranked, signed
from pretune.pool.page import page, render
from pretune.pool.show import compared, lines, text

HOSTILE = "<b>\x1b[31m\u202e\n{{ 1 }}"


@pytest.fixture(scope="module")
def full() -> Analysis:
    """Scored pairs with everything that can be asked for, named by somebody hostile."""
    return analysed.everything(HOSTILE)


@pytest.mark.parametrize("width", [40, 60, 100, None])
def test_every_line_fits(full: Analysis, width: int | None) -> None:
    """No line is wider than the terminal, nothing moves a cursor, and every layer's numbers are there."""
    found = ["".join(piece for piece, _ in line) for line in lines(full, width)]
    assert width is None or max(map(len, found)) <= width
    whole = "\n".join(found)
    assert "\x1b" not in whole
    assert "\u202e" not in whole
    assert full.verdict is not None
    for interval in full.verdict.intervals[:12]:
        assert decimal(interval.value) in whole


def test_marks_need_no_colour(full: Analysis) -> None:
    """The declared choice has `>`, what may be the best `*`, and the legend says so."""
    told = text(full)
    assert re.search(r"^2 .*>\.\d+\*", told, re.MULTILINE)
    assert "> declared   * may be the best" in told
    assert "separator is last token here" in told
    assert "random word vectors, mean" in told


def test_a_pipe_gets_no_codes_and_a_terminal_gets_shades(full: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR makes a terminal of a file; NO_COLOR takes the colours away and leaves the numbers."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, shaded, bleak = io.StringIO(), io.StringIO(), io.StringIO()
    write(lines(full, 80), plain)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    write(lines(full, 80), shaded)
    monkeypatch.setenv("NO_COLOR", "1")
    write(lines(full, 80), bleak)
    assert "\x1b" not in plain.getvalue()
    assert "\x1b[38;2;29;31;35;48;2;103;150;207m" in shaded.getvalue()
    assert "48;2" not in bleak.getvalue()
    stripped = re.sub(r"\x1b\[[\d;]*m", "", shaded.getvalue())
    assert [line.rstrip() for line in stripped.split("\n")] == plain.getvalue().split("\n")


def test_bare_text_has_no_best_anywhere() -> None:
    """Neither in the terminal nor on the page nor in a notebook."""
    found = analysed.bare()
    shown = text(found) + found._repr_html_() + re.sub(r"<style>.*?</style>", "", render([found]), flags=re.DOTALL)
    assert not re.search(r"\b(best|highest)\b", shown)
    assert "on the shortlist" in shown


class _Nested(HTMLParser):
    """Holds that elements nest; counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self.seen.append(tag)
        if tag not in ("meta", "wbr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("several", [1, 2])
def test_the_page_is_whole_and_escaped(full: Analysis, several: int) -> None:
    """Tables with headings for rows and columns, pictures in two widths, links to what is there; strangers' words as words."""
    written = render([full] * several)
    reader = _Nested()
    reader.feed(written)
    assert reader.open == []
    assert written.count("<svg") == 2 * several
    assert written.count('<table class="heat"') == 3 * several
    assert "<b>" not in written
    assert "\x1b" not in written
    ids = re.findall(r'id="([^"]+)"', written)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', written)) <= set(ids)
    assert "may be the best" in written
    assert [section.heading for section in page([full]).sections] == [
        "Layers and poolings",
        "Intervals",
        "Which tokens matter",
        "What is wrong",
        "How it was done",
        "What the names mean",
    ]


def test_a_notebook_shows_it(full: Analysis) -> None:
    """A fragment of its own, nested and escaped; `repr` is a line, `print` the tables."""
    reader = _Nested()
    reader.feed(full._repr_html_())
    assert reader.open == []
    assert "<script" not in full._repr_html_()
    assert "\x1b" not in full._repr_html_()
    assert repr(full).startswith("Analysis(")
    assert "\n" not in repr(full)
    assert str(full) == text(full)


def test_models_side_by_side() -> None:
    """Of each the default, what to use and the highest; bare text has its default alone."""
    rows = compared([analysed.pairs(), analysed.bare(model="other")]).rows
    assert [row[0].text for row in rows] == ["some/model", "other"]
    assert rows[0][3].text == "layer 2 mean"
    assert rows[1][2].text == ""


def test_the_default_is_listed_even_when_it_is_low() -> None:
    """The highest five, the default where it is not one of them, then all baselines; differences from the default."""
    found = analysed.pairs(default=Choice((0,), "mean"), noise={Choice((0,), "mean"): 30.0})
    top, baselines = ranked(found)
    assert len(top) == 6
    assert len(baselines) == 2
    listed = listing(found)
    assert listed is not None
    assert [row[0].text for row in listed.rows][5:7] == ["> layer 0 mean", "baselines"]
    assert re.fullmatch(r"\+\.\d+ \(\+\.\d+ to \+\.\d+\)", listed.rows[0][3].text)
    assert listing(analysed.bare()) is None


def test_numbers_and_layers_are_short() -> None:
    """Three decimals, no leading nought, a sign where it is a difference; three layers in a row are a range."""
    assert [decimal(one) for one in (0.82034, -0.0001, 0.9999, -1, float("nan"))] == [
        ".820",
        ".000",
        "1.00",
        "-1.00",
        "-",
    ]
    assert [signed(one) for one in (0.0035, -0.0849, 0.0)] == ["+.004", "-.085", ".000"]
    assert layers_of((0, 6)) == "0+6"
    assert layers_of((0, 3, 4, 5, 6)) == "0+3-6"
    assert named(Choice((5, 6), "mean", "whitened")) == "layers 5+6 mean, whitened"
    assert named(Choice((3, 4, 5, 6), "last_token")) == "layers 3-6 last token"


def test_many_mixes_are_no_rows() -> None:
    """With every subset tried for mean alone, the map keeps the rows that several poolings have."""
    found = analysed.pairs(noise={})
    assert [name for name, _ in grids(found)[0].rows] == ["0", "1", "2", "0+2"]
