"""What a test finds in the rows of a split: Found (in one row), Hits (in all of them), Tally (while they are read).

Tallies of parts of the rows can be merged in any order and come to the same. Knows no test and no rule.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

KEPT = 20
"""Rows of each kind that are remembered with their places, the first of the files."""

LONGEST_SAID = 240
"""Characters that are remembered of what is said of a row."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a test finds in one row.

    Attributes:
        said: words for the message: the markup, the id, what was meant.
        kinds: what is counted over all rows, by name; the names must be few, whatever the rows hold.
        size: a number whose sum and maximum over all rows are wanted.
    """

    said: tuple[str, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    size: int = 0

    def and_also(self, other: Found | None) -> Found:
        """What is found in two texts of one row; the first speaks."""
        if other is None:
            return self
        return Found(self.said, self.kinds + other.kinds, max(self.size, other.size))


class Hit(NamedTuple):
    """A row in which something was found: its place, and what is to be said of it."""

    where: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """The rows in which a test found something. `len()` counts all of them, iterating gives those remembered.

    Attributes:
        count: how many rows.
        first: the first of them, in the order of the files; at most KEPT.
        kinds: what was counted in them.
        total: the sum of their sizes; `longest`: the maximum.
        about: the count was estimated from a share of the texts.
    """

    count: int = 0
    first: tuple[Hit, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    total: int = 0
    longest: int = 0
    about: bool = False

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.first)

    def __getitem__(self, index: int) -> Hit:
        return self.first[index]

    def common(self, most: int | None = None) -> list[tuple[str, int]]:
        """The most frequent kinds with their counts; those as frequent in the order of their names."""
        return sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))[:most]


@dataclass(slots=True)
class Tally:
    """Hits while rows are read. An order is a number that grows with the place of a row in its files."""

    count: int = 0
    total: int = 0
    longest: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    first: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)

    def wants(self, order: int) -> bool:
        """Whether a row of this order would be remembered."""
        return len(self.first) < KEPT or order < self.first[-1][0]

    def remember(self, order: int, where: Callable[[], str], said: Sequence[str] = ()) -> None:
        """Keep the place of a row when it is one of the first."""
        if self.wants(order):
            insort(self.first, (order, where(), tuple(text[:LONGEST_SAID] for text in said)))
            del self.first[KEPT:]

    def add(self, order: int, where: Callable[[], str], found: Found) -> None:
        """Count a row in which something was found."""
        self.count += 1
        self.total += found.size
        self.longest = max(self.longest, found.size)
        for kind, times in found.kinds:
            self.kinds[kind] += times
        self.remember(order, where, found.said)

    def add_rows(self, count: int, first: Iterable[int], where: Callable[[int], str]) -> None:
        """Count rows in which the same was found, of which the first ones have these orders, ascending."""
        self.count += count
        for order in islice(first, KEPT):
            if not self.wants(order):
                return
            self.remember(order, partial(where, order))

    def merge(self, other: Tally) -> None:
        """Count what another one counted, of other rows."""
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)
        self.kinds.update(other.kinds)
        self.first = sorted([*self.first, *other.first])[:KEPT]

    @property
    def hits(self) -> Hits:
        """What was counted."""
        first = tuple(Hit(where, said) for _, where, said in self.first)
        return Hits(self.count, first, dict(self.kinds), self.total, self.longest)

    def to_json(self) -> list[Any]:
        """As values that JSON can write; the same for the same rows, however they were merged."""
        first = [[order, where, list(said)] for order, where, said in self.first]
        return [self.count, self.total, self.longest, dict(sorted(self.kinds.items())), first]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Tally:
        """What `to_json` gave."""
        count, total, longest, kinds, first = values
        kept = [(int(order), str(where), tuple(map(str, said))) for order, where, said in first]
        return cls(count, total, longest, Counter(kinds), kept)


_ROWS, _BLOCKS = 27, 22
"""Bits for the rows of a block and for the blocks of a file; 14 are left for files."""


def order_of(file: int, block: int, index: int) -> int:
    """The order of a row: by file, then by block, then by row; below 2^63."""
    return (file << _BLOCKS | block) << _ROWS | index


def index_of(order: int) -> int:
    """The number of a row in its block."""
    return order & ((1 << _ROWS) - 1)


def block_of(order: int) -> int:
    """The number of a row's block in its file."""
    return order >> _ROWS & ((1 << _BLOCKS) - 1)


def file_of(order: int) -> int:
    """The number of a row's file in its split."""
    return order >> (_ROWS + _BLOCKS)


FILE = 1 << (_ROWS + _BLOCKS)
"""How much the order grows from one file to the next."""


def tally_of(tallies: dict[str, Tally], name: str) -> Tally:
    """The tally of this name, begun when it is first asked for."""
    return tallies.setdefault(name, Tally())


def merged(tallies: dict[str, Tally], others: Mapping[str, Tally]) -> None:
    """Merge tallies by name into the first ones."""
    for name, tally in others.items():
        tally_of(tallies, name).merge(tally)
