"""How tags mark entities: scheme_of, Scheme. IOB2, IOB1, IOBES (BMES) and BILOU, the mark before or behind the type.

Entities are counted in IOB2 (metrics_labels.py), so tags of the others are written as that first. Tags that mark no
entities, such as parts of speech, have no scheme, and are scored by accuracy. Knows no tokenizer and no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

OUTSIDE = ("O", "-", "o")
"""What a word in no entity is tagged: everywhere O, a dash in the Naver NER data."""
_FORMS = (re.compile(r"(?P<mark>[BIESMLU])(?:[-_](?P<kind>.+))?"), re.compile(r"(?P<kind>.+)[-_](?P<mark>[BIESMLU])"))
"""`B-PS` and `PS-B`."""
_PLAIN = {"M": "I", "L": "E", "U": "S"}
"""Marks of BMES and BILOU -> those of IOBES that mean the same."""
_SELDOM = 0.1
"""Fewer entities than this share begin with B-: B- stands only between neighbours, which is IOB1."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What tags say of entities.

    Attributes:
        name: IOB2, IOB1, IOBES or BILOU; empty: they mark no entities.
        marks: tag -> its mark, of B, I, E, S and O, and its type.
        names: mark and type -> tag.
    """

    name: str
    marks: Mapping[str, tuple[str, str]]
    names: Mapping[tuple[str, str], str]

    @property
    def outside(self) -> str | None:
        """The tag of what is in no entity; None: there is none."""
        return self.names.get(("O", ""))

    def iob2(self, tags: Sequence[str]) -> list[str]:
        """The entities of a sequence as IOB2; what is none by the rules of this scheme becomes O."""
        if self.name == "IOB2" and all(tag[:2] in {"B-", "I-"} or tag == "O" for tag in self.marks):
            return list(tags)
        made = ["O"] * len(tags)
        found = [self.marks.get(tag, ("O", "")) for tag in tags]
        for start, end, kind in (self._closed if self.name in {"IOBES", "BILOU"} else self._open)(found):
            made[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
        return made

    def over(self, tag: str, count: int) -> list[str]:
        """The tags of so many characters in a row of which a token has this tag."""
        mark, kind = self.marks.get(tag, ("O", ""))
        inner = self.names.get(("I", kind), tag)
        if mark not in {"B", "E", "S"} or count == 1:
            return [tag] * count
        if self.name not in {"IOBES", "BILOU"}:
            return [tag, *[inner] * (count - 1)]
        first = self.names.get(("B", kind), tag) if mark == "S" else tag if mark == "B" else inner
        last = self.names.get(("E", kind), tag) if mark == "S" else tag if mark == "E" else inner
        return [first, *[inner] * (count - 2), last]

    def _open(self, tags: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
        """IOB1 and IOB2: an entity goes on while I- of its type follows; in IOB1 an I- begins one, too."""
        begun: tuple[int, str] | None = None
        for at, (mark, kind) in enumerate([*tags, ("O", "")]):
            if begun is not None and not (mark == "I" and kind == begun[1]):
                yield begun[0], at, begun[1]
                begun = None
            if mark == "B" or (mark == "I" and begun is None and self.name == "IOB1"):
                begun = (at, kind)

    def _closed(self, tags: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
        """IOBES and BILOU: S alone, or B, any I, and E of one type."""
        begun: tuple[int, str] | None = None
        for at, (mark, kind) in enumerate(tags):
            goes_on = begun is not None and mark in {"I", "E"} and kind == begun[1]
            if mark == "S":
                yield at, at + 1, kind
            if begun is not None and goes_on and mark == "E":
                yield begun[0], at + 1, kind
            if mark == "B":
                begun = (at, kind)
            elif not goes_on or mark == "E":
                begun = None


def scheme_of(names: Sequence[str], sentences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of a set of tags.

    Args:
        names: all tags.
        sentences: tagged ones, which tell IOB1 from IOB2.
    """
    entities = [name for name in names if name not in OUTSIDE]
    for form in _FORMS:
        matches = {name: form.fullmatch(name) for name in entities}
        if not entities or not all(matches.values()):
            continue
        given = {name: (one["mark"], one["kind"] or "") for name, one in matches.items() if one}
        if not {mark for mark, _ in given.values()} & {"B", "I"}:
            continue
        letters = {mark for mark, _ in given.values()}
        marks = {name: (_PLAIN.get(mark, mark), kind) for name, (mark, kind) in given.items()}
        marks |= {name: ("O", "") for name in names if name in OUTSIDE}
        tags = {said: name for name, said in reversed(marks.items())}
        if letters & {"E", "S", "M"}:
            return Scheme("IOBES", marks, tags)
        if letters & {"L", "U"}:
            return Scheme("BILOU", marks, tags)
        return Scheme("IOB1" if _begins_with_i(sentences, marks) else "IOB2", marks, tags)
    return Scheme("", {}, {("O", ""): "O"} if "O" in names else {})


def _begins_with_i(sentences: Iterable[Sequence[str]], marks: Mapping[str, tuple[str, str]]) -> bool:
    """Whether next to all entities behind what is none of their type begin with I-."""
    begun = {"B": 0, "I": 0}
    for tags in sentences:
        said = [("O", ""), *(marks.get(tag, ("O", "")) for tag in tags)]
        for (_, before), (mark, kind) in pairwise(said):
            if mark in begun and kind != before:
                begun[mark] += 1
    return begun["I"] > 0 and begun["B"] < _SELDOM * sum(begun.values())
