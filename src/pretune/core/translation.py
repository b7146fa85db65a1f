"""Finds the translation of a finished English text: by the text itself, or by the template it was made from.

A template is a msgid with places {0}, {1}, ...; what stands there in the text is put into the translation, translated
itself where it is made of words. Knows no language but by its catalogue, and no sink: what nothing fits is given back.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pretune.core.particles import with_particles
from pretune.core.templates import JOINTS, fits, taken_apart
from pretune.core.values import holds_clauses, is_amount, listed

if TYPE_CHECKING:
    from pretune.core.templates import Template

_WORD = re.compile(r"[A-Za-z]{2,}")
_WHOLE = re.compile(r"(?<![A-Za-z}])[A-Za-z]{2,}(?![A-Za-z{])")
"""Words of a template that no value can touch, so that they are whole in every text made from it."""
A_JOINT = 0.01
"""What putting together costs, in words left in English: less than one, however often."""
DEEPEST = 6
"""How many templates stand within each other at most."""
MOST = 20000
"""Texts whose translation is kept."""
_LIKE_CODE = re.compile(r"[\dA-Z_./=\"'`]|\w-\w|\b(?:true|false|null|none)\b")
LONGEST = 4000
"""Characters of a text that is looked at; longer ones are a page or a log, no message."""


class Catalogue:
    """The translations of one language.

    Args:
        messages: msgid -> translation.
    """

    def __init__(self, messages: dict[str, str]) -> None:
        self._exact = messages
        self._by_word: dict[str, list[str]] = {}
        self._templates: dict[str, Template] = {}
        for msgid in messages:
            if "{0}" in msgid:  # filed under its longest word, which is a rare one; taken apart when it is first met
                words = _WHOLE.findall(msgid)
                self._by_word.setdefault(max(words, key=len) if words else "", []).append(msgid)
        self._memory: dict[str, tuple[str, float] | None] = {}

    def _template(self, msgid: str) -> Template:
        """The msgid taken apart."""
        found = self._templates.get(msgid)
        if found is None:
            found = self._templates[msgid] = taken_apart(msgid, self._exact[msgid])
        return found

    def say(self, text: str) -> str | None:
        """The translation, or None where nothing fits."""
        if len(text) > LONGEST:
            return None
        found = self._found(text, 0)
        return None if found is None else found[0]

    def begun_with(self, text: str) -> str | None:
        """The translation of the first message that begins so, which was cut; None where none does."""
        return next((said for msgid, said in self._exact.items() if msgid.startswith(text)), None)

    def _found(self, text: str, depth: int) -> tuple[str, float] | None:
        """The translation and how many plain English words are left in it; None where nothing fits."""
        bare = text.strip()
        if not bare or depth > DEEPEST:
            return None
        exact = self._exact.get(bare) or (self._exact.get(" ".join(bare.split())) if "\n" in bare else None)
        if exact is None and bare not in self._memory:
            if len(self._memory) > MOST:
                self._memory.clear()
            self._memory[bare] = None  # whatever holds itself
            self._memory[bare] = self._put_together(bare, depth)
        found = (exact, 0) if exact is not None else self._memory.get(bare)
        if found is None:
            return None
        start = len(text) - len(text.lstrip())
        if depth and bare.startswith("("):  # Korean puts no space before it
            return found[0] + text[start + len(bare) :], found[1]
        return text[:start] + found[0] + text[start + len(bare) :], found[1]

    def _put_together(self, text: str, depth: int) -> tuple[str, float] | None:
        """As it stands, or without its brackets or its full stop: what leaves the fewest words in English."""
        if text[-1] == "." and text[:-1] in self._exact:
            return f"{self._exact[text[:-1]]}.", 0
        best = self._fitted(text, depth)
        if best is not None and best[1] < 1:
            return best
        before, after = "", ""
        if text.startswith("(") and text.find(")") == len(text) - 1:
            before, after = "(", ")"
        elif re.search(r"[^.]\.$", text):
            after = "."
        if after:
            inner = self._found(text[len(before) : -1], depth + 1)
            best = _less(best, None if inner is None else (before + inner[0] + after, inner[1]))
        return best

    def _fitted(self, text: str, depth: int) -> tuple[str, float] | None:
        """By a template, or by two parts that stand side by side."""
        names = listed(text) if depth else None
        if names is not None:
            return names, 0
        words = {*_WORD.findall(text)}
        near = [self._template(msgid) for word in [*words, ""] for msgid in self._by_word.get(word, ())]
        near.sort(key=lambda one: (one.is_weak, -one.weight))
        best: tuple[str, float] | None = None
        weak = False
        for template in near:
            if template.is_weak and not weak:  # before those that fit almost anything
                weak = True
                best = _less(best, self._by_joint(text, depth))
            if best is not None and best[1] < 1:
                return best
            for values in fits(template, text):
                best = _less(best, self._by_template(template, values, depth))
        return best if weak or (best is not None and best[1] < 1) else _less(best, self._by_joint(text, depth))

    def _by_template(self, template: Template, values: dict[int, str], depth: int) -> tuple[str, float] | None:
        if not all(is_amount(values[hole]) for hole in template.counts):
            return None
        said, left, known = dict(values), 0.0, False
        for hole, value in values.items():
            if hole in template.quoted:
                continue
            ours = hole in template.words or _is_phrase(value)
            inner = self._found(value, depth + 1) if ours else None
            if inner is not None:
                said[hole], remains = inner
                known = True
                # a value that is put together, or goes beyond its clause: rather the whole is two texts
                beyond = ":;" if hole in template.followed else ";" if hole in template.inner else ""
                remains += bool(remains % 1 or (beyond and holds_clauses(value, beyond)))
            else:
                remains = _plain_words(value) if " " in value.strip() else 0
                remains += bool(value.strip()) and hole in template.words and " " not in value.strip()
                if template.weight < 24 and remains > 3 and hole != template.reason:
                    return None
            left += remains + (said[hole] != value and hole in template.inner and said[hole].rstrip(")").endswith("다"))
        if template.is_weak and (left or not (known or any(map(_looks_named, values.values())))):
            return None
        return with_particles(template.translation, said), left

    def _by_joint(self, text: str, depth: int) -> tuple[str, float] | None:
        """Two texts that were put together, of which the catalogue knows at least one."""
        best: tuple[str, float] | None = None
        for joint in list(JOINTS.finditer(text))[:8]:
            first, rest = text[: joint.start()], text[joint.start() :]
            one, other = self._found(first, depth + 1), self._found(rest, depth + 1)
            opening = re.match(r"; |, |: | ", rest)
            if opening and (other is None or not other[0].startswith(opening[0])):
                inner = self._found(rest[opening.end() :], depth + 1)
                other = None if inner is None else (opening[0] + inner[0], inner[1])
            if one is None and other is None:
                continue
            one, other = one or (first, _plain_words(first)), other or (rest, _plain_words(rest))
            best = _less(best, (one[0] + other[0], one[1] + other[1] + A_JOINT))
            if best is not None and best[1] < 1:
                break
        return best if best is not None and best[1] < _plain_words(text) else None


def _less(one: tuple[str, float] | None, other: tuple[str, float] | None) -> tuple[str, float] | None:
    """What leaves fewer words in English; the first where both leave as many."""
    if one is None or other is None:
        return one or other
    return other if other[1] < one[1] else one


def _looks_named(value: str) -> bool:
    """Whether a value is surely none of our phrases: code, a number, a list of names."""
    return _LIKE_CODE.search(value) is not None or listed(value) is not None


def _is_phrase(value: str) -> bool:
    """Whether a value may be a phrase of ours: one word is a name."""
    return " " in value.strip() and re.search("[A-Za-z]", value) is not None


def _plain_words(value: str) -> int:
    """How many plain English words stand outside of quotation marks and ticks."""
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"", " ", value)
    return len(re.findall(r"(?<![\w./-])[a-z]{2,}(?![\w/=-]|\.\w)", bare))


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
