"""Old tensor names and the names that transformers gives them when it loads a checkpoint. Reads no file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Rename:
    """One rename of from_pretrained.

    Attributes:
        pattern: a regular expression, searched anywhere in the name.
        target: what the matched part becomes; a backslash and 1 stand for the first group inside the pattern.
        further: more tensors that the old one is split into (a fused qkv, for example); beside `target`.
        operations: what is done to the values on the way (`Chunk`, `Concatenate`, `MergeModulelist`); empty: nothing.
    """

    pattern: str
    target: str
    further: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Renamed:
    """What a tensor of a file is called in the model.

    Attributes:
        names: its name; several where it is split.
        operations: what is done to its values; when not empty, its shape is not the model's.
    """

    names: tuple[str, ...]
    operations: tuple[str, ...] = ()


def renames_of(rows: Iterable[Sequence[Any]]) -> tuple[Rename, ...]:
    """Renames from the rows of a data file."""
    return tuple(Rename(row[0], row[1], tuple(row[2]), tuple(row[3])) for row in rows)


def renamed(name: str, renames: Iterable[Rename]) -> Renamed:
    """`name` after all plain renames, in their order, and at most one conversion, as transformers 5 does it."""
    conversions = []
    for rename in renames:
        if rename.operations:
            conversions.append(rename)
        else:
            name = _replaced(name, rename.pattern, rename.target) or name
    for rename in conversions:
        targets = [_replaced(name, rename.pattern, target) for target in (rename.target, *rename.further)]
        if targets[0] is not None:
            return Renamed(tuple(target for target in targets if target is not None), rename.operations)
    return Renamed((name,))


def _replaced(name: str, pattern: str, target: str) -> str | None:
    match = _compiled(pattern).search(name)
    if match is None:
        return None
    if r"\1" in target:
        outer = match.lastgroup  # the pattern's own name; the group that \1 means is the next one inside it
        inner = match.re.groupindex[outer] + 1 if outer else 1
        target = target.replace(r"\1", match[inner])
    return name.replace(match[0], target, 1)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
