"""Pictures: well-formed, the same each time, real text, the page's colours, hostile labels."""

import re
import sys
from xml.etree import ElementTree as ET

import pytest

from pretune.core.errors import UserError
from pretune.draw.bins import bins
from pretune.draw.chart import Bar, Group, Mark, Part, Series, bars, histogram

pytest.importorskip("matplotlib", reason="needs matplotlib (pip install pretune[plot])")

HOSTILE = '<b onload="x">&amp;$\\frac{1}$\x1b\u202e\ufffe'
MARK = Mark(384, "max_length 384")
COUNTS = {20: 5, 100: 30, 380: 8, 700: 2}


def _bars(label: str = "한국어 모델", width: int = 720) -> str:
    groups = [Group("Hangul", (Bar(label, (3, 5, 2), "30 %"), Bar("b", (0, 10, 0), "0 %")))]
    parts = [Part("whole", "c1"), Part("in pieces", "c2"), Part("unknown", "c4")]
    return bars(groups, parts, name="words", title="Words", description="What becomes of words", width=width, full=10)


def _histogram(label: str = "한국어 모델", mark: Mark | None = MARK) -> str:
    scale = bins([COUNTS], reach=384)
    return histogram(
        [Series(label, COUNTS, "5 % longer")], scale, name="lengths", title="Lengths", description="Tokens", mark=mark
    )


@pytest.mark.parametrize("drawn", [_bars(), _bars(width=340), _histogram(), _histogram(mark=None), _bars(HOSTILE)])
def test_well_formed_and_within_the_page(drawn: str) -> None:
    """A picture is one well-formed element that refers to nothing, with a title and a description."""
    root = ET.fromstring(drawn)
    assert root.tag == "svg"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root.get("aria-labelledby") == f"{root[0].get('id')} {root[1].get('id')}"
    assert not re.search(r"https?:|href|url\(|<script|<style", drawn)
    assert set(re.findall(r"#[0-9a-f]{6}", drawn)) == set()  # every colour is one of the page's


def test_text_is_text() -> None:
    """Hangul stays text that the reader's fonts draw."""
    for drawn in (_bars(), _histogram()):
        assert "한국어 모델" in [node.text for node in ET.fromstring(drawn).iter("text")]


def test_strangers_words_are_escaped() -> None:
    """Tags, formulas and controls in a label are shown as they are written."""
    shown = [node.text for node in ET.fromstring(_bars(HOSTILE, width=2000)).iter("text")]
    assert '<b onload="x">&amp;$\\frac{1}$\\x1b\\u202e\\ufffe' in shown


def test_the_same_each_time() -> None:
    """The same numbers give the same bytes."""
    assert _bars() == _bars()
    assert _histogram() == _histogram()


def test_bars_beyond_the_mark_have_another_colour() -> None:
    """What lies beyond max_length is seen at once; without a mark nothing does."""
    assert _histogram().count("var(--c8)") == 1
    assert "var(--c8)" not in _histogram(mark=None)


def test_nothing_to_draw() -> None:
    """No bars and no counts give an empty picture, not a failure."""
    ET.fromstring(bars([], [], name="n", title="t", description="d"))
    ET.fromstring(histogram([Series("a", {})], bins([{}]), name="n", title="t", description="d"))


def test_the_readers_settings_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A matplotlibrc of the user's does not show in the picture, and is left as it was."""
    import matplotlib as mpl

    before = _bars()
    monkeypatch.setitem(mpl.rcParams, "font.size", 30.0)
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "path")
    assert _bars() == before
    assert mpl.rcParams["svg.fonttype"] == "path"


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib a picture is an error that names the install command."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError) as error:
        _bars()
    assert error.value.hint == 'pip install "pretune[plot]"'


def test_words_are_korean_and_names_are_not(monkeypatch) -> None:
    """Headings, legends, remarks and descriptions are said; a label of one word is a name."""
    monkeypatch.setenv("PRETUNE_LANG", "ko")
    groups = [Group("Latin, 3 % of the corpus", (Bar("default", (1, 2), "5 % longer"), Bar("in pieces", (1, 1))))]
    drawn = bars(groups, [Part("own token", "c1"), Part("no token", "c4")], name="n", title="", description="")
    for korean in (
        ">라틴 문자, 코퍼스의 3 %<",
        ">5 %가 초과<",
        ">조각으로<",
        ">자체 토큰<",
        ">토큰 없음<",
        ">default<",
    ):
        assert korean in drawn
    scale = bins([COUNTS], reach=384)
    title, mark = "Tokens of a text", Mark(384, "step 3 is kept")
    drawn = histogram([Series("a model", COUNTS, "")], scale, name="n", title=title, description="", mark=mark)
    assert ">텍스트의 토큰 수<" in drawn
    assert "step 3" not in drawn
