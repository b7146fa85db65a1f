"""Finds the translation of a finished English text: by the text itself, or by the template it was made from.

A template is a msgid with places {0}, {1}, ...; what stands there in the text is put into the translation, translated
itself where it is made of words. Knows no language but by its catalogue, and no sink: what nothing fits is given back.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import NamedTuple

from pretune.core.particles import with_particles

_HOLE = re.compile(r"\{(\d+)\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_WHOLE = re.compile(r"(?<![A-Za-z}])[A-Za-z]{2,}(?![A-Za-z{])")
"""Words of a template that no value can touch, so that they are whole in every text made from it."""
DEEPEST = 6
"""How many templates stand within each other at most."""
WEAK = 8
"""Characters below which a template (`{0} of {1}`) fits almost anything: its values must then look like values."""
_LIKE_CODE = re.compile(r"[\d_./=\"'`]")
LONGEST = 4000
"""Characters of a text that is looked at; longer ones are a page or a log, no message."""
JOINTS = re.compile(r"(?<=[^\s;,:])(?=; |, | \(|: | and )|(?<=[;:,.?!)]) (?=\S)")
"""Where a text may be put together from two that the catalogue knows."""


class _Template(NamedTuple):
    """A msgid with places, the translation, and the literal parts between the places."""

    msgid: str
    translation: str
    parts: tuple[str, ...]
    holes: tuple[int, ...]
    weight: int


class Catalogue:
    """The translations of one language.

    Args:
        messages: msgid -> translation.
    """

    def __init__(self, messages: dict[str, str]) -> None:
        self._exact = messages
        self._by_word: dict[str, list[str]] = {}
        self._templates: dict[str, _Template] = {}
        for msgid in messages:
            if "{0}" in msgid:  # filed under its longest word, which is a rare one; taken apart when it is first met
                words = _WHOLE.findall(msgid)
                self._by_word.setdefault(max(words, key=len) if words else "", []).append(msgid)
        self.say = lru_cache(maxsize=4096)(self._say)

    def _template(self, msgid: str) -> _Template:
        """The msgid taken apart."""
        found = self._templates.get(msgid)
        if found is None:
            pieces = _HOLE.split(msgid)
            parts = tuple(pieces[::2])
            weight = sum(len(part.strip()) for part in parts)
            found = _Template(msgid, self._exact[msgid], parts, tuple(map(int, pieces[1::2])), weight)
            self._templates[msgid] = found
        return found

    def _say(self, text: str, depth: int = 0) -> str | None:
        """The translation, or None where nothing fits."""
        if len(text) > LONGEST or depth > DEEPEST:
            return None
        bare = text.strip()
        if not bare:
            return None
        exact = self._exact.get(bare)
        if exact is None and "\n" in bare:
            exact = self._exact.get(" ".join(bare.split()))
        if exact is None:
            exact = self._by_template(bare, depth) or self._by_joint(bare, depth)
        if exact is None:
            return None
        start = len(text) - len(text.lstrip())
        return text[:start] + exact + text[start + len(bare) :]

    def _by_template(self, text: str, depth: int) -> str | None:
        words = {"", *_WORD.findall(text)}
        found = [self._template(msgid) for word in words for msgid in self._by_word.get(word, ())]
        for template in sorted(found, key=lambda one: -one.weight):
            values = _values(template, text)
            if values is None:
                continue
            said = self._said_values(template, values, depth)
            if said is not None:
                return with_particles(template.translation, said)
        return None

    def _said_values(self, template: _Template, values: dict[int, str], depth: int) -> dict[int, str] | None:
        """The values, translated where they are phrases; None where a weak template hardly means this text."""
        said: dict[int, str] = {}
        for hole, value in values.items():
            inner = self._say(value, depth + 1) if _is_phrase(value) else None
            if inner is None and template.weight < 24 and _is_prose(value):
                return None
            said[hole] = value if inner is None else inner
        if template.weight < WEAK and said == values:
            if not any(_LIKE_CODE.search(value) for value in values.values()):
                return None
            if any(len(re.findall(r"(?<![\w./-])[A-Za-z]{2,}(?![\w./=-])", value)) > 1 for value in values.values()):
                return None
        return said

    def _by_joint(self, text: str, depth: int) -> str | None:
        """Two texts that were put together, each of which the catalogue knows, or of which one is no prose."""
        for joint in JOINTS.finditer(text):
            first, rest = text[: joint.start()], text[joint.start() :]
            opening = re.match(r"; |, |: | ", rest)
            said = self._exact.get(first) or self._by_template(first, depth + 1)
            if said is None:
                continue
            last = self._say(rest, depth + 1)
            if last is None and opening:
                inner = self._say(rest[opening.end() :], depth + 1)
                last = None if inner is None else opening[0] + inner
            if last is None and _is_prose(rest):
                continue
            return said + (rest if last is None else last)
        return None


def _values(template: _Template, text: str) -> dict[int, str] | None:
    """What stands at the template's places in the text, each as short as can be; None where it does not fit."""
    first, *others = template.parts
    if not text.startswith(first) or not text.endswith(others[-1]):
        return None
    place, end = len(first), len(text) - len(others[-1])
    values: dict[int, str] = {}
    for hole, part in zip(template.holes[:-1], others[:-1], strict=True):
        found = text.find(part, place, end)
        if found < 0:
            return None
        values[hole] = text[place:found]
        place = found + len(part)
    if place > end:
        return None
    values[template.holes[-1]] = text[place:end]
    return values


def _is_phrase(value: str) -> bool:
    """Whether a value may be a phrase of ours: one word is a name."""
    return " " in value.strip() and _WORD.search(value) is not None


def _is_prose(value: str) -> bool:
    """Whether a value has several plain English words outside of quotation marks and ticks."""
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"", " ", value)
    return len(re.findall(r"(?<![\w./-])[a-z]{2,}(?![\w./=-])", bare)) > 3


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The Korean messages as they were compiled; empty where the file is missing or damaged."""
    import gettext

    try:
        with open(f"{os.path.dirname(__file__)}/locale/ko/LC_MESSAGES/pretune.mo", "rb") as file:  # noqa: PTH120, PTH123 - pathlib costs its import
            known = gettext.GNUTranslations(file)
    except (OSError, ValueError, UnicodeError):
        return Catalogue({})
    messages: dict[str, str] = known._catalog  # type: ignore[attr-defined]  # noqa: SLF001 - gettext has no way to list them
    return Catalogue({msgid: text for msgid, text in messages.items() if msgid and isinstance(text, str)})


def translated(text: str) -> str:
    """The text in Korean; as it is where no message fits."""
    try:
        said = catalogue().say(text)
    except RecursionError:
        return text
    return text if said is None else said
