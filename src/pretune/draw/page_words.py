"""A page in the language asked for: headings, sentences, labels. Places, code, passages, pictures stay as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pretune.core.language import language, say
from pretune.draw.heat import said as said_heat
from pretune.draw.table import said as said_table

if TYPE_CHECKING:
    from pretune.draw.page import Entry, Page, Part, Section

Lines = tuple[tuple[str, str], ...]


def said(page: Page) -> Page:
    """The page with its words translated; in English the page itself."""
    if language() == "en":
        return page
    return replace(
        page,
        title=say(page.title) if " " in page.title else page.title,  # one word is the name of a folder or file
        statements=tuple(replace(one, head=say(one.head), tail=say(one.tail)) for one in page.statements),
        remarks=tuple(map(say, page.remarks)),
        sections=tuple(map(_section, page.sections)),
        foot=say(page.foot),
        lang=language(),
    )


def _section(section: Section) -> Section:
    parts = tuple(map(_part, section.parts))
    return replace(section, heading=say(section.heading), parts=parts, told=say(section.told))


def _part(part: Part) -> Part:
    from pretune.draw.heat import Heat
    from pretune.draw.page import Beside, Card, Fold, Passage, Picture, Words
    from pretune.draw.table import Table

    match part:
        case Words():
            return replace(part, text=say(part.text))
        case Picture():
            return replace(part, caption=say(part.caption))
        case Card():
            entries, more = tuple(map(_entry, part.entries)), tuple(map(_entry, part.more))
            return replace(part, mark=say(part.mark), entries=entries, more=more, lines=_lines(part.lines))
        case Passage():
            return replace(part, lines=tuple((say(label), words) for label, words in part.lines))
        case Fold():
            return replace(part, summary=say(part.summary), parts=tuple(map(_part, part.parts)))
        case Beside():
            return replace(part, heading=say(part.heading), parts=tuple(map(_part, part.parts)))
        case Table():
            return said_table(part)
        case Heat():
            return said_heat(part)


def _entry(entry: Entry) -> Entry:
    return replace(entry, text=say(entry.text), lines=_lines(entry.lines))


def _lines(lines: Lines) -> Lines:
    return tuple((say(label), say(words)) for label, words in lines)
