"""Places a word in a BPE vocabulary: rules, after all others, that merge what it is cut into now.

The new rules come last, so everything is first cut as it always was: no word that was one token stops being one, and
no text gets longer. They are found by merging as the model does (Merger), not by asking it, which would have to be
built anew for each word.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pretune.tokens.placement import New, Placement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping, Sequence

MOST_PIECES = 24
"""A word of more pieces is no word."""


def _alphabet() -> dict[str, int]:
    """GPT-2's letters for bytes: printable ones stand for themselves, the others for letters from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{chr(byte): byte for byte in plain}, **{chr(0x100 + at): byte for at, byte in enumerate(others)}}


BYTES = _alphabet()
"""Letter -> byte."""


class Merger:
    """Merges as a BPE model does, with rules that can be added.

    Args:
        merges: the rules, in order.
        vocabulary: the entries.
        byte_fallback: whether a character without an entry becomes bytes.
        ignore_merges: whether a whole form that is an entry is taken as it is.

    Attributes:
        whole: forms that were placed without rules.
    """

    def __init__(
        self,
        merges: Iterable[tuple[str, str]],
        vocabulary: Iterable[str],
        *,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
    ) -> None:
        self.ranks: dict[tuple[str, str], int] = {}
        for rule in merges:
            self.ranks[rule] = len(self.ranks)
        self.vocabulary = set(vocabulary)
        self.byte_fallback = byte_fallback
        self.ignore_merges = ignore_merges
        self.whole: set[str] = set()

    def pieces(self, form: str) -> list[str]:
        """What a form is cut into."""
        if form in self.whole or (self.ignore_merges and form in self.vocabulary):
            return [form]
        return self.merged(self._begin(form))

    def merged(self, parts: Sequence[str]) -> list[str]:
        """What these parts come to: the rule of the lowest rank first, of equal ones the leftmost."""
        parts = list(parts)
        while len(parts) > 1:
            rank, at = min((self.ranks.get(pair, len(self.ranks)), at) for at, pair in enumerate(pairwise(parts)))
            if rank == len(self.ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return parts

    def _begin(self, form: str) -> list[str]:
        """Characters, and bytes where the vocabulary lacks one and has bytes instead."""
        parts: list[str] = []
        for character in form:
            if character in self.vocabulary or not self.byte_fallback:
                parts.append(character)
            else:
                parts += [f"<0x{byte:02X}>" for byte in character.encode("utf-8", "replace")]
        return parts

    def add(self, rule: tuple[str, str]) -> bool:
        """A rule behind all others; False: there is such a rule."""
        self.vocabulary.add("".join(rule))
        if rule in self.ranks:
            return False
        self.ranks[rule] = len(self.ranks)
        return True

    def forget(self, rules: Iterable[tuple[str, str]], new: Iterable[New]) -> None:
        """Take back the last rules and entries."""
        for rule in rules:
            del self.ranks[rule]
        for entry in new:
            self.vocabulary.discard(entry.text)
            self.whole.discard(entry.text)


def place(word: str, forms: Sequence[str], merger: Merger, *, whole: bool = False) -> Placement:
    """The entries and rules of a word; they are added to the merger.

    Args:
        word: as it was asked for.
        forms: as the model meets it.
        merger: with the rules of the model and of the words before.
        whole: the model takes a form that is an entry as it is (`ignore_merges`), so that a word may stand there
        without rules. It is
            placed so where its rules would glue parts of characters, which then changes words that have nothing to
            do with it.
    """
    new: list[New] = []
    rules: list[tuple[str, str]] = []
    before: MutableMapping[str, tuple[str, ...]] = {}
    for form in forms:
        pieces = merger.pieces(form)
        if pieces == [form] and form in merger.vocabulary:
            continue
        reason = _reason(pieces, merger)
        if reason:
            merger.forget(rules, new)
            return Placement(word, reason=reason)
        steps = _steps(pieces, merger.vocabulary)
        if whole and any(_is_broken(left + right) for left, right in steps):
            new.append(New(form, tuple(pieces)))
            merger.whole.add(form)
            merger.vocabulary.add(form)
            continue
        for left, right in steps:
            text = left + right
            before[text] = (*before.get(left, (left,)), *before.get(right, (right,)))
            if text not in merger.vocabulary:
                new.append(New(text, before[text], merge=(left, right), between=text != form))
            if merger.add((left, right)):
                rules.append((left, right))
        if merger.pieces(form) != [form]:
            merger.forget(rules, new)
            return Placement(word, reason="its pieces repeat so that no order of rules makes it one")
    return Placement(word, tuple(forms), tuple(new), tuple(rules))


def _is_broken(text: str) -> bool:
    """Whether an entry in GPT-2's byte alphabet holds a part of a character only."""
    if any(character not in BYTES for character in text):
        return False
    try:
        bytes(BYTES[character] for character in text).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _reason(pieces: Sequence[str], merger: Merger) -> str:
    """Why pieces cannot be merged; empty: they can."""
    if len(pieces) > MOST_PIECES:
        return f"it is {len(pieces)} pieces long, more than {MOST_PIECES}"
    foreign = [piece for piece in pieces if piece not in merger.vocabulary]
    if foreign:
        return f"the vocabulary cannot spell {foreign[0]!r}"
    if any(piece.startswith("<0x") and piece.endswith(">") and len(piece) == 6 for piece in pieces):
        return "a character of it stands in the vocabulary as bytes only, which do not merge"
    return ""


def _steps(pieces: Sequence[str], vocabulary: Iterable[str]) -> list[tuple[str, str]]:
    """The merges that make one of the pieces, with as few entries on the way as can be; children before parents."""
    known = vocabulary if isinstance(vocabulary, set) else set(vocabulary)
    best: dict[tuple[int, int], tuple[int, int]] = {}

    def cost(first: int, last: int) -> int:
        return best[first, last][0] if last - first > 1 else 0

    for width in range(2, len(pieces) + 1):
        for first in range(len(pieces) - width + 1):
            last = first + width
            own = 0 if "".join(pieces[first:last]) in known else 1
            splits = ((cost(first, at) + cost(at, last) + own, -at) for at in range(first + 1, last))
            price, at = min(splits)
            best[first, last] = (price, -at)
    found: list[tuple[str, str]] = []

    def descend(first: int, last: int) -> None:
        if last - first < 2:
            return
        at = best[first, last][1]
        descend(first, at)
        descend(at, last)
        found.append(("".join(pieces[first:at]), "".join(pieces[at:last])))

    descend(0, len(pieces))
    return list(dict.fromkeys(found))


def rules_of(merges: Iterable[object]) -> list[tuple[str, str]]:
    """The rules of tokenizer.json in either of its forms, `"a b"` and `["a", "b"]`."""
    found: list[tuple[str, str]] = []
    for rule in merges:
        parts: Sequence[object] = rule.split(" ") if isinstance(rule, str) else list(rule)  # type: ignore[call-overload]
        if len(parts) == 2:
            found.append((str(parts[0]), str(parts[1])))
    return found


def merger_of(model: Mapping[str, object]) -> Merger:
    """The merger of a tokenizer.json's model."""
    merges, vocabulary = model.get("merges"), model.get("vocab")
    return Merger(
        rules_of(merges if isinstance(merges, list) else ()),
        vocabulary if isinstance(vocabulary, dict) else (),
        byte_fallback=bool(model.get("byte_fallback")),
        ignore_merges=bool(model.get("ignore_merges")),
    )
