"""A journal of every change to the walk's mappings: taken back after one side of a branch, joined after both.

Pure bookkeeping; knows neither syntax nor libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.script.choices import join, part
from pretune.script.values import External

if TYPE_CHECKING:
    from collections.abc import Sequence as Many

    from pretune.script.values import Value

Changes = dict[tuple[int, Any], tuple[dict[Any, Any], Any, Any]]
"""(mapping's identity, key) -> (mapping, key, value or GONE)."""


class _Gone:
    """No value under this key."""


GONE = _Gone()


class Journal:
    """Every change to the walk's mappings, so that it can be taken back.

    Args:
        attributes: of these, what nobody set on one side is what it was before: an attribute or item not followed.
    """

    def __init__(self, attributes: dict[Any, Any]) -> None:
        self.attributes = attributes
        self.entries: list[tuple[dict[Any, Any], Any, Any]] = []

    def put(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        """`mapping[key] = value`."""
        self.entries.append((mapping, key, mapping.get(key, GONE)))
        mapping[key] = value

    def drop(self, mapping: dict[Any, Any], key: Any) -> None:
        """`del mapping[key]`, where it is there."""
        if key in mapping:
            self.entries.append((mapping, key, mapping.pop(key)))

    def changes(self, mark: int) -> Changes:
        """What changed since the journal had `mark` entries, as it stands now."""
        found: Changes = {}
        for mapping, key, _ in self.entries[mark:]:
            found[(id(mapping), key)] = (mapping, key, mapping.get(key, GONE))
        return found

    def undo(self, mark: int) -> None:
        """Takes back what changed since then."""
        entries = self.entries
        while len(entries) > mark:
            mapping, key, old = entries.pop()
            if old is GONE:
                mapping.pop(key, None)
            else:
                mapping[key] = old

    def merge(self, sides: Many[Changes]) -> None:
        """Joins what sides of a branch left behind, each relative to now; a name that a side has not is the others'."""
        if not sides:
            return
        touched: Changes = {}
        for side in sides:
            touched.update(side)
        for slot, (mapping, key, _) in touched.items():
            now = mapping.get(key, GONE)
            values = [side[slot][2] if slot in side else now for side in sides]
            if mapping is self.attributes:
                values = [_unset(*key) if value is GONE else value for value in values]
            there = [value for value in values if value is not GONE]
            if not there:
                self.drop(mapping, key)
                continue
            if isinstance(key, tuple) and isinstance(there[0], dict | tuple):  # a parser's options, a namespace's names
                joined = _either(there)
            else:
                joined = there[0] if all(value is there[0] for value in there) else join(there)
            if joined is not now:
                self.put(mapping, key, joined)


def _either(there: list[Any]) -> Any:
    """The options that a parser has on any side."""
    if isinstance(there[0], tuple):
        return tuple(dict.fromkeys(name for one in there for name in one))
    names = dict.fromkeys(name for one in there for name in one)
    return {name: join([one[name] for one in there if name in one]) for name in names}


def _unset(of: Value, key: Any) -> Any:
    """What an attribute or item is that the script did not set."""
    if not isinstance(key, str):
        return part(of, index=key) if not isinstance(key, tuple) else GONE
    if key.startswith("\0"):
        return GONE
    return External(f"{of.name}.{key}") if isinstance(of, External) else part(of, name=key)
