"""Every count of the profile is that of encoding each text whole."""

import os
from collections import Counter

import numpy as np
import polars as pl
import pytest
from tokenizers import normalizers, pre_tokenizers

from corpus.hostile import texts
from corpus.made_tokenizers import each, made
from pretune.corpus.block import Block
from pretune.corpus.cut import SPACE, SPACE_LIKE, units
from pretune.corpus.letters import letters_of
from pretune.corpus.texts import texts_of
from pretune.corpus.tokenizer_tally import TokenizerTally
from pretune.corpus.unit_table import table_of


def tally_of(name, encoder, strings, *, fast=True, whole=False, blocks=3):
    """The tally of some texts, read in several blocks."""
    tally = TokenizerTally(name, encoder, fast=fast, whole=whole)
    size = -(-len(strings) // blocks) or 1
    for at, start in enumerate(range(0, len(strings), size)):
        part = strings[start : start + size]
        block = Block("x", at, len(part), 0, {"text": pl.Series(part, dtype=pl.String)}, row=None)
        found = texts_of(block)
        table = table_of(found.texts, found.times, glue=tally.units.proof.glue)
        tally.add(found, table, letters_of(table))
    return tally


def expected(encoder, strings):
    """The same by encoding every text whole: ids, lengths, texts with an unknown token."""
    copy = type(encoder).from_str(encoder.to_str())
    copy.no_truncation()
    copy.no_padding()
    found = [encoding.ids for encoding in copy.encode_batch_fast(strings, add_special_tokens=False)]
    return Counter(i for ids in found for i in ids), Counter(map(len, found)), found


def check(tally, encoder, strings):
    """Compare ids, lengths and unknown texts."""
    ids, lengths, found = expected(encoder, strings)
    assert {int(at): int(tally.ids[at]) for at in np.flatnonzero(tally.ids)} == ids
    assert tally.lengths["text"] == lengths
    unknown = tally.marks.unknown
    assert tally.counts["tokens"] == sum(ids.values())
    assert tally.counts["unknown_tokens"] == ids[unknown]
    assert tally.counts["unknown_texts"] == sum(unknown in one for one in found)


@pytest.mark.parametrize("name", each())
def test_hostile_texts_are_counted_as_if_encoded_whole(name):
    """Odd spaces, controls, marks and special tokens change nothing, with fast engines and without."""
    encoder, strings = made()[name], texts(1500, seed=3)
    for fast in (True, False):
        tally = tally_of(name, encoder, strings, fast=fast)
        assert tally.whole == (name == "unigram-unsplit")  # its scores are no 32-bit floats
        check(tally, encoder, strings)


def test_a_tokenizer_that_is_not_understood_is_encoded_whole():
    """An unknown pattern cannot be proved; the counts are right all the same."""
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    encoder = Tokenizer.from_str(made()["gpt2"].to_str())
    encoder.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\w+ \w+|."), "isolated"), pre_tokenizers.ByteLevel(use_regex=False)]
    )
    strings = texts(300, seed=5)
    tally = tally_of("odd", encoder, strings)
    assert tally.whole
    assert "pattern" in tally.reason
    check(tally, encoder, strings)


def test_added_tokens_are_seen_wherever_they_stand():
    """Words given to add_tokens, with spaces inside, in another case, next to anything, give their own ids."""
    from tokenizers import AddedToken, Tokenizer

    for name in ("wordpiece-uncased", "gpt2", "llama2", "unigram"):
        encoder = Tokenizer.from_str(made()[name].to_str())
        encoder.add_tokens(
            ["코로나", "New York", AddedToken("Fox", rstrip=True, lstrip=True), AddedToken("dog", single_word=True)]
        )
        words = ["코로나", "new york", "New York", "fox", "Fox ", "dog", "dogs", "코로나19", "the", " ", "영화", "."]
        strings = [" ".join(words[i:]) + "".join(words[:i]) for i in range(len(words))] + texts(200, seed=9)
        check(tally_of(name, encoder, strings), encoder, strings)


@pytest.mark.parametrize("text", ["", "a", " a", "a b", "a  b", "a\n b\nc d", " ", "가 나\u3000 다", "\u200b a"])
def test_the_units_of_a_text_are_the_text(text):
    """Joined, they are the text again; none is empty."""
    found = units(pl.Series([text])).to_list()[0]
    assert "".join(found) == text
    assert all(found)


def test_the_space_like_characters_are_those_that_normalise_to_spaces():
    """Whatever NFKC turns into white space, alone or with more, and every control and format character, is in the class."""
    import re
    import unicodedata

    odd = [
        character
        for character in map(chr, range(0x110000))
        if not 0xD800 <= ord(character) <= 0xDFFF
        and (
            unicodedata.category(character) in {"Cc", "Cf", "Zs", "Zl", "Zp"}
            or any(part.isspace() for part in unicodedata.normalize("NFKC", character))
        )
    ]
    assert len(odd) > 200
    found = pl.Series(odd).str.contains(rf"\A[{SPACE_LIKE}]\z")
    assert found.all(), re.escape("".join(pl.Series(odd).filter(~found).to_list()))


REAL = "klue-roberta-base bert-base-uncased kobert-converted xlm-roberta-base gpt2 roberta-base llama2 llama3.1 qwen3 exaone4-1.2b kogpt2-base-v2"


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL.split())
def test_real_tokenizers_on_hostile_and_real_texts(shared_assets, name):
    """15,000 hostile texts and 5,000 lines of real ones: no count differs."""
    import gzip

    from pretune.check.facts import Facts
    from pretune.check.sources.setup import Setup

    encoder = Facts(Setup(tokenizer=str(shared_assets / "tokenizers" / name))).tokenizer.encoder
    strings = texts(int(os.environ.get("HOSTILE", "15000")), seed=11)
    for path in sorted((shared_assets / "corpora").glob("*/*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            strings += [line.rstrip("\n") for line, _ in zip(file, range(600), strict=False)]
    check(tally_of(name, encoder, strings), encoder, strings)


CUT_WRONG = {
    "a beginning that vanishes before something is put before the text": (
        [normalizers.StripAccents(), normalizers.Prepend(SPACE)],
        pre_tokenizers.WhitespaceSplit(),
    ),
    "spaces around Chinese characters, and tokens of several spaces": (
        [normalizers.BertNormalizer()],
        pre_tokenizers.ByteLevel(),
    ),
    "letters that become nothing between spaces": ([normalizers.Replace("가", "")], pre_tokenizers.ByteLevel()),
    "letters that become spaces": ([normalizers.Replace("가", "x ")], pre_tokenizers.ByteLevel()),
}


@pytest.mark.parametrize("name", CUT_WRONG)
def test_what_moves_spaces_or_beginnings_is_not_cut(name):
    """One text of many goes wrong there, so that no sample would find it: the proof has to."""
    encoder = type(made()["gpt2"]).from_str(made()["gpt2"].to_str())
    parts, encoder.pre_tokenizer = CUT_WRONG[name]
    encoder.normalizer = normalizers.Sequence(parts)
    strings = ["the quick fox"] * 200 + ["\u0301 ", "字 ", "字  b", " 가  b", "a가  b"]
    tally = tally_of("moved", encoder, strings)
    assert tally.whole
    check(tally, encoder, strings)
