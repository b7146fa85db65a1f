"""Rows of a whole corpus that repeat, by their hashes: within a split, with other labels, from one split to the other.

Comes to the same as repeats.py, exactly where all texts were kept, else estimated from a share of them. Needs polars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.facts.answer_tests import folded_widely
from pretune.check.facts.block_tests import rank
from pretune.check.facts.hits import FILE, KEPT, LONGEST_SAID, Hit, Hits, file_of
from pretune.check.facts.label_table import rank_of
from pretune.check.facts.repeats import besides
from pretune.check.facts.row_hashes import rests, text_columns
from pretune.check.facts.sieve import MOST, Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from pretune.check.facts.label_table import LabelTable
    from pretune.corpus.block import Block
    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape

SPREAD = 4096
"""Rows of a split whose texts are kept, at most, wherever they stand: one text in twenty is among them."""

TABLES = {"rows": "fold", "spread": "rank", "ids": "id", "contexts": "context"}
"""Table -> its column with the hash that decides which rows are kept."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How rows that were remembered are spoken of.

    Attributes:
        paths: the split's files.
        example: order -> the row, where it is one of the first of its file.
    """

    paths: Sequence[str]
    example: Callable[[int], Example | None]


@dataclass(slots=True)
class RowTable:
    """The rows of a split as hashes.

    Attributes:
        tables: the rows with text (order, key, fold, label, flags, place), the texts of some, ids, contexts.
        keyed: rows with text.
    """

    tables: dict[str, Sieve]
    keyed: int = 0

    @classmethod
    def empty(cls, most: int = MOST) -> RowTable:
        """No rows yet; `most`: rows that are kept."""
        sizes = {"spread": SPREAD}
        return cls({name: Sieve(by, sizes.get(name, most)) for name, by in TABLES.items()})

    def add(
        self,
        block: Block,
        labels: pl.Series | None,
        examples: Sequence[Example] | None,
        *,
        shape: Shape,
        order: int,
    ) -> None:
        """Add the rows of a block, whose first row has this order.

        Args:
            block: the rows.
            labels: a hash of each label, 0: none.
            examples: the rows, where `labels` are not what else they say (tags, answers), or there are ids.
            shape: what they are.
            order: of the first row.
        """
        import polars as pl

        if shape in {"squad", "tagging"} and examples is not None:
            labels = pl.Series([besides(row) for row in examples], dtype=pl.String).hash(3)
        rows = text_columns(block)
        self.keyed += rows.height
        label = (
            labels.gather(rows["at"]) if labels is not None else pl.repeat(0, rows.height, dtype=pl.UInt64, eager=True)
        )
        rows = rows.with_columns(
            order=rows["at"].cast(pl.UInt64) + order, label=label, rank=(rows["at"].cast(pl.UInt64) + order).hash(4)
        )
        spread = self.tables["spread"].passes(rows)
        if spread.height:
            texts = [texts.gather(spread["at"]) for _, texts in block.roles()]
            shown = pl.select(pl.concat_str(texts, separator=" / ", ignore_nulls=True).str.slice(0, LONGEST_SAID))
            shown = spread.select("order", "rank", "key").with_columns(text=shown.to_series())
            self.tables["spread"].add(shown.with_columns(place=rests(block, spread["at"])))
        self._keep("rows", block, rows.drop("rank"))
        if shape == "squad" and examples is not None:
            self._add_questions(block, examples, order)

    def _add_questions(self, block: Block, examples: Sequence[Example], order: int) -> None:
        import polars as pl

        at = pl.int_range(block.rows, dtype=pl.UInt32, eager=True)
        ids = pl.Series([row.id for row in examples], dtype=pl.String)
        folded = {context: folded_widely(context) for row in examples if (context := row.context)}
        contexts = [folded[row.context] if row.context else None for row in examples]
        every = pl.DataFrame({"at": at, "order": at.cast(pl.UInt64) + order, "id": ids.hash(5)})
        every = every.with_columns(context=pl.Series(contexts, dtype=pl.String).hash(6))
        self._keep("ids", block, every.filter(ids.is_not_null()).drop("context"))
        there = pl.Series([bool(row.context) for row in examples], dtype=pl.Boolean)
        self._keep("contexts", block, every.filter(there).drop("id"))

    def _keep(self, name: str, block: Block, rows: pl.DataFrame) -> None:
        kept = self.tables[name].passes(rows)
        self.tables[name].add(kept.with_columns(place=rests(block, kept["at"])).drop("at"))

    def merge(self, other: RowTable) -> None:
        """Add the rows of another part."""
        self.keyed += other.keyed
        for name, sieve in self.tables.items():
            sieve.merge(other.tables[name])


def table_repeats(
    rows: RowTable, labels: LabelTable, tables: Mapping[int, bool], shape: Shape, read: Reader
) -> dict[str, Hits]:
    """What repeats within a split; see `repeats.repeats_of`."""
    import polars as pl

    found = {"keyed": Hits(rows.keyed)}
    sieve = rows.tables["rows"]
    frame = _typed(sieve.table(), labels, tables)
    frame = frame.sort("order") if frame.height else frame
    if sieve.level or frame.height:
        found["top"] = _top(rows, frame, read)
    if frame.height:
        again = frame.filter(~pl.struct("key", "label").is_first_distinct() & ((pl.col("flags") & 1) == 1))
        found["copies"] = _hits(again, sieve.level, read)
        if shape in {"classification", "pair"}:
            found["conflicts"] = _conflicts(rows, frame, read)
    ids = rows.tables["ids"]
    if ids.rows:
        again = ids.table().sort("order").filter(~pl.col("id").is_first_distinct())
        example = read.example(again["order"][0]) if again.height else None
        found["ids"] = _hits(again, ids.level, read, (example.id or "",) if example else ())
    return {name: hits for name, hits in found.items() if hits}


def table_leaks(train: RowTable, evaluation: RowTable, read: Reader) -> dict[str, Hits]:
    """What of the evaluation rows stands in the training rows; see `repeats.leaks_of`. `read`: the evaluation rows."""
    import polars as pl

    found: dict[str, Hits] = {}
    for name, result in (("rows", "leaks"), ("contexts", "contexts")):
        one, other = train.tables[name], evaluation.tables[name]
        if not one.rows or not other.rows:
            continue
        level, column = max(one.level, other.level), one.by
        known, asked = (sieve.table().filter(pl.col(column) <= (2**64 - 1) >> level) for sieve in (one, other))
        rows = asked.join(known.select(column).unique(), on=column, how="semi").sort("order")
        kinds: dict[str, int] = {}
        if name == "rows":
            exact = rows.join(known.select("key").unique(), on="key", how="semi").height
            long = rows.filter((pl.col("flags") & 2) == 2).height
            kinds = {"disguised": (rows.height - exact) << level, "long": long << level}
        found[result] = _hits(rows, level, read, kinds=kinds)
    return {name: hits for name, hits in found.items() if hits}


def _typed(rows: pl.DataFrame, labels: LabelTable, tables: Mapping[int, bool]) -> pl.DataFrame:
    """The rows with the hashes of their labels as they count: `1` and `1.0` are one number where the column is."""
    import polars as pl

    pairs = [
        (key.file, rank_of(key), rank(labels.typed(key.value, key.file, tables), table=True))
        for key in labels.seen
        if tables.get(key.file) and labels.typing(key.file) != "str"
    ]
    if not pairs or not rows.height:
        return rows
    schema = {"file": pl.UInt64, "label": pl.UInt64, "typed": pl.UInt64}
    known = pl.DataFrame(pairs, schema=schema, orient="row")
    rows = rows.with_columns(file=pl.col("order") // FILE).join(known, on=["file", "label"], how="left")
    return rows.with_columns(label=pl.coalesce("typed", "label")).drop("file", "typed")


def _top(rows: RowTable, frame: pl.DataFrame, read: Reader) -> Hits:
    """The rows with the most frequent text; estimated from some rows of all where not all texts were kept."""
    import polars as pl

    spread = rows.tables["spread"].table().sort("order")
    level = rows.tables["rows"].level
    among = spread if level else frame
    groups = among.group_by("key").agg(pl.len().alias("rows"), pl.col("order").min())
    key = groups.sort(["rows", "order"], descending=[True, False])["key"][0]
    hits = among.filter(pl.col("key") == key)
    text = spread.filter(pl.col("key") == key)["text"].head(1).to_list()
    found = _hits(hits, 0, read, tuple(text))
    if not level:
        return found
    return Hits(round(found.count / spread.height * rows.keyed), found.first, about=True)


def _conflicts(rows: RowTable, frame: pl.DataFrame, read: Reader) -> Hits:
    import polars as pl

    labelled = frame.filter(pl.col("label") != 0)
    odd = labelled.filter(pl.col("label").n_unique().over("fold") > 1)
    odd = odd.with_columns(begin=pl.col("order").min().over("fold")).sort("begin", "order")
    example = read.example(odd["order"][0]) if odd.height else None
    said = example.text if example is not None else None
    if said is None and odd.height:
        known = rows.tables["spread"].table()
        seen = known.filter(pl.col("order").is_in(odd["order"].implode())).sort("order")["text"]
        said = seen[0] if len(seen) else None
    level = rows.tables["rows"].level
    return _hits(odd, level, read, (said or "",) if said is not None else (), total=odd["fold"].n_unique() << level)


def _hits(
    rows: pl.DataFrame,
    level: int,
    read: Reader,
    said: tuple[str, ...] = (),
    *,
    kinds: Mapping[str, int] | None = None,
    total: int = 0,
) -> Hits:
    """Rows in their order as hits; at a level above 0 there are about 2^level times as many."""
    first = rows.head(KEPT)
    places = [read.paths[file_of(order)] + rest for order, rest in zip(first["order"], first["place"], strict=True)]
    cut = tuple(text[:LONGEST_SAID] for text in said)
    hits = tuple(Hit(place, cut if at == 0 else ()) for at, place in enumerate(places))
    return Hits(rows.height << level, hits, kinds or {}, total, about=level > 0 and rows.height > 0)
