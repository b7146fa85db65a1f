"""What a spare slot is, and which names are no words of a text: markers and sentinels. Knows no files."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(r"<[^\s<>]{1,60}>|\[[^\s\[\]]{1,60}\]")
_SENTINEL = re.compile(r"▁?<extra_id_\d+>")


@dataclass(frozen=True, slots=True)
class Slot:
    """A row of the word embedding that no text reaches.

    Attributes:
        id: of the row.
        name: the entry that stands there; empty for a row that no entry owns.
        kind: "row": no entry has the id (behind the last one, or a hole between ids). "named": the entry bears a name
            that says it is free; where it is an added token, text that spells this name reaches it, and nothing else.
            "unreachable": an entry that the tokenizer's algorithm can never produce.
    """

    id: int
    name: str
    kind: str


def is_marker(name: str) -> bool:
    """Whether an entry is spelled as special tokens are: `[NAME]`, `<|endoftext|>`, `<S>`.

    No text may reach it, and yet code that puts ids together may use it.
    """
    return _MARKER.fullmatch(name) is not None


def is_sentinel(name: str) -> bool:
    """Whether an entry bears the name of T5's sentinels, which some models have and never trained."""
    return _SENTINEL.fullmatch(name) is not None
