"""The compiled kernel cuts, counts and encodes as polars and `tokenizers` do; without it all figures are the same."""

import random
import sys
import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.hostile import texts
from corpus.made_tokenizers import made
from pretune.corpus import cut, kernel_encoder
from pretune.corpus.encoders import UnitEncoder
from pretune.corpus.kernel import buffers_of, kernel, series_of
from pretune.corpus.unit_table import table_of

module = kernel()
pytestmark = pytest.mark.skipif(module is None, reason="the package was built without the kernel")

OURS = ("wordpiece", "wordpiece-uncased", "unigram", "gpt2", "llama3", "nfc")
"""Tokenizers of made_tokenizers that the kernel encodes."""


def test_the_table_of_spaces_is_what_polars_says():
    """The ranges in space_table.h are those of cut.py; of what a newer Unicode assigned, no more than was unassigned."""
    points = np.array([point for point in range(0x110000) if not 0xD800 <= point < 0xE000])
    characters = pl.Series([chr(point) for point in points.tolist()])
    table = module.Table()
    for number, pattern in ((1, f"[{cut.SPACE_LIKE}]"), (2, cut.MARK), (4, r"\s")):
        # a space itself is where texts are cut
        wanted = (characters.str.contains(pattern) & ((characters != " ") | (number != 1))).to_numpy()
        found = seen_as(table, characters, number)
        assert not (wanted & ~found).any()
        assert all(unicodedata.category(chr(point)) == "Cn" for point in points[found & ~wanted].tolist())


def seen_as(table, characters, kind):
    """Which characters the kernel takes for no place to cut behind (1), a mark (2) or white space (4)."""
    before, behind = {1: ("a", " b"), 2: ("\n", " b"), 4: (" a", "b")}[kind]
    strings = before + characters + behind
    table.clear()
    table.add_texts(*buffers_of(strings))
    _, sizes = (np.frombuffer(part, np.uint32) for part in table.block())
    if kind == 1:
        return sizes == 1
    if kind == 2:  # a mark behind a line end goes with it; what is no place to cut behind looks the same
        return (sizes == 1) & characters.str.contains(cut.MARK).to_numpy()
    single = {text for text in series_of(*table.strings(words_of(table), 1)).to_list() if text.startswith("a")}
    return np.array([f"a{character}b" not in single for character in characters.to_list()])


def words_of(table):
    """The numbers of all units that are one word behind a space."""
    return np.flatnonzero(np.frombuffer(table.single(0), np.uint8)).astype(np.uint32)


def spelled(table):
    """Counts of units and of words by their strings, and the units of each text."""
    names = series_of(*table.strings(np.arange(table.count, dtype=np.uint32), 0)).to_list()
    codes, sizes = (np.frombuffer(part, np.uint32) for part in table.block())
    table.take_words()
    units, words, peaks = (np.frombuffer(part, np.int64).tolist() for part in table.sums())
    assert peaks == words
    ends = np.cumsum(sizes)
    lists = [[names[code] for code in codes[end - size : end]] for end, size in zip(ends, sizes, strict=True)]
    counts = {name: n for name, n in zip(names, units, strict=True) if n}
    return lists, counts, {name: n for name, n in zip(names, words, strict=True) if n}


@pytest.mark.parametrize("glue", ["", "가.b"])
def test_texts_are_cut_and_counted_as_polars_does(glue):
    """Units, words and their counts, of hostile texts that stand there several times."""
    strings = pl.Series(["", " ", "a", *texts(1500, seed=5)])
    times = np.array([1 + at % 3 for at in range(len(strings))], np.int64)
    table = module.Table(glue)
    table.add_texts(*buffers_of(strings), times)
    lists, counts, words = spelled(table)
    assert lists == cut.units(strings, glue=glue).to_list()
    known = table_of(strings, times, glue=glue)
    assert counts == {unit: n for unit, n in zip(known.units, known.counts.tolist(), strict=True) if n}
    assert words == {known.units[at]: n for at, n in zip(known.words.tolist(), known.word_counts.tolist(), strict=True)}


@given(st.lists(st.text(max_size=40)))
def test_any_texts_are_cut_as_polars_does(strings):
    """Whatever characters stand there."""
    series = pl.Series([text.encode("utf-8", "replace").decode() for text in strings], dtype=pl.String)
    table = module.Table()
    table.add_texts(*buffers_of(series))
    assert spelled(table)[0] == cut.units(series).to_list()


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_bytes_that_are_no_utf8_harm_nobody(data, places):
    """Cut anywhere; the units of a text are its bytes."""
    offsets = np.array(sorted({0, len(data), *(place for place in places if place <= len(data))}), np.int64)
    table = module.Table()
    table.add_texts(data, offsets)
    codes, sizes = (np.frombuffer(part, np.uint32) for part in table.block())
    units, ends = table.strings(codes, 0)
    assert units == data
    assert len(np.frombuffer(ends, np.int64)) == len(codes) + 1
    assert sizes.sum() == len(codes)
    table.new_points(0)
    table.take_words()
    zeros = np.zeros(0x110000, np.uint8)
    table.letters(0, zeros, zeros)
    table.add_points(np.zeros(0x110000, np.int64))
    for encoder in encoders():
        encoder.encode(table, 0, table.count)
    module.fold(data, offsets, zeros, np.zeros(0x110000, np.uint32))


