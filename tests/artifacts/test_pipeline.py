"""The encoder that a folder becomes: parts, options, sentencepiece models, and refusals of malformed ones."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeModel
from pretune.artifacts.class_pipeline import Refused, merges_of
from pretune.artifacts.pipeline import as_class, as_file, class_spec, parts_of
from pretune.artifacts.post_processor import adds_tokens, pair_types
from pretune.core.errors import UserError
from small_model import healthy_tokenizer
from tokenizer_samples import (
    WORDS,
    byte_level_spec,
    differences,
    one_sentence,
    read,
    sentencepiece,
    unigram_spec,
    write,
)

NEEDS = "compares with what the installed transformers makes of the same folder"
CHARSMAP = base64.b64encode((1024).to_bytes(4, "little") + bytes(1025)).decode()
MAPPED = {"type": "Precompiled", "precompiled_charsmap": CHARSMAP}


def declared(name: str, **config: Any) -> dict[str, Any]:
    """A tokenizer_config.json."""
    return {"tokenizer_config.json": {"tokenizer_class": name, **config}}


CLASSES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
for name in ("GPT2", "Roberta", "GPTNeoX", "Qwen2", "Deberta", "Blenderbot", "Llama", "Gemma", "CodeGen"):
    cls = f"{name}Tokenizer"
    spec = {"tokenizer.json": byte_level_spec()}
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    CLASSES[f"{cls}"] = ({**declared(cls), **spec}, {})
    CLASSES[f"{cls}, prefix"] = ({**declared(cls), **spec}, {"add_prefix_space": True})
    CLASSES[f"{cls}, bos"] = ({**declared(cls, **tokens), **spec}, {"add_bos_token": True})
for name in ("GPT2", "Roberta", "Qwen2", "PreTrained"):
    model = byte_level_spec()["model"]
    files = {"vocab.json": model["vocab"], "merges.txt": "#version: 0.2\n" + "\n".join(model["merges"]) + "\n"}
    CLASSES[f"{name} in two files"] = (
        {**declared(f"{name}Tokenizer", add_bos_token=True, bos_token="<s>"), **files},
        {},
    )
for name in ("XLMRoberta", "T5", "DebertaV2", "Camembert", "XLNet", "RemBert", "BigBird", "XGLM"):
    cls = f"{name}Tokenizer"
    mapped = {"tokenizer.json": unigram_spec(normalizer={"type": "Sequence", "normalizers": [MAPPED]})}
    CLASSES[f"{cls}"] = ({**declared(cls, unk_token="<unk>"), "tokenizer.json": unigram_spec()}, {})
    CLASSES[f"{cls}, mapped"] = ({**declared(cls, unk_token="<unk>"), **mapped}, {})
    for option in ("do_lower_case", "keep_accents", "add_prefix_space", "split_by_punct"):
        for value in (True, False):
            CLASSES[f"{cls}, {option} {value}"] = ({**declared(cls, unk_token="<unk>"), **mapped}, {option: value})


@pytest.mark.parametrize("name", CLASSES)
def test_classes(tmp_path: Path, name: str) -> None:
    """Each class's own parts, with its options, are as the installed transformers makes them."""
    pytest.importorskip("transformers", reason=NEEDS)
    files, kwargs = CLASSES[name]
    assert differences(write(tmp_path, files), **kwargs) == []


ROWS = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("<ent>", 0.0, 4), ("한국", 0.0, 4)] + [
    (piece, -float(rank), 1) for rank, piece in enumerate("▁ 어 ▁어 모 델 모델 을 a b ab ▁a . , !".split(), 1)
]


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("LlamaTokenizer", "tokenizer.model"), ("PreTrainedTokenizerFast", "tokenizer.model"),
        ("XLMRobertaTokenizer", "sentencepiece.bpe.model"), ("T5Tokenizer", "spiece.model"),
        ("DebertaV2Tokenizer", "spm.model"), ("XLNetTokenizer", "spiece.model"),
    ],
)  # fmt: skip
def test_sentencepiece_alone(tmp_path: Path, name: str, file: str, kind: int) -> None:
    """A folder with nothing but a `.model` file becomes what transformers makes of it."""
    pytest.importorskip("transformers", reason=NEEDS)
    pytest.importorskip("google.protobuf", reason="transformers needs protobuf to read sentencepiece models")
    folder = write(tmp_path, {**declared(name, unk_token="<unk>"), file: sentencepiece(ROWS, kind=kind)})
    assert differences(folder) == []


