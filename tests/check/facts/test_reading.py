"""How texts are read: each count of Reading, by a small vocabulary of known letters."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeModel
from pretune.check.facts import Facts
from pretune.check.facts.reading import MOST_ROW, Reading, read_texts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Data, Setup
from small_model import write_model
from tokenizer_samples import byte_level_spec, write


def reading(folder: Path, *texts: str, **kwargs: Any) -> Reading:
    """How the folder's tokenizer reads texts."""
    tokenizer = Facts(Setup(model=str(folder), tokenizer_kwargs=kwargs)).tokenizer
    return read_texts(tokenizer, [(text, f"train.txt:{line}") for line, text in enumerate(texts, 1)])


def test_nothing(make_model: MakeModel) -> None:
    """No text, an empty one and white space are no words."""
    assert reading(make_model()).words == 0
    assert reading(make_model(name="b"), "", " \t\n ").words == 0


def test_words(make_model: MakeModel) -> None:
    """Words and unknown ones are counted as they run, with a place for an example."""
    read = reading(make_model(), "한국어 모델 뷁 뷁", "the model 뷁")
    assert (read.words, read.hangul_words, read.hangul_characters, read.unknown_words) == (7, 5, 8, 3)
    assert read.unknown_characters == {"뷁": 3}
    assert read.scripts == {"Hangul": (5, 3), "Latin": (2, 0)}
    assert (read.examples["unknown_words"].word, read.examples["unknown_words"].where) == ("뷁", "train.txt:1")
    assert read.share(read.unknown_words) == pytest.approx(3 / 7)


def test_decomposed(make_model: MakeModel) -> None:
    """NFD words are unknown, and would be known in NFC."""
    read = reading(make_model(), unicodedata.normalize("NFD", "한국어 모델 model 뷁"))
    assert (read.unknown_words, read.mended_words) == (3, 2)


def test_jamo_and_syllables(shared_assets: Path) -> None:
    """An uncased English tokenizer reads Hangul as jamo."""
    read = reading(shared_assets / "tokenizers" / "bert-base-uncased", "한국어 나라")
    assert read.jamo_words + read.unknown_words >= 2
    assert read.jamo_words >= 1


def test_long_run(make_model: MakeModel) -> None:
    """A run of more than 100 letters is one unknown token; a link with punctuation is not too long."""
    assert reading(make_model(), "한" * 101).long_words == 1
    assert reading(make_model(name="b"), "한" * 100).long_words == 0
    link = "http://" + "/".join("abc" for _ in range(60)) + "뷁"
    assert reading(make_model(name="c"), link).long_words == 0


def test_vanished(make_model: MakeModel) -> None:
    """Characters that become no token are counted; a word of which nothing is left holds no unknown token."""
    undeclared = {"tokenizer_class": ...}
    folder = make_model("roberta", config=undeclared, tokenizer_config=undeclared)
    read = reading(folder, "한국어 모델, 안녕")
    assert (read.unknown_words, read.lost_characters) == (0, 7)


def test_invisible_characters_are_not_lost(make_model: MakeModel) -> None:
    """Zero-width and control characters may vanish."""
    assert reading(make_model(), "한국\u200b어 모델\ufeff \u0000model").lost_characters == 0


def test_byte_level_words_carry_their_space(tmp_path: Path) -> None:
    """In a byte-level vocabulary a word of running text is read with the space before it."""
    files = {"tokenizer.json": byte_level_spec(), "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    write(tmp_path, {**files, "config.json": {"model_type": "gpt2"}})
    read = reading(tmp_path, "wo wo")
    assert read.examples["words"].tokens == ("Ġwo",)
    assert reading(tmp_path, "한").hangul_pieces == 3


def test_lone_surrogate(make_model: MakeModel) -> None:
    """A lone surrogate, which no encoder takes, does not stop the reading."""
    assert reading(make_model(), "한국 \ud800").words == 2


def test_missing_unknown_token(make_model: MakeModel) -> None:
    """A tokenizer that cannot encode the data is a reason, not a crash."""
    folder = make_model(tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast"}, tokenizer_json={
        "model": {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {"a": 0}}, "post_processor": None,
    })  # fmt: skip
    with pytest.raises(Unavailable, match="cannot encode the data: WordPiece error: Missing"):
        reading(folder, "한국")


def data(tmp_path: Path, *lines: str, name: str = "train.txt") -> Data:
    """A data file."""
    path = tmp_path / name
    path.write_text("\n".join(lines), "utf-8")
    return Data(train=(str(path),))


def test_splits(make_model: MakeModel, tmp_path: Path) -> None:
    """One file is one split; evaluation alone stands in for training; without text there is no reading."""
    folder, files = make_model(), data(tmp_path, "한국어 모델")
    train = Facts(Setup(model=str(folder), task="masked-lm", data=files)).reading
    assert [name for name, _ in train.splits] == ["train"]
    held = Facts(Setup(model=str(folder), task="masked-lm", data=Data(eval=files.train))).reading
    assert held.train.words == 2
    with pytest.raises(Unavailable, match="no text"):
        Facts(Setup(model=str(folder), data=data(tmp_path, '{"label": 1}', name="a.jsonl"))).reading.train  # noqa: B018


def test_huge_row_is_cut(make_model: MakeModel, tmp_path: Path) -> None:
    """Without polars only so many characters of one row are read, and the reading says that there are more."""
    setup = Setup(model=str(make_model()), task="masked-lm", data=data(tmp_path, "가 " * MOST_ROW))
    facts = Facts(setup)
    assert (facts.reading.train.words, facts.reading.train.sampled) == (MOST_ROW, False)
    facts = Facts(setup)
    facts.reads_all = False
    assert (facts.reading.train.words, facts.reading.train.sampled) == (MOST_ROW / 2, True)


@given(text=st.text(max_size=60))
def test_any_text(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any text is read, and the counts hang together."""
    folder = tmp_path_factory.getbasetemp() / "any-text"
    if not folder.exists():
        write_model(folder, weights=False)
    read = reading(folder, text)
    assert 0 <= max(read.unknown_words, read.hangul_words, read.long_words, read.mended_words) <= read.words
    assert read.lost_characters <= read.characters
    assert sum(seen for seen, _ in read.scripts.values()) == read.words
