"""The setup's tokenizer and the model's own: which folder, which special tokens, what its parts do."""

from pathlib import Path

import pytest

from conftest import MakeModel
from pretune.check.facts import Facts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup
from pretune.core.errors import UserError
from tokenizer_samples import sentencepiece, write


def test_own(make_model: MakeModel) -> None:
    """Without a tokenizer named, the model's own is used, and there is none to compare with."""
    facts = Facts(Setup(model=str(make_model())))
    assert facts.tokenizer.is_own
    assert facts.tokenizer.kind == "WordPiece"
    with pytest.raises(Unavailable, match="the model's own tokenizer is used"):
        facts.own_tokenizer.size  # noqa: B018 - asking is the test


def test_own_spelled_otherwise(make_model: MakeModel) -> None:
    """The model's folder named again as the tokenizer's is the same one."""
    folder = make_model()
    assert Facts(Setup(model=str(folder), tokenizer=f"{folder}/../{folder.name}")).tokenizer.is_own


def test_another(make_model: MakeModel) -> None:
    """With another folder named, the model's own is there to compare with."""
    facts = Facts(Setup(model=str(make_model("roberta", name="a")), tokenizer=str(make_model(name="b"))))
    assert not facts.tokenizer.is_own
    assert (facts.tokenizer.ids["[CLS]"], facts.own_tokenizer.ids["[CLS]"]) == (2, 0)


def test_own_cannot_be_read(make_model: MakeModel) -> None:
    """A broken tokenizer beside the model is no error when another one is used."""
    broken = make_model(name="a", files={"tokenizer.json": "{"})
    with pytest.raises(Unavailable, match=r"tokenizer\.json"):
        Facts(Setup(model=str(broken), tokenizer=str(make_model(name="b")))).own_tokenizer.size  # noqa: B018
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        Facts(Setup(model=str(broken))).tokenizer.size  # noqa: B018


def test_none(make_model: MakeModel) -> None:
    """A model without a tokenizer names the flag that gives one; without a model there is nothing."""
    bare = make_model(tokenizer_json=None, tokenizer_config=None, special_tokens_map=None)
    (bare / "vocab.txt").unlink()
    for setup, why in ((Setup(model=str(bare)), "--tokenizer"), (Setup(), "no model and no tokenizer")):
        with pytest.raises(Unavailable, match=why):
            Facts(setup).tokenizer.size  # noqa: B018


def test_unknown_order_is_no_error(tmp_path: Path) -> None:
    """A sentencepiece model whose class orders pieces in a way of its own is said to be unknown, not wrong."""
    rows = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("a", 0.0, 1)]
    config = {"tokenizer_class": "NllbTokenizer"}
    write(tmp_path, {"sentencepiece.bpe.model": sentencepiece(rows), "tokenizer_config.json": config})
    with pytest.raises(Unavailable, match="does not say which ids NllbTokenizer"):
        Facts(Setup(tokenizer=str(tmp_path))).tokenizer.size  # noqa: B018


@pytest.mark.parametrize(
    ("pad", "expected"), [(None, "[PAD]"), ("<new>", "<new>"), ("sep_token", "[SEP]"), ("eos_token", None)]
)
def test_pad_token(make_model: MakeModel, pad: str | None, expected: str | None) -> None:
    """The setup's pad token is a token or a role; a role that has no token leaves none."""
    facts = Facts(Setup(model=str(make_model()), pad_token=pad))
    assert facts.tokenizer.special.get("pad_token") == expected


def test_parts(make_model: MakeModel) -> None:
    """Lower-casing and the taking apart of accents are those of the class, with the options given."""
    said = {}
    for lower, strip in ((False, None), (True, None), (True, False), (False, True)):
        folder = make_model(name=f"{lower}{strip}", tokenizer_config={"do_lower_case": lower, "strip_accents": strip})
        tokenizer = Facts(Setup(model=str(folder))).tokenizer
        said[lower, strip] = (tokenizer.lowercases, tokenizer.strips_accents)
    assert said == {
        (False, None): (False, False),
        (True, None): (True, True),
        (True, False): (True, False),
        (False, True): (False, True),
    }


def test_word_limit(make_model: MakeModel) -> None:
    """The class's limit counts, the file's only with the generic class."""
    model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "vocab": {"[UNK]": 0}}
    for name, expected in (("BertTokenizer", 100), ("PreTrainedTokenizerFast", 7)):
        files = {"model": {**model, "max_input_chars_per_word": 7}}
        folder = make_model(name=name, tokenizer_config={"tokenizer_class": name}, tokenizer_json=files)
        assert Facts(Setup(model=str(folder))).tokenizer.word_limit == expected
