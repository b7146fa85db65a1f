"""What must be known to look at the rows of data files: FilePlan, SplitPlan, SurveyPlan. Plain values.

Knows neither tests nor how the heads of the files were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.check.facts.split import FileFacts
    from pretune.corpus.example import Example
    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

LONGEST_ENDING = 100
"""Characters of a last cell by which a line inside a quote is known for a row."""


@dataclass(frozen=True, slots=True)
class FilePlan:
    """A file of a split, as the tests need to know it.

    Attributes:
        path: as the user named it.
        format: jsonl, json, table, tagged, text, parquet or arrow.
        roles: role -> column.
        columns: how many columns there are.
        delimiter: of a table.
        endings: of a table: what two rows or more of its head end in.
        expected: role -> the columns that hold it in the files of the split, for the roles that must be text.
    """

    path: str
    format: str
    roles: Mapping[str, str] = field(default_factory=dict)
    columns: int = 0
    delimiter: str = ""
    endings: frozenset[str] = frozenset()
    expected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def table(self) -> bool:
        """Whether it is a csv or tsv file."""
        return self.format == "table"


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """The files of a split, in the order given."""

    files: tuple[FilePlan, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitHead:
    """The first rows of the files of a split.

    Attributes:
        files: what they told of each file.
        rows: those of each file that could be read, cells of tables as strings.
        broken: those that could not.
    """

    files: tuple[FileFacts, ...] = ()
    rows: tuple[Sequence[Example], ...] = ()
    broken: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveyPlan:
    """What is read, and as what.

    Attributes:
        shape: what the rows are, by the task or else by their columns.
        train: the training files; `eval`: the evaluation files.
        task: as the Setup says; None: not said.
        beginning: a text whose occurrence at the beginning of texts is counted (the bos token); empty: none.
        heads: `train` and `eval` -> the first rows of the files; None: left out, where blocks are only read.
    """

    shape: Shape
    train: SplitPlan
    eval: SplitPlan
    task: str | None = None
    beginning: str = ""
    heads: Mapping[str, SplitHead] | None = field(default=None, repr=False, compare=False)

    @property
    def splits(self) -> Mapping[str, SplitPlan]:
        """The splits by name."""
        return {"train": self.train, "eval": self.eval}

    def without_rows(self) -> SurveyPlan:
        """The same for a process that reads blocks: small, and without any row."""
        return replace(self, heads=None)
