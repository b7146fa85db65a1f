"""TOK1: options and arguments that do not suit the vocabulary, the model or the task."""

import json
from pathlib import Path
from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.tokenizer_options import (
    brackets_missing,
    case_against_vocabulary,
    hangul_taken_apart,
    left_padding,
    mask_token_missing,
    prefix_space_missing,
    segment_out_of_range,
    segments_dropped,
    unknown_tokenizer_argument,
    use_fast_ignored,
)
from pretune.check.sources.setup import Data, Setup
from small_model import BERT_SPECIALS
from tokenizer_samples import byte_level_spec, write

FAST = {"tokenizer_class": "PreTrainedTokenizerFast"}
SYLLABLES = [chr(code) for code in range(0xAC00, 0xAC00 + 400)]
KOREAN = [*BERT_SPECIALS, *SYLLABLES, *(f"##{syllable}" for syllable in SYLLABLES)]
LATIN = [f"{a}{b}{c}" for a in "abcdefghijkl" for b in "mnopqrstuv" for c in "wxyzabcdefg"]


def setup(folder: Path, **said: Any) -> Setup:
    """A setup of a model."""
    return Setup(model=str(folder), **said)


@pytest.mark.parametrize(
    ("keys", "option"),
    [
        ({"do_lower_case": True}, "do_lower_case"),
        ({"strip_accents": True}, "strip_accents"),
        ({"do_lower_case": ...}, ""),
    ],
)
def test_hangul_taken_apart(make_model: MakeModel, keys: dict[str, Any], option: str) -> None:
    """T07, T08: lower case, accents, and the class's default for both."""
    folder = make_model(vocabulary=KOREAN, tokenizer_config=keys)
    problem = one(found(hangul_taken_apart, setup(folder)))
    assert problem.level == "error"
    assert problem.message == (
        f"{option or 'do_lower_case'} is true{'' if option else ' (BertTokenizer' + chr(39) + 's default)'}: `한글` is "
        "read as 6 jamo, but the vocabulary holds 400 whole Hangul syllables"
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"vocabulary": KOREAN},
        {"vocabulary": KOREAN, "tokenizer_config": {"do_lower_case": True, "strip_accents": False}},
        {"tokenizer_config": {"do_lower_case": True}},
        {
            "vocabulary": [*KOREAN, *(chr(c) for c in range(0x1100, 0x1200))],
            "tokenizer_config": {"do_lower_case": True},
        },
        {"vocabulary": KOREAN, "tokenizer_config": {"do_lower_case": True, **FAST}},
    ],
)
def test_hangul_left_whole(make_model: MakeModel, keys: dict[str, Any]) -> None:
    """Accents kept, few syllables, a vocabulary of jamo, and a generic class that does not lower-case."""
    rule_setup = setup(make_model(**keys))
    assert is_asked(hangul_taken_apart, rule_setup)
    assert found(hangul_taken_apart, rule_setup) == []


def test_kcbert_as_published(shared_assets: Path, tmp_path: Path) -> None:
    """KcBERT without a tokenizer_config lower-cases by default."""
    kept = shared_assets / "tokenizers" / "kcbert-base"
    write(tmp_path, {name: (kept / name).read_bytes() for name in ("vocab.txt", "config.json")})
    assert levels(found(hangul_taken_apart, setup(tmp_path))) == ["error"]
    assert found(hangul_taken_apart, setup(kept)) == []


def test_case(make_model: MakeModel) -> None:
    """A cased vocabulary that is lower-cased, an uncased one that is not; both ways right is quiet."""
    cased = [*BERT_SPECIALS, *LATIN, *(word.capitalize() for word in LATIN)]
    uncased = [*BERT_SPECIALS, *LATIN]
    said = {}
    for name, vocabulary in (("cased", cased), ("uncased", uncased)):
        for lower in (True, False):
            folder = make_model(name=f"{name}{lower}", vocabulary=vocabulary, tokenizer_config={"do_lower_case": lower})
            said[name, lower] = levels(found(case_against_vocabulary, setup(folder)))
    assert said == {
        ("cased", True): ["warning"], ("cased", False): [], ("uncased", True): [], ("uncased", False): ["warning"],
    }  # fmt: skip
    assert found(case_against_vocabulary, setup(make_model(), tokenizer_kwargs={"do_lower_case": True})) == []


def test_unknown_argument(make_model: MakeModel) -> None:
    """A slip is a warning with the right word, a stranger a note, what some class takes is quiet."""
    folder = make_model()
    slip = one(found(unknown_tokenizer_argument, setup(folder, tokenizer_kwargs={"do_lowercase": False})))
    assert slip.level == "warning"
    assert slip.message.endswith('did you mean "do_lower_case"?')
    assert levels(found(unknown_tokenizer_argument, setup(folder, tokenizer_kwargs={"zzz": 1}))) == ["note"]
    known = {"do_lower_case": False, "image_token": "<i>", "model_max_length": 9, "use_fast": True}
    assert found(unknown_tokenizer_argument, setup(folder, tokenizer_kwargs=known)) == []