def encoders():
    """The kernel's encoders of the small tokenizers."""
    return [UnitEncoder(made()[name]).kernel._model.encoder for name in OURS]


def test_blocks_add_up():
    """Counts over several blocks, the most in one, and codes of old units in new blocks."""
    table = module.Table()
    for block in (["a b b", "c"], ["b a", ""], ["b b b d"]):
        table.add_texts(*buffers_of(pl.Series(block)))
        words, counts = table.take_words()
        names = series_of(*table.strings(np.frombuffer(words, np.uint32), 1)).to_list()
        expected = pl.Series(block).str.extract_all(r"\S+").explode().drop_nulls().to_list()
        assert dict(zip(names, np.frombuffer(counts, np.int64).tolist(), strict=True)) == {
            word: expected.count(word) for word in expected
        }
        assert table.take_words() == (b"", b"")
    names = series_of(*table.strings(np.arange(table.count, dtype=np.uint32), 0)).to_list()
    _, words, peaks = (np.frombuffer(part, np.int64).tolist() for part in table.sums())
    assert (words[names.index(" b")], peaks[names.index(" b")]) == (6, 3)
    table.clear()
    assert table.count == 0


@pytest.mark.parametrize("name", list(made()))
def test_the_kernel_encodes_what_it_may(name):
    """WordPiece, Unigram and byte-level BPE; not what treats the beginning of a text apart, or cuts nothing."""
    encoder = UnitEncoder(made()[name])
    assert (encoder.kernel is not None) == (name in OURS)
    assert (encoder.engine == "kernel") == (name in OURS)


@pytest.mark.parametrize("name", OURS)
def test_units_of_hostile_texts_are_encoded_as_tokenizers_does(name):
    """Ids against ids, with all units in one table; most of the plain ones by the kernel itself."""
    encoder = UnitEncoder(made()[name])
    strings = cut.units(pl.Series(texts(3000, seed=21))).explode().unique(maintain_order=True)
    strings = pl.concat((strings, pl.Series(["", " ", "x" * 399, "가" * 200, " 가" + "나" * 140])))
    ids, lengths = encoder.kernel.encode_strings(strings)
    expected, sizes = encoder._judges[0](strings.to_list())
    assert lengths.tolist() == sizes.tolist()
    assert ids.tolist() == expected.tolist()


@pytest.mark.parametrize("name", OURS)
def test_random_units_are_encoded_as_tokenizers_does(name):
    """Letters, marks, jamo, emoji and signs side by side as they come."""
    chosen = random.Random(3)
    pool = [
        *"'sStTrReEvVmMlLdD1234",
        *"aAéßİıſKſﬁ½²①㎏ｶﾞｱ가각힣ㄱㅏㅋ漢字かがカ゛٣ัำกา'’“”«».,!?-_#▁",
        *(chr(0x1100 + at) for at in range(20)),
        *(chr(0x1161 + at) for at in range(10)),
        *"\u0301\u0302\u0323\u20dd\u3099\ufe0f\u200d\U0001f1e6\U0001f600\U0001f3fb\U00016d67\u0e33",
    ]
    units = {chosen.choice(["", " "]) + "".join(chosen.choices(pool, k=chosen.randint(1, 7))) for _ in range(12_000)}
    units |= {first + second for first in pool for second in pool}
    strings = pl.Series(sorted(units))
    encoder = UnitEncoder(made()[name])
    ids, lengths = encoder.kernel.encode_strings(strings)
    expected, sizes = encoder._judges[0](strings.to_list())
    assert lengths.tolist() == sizes.tolist()
    assert ids.tolist() == expected.tolist()


@given(st.sampled_from(OURS), st.lists(st.text(max_size=12), max_size=30))
def test_any_units_are_encoded_as_tokenizers_does(name, strings):
    """Whatever characters stand there."""
    series = pl.Series([text.encode("utf-8", "replace").decode() for text in strings], dtype=pl.String)
    encoder = UnitEncoder(made()[name])
    ids, lengths = encoder.kernel.encode_strings(series)
    expected, sizes = encoder._judges[0](series.to_list())
    assert (lengths.tolist(), ids.tolist()) == (sizes.tolist(), expected.tolist())


