"""The HTML page of a report: well-formed, self-contained, escaped, complete, with and without pictures and profile."""

import importlib.util
import re
from html.parser import HTMLParser

import pytest

from pretune.check.engine import Report
from pretune.check.finding import Finding, Level
from pretune.check.report import html
from pretune.corpus.figures import Profile
from profile_samples import HOSTILE, empty, hostile, profile, reported, three

PROFILES = {"none": lambda: None, "one": profile, "three": three, "empty": empty, "hostile": hostile}


class _Page(HTMLParser):
    """Reads a page: which elements there are, and what words stand on it; they must nest."""

    EMPTY = frozenset({"meta", "wbr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data


def _render(report: Report, found: Profile | None, *, verbose: bool = False) -> str:
    return html.render(reported(report, found), verbose=verbose)


@pytest.mark.parametrize("name", PROFILES)
def test_self_contained_and_well_formed(planted: Report, name: str) -> None:
    """Every page nests, has one first heading and unique ids, and can fetch nothing."""
    written = _render(planted, PROFILES[name]())
    page = _Page(written)
    assert page.tags.count("h1") == 1
    assert not {"script", "link", "img", "iframe", "object", "image", "use", "base"} & set(page.tags)
    assert {name for name, _ in page.attributes} & {"src", "srcset", "onload", "onerror", "xlink:href"} == set()
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert not re.search(r"https?://|@import|url\(", written)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value.removeprefix("#") for name, value in page.attributes if name == "href" and value} <= set(ids)


def test_the_same_each_time(planted: Report) -> None:
    """The same report gives the same page."""
    assert _render(planted, three()) == _render(planted, three())


def test_what_is_on_it(planted: Report) -> None:
    """Verdicts first, then findings with their fixes, gravest first, then figures, and what was not checked."""
    words = _Page(_render(planted, three())).words.replace("\u00a0", " ")
    order = [
        "klue/roberta reads this corpus",
        "all-MiniLM cannot read this corpus",
        "klue/roberta reads it best",
        "2 errors, 13 warnings, 1 note",
        "ids-outside-embedding",
        "set vocab_size to the 32,000 rows",
        "Not safe, so left to you:",
        "empty-text",
        "7 more",
        "template-marker-outside-vocabulary",
        "1 finding allowed",
        "words kept whole",
        "max_length 384",
        "What max_length cuts",
        "without a token",
        "앎",
        "바이오쇼크",
        "data/한글.jsonl:7",
        "proves that no token crosses",
        "2 rules: no data (give --data FILES)",
    ]
    at = 0
    for told in order:
        assert told in words[at:], told
        at = words.index(told, at)


def test_findings_only(planted: Report, healthy: Report) -> None:
    """Without a profile the page has findings and what was not checked, and no empty sections."""
    words = _Page(_render(planted, None)).words
    assert "Findings" in words
    assert "Lengths" not in words
    assert "Nothing found by 3 rules" in _Page(_render(healthy, None)).words
    assert "Nothing could be checked" in _Page(_render(Report(subject="x"), None)).words


def test_strangers_words_are_escaped(healthy: Report) -> None:
    """Names, places, words and remarks are shown as they are written."""
    finding = Finding("X001", HOSTILE, Level.ERROR, HOSTILE, HOSTILE, HOSTILE)
    report = Report(HOSTILE, (finding,), ((finding, HOSTILE),), remarks=(HOSTILE,))
    written = _render(report, hostile())
    assert "<script" not in written
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ufffe]", written)
    assert "&lt;script&gt;" in written
    _Page(written)


def test_without_matplotlib(planted: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib there are no pictures, one line says so, and the numbers are the same."""
    with_pictures = _Page(_render(planted, three()))
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name))
    without = _Page(_render(planted, three()))
    assert "svg" not in without.tags
    assert without.words.count('pip install "pretune[plot]"') == 1
    assert without.tags.count("table") == with_pictures.tags.count("table")


def test_pictures_are_text(planted: Report) -> None:
    """Pictures come in two widths and hold real text."""
    pytest.importorskip("matplotlib", reason="needs matplotlib (pip install pretune[plot])")
    page = _Page(_render(planted, three()))
    assert page.tags.count("svg") == 6
    assert page.tags.count("figure") == 3


def test_many_places_of_one_rule(healthy: Report) -> None:
    """A page with thousands of findings of one rule stays small, and says how many it leaves out."""
    many = tuple(Finding("DAT003", "empty-text", Level.WARNING, "empty", f"a.txt:{n}", "drop it") for n in range(3000))
    report = Report("x", many, asked=healthy.asked)
    written = _render(report, None)
    assert '2,495 more; <span class="whole">--format</span> json has all.' in written
    assert len(written) < 150_000
    assert "a.txt:499" in _render(report, None, verbose=True)
