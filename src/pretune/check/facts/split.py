"""The training and evaluation data as they were sampled: FileFacts, Split, DataFacts. Knows how none of it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pretune.check.facts.example import Example
    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

LONGEST = 32
"""Characters of places that a message has room for."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A data file as it was sampled.

    Attributes:
        path: as the user named it.
        format: jsonl, json, table, tagged, text, parquet or arrow.
        columns: its columns, in their order.
        roles: role -> column, as given or recognised.
        rows: rows looked at.
        more: there are rows that were not looked at.
        bom: it begins with the UTF-8 byte order mark.
        header: of a table: its first line names the columns.
        delimiter: of a table.
        swallowed: of a table read with quotes as characters: how many of the first lines a reader that takes them for
            quotes would merge into other rows.
        swallowed_at: the first line that does so; 0: none.
    """

    path: str
    format: str
    columns: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    more: bool = False
    bom: bool = False
    header: bool = True
    delimiter: str = ""
    swallowed: int = 0
    swallowed_at: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of one split that were looked at.

    Attributes:
        name: `train` or `eval`.
        files: the files, in the order given; empty: the split was not given.
        rows: the examples.
        broken: rows that could not be read.
        sampled: there are rows that were not looked at.
    """

    name: str
    files: tuple[FileFacts, ...] = ()
    rows: tuple[Example, ...] = ()
    broken: tuple[Row, ...] = ()
    sampled: bool = False

    def found(self, hits: Sequence[Example | Row | str], *, of: int | None = None) -> str:
        """How many rows, of how many, and where others are than the first: `5 of 48 train rows (also :9 and :11)`.

        A finding's own place is that of its first row.

        Args:
            hits: the rows, or their places.
            of: how many were looked at; by default all the examples.
        """
        total = len(self.rows) if of is None else of
        looked = "sampled " if self.sampled else ""
        also = further(hit if isinstance(hit, str) else hit.where for hit in hits)
        return f"{len(hits):,} of {total:,} {looked}{self.name} rows{also}"

    def holding(self, test: Callable[[str], bool]) -> tuple[Example, ...]:
        """The rows one of whose texts passes the test; a text that many rows share (a context) is tested once."""
        known = lru_cache(maxsize=65536)(test)
        return tuple(row for row in self.rows if any(known(text) for _, text in row.texts))

    def share(self, hits: Sequence[object]) -> float:
        """`hits` as a share of the rows looked at."""
        return len(hits) / max(len(self.rows), 1)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the fine-tune is trained and evaluated on, as far as it was sampled.

    Attributes:
        train: the training split.
        eval: the evaluation split.
        task: as the Setup says; None: not said.
        shape: what the rows are, by the task or else by their columns.
        columns: role -> column, of the first file.
    """

    train: Split
    eval: Split
    task: str | None = None
    shape: Shape = "text"
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that were given."""
        return tuple(split for split in (self.train, self.eval) if split.files or split.rows)


def further(places: Iterable[str]) -> str:
    """The second and the third place, as far as they are short: ` (also :9 and :11)`; the file where it is another."""
    first, *rest = [*dict.fromkeys(islice(places, 1000))][:3] or [""]
    file = _cut(first)[0]
    shown: list[str] = []
    for place in rest:
        at, colon, inside = _cut(place)
        shown.append(
            f"{colon}{inside}" if at == file else f"{at.replace(chr(92), '/').rpartition('/')[2]}{colon}{inside}"
        )
        file = at
    while shown and len(" and ".join(shown)) > LONGEST:
        shown.pop()
    return f" (also {' and '.join(shown)})" if shown else ""


def _cut(place: str) -> tuple[str, str, str]:
    """A place's file and the place inside it; a pointer may itself hold colons, a path may too."""
    head, colon, pointer = place.partition(":/")
    return (head, colon, pointer) if colon and len(head) > 1 else place.rpartition(":")
