"""What is read from a tokenizer folder, against what AutoTokenizer of transformers 5 makes of the same folder."""

from pathlib import Path
from typing import Any

import pytest

from conftest import MakeModel
from tokenizer_samples import COUNT, HOLED, WORDS, decoder, differences, flags, spec

NEEDS = "compares with what the installed transformers makes of the same folder"
FAST = {"tokenizer_class": "PreTrainedTokenizerFast"}
UNDECLARED = {"tokenizer_class": ...}
BACKEND_ONLY = {"tokenizer_config": UNDECLARED, "config": {"tokenizer_class": ...}}

REAL = (
    "bert-base-cased", "bert-base-multilingual-cased", "bert-base-uncased", "exaone4-1.2b", "gpt2", "kcbert-base",
    "klue-bert-base-reconstructed", "klue-roberta-base", "kobert", "kobert-converted", "kobigbird", "koelectra-base-v1",
    "koelectra-base-v3", "kogpt2-base-v2", "kpfbert", "llama2", "roberta-base",
)  # fmt: skip
LARGE = ("llama3.1", "qwen3", "xlm-roberta-base")


@pytest.mark.parametrize("name", [*REAL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)])
def test_real_folders(shared_assets: Path, name: str) -> None:
    """Ids, vocabulary, special tokens, limits and input names are transformers' own on published tokenizers."""
    pytest.importorskip("transformers", reason=NEEDS)
    assert differences(shared_assets / "tokenizers" / name) == []


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("klue-roberta-base", {"do_lower_case": True}),
        ("klue-roberta-base", {"strip_accents": True}),
        ("bert-base-uncased", {"do_lower_case": False, "tokenize_chinese_chars": False}),
        ("roberta-base", {"add_prefix_space": True, "trim_offsets": False}),
        ("gpt2", {"pad_token": "<|endoftext|>", "add_prefix_space": True}),
        ("gpt2", {"add_bos_token": True, "bos_token": "<s>"}),
        ("llama2", {"add_eos_token": True, "legacy": True}),
        ("llama2", {"add_prefix_space": False, "pad_token": "<pad>"}),
        ("kogpt2-base-v2", {"additional_special_tokens": ["<ent>", "한국"]}),
    ],
)
def test_real_folders_with_arguments(shared_assets: Path, name: str, kwargs: dict[str, Any]) -> None:
    """Keyword arguments change a tokenizer as they change AutoTokenizer's."""
    pytest.importorskip("transformers", reason=NEEDS)
    assert differences(shared_assets / "tokenizers" / name, **kwargs) == []


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
LOWER = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None}
PADDED = {
    "strategy": "BatchLongest",
    "pad_to_multiple_of": None,
    "pad_id": 5,
    "pad_type_id": 0,
    "pad_token": "[unused0]",
}
SPECIAL = {"special": True}
ONE = {"additional_special_tokens": ["<ent>", "<e1>"]}

FOLDERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "healthy": ({}, {}),
    "roberta": ({"model_type": "roberta"}, {}),
    "do_lower_case": ({}, {"do_lower_case": True}),
    "do_lower_case, accents kept": ({}, {"do_lower_case": True, "strip_accents": False}),
    "do_lower_case left to the class": ({"tokenizer_config": {"do_lower_case": ...}}, {}),
    "strip_accents": ({}, {"strip_accents": True}),
    "pad_token given": ({}, {"pad_token": "[unused0]"}),
    "pad_token new": ({}, {"pad_token": "<new>"}),
    "pad_token null": ({}, {"pad_token": None}),
    "pad_token null in the file": ({"tokenizer_config": {"pad_token": None}, "special_tokens_map": None}, {}),
    "cls and sep given": ({}, {"cls_token": "[unused1]", "sep_token": "[unused2]"}),
    "unk_token absent": ({"tokenizer_config": {"unk_token": "<unk>"}}, {}),
    "extra tokens given": ({}, ONE),
    "extra tokens by name": ({}, {"extra_special_tokens": {"image_token": "<ent>"}}),
    "extra tokens in both keys": ({"tokenizer_config": {"extra_special_tokens": ["<new>"], **ONE}}, {}),
    "extra tokens in the map": ({"special_tokens_map": ONE}, {}),
    "extra tokens in the map, which is not read": (
        {
            "special_tokens_map": ONE,
            "tokenizer_config": {"added_tokens_decoder": decoder({0: flags("[PAD]", **SPECIAL)})},
        },
        {},
    ),
    "image_token": ({"tokenizer_config": {"image_token": "<ent>"}}, {}),
    "the map alone": ({"tokenizer_config": None, "special_tokens_map": {"pad_token": "[unused0]"}}, {}),
    "the map says otherwise": ({"special_tokens_map": {"pad_token": "[unused0]"}}, {}),
    "neither config nor map": ({"tokenizer_config": None, "special_tokens_map": None}, {}),
    "model_max_length": ({}, {"model_max_length": 12}),
    "no model_max_length": ({"tokenizer_config": {"model_max_length": ...}}, {}),
    "max_len": ({"tokenizer_config": {"model_max_length": ..., "max_len": 77}}, {}),
    "input names": ({"tokenizer_config": {"model_input_names": ["input_ids"]}}, {}),
    "left padding": ({}, {"padding_side": "left"}),
    "special tokens are split": ({}, {"split_special_tokens": True}),
    "T30: WordPiece under roberta": ({"model_type": "roberta", **BACKEND_ONLY}, {}),
    "T39: the file's pre-tokenizer": ({"tokenizer_json": {"pre_tokenizer": METASPACE}}, {}),
    "T39: the generic class keeps it": ({"tokenizer_config": FAST, "tokenizer_json": {"pre_tokenizer": METASPACE}}, {}),
    "the file's lower case": ({"tokenizer_json": {"normalizer": {**LOWER, "lowercase": True}}}, {}),
    "the file's truncation": (
        {
            "tokenizer_json": {
                "truncation": {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
            }
        },
        {},
    ),
    "the file's padding": (
        {
            "tokenizer_config": {"pad_token": ..., **FAST},
            "tokenizer_json": {"padding": {**PADDED, "direction": "Left"}},
        },
        {},
    ),
    "no post-processor": ({"tokenizer_json": {"post_processor": None}}, {}),
    "no post-processor, generic class": ({"tokenizer_config": FAST, "tokenizer_json": {"post_processor": None}}, {}),
    "bos asked for, none there": ({"tokenizer_config": FAST}, {"add_bos_token": True}),
    "bos and eos asked for": (
        {"tokenizer_config": {**FAST, "bos_token": "[CLS]", "eos_token": "[SEP]"}},
        {"add_bos_token": True, "add_eos_token": True},
    ),
    "bos asked for in the file": ({"tokenizer_config": {**FAST, "bos_token": "[CLS]", "add_bos_token": True}}, {}),
    "vocab.txt alone": ({"tokenizer_json": None}, {}),
    "vocab.txt and nothing else": ({"tokenizer_json": None, "tokenizer_config": None, "special_tokens_map": None}, {}),
    "vocab.txt with a blank line and a duplicate": (
        {"tokenizer_json": None, "files": {"vocab.txt": "\n".join([*WORDS[:50], WORDS[7], "", *WORDS[50:]])}},
        {},
    ),
    "vocab.txt of Windows": ({"tokenizer_json": None, "files": {"vocab.txt": "\r\n".join(WORDS) + "\r\n"}}, {}),
    "vocab.txt with white space": (
        {"tokenizer_json": None, "files": {"vocab.txt": " \n".join([*WORDS, "a\u2028b"])}},
        {},
    ),
    "vocab.txt with a byte order mark": (
        {"tokenizer_json": None, "files": {"vocab.txt": "\ufeff" + "\n".join(WORDS)}},
        {},
    ),
    "holes": ({"tokenizer_json": spec(HOLED)}, ONE),
    "holes, stated ids": (
        {
            "tokenizer_json": spec(HOLED),
            "tokenizer_config": {"added_tokens_decoder": decoder({200: flags("<ent>"), COUNT + 3: flags("<new>")})},
        },
        {},
    ),
    "holes, ids stated in tokenizer.json": (
        {"tokenizer_json": spec(HOLED, {"id": COUNT + 2, **flags("<ent>")}, {"id": COUNT + 9, **flags("entity")})},
        {},
    ),
    "holes, the last token is added too": ({"tokenizer_json": spec(HOLED, {"id": COUNT - 1, **flags(WORDS[-1])})}, ONE),
    "holes, generic class": (
        {"tokenizer_config": FAST, "tokenizer_json": spec(HOLED, {"id": COUNT - 1, **flags(WORDS[-1])})},
        ONE,
    ),
    "added tokens in tokenizer.json": (
        {
            "tokenizer_json": spec(
                None, {"id": COUNT, **flags("<ent>", lstrip=True)}, {"id": COUNT + 1, **flags("entity")}
            )
        },
        {},
    ),
    "added_tokens_decoder contradicts": (
        {
            "tokenizer_config": {
                "added_tokens_decoder": decoder({0: flags("[CLS]", **SPECIAL), 2: flags("[SEP]", **SPECIAL)})
            }
        },
        {},
    ),
    "added_tokens_decoder changes flags": (
        {
            "tokenizer_config": {
                **FAST,
                "added_tokens_decoder": decoder({4: flags("[MASK]", lstrip=True, special=True)}),
            }
        },
        {},
    ),
    "added_tokens.json": ({"files": {"added_tokens.json": {"<ent>": COUNT, "entity": COUNT + 1}}}, {}),
    "added_tokens.json clashes": ({"files": {"added_tokens.json": {"<ent>": 0, "entity": 1}}}, {}),
    "added_tokens.json beside vocab.txt": (
        {"tokenizer_json": None, "files": {"added_tokens.json": {"<ent>": COUNT}}},
        {},
    ),
    "a class nobody knows": ({"tokenizer_config": {"tokenizer_class": "KoFooTokenizer"}}, {}),
    "a class nobody knows, vocab.txt alone": (
        {"tokenizer_config": {"tokenizer_class": "KoFooTokenizer"}, "tokenizer_json": None},
        {},
    ),
    "a class with its own defaults": ({"tokenizer_config": {"tokenizer_class": "MPNetTokenizer"}}, {}),
    "a class with a token of its own": ({"tokenizer_config": {"tokenizer_class": "SplinterTokenizer"}}, {}),
    "an old name": ({"tokenizer_config": {"tokenizer_class": "ElectraTokenizer"}}, {}),
    "a class that keeps the file": ({"tokenizer_config": {"tokenizer_class": "ConvBertTokenizer"}}, {}),
    "a class with inherited options": (
        {"tokenizer_config": {"tokenizer_class": "DistilBertTokenizer"}},
        {"do_lower_case": True, "strip_accents": False},
    ),
    "a class of another algorithm": ({"tokenizer_config": {"tokenizer_class": "XLMRobertaTokenizer"}}, {}),
    "model type without a table": ({"config": {"model_type": "foobar"}, "tokenizer_config": UNDECLARED}, {}),
    "model type gpt2": ({"config": {"model_type": "gpt2"}, "tokenizer_config": UNDECLARED}, {}),
    "long words": ({"tokenizer_json": {"model": {**spec()["model"], "max_input_chars_per_word": 10}}}, {}),
    "another prefix": ({"tokenizer_json": {"model": {**spec()["model"], "continuing_subword_prefix": "@@"}}}, {}),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_small_folders(make_model: MakeModel, name: str) -> None:
    """Faults and options change our reading exactly as they change AutoTokenizer's."""
    pytest.importorskip("transformers", reason=NEEDS)
    keys, kwargs = FOLDERS[name]
    folder = make_model(
        keys.get("model_type", "bert"), weights=False, **{k: v for k, v in keys.items() if k != "model_type"}
    )
    assert differences(folder, **kwargs) == []
