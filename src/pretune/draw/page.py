"""One self-contained HTML page from plain parts: it opens offline, asks the network for nothing, in light and dark.

All words are escaped and what is invisible in them is made visible; only pictures (chart.py) go in as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from pretune.core.language import say
from pretune.draw.heat import Heat
from pretune.draw.page_words import said
from pretune.draw.table import Table
from pretune.draw.visible import visible

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
    text: str
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in two widths: `wide`, and `narrow` for telephones. Both are SVG elements from chart.py."""

    kind: ClassVar[str] = "picture"
    wide: str
    narrow: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place and what is to be said about it, with further lines (label, words): the fix, for example.

    Attributes:
        where: the place.
        text: what is said.
        lines: label and words of each further line.
        code: the line of source that stands there; empty: none.
    """

    where: str
    text: str
    lines: tuple[tuple[str, str], ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """Something named that holds for several places: a rule and what it found.

    Attributes:
        tone: `bad`, `warn`, `note` or `good`; `mark` says it in a word.
        name: what it is called; `code`: its short form.
        entries: the places.
        more: further places, folded away.
        lines: what holds for all of them (label, words).
    """

    kind: ClassVar[str] = "card"
    tone: str
    mark: str
    name: str
    code: str = ""
    entries: tuple[Entry, ...] = ()
    more: tuple[Entry, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()


class Run(NamedTuple):
    """A piece of a passage: its text, and whether it is marked as `good` or `bad`; empty: not marked."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to be read, with places marked in it; a heading above, lines (label, words) below."""

    kind: ClassVar[str] = "passage"
    heading: str
    runs: tuple[Run, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Parts behind a line that opens them."""

    kind: ClassVar[str] = "fold"
    summary: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Parts under one heading, side by side where there is room."""

    kind: ClassVar[str] = "beside"
    heading: str
    parts: tuple[Part, ...]


Part = Words | Picture | Card | Passage | Fold | Beside | Table | Heat


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its heading, its name in links, its parts, and what the table of contents says beside it."""

    heading: str
    anchor: str
    parts: tuple[Part, ...]
    told: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence at the head of the page: its beginning stands out in its tone (`good`, `warn`, `bad`, `note`)."""

    tone: str
    head: str
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        kicker: what kind of page it is, above the title.
        title: its only first heading.
        statements: the answers, before everything else.
        remarks: smaller lines below them.
        sections: the rest.
        foot: the last line.
        lang: language of the page's own words.
    """

    kicker: str
    title: str
    statements: tuple[Statement, ...]
    remarks: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: str = ""
    lang: str = "en"


_OPTION = re.compile(r"(?<![^\s(`])--[a-z][a-z0-9-]{1,30}(?![\w-])")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def render(page: Page) -> str:
    """The page as HTML, ready to be written as UTF-8."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    written = _template().render(page=said(page), style=style)
    return "".join(f"{line.rstrip()}\n" for line in written.split("\n") if line.strip())


@cache
def _template() -> jinja2.Template:
    import jinja2
    from markupsafe import Markup

    def safe_to_see(value: Any) -> Any:  # of every value that the template writes
        return _seen(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=safe_to_see,
    )
    environment.filters["said"] = say
    environment.filters["ticked"] = _ticked
    environment.filters["unbroken"] = _unbroken
    environment.filters["tongue"] = _tongue
    environment.filters["breakable"] = _breakable
    return environment.from_string(resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8"))


def _seen(text: str) -> str:
    """The words with nothing invisible in them, and no line broken before a per cent sign."""
    return re.sub(r"(?<=\d) %", "\u00a0%", visible(text))


def _ticked(text: str) -> Markup:
    """Words with `code` in ticks, as docstrings and messages have it, escaped."""
    from markupsafe import Markup, escape

    written = str(escape(_seen(text)))
    written = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", _OPTION.sub(r'<span class="whole">\g<0></span>', written))
    return Markup(written)  # noqa: S704 - escaped three lines above


def _unbroken(text: str) -> Markup:
    """Words in which no option such as `--max-length` is broken at its hyphens, escaped."""
    from markupsafe import Markup, escape

    written = str(escape(_seen(text)))
    return Markup(_OPTION.sub(r'<span class="whole">\g<0></span>', written))  # noqa: S704 - escaped in the line above


def _tongue(text: str, lang: str) -> Markup:
    """The attribute that tells a screen reader to read Korean, for a text in Hangul on a page in another language."""
    from markupsafe import Markup

    korean = lang != "ko" and 2 * len(_HANGUL.findall(text)) > sum(map(str.isalpha, text))
    return Markup(' lang="ko"') if korean else Markup("")


def _breakable(text: str) -> Markup:
    """A name that may be broken after - / _ and full stops, escaped."""
    from markupsafe import Markup, escape

    written = [str(escape(_seen(part))) for part in re.split(r"(?<=[-/_.])(?=\w)", text)]
    return Markup("<wbr>".join(written))  # noqa: S704 - escaped in the line above