def test_use_fast(make_model: MakeModel) -> None:
    """X10: use_fast=False is ignored."""
    folder = make_model()
    assert levels(found(use_fast_ignored, setup(folder, tokenizer_kwargs={"use_fast": False}))) == ["note"]
    assert found(use_fast_ignored, setup(folder, tokenizer_kwargs={"use_fast": True})) == []


def test_mask_token(make_model: MakeModel) -> None:
    """T28: masked language modelling without a mask token; other tasks need none."""
    folder = make_model(tokenizer_config={"mask_token": ..., **FAST}, special_tokens_map=None)
    problem = one(found(mask_token_missing, setup(folder, task="masked-lm")))
    assert problem.message.endswith("tokens have no mask_token")
    assert found(mask_token_missing, setup(folder, task="text-classification")) == []
    assert found(mask_token_missing, setup(make_model(name="b"), task="masked-lm")) == []


def test_brackets(make_model: MakeModel) -> None:
    """T11: no post-processor under the generic class; BertTokenizer makes its own."""
    none = {"post_processor": None}
    bare = make_model(name="a", tokenizer_config=FAST, tokenizer_json=none)
    assert "expects `[CLS]` first" in one(found(brackets_missing, setup(bare))).message
    made = make_model(name="b", tokenizer_json=none)
    assert is_asked(brackets_missing, setup(made))
    assert found(brackets_missing, setup(made)) == []
    decoder = make_model(name="c", tokenizer_config=FAST, tokenizer_json=none, config={"model_type": "gpt2"})
    assert found(brackets_missing, setup(decoder)) == []


def test_left_padding(make_model: MakeModel) -> None:
    """T19: BERT counts from the left of the row, RoBERTa from the first token that is no padding."""
    left = {"padding_side": "left"}
    assert levels(found(left_padding, setup(make_model(tokenizer_config=left)))) == ["warning"]
    assert found(left_padding, setup(make_model("roberta", name="r", tokenizer_config=left))) == []
    assert found(left_padding, setup(make_model(name="b"))) == []
    assert levels(found(left_padding, setup(make_model(name="c"), tokenizer_kwargs=left))) == ["warning"]


def tagged(tmp_path: Path, *tokens: str) -> Data:
    """A token classification file."""
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps({"tokens": tokens, "tags": ["O"] * len(tokens)}) + "\n", "utf-8")
    return Data(train=(str(path),))


def test_prefix_space(tmp_path: Path) -> None:
    """T31: byte-level words split beforehand; characters and tokenizers with a prefix space are quiet."""
    files = {"tokenizer.json": byte_level_spec(), "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    folder = write(tmp_path / "m", {**files, "config.json": {"model_type": "gpt2"}})
    words, characters = tagged(tmp_path, "my", "words"), tagged(tmp_path / "..", "한", " ", "국")
    asked: dict[str, Any] = {"task": "token-classification"}
    problem = one(found(prefix_space_missing, setup(folder, data=words, **asked)))
    assert problem.message.startswith("`word` is `wo`, `r`, `d` when split beforehand, but `Ġwo`, `r`, `d` in running")
    assert found(prefix_space_missing, setup(folder, data=characters, **asked)) == []
    spaced = {"add_prefix_space": True}
    assert found(prefix_space_missing, setup(folder, data=words, tokenizer_kwargs=spaced, **asked)) == []
    assert found(prefix_space_missing, setup(folder, data=words, task="text-classification")) == []


def test_segments_dropped(make_model: MakeModel) -> None:
    """T42: the generic class returns no token_type_ids; a class or a file that says so was trained so."""
    generic = make_model(tokenizer_config=FAST)
    problem = one(found(segments_dropped, setup(generic, task="pair-classification")))
    assert problem.message == (
        "PreTrainedTokenizerFast returns input_ids, attention_mask, but the model has type_vocab_size 2 and "
        "pair-classification feeds two texts"
    )
    for task in ("text-classification", "sentence-similarity", None):
        assert found(segments_dropped, setup(generic, task=task)) == []
    said = make_model(name="b", tokenizer_config={**FAST, "model_input_names": ["input_ids", "attention_mask"]})
    assert found(segments_dropped, setup(said, task="pair-classification")) == []
    assert found(segments_dropped, setup(make_model(name="c"), task="pair-classification")) == []
    one_segment = make_model(name="d", tokenizer_config=FAST, sizes={"type_vocab_size": 1})
    assert found(segments_dropped, setup(one_segment, task="pair-classification")) == []


def test_segment_out_of_range(make_model: MakeModel) -> None:
    """T23: klue/roberta has one segment and a BERT tokenizer that returns two."""
    folder = make_model("roberta", tokenizer_config={"model_input_names": ...})
    problem = one(found(segment_out_of_range, setup(folder, task="question-answering")))
    assert (problem.level, problem.message) == (
        "error",
        "the tokenizer gives the second text token_type_id 1, but type_vocab_size is 1",
    )
    left_out = setup(folder, task="question-answering", encode={"return_token_type_ids": False})
    assert found(segment_out_of_range, left_out) == []
    assert found(segment_out_of_range, setup(folder, task="text-classification")) == []
    for kind in ("bert", "roberta"):
        healthy = setup(make_model(kind, name=kind), task="question-answering")
        assert is_asked(segment_out_of_range, healthy)
        assert found(segment_out_of_range, healthy) == []
