"""The compiled kernel cuts words as Llama 3's and Qwen's patterns do, and takes whole tokens where these come first."""

import json
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers

from corpus.made_tokenizers import byte_level
from pretune.corpus import cut, kernel_encoder
from pretune.corpus.encoders import UnitEncoder
from pretune.corpus.kernel import buffers_of, kernel

module = kernel()
pytestmark = pytest.mark.skipif(module is None, reason="the package was built without the kernel")

PATTERNS = (cut.LLAMA3, cut.QWEN, cut.MARKED)


def assert_equal(encoder, strings):
    """Ids against ids."""
    assert encoder.kernel is not None
    ids, lengths = encoder.kernel.encode_strings(strings)
    expected, sizes = encoder._judges[0](strings.to_list())
    assert (lengths.tolist(), ids.tolist()) == (sizes.tolist(), expected.tolist())


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("normalizer", [None, normalizers.NFC()])
def test_contractions_digits_and_signs_are_cut_as_the_pattern_says(pattern, normalizer):
    """In either case, with letters that fold to ASCII ones, with signs and marks before letters."""
    chosen = random.Random(9)
    pool = ["'", "'", *"sSſtTrReEvVmMlLdDkKﬆ", *"0123٣½²", *"!-.’ßéａ가각\u1100\u1161\u0301\u0e31\u20dd_<"]
    units = {chosen.choice(["", " "]) + "".join(chosen.choices(pool, k=chosen.randint(1, 8))) for _ in range(12_000)}
    assert_equal(UnitEncoder(byte_level(pattern=pattern, normalizer=normalizer)), pl.Series(sorted(units)))


@given(st.sampled_from(PATTERNS), st.lists(st.text(max_size=12), max_size=30))
def test_any_units_are_cut_as_the_pattern_says(pattern, strings):
    """Whatever characters stand there."""
    strings = [text.encode("utf-8", "replace").decode() for text in strings]
    assert_equal(UnitEncoder(byte_level(pattern=pattern)), pl.Series(strings, dtype=pl.String))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_plain_units_are_the_kernels(pattern):
    """None of these is left to `tokenizers`."""
    encoder = UnitEncoder(byte_level(pattern=pattern)).kernel
    strings = [" don'T", "I'LLbe", "(12345)", " 7", "!!a", " «한국어»", "1a2"]
    encoder.learn(np.array([ord(letter) for letter in set("".join(strings)) - {" "}]))
    table = module.Table()
    table.add_strings(*buffers_of(pl.Series(strings)))
    sizes = np.frombuffer(encoder._model.encoder.encode(table, 0, table.count)[1], np.uint32)
    assert kernel_encoder.LEFT not in sizes.tolist()


@pytest.mark.parametrize("whole", [True, False])
def test_a_word_that_is_a_token_is_that_token_whatever_merges_say(whole):
    """With ignore_merges, as Llama 3 has it; without, merges decide."""
    described = json.loads(byte_level(pattern=cut.LLAMA3).to_str())
    described["model"]["vocab"]["가나다"] = 900  # not in the alphabet of bytes: no word is ever it
    described["model"]["vocab"]["Ġqzx"] = 901
    described["model"]["ignore_merges"] = whole
    encoder = UnitEncoder(Tokenizer.from_str(json.dumps(described)))
    strings = pl.Series([" qzx", " qzxa", "qzx", "가나다", " the"])
    assert_equal(encoder, strings)
    assert (901 in encoder.kernel.encode_strings(strings)[0].tolist()) is whole


def test_other_orders_of_parts_are_not_the_kernels():
    """A pattern beside GPT-2's own, a space put before the text, merges that end words."""
    for change in ({"use_regex": True}, {"add_prefix_space": True}):
        described = json.loads(byte_level(pattern=cut.LLAMA3).to_str())
        described["pre_tokenizer"]["pretokenizers"][1].update(change)
        assert UnitEncoder(Tokenizer.from_str(json.dumps(described)), fast=True).kernel is None


def test_words_that_do_not_fit_are_refused():
    """Sizes beyond the bytes, missing ids, a second time, another model: an error in words."""
    pairs = module.Encoder.byte_pairs(b"", b"", b"", np.arange(256, dtype=np.int32), 3)
    one, seven = np.array([1], np.uint32), np.array([7], np.int32)
    for wrong in ((b"ab", one, seven), (b"", one, seven), (b"a", one, b"")):
        with pytest.raises(ValueError, match="fit"):
            pairs.add_words(*wrong)
    pairs.add_words(b"a", one, seven)
    with pytest.raises(ValueError, match="before"):
        pairs.add_words(b"a", one, seven)
