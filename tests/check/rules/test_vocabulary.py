"""VOC0: this tokenizer against the model's rows, own vocabulary and config."""

from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.engine import run
from pretune.check.facts import Facts
from pretune.check.rules import vocabulary
from pretune.check.rules.vocabulary import (
    another_vocabulary,
    ids_outside_embedding,
    special_ids_disagree,
    special_token_in_pieces,
    special_token_outside_vocabulary,
    unknown_token_missing,
)
from pretune.check.sources.setup import Setup
from small_model import BERT_SPECIALS, KLUE_SPECIALS, words
from tokenizer_samples import COUNT, WORDS, decoder, flags, spec

EXTRA = {"additional_special_tokens": ["<e1>", "</e1>"]}
AHEAD = spec(None, *({"id": COUNT + index, **flags(f"word{index}")} for index in range(4)))


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("rule", [rule for rule in vocabulary.RULES if rule is not another_vocabulary])
def test_healthy(make_model: MakeModel, kind: str, rule: Any) -> None:
    """A model with its own tokenizer is asked and quiet."""
    setup = Setup(model=str(make_model(kind)))
    assert is_asked(rule, setup)
    assert found(rule, setup) == []


def test_saved_tokenizer_ahead(make_model: MakeModel) -> None:
    """V06: four tokens were added and saved, the resized model was not."""
    problem = one(found(ids_outside_embedding, Setup(model=str(make_model(tokenizer_json=AHEAD)))))
    assert problem.message == (
        "4 of 183 token ids have no row: largest id 182 (`word0` is the first beyond), but 179 embedding rows"
    )
    assert problem.where.endswith("model/tokenizer.json")


def test_tokenizer_of_another_model(make_model: MakeModel) -> None:
    """T02: the tokenizer has ids beyond the table of a smaller model; a resize mends it."""
    small = make_model(name="small", vocabulary=words()[:60])
    setup = Setup(model=str(small), tokenizer=str(make_model(name="big")))
    assert levels(found(ids_outside_embedding, setup)) == ["error"]
    assert found(ids_outside_embedding, Setup(model=setup.model, tokenizer=setup.tokenizer, resize=True)) == []


def test_rows_of_the_config_count_without_weights(make_model: MakeModel) -> None:
    """Without weights, vocab_size says how many rows there are."""
    folder = make_model(tokenizer_json=AHEAD, weights=False)
    assert levels(found(ids_outside_embedding, Setup(model=str(folder)))) == ["error"]


def test_spare_rows(make_model: MakeModel) -> None:
    """A table with more rows than tokens is healthy."""
    folder = make_model(sizes={"vocab_size": 256}, tokenizer_json=AHEAD)
    assert found(ids_outside_embedding, Setup(model=str(folder))) == []


@pytest.mark.parametrize(("model", "tokenizer"), [("roberta", "bert"), ("bert", "roberta")])
def test_klue_crossing(make_model: MakeModel, model: str, tokenizer: str) -> None:
    """T01: two vocabularies of one size that differ in the five special tokens alone."""
    setup = Setup(model=str(make_model(model, name="m")), tokenizer=str(make_model(tokenizer, name="t")))
    problem = one(found(another_vocabulary, setup))
    assert problem.level == "error"
    assert "also 179 ids" in problem.message
    assert f"id 0 is `{'[PAD]' if tokenizer == 'bert' else '[CLS]'}`" in problem.message


def test_shuffled_vocabulary(make_model: MakeModel) -> None:
    """T05: same size, same special ids, another order."""
    shuffled = [*WORDS[:20], *reversed(WORDS[20:])]
    setup = Setup(
        model=str(make_model(name="m")), tokenizer=str(make_model(name="t", vocabulary=shuffled, weights=False))
    )
    assert levels(found(another_vocabulary, setup)) == ["error"]


def test_same_vocabulary(make_model: MakeModel) -> None:
    """A copy, a longer one, and one with words in the spare slots are the model's own."""
    model = str(make_model(name="m"))
    filled = ["코로나" if token == "[unused3]" else token for token in WORDS]
    for name, keys in (("a", {}), ("b", {"tokenizer_json": AHEAD}), ("c", {"vocabulary": filled})):
        setup = Setup(model=model, tokenizer=str(make_model(name=name, **keys)))
        assert is_asked(another_vocabulary, setup)
        assert found(another_vocabulary, setup) == []


def test_one_added_token_differs(make_model: MakeModel) -> None:
    """A single added token of another name is a warning."""
    model = make_model(name="m", tokenizer_json=spec(None, {"id": COUNT, **flags("one")}))
    other = make_model(name="t", tokenizer_json=spec(None, {"id": COUNT, **flags("two")}))
    assert levels(found(another_vocabulary, Setup(model=str(model), tokenizer=str(other)))) == ["warning"]