def test_sentencepiece_alone_encodes(tmp_path: Path) -> None:
    """The generic class reads tokenizer.model: user-defined pieces are cut out first, spaces become marks."""
    folder = write(tmp_path, {**declared("PreTrainedTokenizerFast"), "tokenizer.model": sentencepiece(ROWS, kind=2)})
    tokenizer = read(folder)
    assert as_class(tokenizer).encode("한국어 ab<ent>").tokens == ["한국", "어", "▁", "ab", "<ent>"]
    assert tokenizer.special == {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


def test_merges_of_pieces() -> None:
    """Every split of a piece into two pieces is a merge, the lowest id first."""
    ids = {token: index for index, token in enumerate(["a", "b", "c", "ab", "abc", "bc"])}
    assert merges_of(ids) == ["a b", "a bc", "ab c", "b c"]
    assert merges_of({"a": 0, "b" * 10**6: 1}) == []


def test_kobert_cannot_be_made(shared_assets: Path) -> None:
    """KoBERT's folder declares a class of its own and has no tokenizer.json: transformers refuses it, and so do we."""
    with pytest.raises(Refused, match=r"TokenizersBackend cannot be made from spiece\.model: it needs tokenizer.json"):
        as_class(read(shared_assets / "tokenizers" / "kobert"))


def test_pieces_without_scores(make_model: MakeModel) -> None:
    """A Unigram class over a WordPiece vocabulary is refused, as transformers does with a TypeError."""
    folder = make_model(tokenizer_config={"tokenizer_class": "XLMRobertaTokenizer"}, weights=False)
    with pytest.raises(Refused, match=r"made of pieces with scores, and tokenizer.json holds WordPiece"):
        as_class(read(folder))


@pytest.mark.parametrize(
    ("kwargs", "config", "why"),
    [
        ({}, {"tokenizer_class": "BertJapaneseTokenizer"}, "not built on the tokenizers library"),
        ({"trust_remote_code": True}, {"auto_map": {"AutoTokenizer": ["x.T", None]}}, "code of its own"),
    ],
)
def test_not_run(make_model: MakeModel, kwargs: dict[str, Any], config: dict[str, Any], why: str) -> None:
    """Classes in Python and code of the repository's own are not run; nothing is refused in transformers' name."""
    with pytest.raises(UserError, match=why) as raised:
        as_class(read(make_model(tokenizer_config=config, weights=False), **kwargs))
    assert not isinstance(raised.value, Refused)


def broken(**parts: Any) -> dict[str, Any]:
    """A tokenizer.json of the generic class with malformed parts."""
    return healthy_tokenizer(WORDS) | parts


@pytest.mark.parametrize(
    "value",
    [
        broken(pre_tokenizer={"type": "NoSuchThing"}),
        broken(normalizer={"type": "Replace", "pattern": {"Regex": "("}, "content": ""}),
        broken(normalizer={"type": "Precompiled", "precompiled_charsmap": ""}),
        broken(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAAAA=="}),
        broken(normalizer={"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA="}),
        broken(normalizer={"type": "Precompiled", "precompiled_charsmap": "!"}),
        broken(model={"type": "WordPiece", "vocab": {"a": 0}}),
        broken(model={"type": "BPE", "vocab": {"a": 0}, "merges": ["x y"]}),
        broken(model={"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7}),
        broken(post_processor={"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {"[X]": {}}}),
        broken(added_tokens=[{"content": "x"}]),
        unigram_spec(model={"type": "Unigram", "unk_id": 0, "vocab": []}),
    ],
)
def test_malformed(tmp_path: Path, value: dict[str, Any]) -> None:
    """What the tokenizers library cannot load, and what it panics on, is one sentence or works; never a traceback."""
    tokenizer = read(write(tmp_path, {**declared("PreTrainedTokenizerFast"), "tokenizer.json": value}))
    for make in (as_file, as_class):
        message = one_sentence(make, tokenizer)
        assert not message or "cannot be loaded as a tokenizer" in message


def test_truncation_and_padding_are_off(make_model: MakeModel) -> None:
    """What tokenizer.json has baked in never cuts what a rule measures."""
    cut = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    tokenizer = read(make_model(tokenizer_json={"truncation": cut}, weights=False))
    assert len(as_file(tokenizer).encode("a " * 20).ids) == len(as_class(tokenizer).encode("a " * 20).ids) == 22


def test_nothing_is_changed(make_model: MakeModel) -> None:
    """Building leaves what was read as it was."""
    tokenizer = read(make_model(weights=False), do_lower_case=True)
    before = json.dumps([tokenizer.spec, dict(tokenizer.config), dict(tokenizer.cls.pipeline or {})])
    class_spec(tokenizer)
    as_class(tokenizer)
    assert json.dumps([tokenizer.spec, dict(tokenizer.config), dict(tokenizer.cls.pipeline or {})]) == before
    assert parts_of(tokenizer)["normalizer"]["lowercase"] is True


SEGMENTS = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}]}


@pytest.mark.parametrize(
    ("processor", "adds", "types"),
    [
        (None, False, set()),
        ({"type": "ByteLevel"}, False, set()),
        ({**SEGMENTS, "pair": [*SEGMENTS["single"], {"Sequence": {"id": "B", "type_id": 1}}]}, False, {0, 1}),
        (healthy_tokenizer(WORDS)["post_processor"], True, {0, 1}),
        ({"type": "RobertaProcessing"}, True, {0}),
        ({"type": "BertProcessing"}, True, {0, 1}),
        ({"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "BertProcessing"}]}, True, {0, 1}),
        ({"type": "Sequence", "processors": None}, False, set()),
        ("nonsense", False, set()),
    ],
)
def test_templates(processor: Any, adds: bool, types: set[int]) -> None:
    """Special tokens and segments of each kind of post-processor."""
    assert (adds_tokens(processor), set(pair_types(processor))) == (adds, types)


@given(
    seed=st.integers(0, 2**32), name=st.sampled_from(["LlamaTokenizer", "PreTrainedTokenizerFast", "XLNetTokenizer"])
)
def test_mutated_sentencepiece(seed: int, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Changed bytes of a `.model` file are read and built, or are one sentence."""
    chance = random.Random(seed)
    content = bytearray(sentencepiece(ROWS, kind=chance.choice([1, 2]), charsmap=base64.b64decode(CHARSMAP)))
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(content) - 1200) if chance.random() < 0.8 else chance.randrange(len(content))
        content[at : at + chance.randint(0, 6)] = bytes(chance.randrange(256) for _ in range(chance.randint(0, 4)))
    files = {"tokenizer.model": bytes(content), "spiece.model": bytes(content), **declared(name, unk_token="<unk>")}
    folder = write(tmp_path_factory.mktemp("m"), files)
    one_sentence(lambda: as_class(read(folder)).encode("한국어 ab<ent>"))
