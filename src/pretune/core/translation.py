"""Finds the translation of a finished English text: by the text itself, or by the template it was made from.

A template is a msgid with places {0}, {1}, ...; what stands there in the text is put into the translation, translated
itself where it is made of words. Knows no language but by its catalogue, and no sink: what nothing fits is given back.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from itertools import islice, product
from typing import NamedTuple

from pretune.core.particles import with_particles
from pretune.core.values import is_amount, listed, outside_quotes

_HOLE = re.compile(r"\{(\d+)\}")
_COUNTED = re.compile(r"\{(\d+)\}(?:개(?!월)|번째|행|바이트|스텝|자(?=[를짜로]))")
_INNER = re.compile(r"\{(\d+)!?\}[\"'`)\]]* ?[가-힣]")
_IN_QUOTES = re.compile(r"(?<=\"){(\d+)}(?=\")")
_SAID = re.compile(r"\{(\d+)!\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_WHOLE = re.compile(r"(?<![A-Za-z}])[A-Za-z]{2,}(?![A-Za-z{])")
"""Words of a template that no value can touch, so that they are whole in every text made from it."""
A_JOINT = 0.01
"""What putting together costs, in words left in English: less than one, however often."""
MOST_WAYS = 24
"""In how many ways places side by side are tried."""
DEEPEST = 6
"""How many templates stand within each other at most."""
MOST = 20000
"""Texts whose translation is kept."""
WEAK = 8
"""Characters below which a template (`{0} of {1}`) fits almost anything: its values must then look like values."""
_LIKE_CODE = re.compile(r"[\dA-Z_./=\"'`]|\w-\w|\b(?:true|false|null|none)\b")
LONGEST = 4000
"""Characters of a text that is looked at; longer ones are a page or a log, no message."""
JOINTS = re.compile(r"(?<=[^\s;,:])(?=; |, | \(|: | and )|(?<=[;:,.?!)]) (?=\S)")
"""Where a text may be put together from two that the catalogue knows."""


class _Template(NamedTuple):
    """A msgid with places, the translation, and the literal parts between the places.

    Attributes:
        counts: the places that hold an amount, as the translation counts them (`{0}개`).
        words: the places whose value is said too where it is one word (`{0!}` in the translation).
        inner: the places behind which the translation goes on in the same clause; a whole sentence fits ill there.
        quoted: the places between quotation marks, whose value is somebody's own words.
    """

    msgid: str
    translation: str
    parts: tuple[str, ...]
    holes: tuple[int, ...]
    weight: int
    counts: frozenset[int]
    words: frozenset[int]
    inner: frozenset[int]
    quoted: frozenset[int]


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
        self._memory: dict[str, tuple[str, float] | None] = {}

    def _template(self, msgid: str) -> _Template:
        """The msgid taken apart."""
        found = self._templates.get(msgid)
        if found is None:
            pieces = _HOLE.split(msgid)
            parts = tuple(pieces[::2])
            weight = sum(len(part.strip()) for part in parts)
            said = self._exact[msgid]
            kinds = (frozenset(map(int, places.findall(said))) for places in (_COUNTED, _SAID, _INNER))
            quoted = frozenset(map(int, _IN_QUOTES.findall(msgid)))
            found = _Template(msgid, said, parts, tuple(map(int, pieces[1::2])), weight, *kinds, quoted)
            self._templates[msgid] = found
        return found

    def say(self, text: str) -> str | None:
        """The translation, or None where nothing fits."""
        if len(text) > LONGEST:
            return None
        found = self._found(text, 0)
        return None if found is None else found[0]

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
        return text[:start] + found[0] + text[start + len(bare) :], found[1]

    def _put_together(self, text: str, depth: int) -> tuple[str, float] | None:
        """As it stands, or without its brackets or its full stop: what leaves the fewest words in English."""
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
        near.sort(key=lambda one: -one.weight)
        best: tuple[str, float] | None = None
        weak = False
        for template in near:
            if template.weight < WEAK and not weak:  # before those that fit almost anything
                weak = True
                best = _less(best, self._by_joint(text, depth))
            if best is not None and best[1] < 1:
                return best
            for values in _fits(template, text):
                best = _less(best, self._by_template(template, values, depth))
        return best if weak or (best is not None and best[1] < 1) else _less(best, self._by_joint(text, depth))

    def _by_template(self, template: _Template, values: dict[int, str], depth: int) -> tuple[str, float] | None:
        if not all(is_amount(values[hole]) for hole in template.counts):
            return None
        said, left = dict(values), 0.0
        for hole, value in values.items():
            if hole in template.quoted:
                continue
            ours = hole in template.words or _is_phrase(value)
            inner = self._found(value, depth + 1) if ours else None
            if inner is not None:
                said[hole], remains = inner
                remains += bool(remains % 1)  # rather the whole is two, put together
            else:
                remains = _plain_words(value) if " " in value.strip() else 0
                remains += bool(value.strip()) and hole in template.words and " " not in value.strip()
                if template.weight < 24 and remains > 3:
                    return None
            left += remains + (said[hole] != value and hole in template.inner and said[hole].rstrip(")").endswith("다"))
        if template.weight < WEAK and (left or (said == values and not any(map(_looks_named, values.values())))):
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


def _fits(template: _Template, text: str) -> list[dict[int, str]]:
    """How the template can stand for the text: each value as short as can be from the left, and from the right."""
    parts = template.parts
    if not text.startswith(parts[0]) or not text.endswith(parts[-1]):
        return []
    groups, solid = _groups(template)
    found: list[dict[int, str]] = []
    for places in (_from_left(solid, text), _from_right(solid, text)):
        if places is None:
            continue
        values = [text[start:end] for start, end in places]
        if not all(_apart(value, solid[number], solid[number + 1]) for number, value in enumerate(values)):
            continue
        ways = [_shared(value, len(group)) for group, value in zip(groups, values, strict=True)]
        for one in islice(product(*ways), MOST_WAYS):
            found.append(dict(zip(template.holes, (each for way in one for each in way), strict=True)))
    return [one for number, one in enumerate(found) if one not in found[:number]]


def _groups(template: _Template) -> tuple[list[list[int]], list[str]]:
    """Places that stand side by side, together, and the literal parts around them."""
    groups, solid = [[template.holes[0]]], [template.parts[0]]
    for hole, before in zip(template.holes[1:], template.parts[1:-1], strict=True):
        if before:
            groups.append([hole])
            solid.append(before)
        else:
            groups[-1].append(hole)
    return groups, [*solid, template.parts[-1]]


def _shared(value: str, places: int) -> list[tuple[str, ...]]:
    """How places side by side may share what stands there: cut at a joint, all in the first, cut at a space, none."""
    if places == 1:
        return [(value,)]
    whole = outside_quotes(value)
    cuts = [joint.start() for joint in JOINTS.finditer(value) if joint.start() in whole][:4]
    spaces = [space.end() for space in re.finditer(" ", value) if space.end() in whole][:3]
    ways = [(value[:cut], value[cut:]) for cut in dict.fromkeys([*cuts, len(value), *spaces, 0])]
    return [(first, *others) for first, rest in ways for others in _shared(rest, places - 1)][:MOST_WAYS]


def _from_left(parts: tuple[str, ...], text: str) -> list[tuple[int, int]] | None:
    place, end = len(parts[0]), len(text) - len(parts[-1])
    places = []
    for part in parts[1:-1]:
        at = text.find(part, place, end)
        if at < 0:
            return None
        places.append((place, at))
        place = at + len(part)
    return None if place > end else [*places, (place, end)]


def _from_right(parts: tuple[str, ...], text: str) -> list[tuple[int, int]] | None:
    start, place = len(parts[0]), len(text) - len(parts[-1])
    places: list[tuple[int, int]] = []
    for part in parts[-2:0:-1]:
        at = text.rfind(part, start, place)
        if at < 0:
            return None
        places.insert(0, (at + len(part), place))
        place = at
    return None if place < start else [(start, place), *places]


def _apart(value: str, before: str, after: str) -> bool:
    """Whether no word of the template goes on in the value, nor one of the value in the template."""
    if not value:
        return True
    return not (
        (before[-1:].isalpha() and value[0].isalpha() and before[-1].isascii())
        or (after[:1].isalpha() and value[-1].isalpha())
    )


def _looks_named(value: str) -> bool:
    """Whether a value is surely none of our phrases: code, a number, a list of names."""
    return _LIKE_CODE.search(value) is not None or listed(value) is not None


def _is_phrase(value: str) -> bool:
    """Whether a value may be a phrase of ours: one word is a name."""
    return " " in value.strip() and _WORD.search(value) is not None


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