def test_roberta_ids(make_model: MakeModel) -> None:
    """T01, T40: where positions are counted from the pad id, a wrong one is an error."""
    folder = make_model("roberta", config={"pad_token_id": 5})
    problem = one(found(special_ids_disagree, Setup(model=str(folder))))
    assert problem.level == "error"
    assert problem.message == "pad_token_id is 5 (`[unused0]`), but the tokenizer's pad_token `[PAD]` has id 1"
    crossed = Setup(model=str(make_model("roberta", name="m")), tokenizer=str(make_model(name="t")))
    assert levels(found(special_ids_disagree, crossed)) == ["error"] * 3


def test_roberta_pad_id_edited(make_model: MakeModel) -> None:
    """C19: the setup overrides the pad id."""
    setup = Setup(model=str(make_model("roberta")), config={"pad_token_id": 0})
    assert levels(found(special_ids_disagree, setup)) == ["error"]


def test_bert_pad_id(make_model: MakeModel) -> None:
    """On BERT a pad id alone changes nothing: multilingual-e5-small was published so."""
    folder = make_model(config={"pad_token_id": 1})
    assert levels(found(special_ids_disagree, Setup(model=str(folder)))) == ["note"]


def test_other_roles(make_model: MakeModel) -> None:
    """An id that the config states for another role is a warning; what nobody states proves nothing."""
    assert levels(found(special_ids_disagree, Setup(model=str(make_model(config={"sep_token_id": 9}))))) == ["warning"]
    left_out = make_model(name="b", config={"pad_token_id": ...})
    assert found(special_ids_disagree, Setup(model=str(left_out))) == []


@pytest.mark.parametrize("value", [None, "0", 0.0, True, [0]])
def test_odd_ids(make_model: MakeModel, value: Any) -> None:
    """An id that is no whole number is another rule's business."""
    assert found(special_ids_disagree, Setup(model=str(make_model(config={"pad_token_id": value})))) == []


def test_declared_beyond_the_rows(make_model: MakeModel) -> None:
    """T24: declared special tokens that the vocabulary lacks get ids behind the last row, and only one rule says so."""
    setup = Setup(model=str(make_model(tokenizer_config=EXTRA)))
    problem = one(found(special_token_outside_vocabulary, setup))
    assert problem.message.startswith("special token `<e1>` (and 1 more) is not in the vocabulary and becomes id 179")
    assert found(ids_outside_embedding, setup) == []


def test_pad_token_beyond_the_rows(make_model: MakeModel) -> None:
    """A pad token given to from_pretrained that the vocabulary lacks; room for it is healthy."""
    setup = Setup(model=str(make_model(sizes={"vocab_size": 179})), tokenizer_kwargs={"pad_token": "<pad>"})
    assert "pad_token `<pad>`" in one(found(special_token_outside_vocabulary, setup)).message
    roomy = Setup(model=str(make_model(name="b", sizes={"vocab_size": 256})), tokenizer_kwargs={"pad_token": "<pad>"})
    assert found(special_token_outside_vocabulary, roomy) == []


def test_unknown_token(make_model: MakeModel) -> None:
    """T26: unk_token is <unk>, the vocabulary has [UNK]."""
    folder = make_model(tokenizer_config={"unk_token": "<unk>"}, special_tokens_map={"unk_token": "<unk>"})
    assert (
        "`<unk>` is not among the 179 tokens; `[UNK]` is"
        in one(found(unknown_token_missing, Setup(model=str(folder)))).message
    )
    generic = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}
    kept = make_model(name="b", tokenizer_config=generic, special_tokens_map={"unk_token": "<unk>"})
    assert found(unknown_token_missing, Setup(model=str(kept))) == []


def test_missing_unknown_token_is_no_crash(make_model: MakeModel) -> None:
    """A tokenizer that cannot encode is a reason not to ask, not a crash of the rule."""
    config = {"unk_token": "<unk>", "added_tokens_decoder": decoder({0: flags("[PAD]", special=True)})}
    folder = make_model(tokenizer_config=config, special_tokens_map=EXTRA)
    assert found(unknown_token_missing, Setup(model=str(folder)))
    report = run(vocabulary.RULES, Facts(Setup(model=str(folder))))
    assert [finding.name for finding in report.findings if finding.name == "rule-crashed"] == []


def test_special_token_in_pieces(make_model: MakeModel) -> None:
    """Transformers 5 does not read special_tokens_map.json beside added_tokens_decoder: its tokens are cut."""
    config = {"added_tokens_decoder": decoder({0: flags("[PAD]", special=True)})}
    folder = make_model(special_tokens_map=EXTRA, tokenizer_config=config)
    problems = found(special_token_in_pieces, Setup(model=str(folder)))
    assert levels(problems) == ["error", "error"]
    assert problems[0].where.endswith("special_tokens_map.json")
    read = make_model(name="b", special_tokens_map=EXTRA)
    assert found(special_token_in_pieces, Setup(model=str(read))) == []


def test_the_two_orders() -> None:
    """The two small vocabularies differ in the order of their special tokens alone."""
    assert set(BERT_SPECIALS) == set(KLUE_SPECIALS)