def test_two_tokenizers_of_a_family_keep_their_own_tables():
    """Two BPE encoders at once: nothing is shared."""
    from tokenizers import Tokenizer

    from corpus.made_tokenizers import byte_level

    first = made()["gpt2"]
    second = Tokenizer.from_str(byte_level().to_str())
    second.model = type(second.model)(
        vocab={token: 600 - at for token, at in second.get_vocab().items()}, merges=[], unk_token=None
    )
    strings = pl.Series([" the", "the", " 가나"])
    for _ in range(2):
        for encoder in (UnitEncoder(first), UnitEncoder(second)):
            assert encoder.kernel is not None
            ids, _ = encoder.kernel.encode_strings(strings)
            assert ids.tolist() == encoder._judges[0](strings.to_list())[0].tolist()


@pytest.mark.parametrize("token", ["[X", "가나", "a나", "★", "Fox"])
def test_units_with_an_added_token_go_to_the_judge(token):
    """Whichever characters it begins with."""
    from tokenizers import AddedToken, Tokenizer

    for name in OURS:
        tokenizer = Tokenizer.from_str(made()[name].to_str())
        tokenizer.add_tokens([AddedToken(token, normalized=False)])
        encoder = UnitEncoder(tokenizer)
        assert encoder.kernel is not None
        strings = pl.Series([f"b{token}c", f" {token}", token + token, token[0], "plain"])
        ids, _ = encoder.kernel.encode_strings(strings)
        assert ids.tolist() == encoder._judges[0](strings.to_list())[0].tolist()


def test_a_kernel_that_errs_is_found_out(monkeypatch):
    """Each 251st unit is compared; here each."""
    encoder = UnitEncoder(made()["wordpiece"])
    encoder.kernel.learn(np.array([ord("q"), ord("z")]))
    encoder.kernel._tell({ord("q"): (kernel_encoder.PART, "z")})
    monkeypatch.setattr(kernel_encoder, "COMPARED", 1)
    with pytest.raises(kernel_encoder.EngineDisagrees):
        encoder.kernel.encode_strings(pl.Series(["quick"]))


def test_a_character_that_the_kernel_fails_on_is_left():
    """What becomes of it is not told, so that units with it go to the judge."""
    units = UnitEncoder(made()["wordpiece"])
    encoder = units.kernel
    encoder._become = lambda character: (kernel_encoder.PART, "z") if character == "q" else None
    encoder.learn(np.array([ord("q")]))
    ids, _ = encoder.encode_strings(pl.Series(["quick"]))
    assert ids.tolist() == units._judges[0](["quick"])[0].tolist()


def test_what_does_not_fit_is_refused():
    """Offsets outside the data, odd sizes, unknown units, wrong kinds: an error in words, never a crash."""
    table, encoder = module.Table(), encoders()[0]
    for offsets in ([0, 9], [2, 1], [-1, 2], []):
        with pytest.raises(ValueError, match="offsets"):
            table.add_texts(b"abc", np.array(offsets, np.int64))
    with pytest.raises(ValueError, match="no array"):
        table.add_texts(b"abc", b"1234567")
    for times in ([1, 1], [0], [-1]):
        with pytest.raises(ValueError, match="times"):
            table.add_texts(b"abc", np.array([0, 3]), np.array(times, np.int64))
    table.add_texts(b"abc", np.array([0, 3]))
    with pytest.raises(IndexError):
        table.strings(np.array([5], np.uint32), 0)
    with pytest.raises(IndexError):
        table.strings(np.array([0], np.uint32), 4)
    with pytest.raises(ValueError, match="each unit"):
        table.per_text(b"", b"")
    with pytest.raises(IndexError):
        table.letters(9, bytes(0x110000), bytes(0x110000))
    with pytest.raises(TypeError):
        encoder.encode("table", 0, 0)
    with pytest.raises(RuntimeError):
        encoder.encode(table, 0, 99)
    with pytest.raises(TypeError):
        module.Encoder()
    with pytest.raises(ValueError, match="fit"):
        encoder.learn(np.array([0x110000], np.uint32), b"\1", b"\0", b"")
    with pytest.raises(ValueError, match="fit"):
        encoder.learn(np.array([65], np.uint32), b"\4", b"\2", np.array([66], np.uint32))
    ids, starts, lengths = np.array([7], np.int32), np.zeros(9, np.int64), np.full(9, 2, np.uint32)
    with pytest.raises(IndexError):
        table.add_ids(ids, starts, lengths, np.zeros(9, np.int64))
    with pytest.raises(IndexError):
        module.marks(ids, np.array([1], np.uint32), b"\0")


def test_without_the_kernel_nothing_is_encoded_by_it(monkeypatch):
    """PRETUNE_NO_KERNEL=1, and a package that was built without."""
    monkeypatch.setenv("PRETUNE_NO_KERNEL", "1")
    assert kernel() is None
    assert UnitEncoder(made()["wordpiece"]).kernel is None
    monkeypatch.delenv("PRETUNE_NO_KERNEL")
    monkeypatch.setitem(sys.modules, "pretune.corpus._kernel", None)
    monkeypatch.delattr("pretune.corpus._kernel")
    assert kernel() is None
