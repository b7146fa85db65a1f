"""All rows of a corpus, block by block, to what the data rules ask: Survey. Needs polars. Knows no rule.

Blocks can come in any order and be dealt out to several processes: surveys of parts are merged, in any order, to the
same bytes. Memory stays bounded however long the corpus is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from pretune.check.facts.block_tests import label_ranks, look_at_odd_rows, look_at_texts, look_for_nulls
from pretune.check.facts.hits import Found, Tally, block_of, file_of, index_of, merged, order_of
from pretune.check.facts.label_table import LabelTable
from pretune.check.facts.row_hashes import fingerprint
from pretune.check.facts.row_repeats import TABLES, Reader, RowTable, table_leaks, table_repeats
from pretune.check.facts.row_tests import look_at_shape
from pretune.check.facts.runs import RunTable
from pretune.check.facts.sampled import label_row, typed_rows
from pretune.check.facts.sieve import MOST, Sieve
from pretune.check.facts.split import DataFacts, Split
from pretune.core.errors import UserError
from pretune.corpus.example import example_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.check.facts.plan import SplitPlan, SurveyPlan
    from pretune.check.facts.split import FileFacts
    from pretune.corpus.block import Block
    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape

Name = Literal["train", "eval"]
VERSION = 1


@dataclass(slots=True)
class SplitSurvey:
    """The rows of one split, as far as they were read.

    Attributes:
        plan: its files.
        shape: what its rows are.
        table: the rows as hashes.
        beginning: see `SurveyPlan`.
        tallies: name of a test -> what it found.
        broken: rows that could not be read.
        labels: labels, scores or tags; `runs`: how often the label changes.
        blocks: (file, block) -> rows that could be read, and rows that could not.
    """

    plan: SplitPlan
    shape: Shape
    table: RowTable
    beginning: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)
    broken: Tally = field(default_factory=Tally)
    labels: LabelTable = field(default_factory=LabelTable)
    runs: RunTable = field(default_factory=RunTable)
    blocks: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def add(self, block: Block, number: int) -> None:
        """Look at a block of the split's file of this number."""
        file, shape = self.plan.files[number], self.shape
        order = order_of(number, block.number, 0)
        self.blocks[number, block.number] = (block.rows, len(block.broken))
        for at, lost in enumerate(block.broken):
            self.broken.add(order + at, lost.where.__str__, Found((lost.broken or "",)))
        if not block.rows:
            return
        look_at_texts(self.tallies, block, file, shape, beginning=self.beginning, order=order)
        look_for_nulls(self.tallies, block, file, shape, order=order)
        if file.table:
            look_at_odd_rows(self.tallies, block, file, shape, order=order)
        examples = self._examples(block, number)
        for index, row in enumerate(examples or ()):
            look_at_shape(self.tallies, row, shape, order=order + index)
            label_row(self.labels, row, shape, file=number, order=order + index)
        ranks, runs = label_ranks(self.labels, block, file, shape, order=order, examples=examples)
        if shape in {"classification", "pair"}:
            self.runs.add(runs, file=number, block=block.number)
        self.table.add(block, ranks, examples, shape=shape, order=order)

    def _examples(self, block: Block, number: int) -> Sequence[Example] | None:
        """All rows one by one, where nothing less tells what the tests must know."""
        roles = self.plan.files[number].roles
        labelled = {"label", "score"} & set(roles)
        if self.shape in {"squad", "tagging"} or (labelled and block.labels is None) or len(labelled) > 1:
            return [example_of(row, roles, self.shape) for row in block]
        return None

    def merge(self, other: SplitSurvey) -> None:
        """Add the blocks of another part."""
        self.table.merge(other.table)
        merged(self.tallies, other.tallies)
        self.broken.merge(other.broken)
        self.labels.merge(other.labels)
        self.runs.merge(other.runs)
        self.blocks.update(other.blocks)

    def to_json(self) -> dict[str, Any]:
        """All but the tables, as values that JSON can write."""
        return {
            "tallies": {name: tally.to_json() for name, tally in sorted(self.tallies.items())},
            "broken": self.broken.to_json(),
            "labels": self.labels.to_json(),
            "runs": self.runs.to_json(),
            "blocks": [[*at, *rows] for at, rows in sorted(self.blocks.items())],
            "keyed": self.table.keyed,
            "sieves": {name: [sieve.level, sieve.most] for name, sieve in self.table.tables.items()},
        }

    @classmethod
    def from_parts(
        cls, name: str, plan: SurveyPlan, values: Mapping[str, Any], tables: Mapping[str, bytes]
    ) -> SplitSurvey:
        """What `to_json` and the tables' `dump` gave."""
        sieves = {
            name: Sieve.load(TABLES[name], tables[name], level=level, most=most)
            for name, (level, most) in values["sieves"].items()
        }
        return cls(
            plan.splits[name],
            plan.shape,
            RowTable(sieves, values["keyed"]),
            plan.beginning,
            {name: Tally.from_json(tally) for name, tally in values["tallies"].items()},
            Tally.from_json(values["broken"]),
            LabelTable.from_json(values["labels"]),
            RunTable.from_json(values["runs"]),
            {(row[0], row[1]): (row[2], row[3]) for row in values["blocks"]},
        )

    def reader(self, heads: Sequence[Sequence[Example]]) -> Reader:
        """Speaks of rows by their places, and of the first rows of each file by what they say."""
        before: dict[tuple[int, int], int] = {}
        for file in range(len(self.plan.files)):
            numbers = sorted(number for at, number in self.blocks if at == file)
            sums = accumulate((self.blocks[file, number][0] for number in numbers), initial=0)
            before.update({(file, number): start for number, start in zip(numbers, sums, strict=False)})

        def example(order: int) -> Example | None:
            file = file_of(order)
            at = before[file, block_of(order)] + index_of(order)
            return heads[file][at] if at < len(heads[file]) else None

        return Reader([file.path for file in self.plan.files], example)

    def split(
        self, name: str, files: Sequence[FileFacts], heads: Sequence[Sequence[Example]], *, complete: bool
    ) -> Split:
        """The split as the rules ask for it."""
        tables = {at: file.table for at, file in enumerate(self.plan.files)}
        rows = tuple(row for at, head in enumerate(heads) for row in typed_rows(self.labels, head, at, tables))
        counts = [[sum(n) for n in zip((0, 0), *of, strict=True)] for of in self._by_file()]
        known = tuple(
            replace(file, rows=sum(count), head=file.rows, more=not complete)
            for file, count in zip(files, counts, strict=True)
        )
        return Split(
            name,
            known,
            rows,
            total=sum(count[0] for count in counts),
            broken=self.broken.hits,
            sampled=not complete,
            hits={
                **{name: tally.hits for name, tally in self.tallies.items() if tally.count},
                **table_repeats(self.table, self.labels, tables, self.shape, self.reader(heads)),
            },
            labels=self.labels,
            runs=self.runs.runs(self.labels, tables),
        )

    def _by_file(self) -> list[list[tuple[int, int]]]:
        return [[rows for (at, _), rows in self.blocks.items() if at == file] for file in range(len(self.plan.files))]


