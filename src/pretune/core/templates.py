"""A message with places, taken apart, and how it can stand for a finished text: Template, taken_apart, fits.

Knows no catalogue: what the values mean is translation.py's.
"""

from __future__ import annotations

import re
from itertools import islice, product
from typing import NamedTuple

from pretune.core.values import outside_quotes

_HOLE = re.compile(r"\{(\d+)\}")
_COUNTED = re.compile(r"\{(\d+)\}(?:개(?!월)|번째|행|바이트|스텝|가지|초|분(?=[ .,)]|$)|시간|일(?= )|자(?=[를짜로]))")
_SAID = re.compile(r"\{(\d+)!\}")
_INNER = re.compile(r"\{(\d+)!?\}[\"'`)\]]* ?[가-힣]")
_REASON = re.compile(r"\w.*: \{(\d+)\}(?:\{\d+\})*$")
_FOLLOWED = re.compile(r"\{(\d+)\}(?=[^{]*[A-Za-z])")
_QUOTED = re.compile(r"(?<=\"){(\d+)}(?=\")")
WEAK = 8
"""Characters below which a template (`{0} of {1}`) fits almost anything: its values must then look like values."""
MOST_WAYS = 24
"""In how many ways places side by side are tried."""
JOINTS = re.compile(r"(?<=[^\s;,:])(?=; |, | \(|: | and )|(?<=[;:,.?!)]) (?=\S)")
"""Where a text may be put together from two that the catalogue knows."""


class Template(NamedTuple):
    """A msgid with places, the translation, and the literal parts between the places.

    Attributes:
        msgid: the English.
        translation: what it is in the other language.
        parts: the literals before, between and behind the places.
        holes: the places' numbers, as they stand in the msgid.
        weight: characters of the literals.
        counts: the places that hold an amount, as the translation counts them (`{0}개`).
        words: the places whose value is said too where it is one word (`{0!}` in the translation).
        inner: the places behind which the translation goes on in the same clause; a whole sentence fits ill there.
        quoted: the places between quotation marks, whose value is somebody's own words.
        followed: the places behind which the message goes on.
        reason: the place behind a colon at the end, where words of others may stand; -1: none.
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
    followed: frozenset[int]
    reason: int

    @property
    def is_weak(self) -> bool:
        """Whether it fits almost anything: few characters of its own, and no place that must be an amount."""
        return self.weight < WEAK and not self.counts


def taken_apart(msgid: str, translation: str) -> Template:
    """The message as a template."""
    pieces = _HOLE.split(msgid)
    parts = tuple(pieces[::2])

    def places(pattern: re.Pattern[str], text: str) -> frozenset[int]:
        return frozenset(map(int, pattern.findall(text)))

    return Template(
        msgid,
        translation,
        parts,
        holes=tuple(map(int, pieces[1::2])),
        weight=sum(len(part.strip()) for part in parts),
        counts=places(_COUNTED, translation),
        words=places(_SAID, translation),
        inner=places(_INNER, translation),
        quoted=places(_QUOTED, msgid),
        followed=places(_FOLLOWED, msgid),
        reason=max(places(_REASON, msgid), default=-1),
    )


def fits(template: Template, text: str) -> list[dict[int, str]]:
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
        found += [
            dict(zip(template.holes, (each for way in one for each in way), strict=True))
            for one in islice(product(*ways), MOST_WAYS)
        ]
    return [one for number, one in enumerate(found) if one not in found[:number]]


def _groups(template: Template) -> tuple[list[list[int]], list[str]]:
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


def _from_left(parts: list[str], text: str) -> list[tuple[int, int]] | None:
    place, end = len(parts[0]), len(text) - len(parts[-1])
    places = []
    for part in parts[1:-1]:
        at = text.find(part, place, end)
        if at < 0:
            return None
        places.append((place, at))
        place = at + len(part)
    return None if place > end else [*places, (place, end)]


def _from_right(parts: list[str], text: str) -> list[tuple[int, int]] | None:
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
