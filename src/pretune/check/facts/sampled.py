"""The head of each data file to a Split: the same tests as on all rows, put to the rows that were sampled.

Needs no polars. Knows no rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pretune.check.facts.hits import Found, Tally, order_of
from pretune.check.facts.label_table import LabelTable
from pretune.check.facts.repeats import repeats_of
from pretune.check.facts.row_tests import look_at_fields, look_at_shape, look_at_text, look_for_null
from pretune.check.facts.runs import RunTable
from pretune.check.facts.split import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.facts.plan import SplitHead, SplitPlan
    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape


def split_of(name: str, head: SplitHead, plan: SplitPlan, shape: Shape, *, beginning: str = "") -> Split:
    """A split of which nothing but the head of its files is known.

    Args:
        name: `train` or `eval`.
        head: the first rows of each file.
        plan: its files, as the tests need to know them.
        shape: what the rows are.
        beginning: see `SurveyPlan`.
    """
    tallies: dict[str, Tally] = {}
    labels, lost, runs = LabelTable(), Tally(), RunTable()
    for at, (file, examples) in enumerate(zip(plan.files, head.rows, strict=True)):
        for index, row in enumerate(examples):
            order = order_of(at, 0, index)
            look_at_text(tallies, row, file, beginning=beginning, order=order)
            look_for_null(tallies, row, file, order=order)
            look_at_shape(tallies, row, shape, order=order)
            if file.table:
                look_at_fields(tallies, row, file, at=at, order=order)
            label_row(labels, row, shape, file=at, order=order)
        if shape in {"classification", "pair"}:
            runs.add_all([row.label for row in examples], file=at, block=0)
    for index, broken in enumerate(head.broken):
        lost.add(index, broken.where.__str__, Found((broken.broken or "",)))
    tables = {at: file.table for at, file in enumerate(plan.files)}
    rows = tuple(row for at, examples in enumerate(head.rows) for row in typed_rows(labels, examples, at, tables))
    return Split(
        name,
        head.files,
        rows,
        total=len(rows),
        broken=lost.hits,
        sampled=any(file.more for file in head.files),
        hits={**{name: tally.hits for name, tally in tallies.items()}, **repeats_of(rows, shape)},
        labels=labels,
        runs=runs.runs(labels, tables),
    )


def label_row(labels: LabelTable, row: Example, shape: Shape, *, file: int, order: int) -> None:
    """Count the label, the score or the tags of a row."""
    values = {"tagging": row.tags, "sts": (row.score,), "classification": (row.label,), "pair": (row.label,)}
    lacks = False
    for value in values.get(shape, ()):
        kind = labels.add(value, file=file, order=order, where=lambda: row.where)
        lacks = lacks or kind == "missing"
        if kind == "list":
            labels.add_list(list(value), order, lambda: row.where)
    if lacks:
        labels.add_missing(order, lambda: row.where)


def typed_rows(labels: LabelTable, rows: Sequence[Example], file: int, tables: dict[int, bool]) -> Sequence[Example]:
    """The rows of a file with their labels as they count: of a table, as pandas types the column."""
    if not tables[file]:
        return rows
    return [replace(row, label=labels.typed(row.label, file, tables)) for row in rows]
