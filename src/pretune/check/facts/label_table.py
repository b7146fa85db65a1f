"""The labels, tags or scores of a split while its rows are read: LabelTable, which counts each with its first place.

Cells of a table stay strings until all are read: numbers when all are, floats when one is missing. Tables of parts of
the rows can be merged in any order. Knows no head and no config.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from pretune.check.facts.hits import Found, Tally
from pretune.corpus.example import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Label = str | int | float

MOST = 100_000
"""Different labels of a split that are kept; of more, those whose hash is small."""
LONGEST_NAME = 256
"""Characters of a label that is kept as it is; of a longer one the beginning, and a hash of all."""


class Key(NamedTuple):
    """A label of a file, as the file gives it: the type's name and the value as text."""

    file: int
    kind: str
    text: str

    @property
    def value(self) -> Label:
        """The label itself."""
        return int(self.text) if self.kind == "int" else float(self.text) if self.kind == "float" else self.text


class Seen(NamedTuple):
    """How often a label occurs, and where first."""

    rows: int
    order: int
    where: str

    def and_also(self, other: Seen) -> Seen:
        """The same label in other rows."""
        first = self if self.order <= other.order else other
        return Seen(self.rows + other.rows, first.order, first.where)


def kind_of(value: Any) -> str:
    """`int`, `float`, `str`, `list`, `other` or `missing`."""
    if value is None or value != value or (isinstance(value, str) and not value.strip()):  # noqa: PLR0124 - NaN
        return "missing"
    kinds = ((bool, "int"), (int, "int"), (float, "float"), (str, "str"), (list, "list"), (tuple, "list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "other")


def key_of(file: int, kind: str, value: Any) -> Key:
    """The key of a label that is a number or a string."""
    if kind != "str":
        return Key(file, kind, repr(int(value) if isinstance(value, bool) else value))
    if len(value) > LONGEST_NAME:
        digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return Key(file, kind, f"{value[:LONGEST_NAME]}… {digest}")
    return Key(file, kind, value)


def rank_of(key: Key) -> int:
    """A hash of a label, whatever its file, below 2^64."""
    text = f"{key.kind} {key.text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


@dataclass(slots=True)
class LabelTable:
    """What labels there are.

    Attributes:
        seen: each label of each file, numbers and strings.
        kinds: (file, kind) -> rows (tokens); a string that is a number counts as `whole` or `fraction` once more, any
            other as `name`.
        missing: the rows without a label, or with a tag less.
        lists: the rows with a list of labels; the kind `mixed`: not all are numbers.
        sizes: how long the lists are, at most 1,000.
        level: only labels whose hash is below 2^64 / 2^level are kept; 0: all of them.
        most: how many are kept.
    """

    seen: dict[Key, Seen] = field(default_factory=dict)
    kinds: Counter[tuple[int, str]] = field(default_factory=Counter)
    missing: Tally = field(default_factory=Tally)
    lists: Tally = field(default_factory=Tally)
    sizes: dict[int, Seen] = field(default_factory=dict)
    level: int = 0
    most: int = MOST

    def add(self, value: Any, times: int = 1, *, file: int, order: int, where: Callable[[], str]) -> str:
        """Count a label that stands in `times` rows, first at `order`; gives its kind.

        Lists and missing ones are told of in `missing` and `lists` by `add_missing` and `add_list`.
        """
        kind = kind_of(value)
        self.kinds[file, kind] += times
        if kind in {"int", "float", "str"}:
            key = key_of(file, kind, value)
            if kind == "str":
                number = number_of(value)
                cell = "name" if number is None else "fraction" if isinstance(number, float) else "whole"
                self.kinds[file, cell] += times
            self._keep(key, Seen(times, order, ""), where)
        return kind

    def add_missing(self, order: int, where: Callable[[], str]) -> None:
        """Tell of a row without a label."""
        self.missing.add(order, where, Found())

    def add_list(self, labels: list[Any], order: int, where: Callable[[], str]) -> None:
        """Tell of a row with a list of labels."""
        size = min(len(labels), 1000)
        known = self.sizes.get(size)
        if known is None or order < known.order:
            self.sizes[size] = Seen((known.rows if known else 0) + 1, order, where())
        else:
            self.sizes[size] = known._replace(rows=known.rows + 1)
        mixed = not all(isinstance(label, (int, float)) for label in labels)
        self.lists.add(order, where, Found((str(size),), (("mixed", 1),) if mixed else ()))

    def _keep(self, key: Key, new: Seen, where: Callable[[], str]) -> None:
        known = self.seen.get(key)
        if known is None:
            if self.level == 0 or rank_of(key) < 2**64 >> self.level:
                self.seen[key] = new._replace(where=where())
                self._bound()
        elif new.order < known.order:
            self.seen[key] = Seen(known.rows + new.rows, new.order, where())
        else:
            self.seen[key] = known._replace(rows=known.rows + new.rows)

    def _bound(self) -> None:
        """Keep a share of the labels once there are too many: which ones depends on no order."""
        while len(self.seen) > self.most:
            self.level += 1
            self.seen = {key: seen for key, seen in self.seen.items() if rank_of(key) < 2**64 >> self.level}

    def merge(self, other: LabelTable) -> None:
        """Count the labels of other rows."""
        self.level = max(self.level, other.level)
        for key, seen in other.seen.items():
            self.seen[key] = self.seen[key].and_also(seen) if key in self.seen else seen
        if self.level:
            self.seen = {key: seen for key, seen in self.seen.items() if rank_of(key) < 2**64 >> self.level}
        self._bound()
        self.kinds.update(other.kinds)
        self.missing.merge(other.missing)
        self.lists.merge(other.lists)
        for size, rows in other.sizes.items():
            self.sizes[size] = self.sizes[size].and_also(rows) if size in self.sizes else rows

    def typing(self, file: int) -> str:
        """How pandas would type the cells of this table: `int`, `float`, or `str`: they stay as they are."""
        count = self.kinds
        numbers = count[file, "whole"] + count[file, "fraction"]
        if not numbers or count[file, "name"] or count[file, "list"] or count[file, "other"]:
            return "str"
        return "float" if count[file, "fraction"] or count[file, "missing"] else "int"

    def typed(self, value: Any, file: int, tables: Mapping[int, bool]) -> Any:
        """A label as it counts: of a table, a number where the column's cells are numbers."""
        typing = self.typing(file) if tables.get(file) else "str"
        if typing == "str" or not isinstance(value, str):
            return None if tables.get(file) and kind_of(value) == "missing" else value
        number = number_of(value)
        return float(number) if typing == "float" and number is not None else number

    def to_json(self) -> dict[str, Any]:
        """As values that JSON can write; the same for the same rows, however they were merged."""
        return {
            "seen": [[*key, *seen] for key, seen in sorted(self.seen.items())],
            "kinds": [[*key, count] for key, count in sorted(self.kinds.items()) if count],
            "missing": self.missing.to_json(),
            "lists": self.lists.to_json(),
            "sizes": [[size, *seen] for size, seen in sorted(self.sizes.items())],
            "level": self.level,
            "most": self.most,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LabelTable:
        """What `to_json` gave."""
        return cls(
            {Key(*row[:3]): Seen(*row[3:]) for row in values["seen"]},
            Counter({(file, kind): count for file, kind, count in values["kinds"]}),
            Tally.from_json(values["missing"]),
            Tally.from_json(values["lists"]),
            {row[0]: Seen(*row[1:]) for row in values["sizes"]},
            values["level"],
            values["most"],
        )
