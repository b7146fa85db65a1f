"""Proofs that an entry can never come out: what they rest on, tried on every character, and what they must not claim."""

from typing import Any

import pytest
from tokenizers import normalizers

from pretune.tokens.dead_entries import dead_entries

PLANES = {"assigned": 0x32000, "every": 0x110000}
"""Behind the third plane Unicode has tags and private use, which the slow run tries too."""


@pytest.fixture(scope="module", params=["assigned", pytest.param("every", marks=pytest.mark.slow)])
def letters(request: pytest.FixtureRequest) -> str:
    """All characters, in order."""
    return "".join(chr(code) for code in range(PLANES[request.param]) if not 0xD800 <= code < 0xE000)


BERT = {"type": "BertPreTokenizer"}
UNCASED = {
    "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True,
}  # fmt: skip


@pytest.mark.parametrize(
    "normalizer",
    [
        normalizers.BertNormalizer(),
        normalizers.BertNormalizer(lowercase=False),
        normalizers.BertNormalizer(strip_accents=False),
        normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False),
        normalizers.NFC(),
        normalizers.NFKC(),
        normalizers.NFD(),
        normalizers.NFKD(),
        normalizers.Lowercase(),
        normalizers.StripAccents(),
    ],
    ids=str,
)
def test_normalisers_leave_what_they_wrote(normalizer: Any, letters: str) -> None:
    """No character that a normaliser writes is changed by it (spaces around ideographs apart): the proofs rest on it."""
    written = [letter for letter in set(normalizer.normalize_str(letters)) if not letter.isspace()]
    assert normalizer.normalize_str(" ".join(written)).split() == written


def test_ideographs_stand_alone(letters: str) -> None:
    """Whatever character BertNormalizer reads, an ideograph that it writes has spaces on both sides."""
    normalizer = normalizers.BertNormalizer()
    written = normalizer.normalize_str("a" + "a".join(letters) + "a")
    alone = {written[at] for at in range(1, len(written) - 1) if written[at - 1] == written[at + 1] == " "} - set(" a")
    assert "漢" in alone
    assert "가" not in alone
    pieces = normalizer.normalize_str("".join(f"{letter}x{letter}{letter} " for letter in letters)).split()
    assert not [piece for piece in pieces if len(piece) > 1 and not alone.isdisjoint(piece)]


def wordpiece(*entries: str, normalizer: Any = None, splitter: Any = BERT, **options: Any) -> frozenset[str]:
    """The dead entries of a WordPiece model."""
    vocab = {entry: index for index, entry in enumerate(entries)}
    model = {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]", "continuing_subword_prefix": "##", **options}
    return dead_entries({"model": model, "normalizer": normalizer, "pre_tokenizer": splitter})


def test_wordpiece() -> None:
    """Split, changed by the normaliser, too long or empty: dead. What any word can hold is not."""
    live = ("word", "##ing", "가", "##가", "!", "漢", "#", "##9", "é́"[:1], "ａ", "##́")
    dead = ("[unused1]", "##!", "...", "a b", "##a!", "", "##", "x" * 101, "\n", "a-b")
    assert wordpiece(*live, *dead) == set(dead)
    cased = {**UNCASED, "lowercase": False}
    assert wordpiece("Word", "word", "é", "##漢", "漢", "漢字", "a\u200bb", normalizer=cased) == {
        "##漢", "漢字", "a\u200bb",
    }  # fmt: skip
    assert wordpiece("Word", "word", "é", "##é", normalizer=UNCASED) == {"Word", "é", "##é"}


def test_wordpiece_claims_nothing_of_what_it_does_not_know() -> None:
    """With another pre-tokenizer, or a normaliser after the known one, only what holds anyway is claimed."""
    assert wordpiece("[unused1]", "##!", splitter=None) == set()
    assert wordpiece("[unused1]", "##!", splitter={"type": "Metaspace", "replacement": "▁"}) == set()
    assert wordpiece("[unused1]", "##!", splitter={"type": "WhitespaceSplit"}) == set()
    later = {
        "type": "Sequence",
        "normalizers": [UNCASED, {"type": "Replace", "pattern": {"String": "a"}, "content": "A"}],
    }
    assert wordpiece("Word", "##!", normalizer=later) == {"##!"}
    first = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, UNCASED]}
    assert wordpiece("Word", "##!", normalizer=first) == {"Word", "##!"}


def test_wordpiece_composition() -> None:
    """Behind NFC a decomposed syllable cannot stand; a mark that composes with one letter can follow another."""
    assert wordpiece("\u1112\u1161\u11ab", "한", "##\u0301", normalizer={"type": "NFC"}) == {"\u1112\u1161\u11ab"}


def bpe(*entries: str, merges: Any = (), **options: Any) -> frozenset[str]:
    """The dead entries of a BPE model."""
    vocab = {entry: index for index, entry in enumerate(entries)}
    return dead_entries({"model": {"type": "BPE", "vocab": vocab, "merges": list(merges), **options}})


def test_bpe() -> None:
    """An entry of several characters that no rule makes is dead, in either way of writing rules."""
    assert bpe("a", "b", "ab", "abc", merges=["a b"]) == {"abc"}
    assert bpe("a", "b", "ab", "abc", merges=[["a", "b"]]) == {"abc"}
    assert bpe("a", " b", "a b", "ab", merges=["a  b"]) == {" b", "ab"}
    assert bpe("a", "ab", ignore_merges=True) == set()
    assert bpe("a", "ab</w>", end_of_word_suffix="</w>") == set()
    assert bpe("a", "ab", end_of_word_suffix="", continuing_subword_prefix=None) == {"ab"}


def test_unigram() -> None:
    """An entry that two others beat is dead, by a margin; the one with the lowest score stays, for unknown's sake."""
    rows = [["<unk>", 0.0], ["a", -1.0], ["b", -1.0], ["ab", -3.0], ["ba", -2.01], ["aab", -9.0], ["bb", -1.5]]
    model = {"type": "Unigram", "unk_id": 0, "vocab": rows}
    assert dead_entries({"model": model}) == {"ab"}
    assert dead_entries({"model": {**model, "vocab": [*rows, ["low", -20.0]]}}) == {"ab", "aab"}
    assert dead_entries({"model": {**model, "vocab": [*rows, ["ab", -1.0], ["low", -20.0]]}}) == {"aab"}


def test_among() -> None:
    """Only the entries that are asked about are looked at; those that are not there are not dead."""
    vocab = {"##!": 0, "...": 1}
    spec = {"model": {"type": "WordPiece", "vocab": vocab, "continuing_subword_prefix": "##"}, "pre_tokenizer": BERT}
    assert dead_entries(spec, ["...", "absent"]) == {"..."}


@pytest.mark.parametrize(
    "spec", [{}, {"model": None}, {"model": {"type": "WordLevel", "vocab": {"a": 0}}}, {"model": {}}]
)
def test_nothing_to_prove(spec: dict[str, Any]) -> None:
    """No model, or one of another kind: nothing is claimed."""
    assert dead_entries(spec) == frozenset()
