"""Results that show themselves: a line at a prompt, sentences and tables in print, HTML in a notebook."""

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from pretune.draw.display import Displayed
from pretune.draw.notebook import folded, safe, sections_html, table_html
from pretune.draw.page import Beside, Fold, Picture, Section, Words
from pretune.draw.table import Cell, Column, table


class Read(HTMLParser):
    """The words of a piece of HTML; fails when a tag is closed that was not opened last."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(written)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Open it."""
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.words.append(data)


WORDS = table(
    "two words", ("word", "id", Column("was", numbers=False)), [("<b>", "7", Cell("x", "bad"))], note="`a` & b"
)


@dataclass(frozen=True, slots=True, repr=False)
class Result(Displayed):
    """A result of sentences and tables."""

    said: tuple[str, ...]
    tables: tuple[object, ...]
    part = "trial"

    def _shown(self):
        return self.said, self.tables


def test_sentences_and_tables():
    """A prompt gets the last sentence, print all, a notebook the same as HTML, escaped."""
    result = Result(("first\nline", "it is <done>"), (WORDS,))
    assert repr(result) == "Result(it is <done>)"
    assert str(result).startswith("first\nline\nit is <done>\n\ntwo words\n")
    read = Read(result._repr_html_())
    assert "it is <done>" in read.words
    assert "<b>" in read.words
    assert "b" not in read.tags
    assert read.tags.count("th") == 4
    assert read.tags.count("code") == 1


def test_without_sentences_the_first_table_speaks():
    """Its title stands at a prompt."""
    result = Result((), (WORDS,))
    assert repr(result) == "Result(two words)"
    assert str(result).startswith("two words\n")


def test_the_base_shows_nothing():
    """Who inherits has to say what there is."""
    with pytest.raises(NotImplementedError):
        repr(Displayed())


def test_a_row_that_is_a_heading_spans_the_table():
    """It has one cell, as wide as all columns; empty headings are no headings."""
    written = table_html(table("", ("", "n"), [("part",), ("a", "1")]))
    assert 'colspan="2"' in written
    assert Read(written).tags.count("th") == 3


def test_sections_of_a_page():
    """The first is open, others are folded; pictures stay away, and so does a section of nothing else."""
    picture = Picture("<svg></svg>", "<svg></svg>")
    sections = [
        Section("One", "one", (picture, Beside("side", (WORDS,)))),
        Section("None", "none", (picture,)),
        Section("Two", "two", (Words("some `code`"), Fold("more", (WORDS,)))),
    ]
    read = Read(sections_html(sections))
    assert read.tags.count("details") == 2
    assert "svg" not in read.tags
    assert "None" not in read.words
    assert [word for word in read.words if word in {"One", "side", "Two", "more"}] == ["One", "side", "Two", "more"]


def test_words_are_made_safe():
    """Controls are written out, a blank at the end stays."""
    assert "\x1b" not in safe("\x1b[1mx")
    assert safe("fix: ") == "fix: "
    assert Read(folded("<i>", "<p>x</p>")).words == ["<i>", "x"]
