"""The different units and words of some texts, with their counts: UnitTable, table_of. Knows no tokenizer.

A word is what white space separates; it is looked at as the unit that it makes after a space. So most words are units
already, and only those at the beginning of a text or beside other white space add entries of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pretune.corpus.cut import cut_at_every_space, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class UnitTable:
    """Different units of some texts.

    Attributes:
        strings: the units; behind them the words that are no unit of the texts, each with a space before it.
        units: the same as a list.
        counts: how often each occurs as a unit, int64; 0 for those further words.
        codes: the unit of each place of each text, int64 indices into `units`, text after text.
        sizes: units of each text, int64.
        times: how often each text stands in the corpus, int64.
        words: indices of the units that are one word after a space, int64.
        word_counts: running words of each, int64.
        points: code points of all units one after the other, uint32.
        lengths: code points of each unit, int64.
        spaced: the units that begin with a space, bool.
        own: how many of the units are units of the texts.
    """

    strings: pl.Series
    units: list[str]
    counts: Array
    codes: Array
    sizes: Array
    times: Array
    words: Array
    word_counts: Array
    points: Array
    lengths: Array
    spaced: Array
    own: int

    @property
    def characters(self) -> Array:
        """The different code points, ascending."""
        seen: Array = np.zeros(0x110000, bool)
        seen[self.points] = True
        return np.flatnonzero(seen)

    @property
    def point_counts(self) -> Array:
        """Occurrences in the texts of each code point, int64, 0x110000 of them."""
        weights: Array = np.repeat(self.counts, self.lengths)
        found: Array = np.bincount(self.points, weights=weights, minlength=0x110000).astype(np.int64)
        return found

    @property
    def blank(self) -> Array:
        """The units that hold nothing but white space, as Python sees it; bool."""
        visible: Array = np.ones(0x110000, bool)
        visible[[point for point in self.characters.tolist() if chr(point).isspace()]] = False
        return ~self.any_character(visible)

    def any_character(self, wanted: Array) -> Array:
        """For each unit whether it holds one of the wanted code points (bool, 0x110000 of them)."""
        before, ends = self.before(wanted.take(self.points)), np.cumsum(self.lengths)
        found: Array = before[ends] > before[ends - self.lengths]
        return found

    @staticmethod
    def before(flags: Array) -> Array:
        """How many flags stand before each place, and before the end; for one flag for each of `points`."""
        found: Array = np.zeros(len(flags) + 1, np.int32 if len(flags) < 2**31 else np.int64)
        np.cumsum(flags, out=found[1:])
        return found

    def per_text(self, values: Array) -> Array:
        """The sum over the units of each text of a number that each unit has."""
        sums = np.concatenate(([0], np.cumsum(values[self.codes], dtype=np.int64)))
        ends = np.cumsum(self.sizes)
        found: Array = sums[ends] - sums[ends - self.sizes]
        return found


def table_of_units(strings: pl.Series) -> UnitTable:
    """Different units that stand in no text, to be encoded."""
    none: Array = np.zeros(0, np.int64)
    listed = strings.to_list()
    return UnitTable(
        strings=strings,
        units=listed,
        counts=np.zeros(len(listed), np.int64),
        codes=none,
        sizes=none,
        times=none,
        words=none,
        word_counts=none,
        points=_points(listed),
        lengths=strings.str.len_chars().to_numpy().astype(np.int64),
        spaced=strings.str.starts_with(" ").to_numpy(),
        own=0,
    )


def table_of(texts: pl.Series, times: Array, *, glue: Iterable[str] = ()) -> UnitTable:
    """Cut texts and count their units and words.

    Args:
        texts: strings, none null.
        times: how often each of them stands in the corpus.
        glue: see `cut.units`.
    """
    strings, codes, sizes = _coded(texts, tuple(glue))
    own = len(strings)
    counts = np.bincount(codes, weights=np.repeat(times, sizes), minlength=own).astype(np.int64)
    strings, words, word_counts = _words(strings, counts)
    counts = np.concatenate((counts, np.zeros(len(strings) - own, np.int64)))
    listed = strings.to_list()
    return UnitTable(
        strings=strings,
        units=listed,
        counts=counts,
        codes=codes,
        sizes=sizes,
        times=times,
        words=words,
        word_counts=word_counts,
        points=_points(listed),
        lengths=strings.str.len_chars().to_numpy().astype(np.int64),
        spaced=strings.str.starts_with(" ").to_numpy(),
        own=own,
    )


def _points(strings: Sequence[str]) -> Array:
    """The code points of all strings one after the other."""
    found: Array = np.frombuffer("".join(strings).encode("utf-32-le", "surrogatepass"), np.uint32)
    return found


def _coded(texts: pl.Series, glue: Sequence[str]) -> tuple[pl.Series, Array, Array]:
    """The different units of texts, the unit of each place of each text, and how many places each text has."""
    simple = cut_at_every_space(texts, glue=glue)
    plain = simple.to_numpy()
    split = texts.filter(simple).str.split(" ")
    sizes: Array = np.zeros(len(texts), np.int64)
    sizes[plain] = split.list.len().to_numpy()
    pieces, codes = _numbered(split.explode())
    if len(codes):  # the first piece of a text stands there as it is, the others after a space
        begins: Array = np.zeros(len(codes), bool)
        begins[(np.cumsum(sizes[plain]) - sizes[plain])] = True
        codes = codes * 2 + ~begins
        there = np.bincount(codes, minlength=2 * len(pieces)) > 0
        codes = (np.cumsum(there) - 1)[codes]
        kinds = np.flatnonzero(there)
        spaces = pl.Series(["", " "]).gather(kinds % 2)
        pieces = spaces + pieces.gather(kinds // 2)
    if plain.all():
        return pieces, codes, sizes
    lists = units(texts.filter(~simple), glue=glue)
    sizes[~plain] = lists.list.len().to_numpy()
    others, other_codes = _numbered(lists.filter(lists.list.len() > 0).explode())
    known = pl.DataFrame({"unit": pieces, "at": np.arange(len(pieces))})
    found = pl.DataFrame({"unit": others}).join(known, on="unit", how="left", maintain_order="left")["at"]
    fresh = found.is_null().to_numpy()
    at = np.where(fresh, len(pieces) + np.cumsum(fresh) - 1, found.fill_null(0).to_numpy())
    whole: Array = np.empty(int(sizes.sum()), np.int64)
    of_plain: Array = np.repeat(plain, sizes)
    whole[of_plain], whole[~of_plain] = codes, at[other_codes]
    return pl.concat((pieces, others.filter(pl.Series(fresh, dtype=pl.Boolean)))), whole, sizes


def _numbered(strings: pl.Series) -> tuple[pl.Series, Array]:
    """The different strings, and the number of each."""
    coded = strings.cast(pl.String).cast(pl.Categorical(pl.Categories.random()))
    distinct = coded.unique()
    order = np.argsort(distinct.to_physical().to_numpy(), kind="stable")
    return distinct.cast(pl.String).gather(order), coded.to_physical().to_numpy().astype(np.int64)


def _words(strings: pl.Series, counts: Array) -> tuple[pl.Series, Array, Array]:
    """The units with further words behind them, the indices of those that are one word, and how often each occurs."""
    single = strings.str.contains(r"\A \S+\z").to_numpy()
    others = np.flatnonzero(~single)
    found = strings.gather(others).str.extract_all(r"\S+")
    further = found.filter(found.list.len() > 0).explode()
    occurrences: Array = np.repeat(counts[others], found.list.len().to_numpy().astype(np.int64))
    table = (
        pl.DataFrame({"word": " " + further, "count": occurrences}, schema={"word": pl.String, "count": pl.Int64})
        .group_by("word", maintain_order=True)
        .sum()
    )
    at = np.flatnonzero(single)
    known = pl.DataFrame({"word": strings.gather(at), "at": at})
    matched = table.join(known, on="word", how="left", maintain_order="left")
    fresh = matched.filter(pl.col("at").is_null())
    totals = counts.copy()
    old = matched.filter(pl.col("at").is_not_null())
    totals[old["at"].to_numpy()] += old["count"].to_numpy()
    words = np.concatenate((at, np.arange(len(strings), len(strings) + len(fresh))))
    word_counts = np.concatenate((totals[at], fresh["count"].to_numpy()))
    return pl.concat((strings, fresh["word"])), words.astype(np.int64), word_counts.astype(np.int64)
