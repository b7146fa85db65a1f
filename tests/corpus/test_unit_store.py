"""A pass with the compiled kernel is the pass without: the same bytes of a part, whatever the store holds at once."""

import json

import numpy as np
import polars as pl
import pytest

from corpus.hostile import texts
from corpus.made_tokenizers import made
from pretune.corpus import blocks, unit_store
from pretune.corpus.counted_words import CountedWords
from pretune.corpus.growing import Growing
from pretune.corpus.inputs import expand
from pretune.corpus.kernel import kernel
from pretune.corpus.level_sums import LevelSums
from pretune.corpus.parts import part_bytes
from pretune.corpus.scan import Shard, ToRead, scan

needs_kernel = pytest.mark.skipif(kernel() is None, reason="the package was built without the kernel")
NAMED = [(name, made()[name]) for name in ("wordpiece", "unigram", "gpt2", "llama2", "unigram-unsplit")]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Files are read in several blocks."""
    read = blocks.read_blocks
    monkeypatch.setattr("pretune.corpus.scan.read_blocks", lambda *a, **k: read(*a, **k, block_bytes=12_000))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three files of two splits; contexts that repeat."""
    tmp_path, files = tmp_path_factory.mktemp("corpus"), []
    for at in range(3):
        path = tmp_path / f"{at}.jsonl"
        strings = [*texts(90, seed=at), "the box"]
        rows = [json.dumps({"question": text, "context": strings[row // 5]}) for row, text in enumerate(strings)]
        path.write_text("\n".join(rows), encoding="utf-8")
        files.append(path)
    roles = {"question": "question", "context": "context"}
    splits = ("train", "eval", "train")
    return [ToRead(one, split, "text", roles) for one, split in zip(expand(files), splits, strict=True)]


def part(corpus, named=NAMED, **options):
    """The sums of a pass, as bytes."""
    found, _ = scan(corpus, named, **options)
    return part_bytes(found, Shard(1, 1), about={}, viewer={})


@needs_kernel
def test_a_pass_with_the_kernel_is_the_pass_without(corpus, monkeypatch):
    """Emptied at each block, sometimes, never: every sum is the same, of five tokenizers."""
    found = []
    for most in (0, 500, 10**9):
        monkeypatch.setattr(unit_store, "MOST_UNITS", most)
        found.append(part(corpus))
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    expected = part(corpus)
    assert [one == expected for one in found] == [True] * 3


@needs_kernel
def test_large_blocks_are_read_without_the_store(corpus, monkeypatch):
    """And their sums come to the same, beside those of the store."""
    found = part(corpus, NAMED[:2])
    monkeypatch.setattr(unit_store, "LARGEST_BLOCK", 10_000)
    assert part(corpus, NAMED[:2]) == found


@needs_kernel
def test_a_pass_without_tokenizers(corpus, monkeypatch):
    """Words only, as `pretune tokens` asks for them."""
    found = part(corpus, [])
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    assert part(corpus, []) == found


@needs_kernel
def test_a_pass_that_is_stopped_gives_what_it_has_read(corpus, monkeypatch):
    """What the store holds then is in the figures."""
    seen = []
    found = part(corpus, progress=seen.append, stop=lambda: len(seen) == 2)
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    again = []
    assert part(corpus, progress=again.append, stop=lambda: len(again) == 2) == found


@needs_kernel
def test_the_kernel_is_left_where_it_errs(corpus, monkeypatch):
    """One difference, and the pass begins again without it for that tokenizer; the figures are right."""
    from pretune.corpus.kernel_encoder import KernelEncoder

    expected = part(corpus, NAMED[:1], fast=False)
    right = KernelEncoder._of_bert

    def wrong(self, character, form, category):
        return (4, "z") if character == "x" else right(self, character, form, category)

    monkeypatch.setattr(KernelEncoder, "_of_bert", wrong)
    monkeypatch.setattr("pretune.corpus.kernel_encoder.surroundings", lambda *_: ())
    monkeypatch.setattr("pretune.corpus.kernel_encoder.COMPARED", 1)
    found, _ = scan(corpus, NAMED[:1])
    assert found.tokenizers[0].units.engine == ""
    assert part_bytes(found, Shard(1, 1), about={}, viewer={}) == expected


@pytest.mark.parametrize("most", [5, 40, 10_000])
def test_levels_added_up_are_those_of_the_blocks(monkeypatch, most):
    """Numbered words and their counts in many blocks come to the table that the words themselves make."""
    monkeypatch.setattr("pretune.corpus.level_sums.PENDING", 50)
    chosen = np.random.default_rng(7)
    one, other, sums = CountedWords(most), CountedWords(most), LevelSums()
    names = pl.Series([f"w{at}" for at in range(90)])
    for block in range(30):
        words = chosen.choice(90, chosen.integers(0, 60), replace=False)
        counts = chosen.geometric(0.2, len(words)).astype(np.int64)
        one.add(names.gather(words), counts)
        other.blocks += 1
        sums.add(words.astype(np.uint32), counts, level=other.level)
        if block % 7 == 6:
            numbers, levels, totals = sums.take()
            other.add_levels(lambda kept, numbers=numbers: names.gather(numbers[kept]), levels, totals)
    numbers, levels, totals = sums.take()
    other.add_levels(lambda kept: names.gather(numbers[kept]), levels, totals)
    assert other.dump() == one.dump()
    assert (other.settled_level, other.missing) == (one.settled_level, one.missing)


def test_growing_arrays_hold_what_was_added():
    """Through several enlargements, and after they were cleared."""
    known = Growing(np.int64)
    for size in (0, 1, 3000, 5):
        known.add(np.arange(size))
    assert len(known) == 3006
    assert known.values[-5:].tolist() == [0, 1, 2, 3, 4]
    known.clear()
    known.add(np.array([7]))
    assert known.values.tolist() == [7]
