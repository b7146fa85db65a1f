"""How often the label changes from one row to the next while blocks of rows are read: RunTable.

Blocks can come in any order and in parts. Knows the labels as the file gives them, and types them at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from pretune.check.facts.label_table import Key, key_of, kind_of
from pretune.check.facts.split import Runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.facts.label_table import LabelTable

MOST = 400
"""Runs of a block; with more, the rows are not sorted."""


@dataclass(slots=True)
class RunTable:
    """Runs of one label.

    Attributes:
        blocks: (file, block) -> its runs in order: the label and how many rows; lists and missing labels are none.
        many: some block has more than MOST: nothing else is kept.
    """

    blocks: dict[tuple[int, int], list[tuple[Key, int]]] = field(default_factory=dict)
    many: bool = False

    def add_all(self, values: Iterable[Any], *, file: int, block: int) -> None:
        """Add the labels of a block, row by row."""
        self.add(((value, sum(1 for _ in rows)) for value, rows in groupby(values)), file=file, block=block)

    def add(self, runs: Iterable[tuple[Any, int]], *, file: int, block: int) -> None:
        """Add the runs of a block, in order: the label, and how many rows."""
        if self.many:
            return
        kinds = ((kind_of(label), label, rows) for label, rows in runs)
        labelled = ((key_of(file, kind, label), rows) for kind, label, rows in kinds if kind in {"int", "float", "str"})
        keys = list(islice(labelled, MOST + 1))
        self.many = len(keys) > MOST
        if self.many:
            self.blocks.clear()
        elif keys:
            self.blocks[file, block] = keys

    def merge(self, other: RunTable) -> None:
        """Add the blocks of another part."""
        self.many = self.many or other.many
        self.blocks.update(other.blocks)
        if self.many:
            self.blocks.clear()

    def runs(self, labels: LabelTable, tables: Mapping[int, bool]) -> Runs | None:
        """What all blocks come to, the labels as they count; None where there are many runs, or no labels."""
        if self.many or not self.blocks:
            return None
        order = [
            (repr(labels.typed(key.value, key.file, tables)), rows)
            for _, runs in sorted(self.blocks.items())
            for key, rows in runs
        ]
        stretches = [label for label, _ in groupby(order, key=lambda run: run[0])]
        return Runs(sum(rows for _, rows in order), len(stretches), len(set(stretches)))

    def to_json(self) -> dict[str, Any]:
        """As values that JSON can write; the same for the same rows, however they were merged."""
        blocks = [[*at, [[*key, rows] for key, rows in runs]] for at, runs in sorted(self.blocks.items())]
        return {"many": self.many, "blocks": blocks}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunTable:
        """What `to_json` gave."""
        blocks = {(row[0], row[1]): [(Key(*run[:3]), run[3]) for run in row[2]] for row in values["blocks"]}
        return cls(blocks, values["many"])
