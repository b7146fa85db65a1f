"""The page: escaped, self-contained, in order for screen readers, legible in light and dark."""

import re
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from pretune.draw.page import Beside, Card, Entry, Fold, Page, Passage, Run, Section, Statement, Words, render
from pretune.draw.table import Cell, Column, table
from pretune.draw.terminal import text

HOSTILE = "<img src=x onerror=alert(1)>\x1b\u202e{{ 7 * 7 }}"
SHOWN = "&lt;img src=x onerror=alert(1)&gt;\\x1b\\u202e{{ 7 * 7 }}"
GRID = table(HOSTILE, [HOSTILE, Column(HOSTILE)], [[HOSTILE], [HOSTILE, Cell(HOSTILE, "best")]], note=HOSTILE)


def _page(words: str = HOSTILE) -> Page:
    card = Card(
        "bad", words, words, words, (Entry(words, words, ((words, words),)),), (Entry("", words),), ((words, words),)
    )
    parts = (Words(words), GRID, card, Fold(words, (Words(words),)), Beside(words, (Words(words), GRID)))
    sections = (Section(words, "one", parts, words), Section("two", "two", ()))
    return Page(words, words, (Statement("good", words, words),), (words,), sections, words)


class _Reader(HTMLParser):
    """Reads a page and holds that its elements nest."""

    EMPTY = frozenset({"meta", "wbr", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: str) -> _Reader:
    """The page's elements, after checking that they nest and are all closed."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_everything_is_escaped() -> None:
    """Whatever comes from outside is shown as it is written, wherever it stands."""
    page = render(_page())
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.count(SHOWN) > 15
    read(page)


def test_nothing_is_fetched() -> None:
    """No element can make a request, and the page forbids it besides."""
    reader = read(render(_page()))
    tags = {tag for tag, _ in reader.seen}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"}
    links = [attrs["href"] for tag, attrs in reader.seen if tag == "a"]
    assert links == ["#one", "#two"]
    assert not re.search(r"@import|url\(", render(_page()))
    policy = next(attrs for tag, attrs in reader.seen if attrs.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_headings_descend() -> None:
    """One first heading, then sections, then what is in them; the language is named; ids occur once."""
    reader = read(render(_page("한국어")))
    levels = [int(tag[1]) for tag, _ in reader.seen if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert dict(reader.seen)["html"]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in reader.seen if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_ticks_are_code() -> None:
    """What stands in ticks is code, and nothing in them escapes escaping."""
    page = render(_page("do `a <b>` now, 5 % of it"))
    assert "do <code>a &lt;b&gt;</code> now, 5\u00a0% of it" in page


def test_the_same_each_time() -> None:
    """The same parts give the same page."""
    assert render(_page()) == render(_page())


def test_a_table_says_the_same_in_both_forms() -> None:
    """A page's table has every word of the terminal's."""
    grid = table("", ["", "klue"], [["words", "0.6 %"]])
    page = render(Page("k", "t", (), (), (Section("s", "s", (grid,)),)))
    assert {"klue", "words"} <= set(re.findall(r"<bdi>([^<]*)</bdi>", page)) & set(text(grid).split())


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("colour", ["ink", "dim", "link", "good", "warn", "bad", "note"])
def test_contrast(dark: bool, colour: str) -> None:
    """Words have a contrast of at least 4.5 to the ground (WCAG 2.2, AA), in light and in dark."""
    css = resources.files("pretune.draw").joinpath("page.css").read_text(encoding="utf-8")
    light, _, rest = css.partition("@media screen and (prefers-color-scheme: dark)")
    colours = _colours(rest if dark else light)
    one, other = sorted((_luminance(colours[colour]), _luminance(colours["paper"])))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def test_korean_on_an_english_page_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passage in Hangul says its language to a screen reader; on a Korean page it needs no word."""
    parts = (Passage("누가 왔나?", (Run("한국 사람이 "), Run("왔다", "good"))), Words("take `--max-length` <away>"))
    made = Page("pretune", "trained", (), (), (Section("Dev set", "dev", parts),))
    written = render(made)
    assert '<bdi lang="ko">누가 왔나?</bdi>' in written
    assert '<p class="passage" lang="ko">' in written
    assert '<code><span class="whole">--max-length</span></code> &lt;away&gt;' in written
    monkeypatch.setenv("PRETUNE_LANG", "ko")
    korean = render(made)
    assert '<html lang="ko">' in korean
    assert 'bdi lang="ko"' not in korean
    assert "<h1><bdi>trained</bdi></h1>" in korean  # a folder's name is no word of ours
