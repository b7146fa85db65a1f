"""The bounded table of words: exact while it is small, never short of more than it says, the same in any order."""

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pretune.corpus.counted_words import CountedWords
from pretune.corpus.distinct import Distinct

WORDS = st.text(alphabet="ab가나 ", min_size=1, max_size=3)
BLOCKS = st.lists(st.dictionaries(WORDS, st.integers(1, 40), max_size=12), max_size=8)


def table_of(blocks, most):
    """A table of these blocks."""
    made = CountedWords(most)
    for block in blocks:
        made.add(pl.Series(list(block), dtype=pl.String), np.array(list(block.values()), np.int64))
    return made


def counts_of(table):
    """Word -> count."""
    return dict(table.table().iter_rows())


def test_an_empty_table_has_no_words():
    """Nothing added, nothing there, nothing missing."""
    made = CountedWords()
    assert counts_of(made) == {}
    assert made.missing == 0


@given(BLOCKS)
def test_a_table_within_its_bound_is_exact(blocks):
    """Without loss, counts are those of a Counter."""
    made = table_of(blocks, 10_000)
    assert counts_of(made) == dict(sum(map(Counter, blocks), Counter()))
    assert made.missing == 0


@given(BLOCKS, st.integers(1, 6))
def test_a_bounded_table_is_never_short_of_more_than_it_says(blocks, most):
    """No count is too high; none misses more than `missing`."""
    made = table_of(blocks, most)
    found = counts_of(made)
    true = sum(map(Counter, blocks), Counter())
    assert len(found) <= most
    assert all(true[word] - made.missing <= found.get(word, 0) <= true[word] for word in true)


@settings(max_examples=60)
@given(BLOCKS, st.integers(1, 6), st.randoms(use_true_random=False), st.integers(1, 4))
def test_parts_in_any_order_make_the_same_table(blocks, most, chance, parts):
    """Dealt out, shuffled, dumped, loaded and merged: the same bytes."""
    whole = table_of(blocks, most)
    dealt = [blocks[at::parts] for at in range(parts)]
    for part in dealt:
        chance.shuffle(part)
    loaded = []
    for part in dealt:
        made = table_of(part, most)
        data = made.dump()
        loaded.append(CountedWords.load(data, level=made.level, blocks=made.blocks, most=most))
    chance.shuffle(loaded)
    merged = CountedWords(most)
    merged.merge(loaded)
    assert merged.dump() == whole.dump()
    assert (merged.settled_level, merged.blocks) == (whole.settled_level, whole.blocks)


def test_different_words_are_counted_within_three_percent():
    """A sketch of 16 kB, merged from parts, is near the truth from none to a million."""
    for number in (0, 1, 100, 20_000, 1_000_000):
        parts = [Distinct(), Distinct()]
        words = pl.Series([f"단어{at}" for at in range(number)], dtype=pl.String)
        parts[0].add(words[: number // 2])
        parts[1].add(words[number // 3 :])
        parts[0].merge(parts[1])
        assert abs(parts[0].estimate() - number) <= 0.03 * number
