"""The training and evaluation data, all rows or a sample of them: FileFacts, Split, DataFacts.

Knows how none of it was read, and no test of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from pretune.check.facts.hits import Hits
from pretune.check.facts.label_table import LabelTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape

LONGEST = 32
"""Characters of places that a message has room for."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A data file.

    Attributes:
        path: as the user named it.
        format: jsonl, json, table, tagged, text, parquet or arrow.
        columns: its columns, in their order.
        roles: role -> column, as given or recognised.
        rows: rows looked at, those that could not be read among them.
        head: how many of them, the first, told what the columns are and what quotes would do.
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
    head: int = 0
    more: bool = False
    bom: bool = False
    header: bool = True
    delimiter: str = ""
    swallowed: int = 0
    swallowed_at: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of one split.

    Attributes:
        name: `train` or `eval`.
        files: the files, in the order given; empty: the split was not given.
        rows: the first rows of each file as examples.
        total: rows that were looked at and could be read, those of `rows` among them.
        broken: rows that could not be read; each says why.
        sampled: there are rows that were not looked at.
        hits: name of a test -> the rows in which it found something; a test that found nothing is not there.
        labels: the labels, tags or scores of the rows.
        runs: how often the label changes; None: more than a few hundred times.
    """

    name: str
    files: tuple[FileFacts, ...] = ()
    rows: tuple[Example, ...] = ()
    total: int = 0
    broken: Hits = field(default_factory=Hits)
    sampled: bool = False
    hits: Mapping[str, Hits] = field(default_factory=dict)
    labels: LabelTable = field(default_factory=LabelTable)
    runs: Runs | None = None

    def hit(self, name: str) -> Hits:
        """The rows in which the test of this name found something."""
        return self.hits.get(name, _NONE)

    def found(self, hits: Hits | Sequence[Example], *, of: int | None = None) -> str:
        """How many rows, of how many, and where others are than the first: `5 of 48 train rows (also :9 and :11)`.

        A finding's own place is that of its first row.

        Args:
            hits: the rows.
            of: how many were looked at; by default all that could be read.
        """
        total = self.total if of is None else of
        looked = "sampled " if self.sampled else ""
        about = "about " if isinstance(hits, Hits) and hits.about else ""
        return f"{about}{len(hits):,} of {total:,} {looked}{self.name} rows{further(hit.where for hit in hits)}"

    def share(self, hits: Hits | Sequence[object] | int) -> float:
        """`hits`, or a number of rows, as a share of the rows looked at."""
        return (hits if isinstance(hits, int) else len(hits)) / max(self.total, 1)

    @property
    def tables(self) -> Mapping[int, bool]:
        """File -> whether it is a table."""
        return {at: file.format == "table" for at, file in enumerate(self.files)}


@dataclass(frozen=True, slots=True)
class Runs:
    """How often the label changes from one row to the next.

    Attributes:
        labels: rows with one label.
        runs: stretches of rows with the same label.
        kinds: different labels.
    """

    labels: int
    runs: int
    kinds: int


_NONE = Hits()


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the fine-tune is trained and evaluated on.

    Attributes:
        train: the training split.
        eval: the evaluation split.
        task: as the Setup says; None: not said.
        shape: what the rows are, by the task or else by their columns.
        columns: role -> column, of the first file.
        beginning: the text that the test `beginning` looked for; empty: none.
    """

    train: Split
    eval: Split
    task: str | None = None
    shape: Shape = "text"
    columns: Mapping[str, str] = field(default_factory=dict)
    beginning: str = ""

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
