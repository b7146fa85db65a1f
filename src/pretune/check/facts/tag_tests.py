"""Tests of tagged sentences: as many tags as tokens, a valid BIO sequence, tokens that can be seen.

Knows one row at a time, and no tokenizer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pretune.check.facts.hits import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pretune.corpus.example import Example


def another_number(row: Example) -> Found | None:
    """More or fewer tags than tokens; says how many."""
    if len(row.tags) == len(row.tokens):
        return None
    return Found((f"{len(row.tags)} tags for {len(row.tokens)} tokens{_of_characters(row)}",))


def _of_characters(row: Example) -> str:
    """What a tag stands for where there are as many as characters."""
    tokens = [token for token in row.tokens if isinstance(token, str)]
    if len(row.tags) == len("".join(tokens)):
        return ", one a character"
    return ", one a character with the spaces" if len(row.tags) == len(" ".join(tokens)) else ""


def orphan(row: Example) -> Found | None:
    """An I- tag that does not go on with the entity before it; says what stands before it, and the tag."""
    before = "O"
    for tag in _names(row):
        if tag[:2] == "I-" and (before[:2] not in {"B-", "I-", "M-"} or before[2:] != tag[2:]):
            return Found((before, tag))
        before = tag
    return None


def entities(row: Example) -> Found | None:
    """The first tags of entities; the kinds are `B` and `I`."""
    begun = Counter(_openings(row))
    return Found(kinds=tuple(begun.items())) if begun else None


def _names(row: Example) -> list[str]:
    return [tag for tag in row.tags if isinstance(tag, str)] if all(isinstance(tag, str) for tag in row.tags) else []


def _openings(row: Example) -> Iterator[str]:
    before = "O"
    for tag in _names(row):
        if tag[:2] == "B-" or (tag[:2] == "I-" and before[2:] != tag[2:]):
            yield tag[:1]
        before = tag


def words(row: Example) -> Found | None:
    """Tokens that are strings; the kinds are `tokens`, `characters` (of one character) and `spaces`."""
    tokens = [token for token in row.tokens if isinstance(token, str)]
    if not tokens:
        return None
    single, spaces = sum(len(token) == 1 for token in tokens), sum(token.isspace() for token in tokens)
    return Found(kinds=(("tokens", len(tokens)), ("characters", single), ("spaces", spaces)))


def blank_token(row: Example) -> Found | None:
    """A token that is empty, blank or no string."""
    seen = (isinstance(token, str) and token.strip("\u200b\ufeff \t\r\n") for token in row.tokens)
    return None if all(seen) else Found()


TAG_TESTS: Mapping[str, Callable[[Example], Found | None]] = {
    "another-number": another_number,
    "orphan": orphan,
    "entities": entities,
    "words": words,
    "blank-token": blank_token,
}
