"""VOC1: added words as texts."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.added_words import (
    RULES,
    added_word_cuts_others,
    added_word_decomposed,
    added_word_exists,
    added_word_lowercased,
    added_word_never_matches,
    special_token_is_word,
)
from pretune.check.sources.setup import Data, Setup
from tokenizer_samples import byte_level_spec, spec, write


def setup(folder: Path, *words: str, **said: Any) -> Setup:
    """A setup of a model that adds words."""
    return Setup(model=str(folder), add_tokens=words, **said)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not special_token_is_word])
def test_healthy(make_model: MakeModel, rule: Any) -> None:
    """New words, among them one that is a letter longer than a known one, and entity markers."""
    healthy = setup(make_model(), "코로나", "한국어로", add_special_tokens=("[E1]", "[/E1]"))
    assert is_asked(rule, healthy)
    assert found(rule, healthy) == []


def test_exists(make_model: MakeModel) -> None:
    """V05: a word that has a token already; a spare slot and a registered special token are meant."""
    problem = one(found(added_word_exists, setup(make_model(), "한국", "코로나")))
    assert (problem.level, problem.message[:37]) == ("note", "1 of 2 added words have a token alrea")
    assert found(added_word_exists, setup(make_model(name="b"), "[unused3]", "[MASK]")) == []


def test_exists_in_transformers(make_model: MakeModel) -> None:
    """add_tokens counts a word of the vocabulary as added, and len(tokenizer) stays."""
    transformers = pytest.importorskip("transformers", reason="shows what add_tokens does")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(make_model()))
    before = len(tokenizer)
    assert (tokenizer.add_tokens(["한국"]), len(tokenizer)) == (1, before)


def test_cuts_others(make_model: MakeModel) -> None:
    """V04: a word that stands inside tokens of the vocabulary cuts them; a special token's form does not."""
    problem = one(found(added_word_cuts_others, setup(make_model(), "민국", "모")))
    assert problem.level == "warning"
    assert problem.message.startswith(
        "2 added word(s) stand inside 2 tokens of the vocabulary and will cut them apart: `모` cuts 1, e.g. `모델`"
    )
    assert found(added_word_cuts_others, setup(make_model(name="b"), "<ent>", "")) == []


def test_cuts_others_in_transformers(make_model: MakeModel) -> None:
    """The longer word falls apart, and the rest of it loses its mark."""
    transformers = pytest.importorskip("transformers", reason="shows what an added word does to others")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(make_model()))
    assert tokenizer.tokenize("대한민국") == ["대한민국"]
    tokenizer.add_tokens(["민국"])
    assert "민국" in tokenizer.tokenize("대한민국")
    assert "대한민국" not in tokenizer.tokenize("대한민국")


def test_cuts_others_in_bytes(tmp_path: Path) -> None:
    """Byte-level tokens are compared as text."""
    value = byte_level_spec()
    model = {**value["model"], "vocab": {**value["model"]["vocab"], "íķľêµŃìĸ´": 500}}
    files = {"tokenizer.json": {**value, "model": model}, "config.json": {"model_type": "gpt2"}}
    write(tmp_path, {**files, "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}})
    assert "`한국` cuts 1, e.g. `한국어`" in one(found(added_word_cuts_others, setup(tmp_path, "한국"))).message


def test_never_matches(make_model: MakeModel) -> None:
    """The vocabulary's own mark in front of a word."""
    assert (
        "start with the vocabulary's mark `##`"
        in one(found(added_word_never_matches, setup(make_model(), "##로나"))).message
    )
    assert found(added_word_never_matches, setup(make_model(name="b"), "##", "#로나")) == []


def test_decomposed(make_model: MakeModel) -> None:
    """A word list saved as NFD."""
    problem = one(found(added_word_decomposed, setup(make_model(), unicodedata.normalize("NFD", "각"), "각")))
    assert (problem.level, problem.message.endswith("has 3 code points, 1 in NFC")) == ("error", True)


def test_lowercased(make_model: MakeModel) -> None:
    """An uncased tokenizer: three spellings are one word, one with capitals is matched in lower case."""
    folder = make_model(tokenizer_config={"do_lower_case": True})
    problem = one(found(added_word_lowercased, setup(folder, "COVID", "Covid", "covid")))
    assert (problem.level, "2 of their rows can never be reached" in problem.message) == ("warning", True)
    assert levels(found(added_word_lowercased, setup(folder, "COVID"))) == ["note"]
    assert found(added_word_lowercased, setup(folder, "covid", add_special_tokens=("[E1]",))) == []
    assert found(added_word_lowercased, setup(make_model(name="b"), "COVID", "covid")) == []


def test_lowercased_in_transformers(make_model: MakeModel) -> None:
    """Each spelling becomes one and the same token."""
    transformers = pytest.importorskip("transformers", reason="shows what an uncased tokenizer does to added words")
    folder = make_model(tokenizer_config={"do_lower_case": True})
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    tokenizer.add_tokens(["COVID", "Covid", "covid"])
    assert len(set(tokenizer.encode("COVID Covid covid", add_special_tokens=False))) == 1


def test_special_token_is_word(make_model: MakeModel, tmp_path: Path) -> None:
    """A special token that is an ordinary word of the data."""
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"text": f"한국 사람 {n}", "label": 0}) + "\n" for n in range(30)), "utf-8")
    data = Data(train=(str(path),))
    folder = make_model()
    problem = one(found(special_token_is_word, Setup(model=str(folder), data=data, add_special_tokens=("사람",))))
    assert problem.message == "special token `사람` occurs as text in 30 of 30 rows"
    path.write_text(path.read_text("utf-8") * 70, "utf-8")
    problem = one(found(special_token_is_word, Setup(model=str(folder), data=data, add_special_tokens=("사람",))))
    assert problem.message.endswith("in 2,000 of 2,000 sampled rows")
    for words in (("[E1]",), ("나무",)):
        assert found(special_token_is_word, Setup(model=str(folder), data=data, add_special_tokens=words)) == []
    assert found(special_token_is_word, Setup(model=str(folder), data=data, add_tokens=("사람",))) == []


def test_many_words_are_quick(make_model: MakeModel) -> None:
    """A thousand words against the vocabulary take no product of the two."""
    folder = make_model(tokenizer_json=spec())
    asked = setup(folder, *(f"낱말{number}" for number in range(1000)))
    assert found(added_word_cuts_others, asked) == []
