"""What a spare slot is, and which names model makers give to slots they leave free. Knows no files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pretune.artifacts.vocabulary import is_spare_name

_MORE_NAMES = re.compile(
    r"<\|unused[_-]?\w{0,20}\|>|\[\|?unused[_-]?\w{0,8}\|?\]|<unused_token_\d+>|<\|(?:placeholder|reserved_token|reserved)_?\d+\|>"
    r"|<(?:SPECIAL|reserved|placeholder|dummy|empty|spare)_?\d+>|\[(?:control|reserved|placeholder|dummy|spare)_?\d+\]",
    re.IGNORECASE,
)
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


def is_free_name(name: str) -> bool:
    """Whether an entry's name says that it was left free: `[unused7]`, `<|reserved_special_token_3|>`, `<SPECIAL_20>`.

    T5's `<extra_id_7>` does not: it is a sentinel that pretraining uses (is_sentinel).
    """
    return is_spare_name(name) or _MORE_NAMES.fullmatch(name) is not None


def is_marker(name: str) -> bool:
    """Whether an entry is spelled as special tokens are: `[NAME]`, `<|endoftext|>`, `<S>`.

    No text may reach it, and yet code that puts ids together may use it.
    """
    return _MARKER.fullmatch(name) is not None


def is_sentinel(name: str) -> bool:
    """Whether an entry bears the name of T5's sentinels, which some models have and never trained."""
    return _SENTINEL.fullmatch(name) is not None