class Survey:
    """What the data rules ask of all rows, gathered block by block.

    Args:
        plan: the files and what their rows are; see `data.plan_of`.
        most: rows of a split that are kept to find repetitions; of more, a share by the hash of the text.
    """

    def __init__(self, plan: SurveyPlan, *, most: int = MOST) -> None:
        self.plan = plan
        self.splits: dict[str, SplitSurvey] = {
            name: SplitSurvey(split, plan.shape, RowTable.empty(most), plan.beginning)
            for name, split in plan.splits.items()
        }

    def add(self, block: Block, split: Name, file: int) -> None:
        """Look at a block.

        Args:
            block: rows of one file, read with the plan's roles and shape; each block once.
            split: which split the file belongs to.
            file: the file's number in the split, in the order given, from 0.
        """
        self.splits[split].add(block, file)

    def merge(self, other: Survey) -> None:
        """Add what another survey saw of the same plan; no block may be in both."""
        for name, split in self.splits.items():
            split.merge(other.splits[name])

    def dump(self) -> dict[str, bytes]:
        """As files by name: JSON, and arrow IPC; the same bytes for the same blocks, however they were merged."""
        said = {"version": VERSION, "hashes": fingerprint()}
        values = {**said, "splits": {name: split.to_json() for name, split in self.splits.items()}}
        files = {"survey.json": json.dumps(values, sort_keys=True).encode()}
        for name, split in self.splits.items():
            for table, sieve in split.table.tables.items():
                files[f"{name}-{table}.arrow"] = sieve.dump()
        return files

    @classmethod
    def load(cls, plan: SurveyPlan, files: Mapping[str, bytes]) -> Survey:
        """What `dump` gave, here or on another machine.

        Raises:
            UserError: another version of pretune or of polars wrote it.
        """
        values = json.loads(files["survey.json"])
        if values["version"] != VERSION or values["hashes"] != fingerprint():
            raise UserError(
                "the parts of the corpus were read by other versions of pretune or polars than this one",
                hint="install the same versions on all machines",
            )
        survey = cls(plan)
        for name, split in values["splits"].items():
            tables = {table: files[f"{name}-{table}.arrow"] for table in TABLES}
            survey.splits[name] = SplitSurvey.from_parts(name, plan, split, tables)
        return survey

    def facts(self, plan: SurveyPlan | None = None, *, complete: bool = True) -> DataFacts:
        """What was seen, as the rules ask for it.

        Args:
            plan: with the heads of the files; None: the survey's own has them.
            complete: all blocks of all files were added.

        Raises:
            ValueError: the plan was stripped of the heads of its files.
        """
        heads = (plan or self.plan).heads
        if heads is None:
            raise ValueError("the facts are made where the heads of the files were read: use the plan of plan_of")
        train, evaluation = (
            self.splits[name].split(name, heads[name].files, heads[name].rows, complete=complete)
            for name in ("train", "eval")
        )
        read = self.splits["eval"].reader(heads["eval"].rows)
        leaks = table_leaks(self.splits["train"].table, self.splits["eval"].table, read)
        evaluation = replace(evaluation, hits={**evaluation.hits, **leaks})
        first = next((file for split in (train, evaluation) for file in split.files), None)
        roles = first.roles if first else {}
        return DataFacts(train, evaluation, self.plan.task, self.plan.shape, roles, self.plan.beginning)
