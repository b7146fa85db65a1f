"""Finds the translation of a finished English text: by the text itself, or by the template it was made from.

A template is a msgid with places {0}, {1}, ...; what stands there in the text is put into the translation, translated
itself where it is made of words. Knows no language but by its catalogue, and no sink: what nothing fits is given back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from pretune.core.particles import with_particles

_HOLE = re.compile(r"\{(\d+)\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
DEEPEST = 6
"""How many templates stand within each other at most."""
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
        self._by_word: dict[str, list[_Template]] = {}
        self._wordless: list[_Template] = []
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._sort(messages)
        self.say = lru_cache(maxsize=4096)(self._say)

    def _sort(self, messages: dict[str, str]) -> None:
        """File each template under its rarest word."""
        made: list[tuple[_Template, set[str]]] = []
        count: dict[str, int] = {}
        for msgid, translation in messages.items():
            if "{0}" not in msgid:
                continue
            pieces = _HOLE.split(msgid)
            parts = tuple(pieces[::2])
            words = _whole_words(parts)
            for word in words:
                count[word] = count.get(word, 0) + 1
            weight = sum(len(part.strip()) for part in parts)
            made.append((_Template(msgid, translation, parts, tuple(map(int, pieces[1::2])), weight), words))
        for template, words in made:
            if words:
                self._by_word.setdefault(min(words, key=lambda word: (count[word], word)), []).append(template)
            else:
                self._wordless.append(template)

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
        found = [one for word in set(_WORD.findall(text)) for one in self._by_word.get(word, ())]
        found += self._wordless
        for template in sorted(found, key=lambda one: -one.weight):
            if not _can_fit(template.parts, text):
                continue
            values = self._values(template, text)
            if values is None:
                continue
            said = self._said_values(template, values, depth)
            if said is not None:
                return with_particles(template.translation, said)
        return None

    def _values(self, template: _Template, text: str) -> dict[int, str] | None:
        """What stands at the template's places in the text."""
        pattern = self._patterns.get(template.msgid)
        if pattern is None:
            pieces = [re.escape(template.parts[0])]
            for hole, part in zip(template.holes, template.parts[1:], strict=True):
                pieces += [f"(?P<v{hole}>.*?)" if template.holes.count(hole) == 1 else "(.*?)", re.escape(part)]
            pattern = self._patterns[template.msgid] = re.compile("".join(pieces), re.DOTALL)
        fits = pattern.fullmatch(text)
        return None if fits is None else {hole: fits[place] for place, hole in enumerate(template.holes, 1)}

    def _said_values(self, template: _Template, values: dict[int, str], depth: int) -> dict[int, str] | None:
        """The values, translated where they are phrases; None where a weak template hardly means this text."""
        said: dict[int, str] = {}
        for hole, value in values.items():
            inner = self._say(value, depth + 1) if _is_phrase(value) else None
            if inner is None and template.weight < 24 and _is_prose(value):
                return None
            said[hole] = value if inner is None else inner
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


def _whole_words(parts: tuple[str, ...]) -> set[str]:
    """The words of a template that stand in every text made from it as whole words."""
    words: set[str] = set()
    for place, part in enumerate(parts):
        for word in _WORD.finditer(part):
            before = place == 0 or word.start() > 0
            after = place == len(parts) - 1 or word.end() < len(part)
            if before and after:
                words.add(word[0])
    return words


def _can_fit(parts: tuple[str, ...], text: str) -> bool:
    """Whether the literal parts stand in the text in this order; far quicker than asking the pattern."""
    if not text.startswith(parts[0]) or not text.endswith(parts[-1]):
        return False
    place = len(parts[0])
    for part in parts[1:]:
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


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
        with resources.files("pretune.core").joinpath("locale/ko/LC_MESSAGES/pretune.mo").open("rb") as file:
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
