"""TOK0: vocabulary files that are odd, or disagree."""

from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.vocabulary_files import (
    RULES,
    blank_line_in_vocabulary,
    duplicate_in_vocabulary,
    vocabulary_files_disagree,
)
from pretune.check.sources.setup import Setup
from tokenizer_samples import WORDS, sentencepiece, unigram_spec, write

UNIQUE = list(dict.fromkeys(WORDS))


def lines(tokens: list[str]) -> dict[str, Any]:
    """A folder with nothing but this vocab.txt."""
    return {"tokenizer_json": None, "files": {"vocab.txt": "\n".join(tokens) + "\n"}}


@pytest.mark.parametrize("rule", RULES)
def test_healthy(make_model: MakeModel, rule: Any) -> None:
    """vocab.txt beside tokenizer.json, and alone."""
    for name, keys in (("both", {}), ("alone", {"vocabulary": UNIQUE, **lines(UNIQUE)})):
        setup = Setup(model=str(make_model(name=name, **keys)))
        assert is_asked(rule, setup)
        assert found(rule, setup) == []


def test_only_vocab_txt_edited(make_model: MakeModel) -> None:
    """T06: spare slots renamed in vocab.txt alone have no effect."""
    edited = [f"새말{token[7]}" if token.startswith("[unused") else token for token in WORDS]
    problem = one(
        found(vocabulary_files_disagree, Setup(model=str(make_model(files={"vocab.txt": "\n".join(edited)}))))
    )
    assert problem.level == "warning"
    assert problem.message.startswith("vocab.txt gives 10 tokens another id or token than tokenizer.json (`새말0`")


def test_added_tokens_in_vocab_txt(make_model: MakeModel) -> None:
    """A slow tokenizer's vocab.txt that lists what tokenizer.json has as added tokens is healthy."""
    folder = make_model(files={"vocab.txt": "\n".join([*UNIQUE, "<ent>"])}, vocabulary=UNIQUE)
    setup = Setup(model=str(folder), tokenizer_kwargs={"additional_special_tokens": ["<ent>"]})
    assert found(vocabulary_files_disagree, setup) == []


@pytest.mark.parametrize("cls", ["XLMRobertaTokenizer", "PreTrainedTokenizerFast"])
def test_shifted_sentencepiece(tmp_path: Any, cls: str) -> None:
    """XLM-R's ids are the sentencepiece model's shifted by one, and always were."""
    spec = unigram_spec()
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(text, score, 1) for text, score in spec["model"]["vocab"][4:-1]]
    files = {"tokenizer.json": spec, "sentencepiece.bpe.model": sentencepiece(pieces)}
    write(tmp_path, {**files, "tokenizer_config.json": {"tokenizer_class": cls}})
    assert found(vocabulary_files_disagree, Setup(tokenizer=str(tmp_path))) == []


def test_all_ids_shifted_by_a_line(make_model: MakeModel) -> None:
    """A stray first line in vocab.txt shifts every id, which is no purpose."""
    folder = make_model(files={"vocab.txt": "\n".join(["x", *WORDS])})
    assert levels(found(vocabulary_files_disagree, Setup(model=str(folder)))) == ["warning"]


def test_blank_line(make_model: MakeModel) -> None:
    """S10: a blank line in the middle shifts every id after it; a blank last line has a row of its own."""
    shifted = [*UNIQUE[:50], "", *UNIQUE[50:]]
    folder = make_model(vocabulary=UNIQUE, **lines(shifted))
    problem = one(found(blank_line_in_vocabulary, Setup(model=str(folder))))
    assert (problem.level, problem.where.rsplit("/", 1)[1]) == ("error", "vocab.txt:51")
    assert "180 lines against 179 embedding rows" in problem.message
    fits = make_model(name="b", vocabulary=shifted, **lines(shifted))
    assert levels(found(blank_line_in_vocabulary, Setup(model=str(fits)))) == ["note"]


def test_duplicate(make_model: MakeModel) -> None:
    """T25: of two equal lines only the last is reached."""
    doubled = [*UNIQUE[:-1], UNIQUE[20]]
    problem = one(found(duplicate_in_vocabulary, Setup(model=str(make_model(vocabulary=doubled, **lines(doubled))))))
    assert "stand more than once" in problem.message
    assert problem.message.endswith("at lines 21, 179")
