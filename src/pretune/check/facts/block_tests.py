"""The tests of texts, of rows and of labels put to a whole block: few rows of it are looked at in Python.

Comes to the same as sampled.py does row by row. Needs polars. Knows no rule.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pretune.check.facts.hits import file_of, index_of, tally_of
from pretune.check.facts.label_table import key_of, kind_of, rank_of
from pretune.check.facts.row_tests import look_at_fields, null
from pretune.check.facts.screens import PYTHON_SPACES, blanks, screened, screens
from pretune.check.facts.text_tests import BLANKING, TEXT_TESTS, blank
from pretune.corpus.example import example_of, score_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from pretune.check.facts.hits import Found, Tally
    from pretune.check.facts.label_table import LabelTable
    from pretune.check.facts.plan import FilePlan
    from pretune.corpus.block import Block
    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape


def look_at_texts(
    tallies: dict[str, Tally], block: Block, file: FilePlan, shape: Shape, *, beginning: str = "", order: int
) -> None:
    """Put the tests of texts to the rows of a block, whose first row has this order."""
    import polars as pl

    passing: dict[str, list[pl.Series]] = {}
    for role, texts in block.roles():
        for name, rows in screened(texts, table=file.table).items():
            passing.setdefault(name, []).append(rows)
        if role in BLANKING:
            for row in blanks(texts).to_list():
                found = blank(texts[row])
                if found is not None:
                    tally_of(tallies, f"blank:{role}").add(order + row, partial(block.where, row), found)
    if beginning and "text" in block.texts:
        pattern = f"^[{PYTHON_SPACES}]*{pl.escape_regex(beginning)}"
        begun = block.texts["text"].str.contains(pattern).fill_null(value=False).arg_true()
        where = lambda at: block.where(index_of(at))  # noqa: E731 - one line says it
        tally_of(tallies, "beginning").add_rows(len(begun), (order + row for row in begun), where)
    look = _Texts(block, file, shape)
    for name, several in passing.items():
        rows = several[0] if len(several) == 1 else pl.concat(several).unique().sort()
        _put(tallies, name, rows, look, order=order)


def _put(tallies: dict[str, Tally], name: str, rows: pl.Series, look: _Texts, *, order: int) -> None:
    """Count the rows that the screen of a test lets through, as far as the test itself agrees."""
    test, tally = TEXT_TESTS[name], tally_of(tallies, name)
    # a pattern may span the line end between two messages
    exact = (name not in screens() or screens()[name].exact) and "messages" not in look.block.texts
    if exact:
        tally.count += len(rows)
    known: dict[str, Found | None] = {}  # a context stands under many questions
    for row in rows.to_list():
        if exact and not tally.wants(order + row):
            return
        found: Found | None = None
        for text in look.of(row):
            if text not in known:
                known[text] = test.find(text)
            found = known[text] if found is None else found.and_also(known[text])
        if exact:
            tally.remember(order + row, partial(look.block.where, row), found.said if found else ())
        elif found is not None:
            tally.add(order + row, partial(look.block.where, row), found)


class _Texts:
    """The texts of single rows of a block."""

    def __init__(self, block: Block, file: FilePlan, shape: Shape) -> None:
        self.block, self.file, self.shape = block, file, shape

    def of(self, row: int) -> Iterable[str]:
        """All texts of a row, in the order of an Example's."""
        if "messages" in self.block.texts:
            example = example_of(self.block.row(row), self.file.roles, self.shape)
            return [text for _, text in example.texts]
        return [text for _, texts in self.block.roles() if (text := texts[row]) is not None]


def look_for_nulls(tallies: dict[str, Tally], block: Block, file: FilePlan, shape: Shape, *, order: int) -> None:
    """Tell of the texts that rows of a block have not."""
    for role, columns in file.expected.items():
        texts = block.texts.get(role)
        rows = range(block.rows) if texts is None else texts.is_null().arg_true().to_list()
        for row in rows:
            found = null(example_of(block.row(row), file.roles, shape), role, columns)
            if found is not None:
                tally_of(tallies, f"null:{role}").add(order + row, partial(block.where, row), found)


def look_at_odd_rows(tallies: dict[str, Tally], block: Block, file: FilePlan, shape: Shape, *, order: int) -> None:
    """Put the tests of tables to the rows that take several lines, or have more or fewer fields than columns."""
    odd = getattr(block, "odd", None)
    for row in range(block.rows) if odd is None else odd:
        example = example_of(block.row(row), file.roles, shape)
        look_at_fields(tallies, example, file, at=file_of(order), order=order + row)


def label_ranks(
    labels: LabelTable, block: Block, file: FilePlan, shape: Shape, *, order: int, examples: Iterable[Example] | None
) -> tuple[pl.Series | None, Iterable[tuple[Any, int]]]:
    """Count the labels or scores of a block by groups, and give each row's hash and the runs of one label.

    Args:
        labels: where classes and scores are counted.
        block: the rows.
        file: their file.
        shape: what they are.
        order: of the first row.
        examples: the rows, where the labels must be looked at one by one.

    Returns:
        A hash for each row, 0 where it has no label (None: there are none at all), and (label, rows) for each run.
    """
    import polars as pl

    counted = shape in {"classification", "pair", "sts"}
    number = file_of(order)
    if examples is not None or block.labels is None:
        return _one_by_one(examples or (), file, shape)
    given = block.labels.cast(pl.String) if block.labels.dtype == pl.Null else block.labels
    given = given.fill_nan(None) if given.dtype.is_float() else given
    groups = (
        pl.DataFrame({"label": given, "at": pl.int_range(block.rows, dtype=pl.UInt32, eager=True)})
        .group_by("label", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.col("at").first())
    )
    ranks: list[int] = []
    lacks: list[bool] = []
    for raw, rows, at in groups.iter_rows():
        value = score_of(raw) if shape == "sts" else raw
        ranks.append(rank(value, table=file.table))
        where = partial(block.where, at)
        kind = labels.add(value, rows, file=number, order=order + at, where=where) if counted else ""
        lacks.append(kind == "missing")
    known = pl.DataFrame(
        {
            "label": groups["label"],
            "rank": pl.Series(ranks, dtype=pl.UInt64),
            "lacks": pl.Series(lacks, dtype=pl.Boolean),
        }
    )
    every = given.alias("label").to_frame()
    every = every.join(known, on="label", how="left", nulls_equal=True, maintain_order="left")
    lacking = every["lacks"].arg_true()
    labels.missing.add_rows(len(lacking), (order + row for row in lacking), lambda at: block.where(index_of(at)))
    runs = given.rle().struct.unnest()
    return every["rank"], runs.select("value", "len").iter_rows()


def _one_by_one(
    examples: Iterable[Example], file: FilePlan, shape: Shape
) -> tuple[pl.Series | None, Iterable[tuple[Any, int]]]:
    import polars as pl

    values = [row.score if shape == "sts" else row.label for row in examples]
    ranks = pl.Series([rank(value, table=file.table) for value in values], dtype=pl.UInt64)
    return (ranks if values else None), [(value, 1) for value in values]


def rank(value: Any, *, table: bool) -> int:
    """A hash of a label; 0: there is none."""
    kind = kind_of(value)
    if value is None or (kind == "missing" and (table or not isinstance(value, str))):
        return 0
    if kind in {"list", "other"}:
        return rank_of(key_of(0, "str", repr(value))._replace(kind="list"))
    return rank_of(key_of(0, "str" if kind == "missing" else kind, value))
