"""TOK0: tokenizer files against one another and against the class that reads them."""

from typing import Any

import pytest

from ask_rules import found, is_asked, levels, one
from conftest import MakeModel
from pretune.check.rules.tokenizer_files import (
    RULES,
    added_token_ids_disagree,
    class_of_another_algorithm,
    class_unknown,
    pipeline_dropped,
    special_token_files_disagree,
    tokenizer_not_loadable,
    truncation_baked_in,
)
from pretune.check.sources.setup import Setup
from tokenizer_samples import COUNT, HOLED, decoder, flags, spec, unigram_spec, write

UNDECLARED: dict[str, Any] = {"config": {"tokenizer_class": ...}, "tokenizer_config": {"tokenizer_class": ...}}
METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
LOWER = {
    "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["bert", "roberta"])
@pytest.mark.parametrize("rule", RULES)
def test_healthy(make_model: MakeModel, kind: str, rule: Any) -> None:
    """A healthy folder is asked and quiet, with tokenizer.json and without."""
    for name, keys in (("both", {}), ("alone", {"tokenizer_json": None})):
        setup = Setup(model=str(make_model(kind, name=name, **keys)))
        assert is_asked(rule, setup)
        assert found(rule, setup) == []


def test_t30(make_model: MakeModel) -> None:
    """T30: a WordPiece vocabulary under model_type roberta without tokenizer_class."""
    problem = one(found(class_of_another_algorithm, Setup(model=str(make_model("roberta", **UNDECLARED)))))
    assert problem.level == "error"
    assert problem.message == (
        "the vocabulary is WordPiece, but transformers reads it as RobertaTokenizer, which is BPE (model_type roberta)"
    )


def test_t30_without_tokenizer_json(make_model: MakeModel) -> None:
    """With vocab.txt alone the class finds none of its files and starts from nothing."""
    folder = make_model("roberta", tokenizer_json=None, **UNDECLARED)
    message = one(found(class_of_another_algorithm, Setup(model=str(folder)))).message
    assert "finds no vocab.json or merges.txt, and makes 5 tokens: the 179 of vocab.txt are not read" in message


def test_same_algorithm_by_another_class(make_model: MakeModel) -> None:
    """DistilBertTokenizer over a WordPiece vocabulary, and the generic class over any."""
    for name in ("DistilBertTokenizer", "PreTrainedTokenizerFast", "ElectraTokenizerFast"):
        folder = make_model(name=name, tokenizer_config={"tokenizer_class": name})
        assert found(class_of_another_algorithm, Setup(model=str(folder))) == []


def test_pre_tokenizer_dropped(make_model: MakeModel) -> None:
    """T39: BertTokenizer puts its own pre-tokenizer in the place of the file's."""
    problem = one(found(pipeline_dropped, Setup(model=str(make_model(tokenizer_json={"pre_tokenizer": METASPACE})))))
    assert problem.level == "error"
    assert problem.message.startswith(
        "BertTokenizer brings its own pre_tokenizer (BertPreTokenizer, the file has Metaspace)"
    )


def test_normalizer_dropped(make_model: MakeModel) -> None:
    """T09: the file says lower case, the config says nothing to that effect."""
    problem = one(found(pipeline_dropped, Setup(model=str(make_model(tokenizer_json={"normalizer": LOWER})))))
    assert "lowercase False, the file has True" in problem.message


@pytest.mark.parametrize(
    "keys",
    [
        {"tokenizer_json": {"normalizer": LOWER}, "tokenizer_config": {"do_lower_case": True}},
        {
            "tokenizer_json": {"pre_tokenizer": METASPACE},
            "tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast"},
        },
        {"tokenizer_json": {"decoder": None}},
        {"tokenizer_json": {"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}}},
    ],
)
def test_pipeline_kept(make_model: MakeModel, keys: dict[str, Any]) -> None:
    """The option in the config, the generic class, a decoder, and another spelling of one template change nothing."""
    assert found(pipeline_dropped, Setup(model=str(make_model(**keys)))) == []


def test_white_space_alone(shared_assets: Any) -> None:
    """Llama 2 differs in leading spaces only, which is a note."""
    setup = Setup(tokenizer=str(shared_assets / "tokenizers" / "llama2"))
    assert levels(found(pipeline_dropped, setup)) == ["note"]


def test_class_unknown(make_model: MakeModel) -> None:
    """A class of one's own: an error where nothing else loads, a note beside tokenizer.json, quiet with auto_map."""
    config = {"tokenizer_class": "KoBERTTokenizer"}
    alone = make_model(name="a", tokenizer_config=config, tokenizer_json=None)
    assert levels(found(class_unknown, Setup(model=str(alone)))) == ["error"]
    beside = make_model(name="b", tokenizer_config=config)
    assert levels(found(class_unknown, Setup(model=str(beside)))) == ["note"]
    remote = make_model(name="c", tokenizer_config={**config, "auto_map": {"AutoTokenizer": ["x.T", None]}})
    assert found(class_unknown, Setup(model=str(remote))) == []
    for known in ("BertJapaneseTokenizer", "ConvBertTokenizerFast", "BloomTokenizerFast"):
        folder = make_model(name=known, tokenizer_config={"tokenizer_class": known})
        assert found(class_unknown, Setup(model=str(folder))) == []


def test_not_loadable(make_model: MakeModel, tmp_path: Any) -> None:
    """vocab.txt without a class that reads it, and pieces without scores, do not load in transformers either."""
    undeclared = {"tokenizer_class": ...}
    folder = make_model(config={"model_type": "foobar"}, tokenizer_config=undeclared, tokenizer_json=None)
    problem = one(found(tokenizer_not_loadable, Setup(tokenizer=str(folder))))
    assert problem.level == "error"
    assert problem.message.startswith("TokenizersBackend cannot be made from vocab.txt: it needs tokenizer.json")
    unigram = make_model(name="u", tokenizer_config={"tokenizer_class": "XLMRobertaTokenizer"})
    assert "made of pieces with scores" in one(found(tokenizer_not_loadable, Setup(model=str(unigram)))).message
    healthy = {"tokenizer.json": unigram_spec(), "tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"}}
    assert found(tokenizer_not_loadable, Setup(tokenizer=str(write(tmp_path / "x", healthy)))) == []


def test_kobert(shared_assets: Any) -> None:
    """KoBERT's folder is one error: its class lives in a package of its own."""
    setup = Setup(model=str(shared_assets / "tokenizers" / "kobert"))
    assert levels(found(class_unknown, setup)) == ["error"]
    assert found(tokenizer_not_loadable, setup) == []


def test_stated_ids(make_model: MakeModel) -> None:
    """T27, X02: ids stated beside the vocabulary that are not the tokenizer's."""
    conflict = {"added_tokens_decoder": decoder({0: flags("[CLS]", special=True), 2: flags("[SEP]", special=True)})}
    problem = one(found(added_token_ids_disagree, Setup(model=str(make_model(tokenizer_config=conflict)))))
    assert problem.message == "tokenizer_config.json gives `[CLS]` (and 1 more) the id 0, but the tokenizer gives it 2"
    assert problem.where.endswith("tokenizer_config.json:/added_tokens_decoder/0")
    beyond = make_model(name="b", tokenizer_json=spec(HOLED, {"id": COUNT + 5, **flags("<ent>")}))
    assert (
        "tokenizer.json gives `<ent>` the id" in one(found(added_token_ids_disagree, Setup(model=str(beyond)))).message
    )
    added = make_model(name="c", files={"added_tokens.json": {"<ent>": 500}})
    assert (
        "added_tokens.json gives `<ent>` the id 500"
        in one(found(added_token_ids_disagree, Setup(model=str(added)))).message
    )


def test_special_token_files(make_model: MakeModel) -> None:
    """X01: two files name different tokens for a role; the one that counts is named; the caller's word ends the quarrel."""
    folder = str(make_model(special_tokens_map={"pad_token": "[unused0]"}))
    problem = one(found(special_token_files_disagree, Setup(model=folder)))
    assert problem.message.endswith("but `[PAD]` in tokenizer_config.json; `[unused0]` is used")
    assert found(special_token_files_disagree, Setup(model=folder, tokenizer_kwargs={"pad_token": "[PAD]"})) == []


def test_truncation(make_model: MakeModel) -> None:
    """T38: truncation and padding in tokenizer.json are noted."""
    cut = {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0}
    padded = {
        "strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
        "pad_token": "[PAD]",
    }  # fmt: skip
    problem = one(
        found(truncation_baked_in, Setup(model=str(make_model(tokenizer_json={"truncation": cut, "padding": padded}))))
    )
    assert problem.level == "note"
    assert problem.message == (
        "tokenizer.json cuts every text at 16 tokens by itself and pads to 16; model_max_length is 64"
    )


def test_truncation_in_transformers(make_model: MakeModel) -> None:
    """Transformers does not apply the file's truncation unless asked to truncate."""
    transformers = pytest.importorskip("transformers", reason="shows what the docstring says of transformers")
    cut = {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0}
    folder = make_model(tokenizer_json={"truncation": cut})
    loaded = transformers.AutoTokenizer.from_pretrained(str(folder))
    assert len(loaded("a " * 40)["input_ids"]) == 42
