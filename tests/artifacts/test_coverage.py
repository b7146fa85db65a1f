"""What a tokenizer can represent: Hangul syllables and single characters."""

from pathlib import Path

import pytest

from conftest import MakeModel
from pretune.artifacts.coverage import (
    SYLLABLES,
    HangulCoverage,
    hangul_coverage,
    is_byte_token,
    is_jamo,
    is_syllable,
    script_of,
    syllables_in,
    unrepresentable,
)
from pretune.artifacts.pipeline import as_class
from tokenizer_samples import byte_level_spec, read, write


def coverage(folder: Path, **kwargs: bool) -> HangulCoverage:
    """The coverage of a folder's tokenizer."""
    tokenizer = read(folder, **kwargs)
    return hangul_coverage(as_class(tokenizer), unknown=tokenizer.id_of("unk_token"), byte_level=tokenizer.byte_level)


def total(found: HangulCoverage) -> int:
    """The five counts together."""
    return found.own + found.pieces + found.jamo + found.bytes + found.unknown


def test_characters() -> None:
    """Borders of the Hangul blocks."""
    assert [is_syllable(c) for c in "\uabff가힣\ud7a4ㄱ"] == [False, True, True, False, False]
    assert [is_jamo(c) for c in "\u10ff\u1100\u11ff\u1200ㄱ가"] == [False, True, True, False, False, False]
    assert syllables_in(["한국", "##국", "the", "", "\u1100\u1161\u11a8"]) == 2
    assert [is_byte_token(token) for token in ("<0xEA>", "<0x0>", "0xEA", "<ent>>")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("character", "script"),
    [("가", "Hangul"), ("ㅋ", "Hangul"), ("ᄀ", "Hangul"), ("a", "Latin"), ("é", "Latin"), ("漢", "Han"), ("か", "Kana"),
     ("カ", "Kana"), ("я", "Cyrillic"), ("1", "other"), ("😀", "other"), ("\ue000", "other"), (" ", "other")],
)  # fmt: skip
def test_scripts(character: str, script: str) -> None:
    """Letters have a script, anything else is other."""
    assert script_of(character) == script


def test_small_vocabulary(make_model: MakeModel) -> None:
    """Syllables of the vocabulary are tokens of their own, all others unknown."""
    folder = make_model(weights=False)
    found = coverage(folder)
    assert total(found) == SYLLABLES
    assert found.own == syllables_in(token for token in read(folder).vocabulary.ids if len(token) == 1)
    assert found.unknown == SYLLABLES - found.own


def test_accents_stripped(make_model: MakeModel) -> None:
    """With strip_accents every syllable is taken apart, and nothing of it is in the vocabulary."""
    found = coverage(make_model(weights=False), strip_accents=True)
    assert (found.own, found.unknown) == (0, SYLLABLES)


def test_bytes(tmp_path: Path) -> None:
    """A byte-level vocabulary without Korean spells every syllable in bytes."""
    folder = write(
        tmp_path, {"tokenizer.json": byte_level_spec(), "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    )
    assert coverage(folder).bytes == SYLLABLES


@pytest.mark.parametrize(
    ("name", "own"), [("klue-roberta-base", 1431), ("kcbert-base", 3347), ("bert-base-cased", 5), ("gpt2", 0)]
)
def test_real(shared_assets: Path, name: str, own: int) -> None:
    """Numbers of published tokenizers."""
    found = coverage(shared_assets / "tokenizers" / name)
    assert total(found) == SYLLABLES
    assert found.own <= own
    assert found.own >= own * 0.8


def test_jamo_of_an_uncased_english_vocabulary(shared_assets: Path) -> None:
    """bert-base-uncased takes syllables apart and knows some of the jamo."""
    found = coverage(shared_assets / "tokenizers" / "bert-base-uncased")
    assert (found.own, found.pieces, found.bytes) == (0, 0, 0)
    assert found.jamo > 1000
    assert found.unknown > 0


def test_unrepresentable(make_model: MakeModel) -> None:
    """A character that only continues words is representable; white space is never missing."""
    tokenizer = read(make_model(weights=False, vocabulary=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"]))
    missing = unrepresentable(as_class(tokenizer), "abc한 \u200b", unknown=1, ids=tokenizer.ids)
    assert missing == {"c", "한", "\u200b"}
