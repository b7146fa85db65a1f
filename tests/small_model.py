"""Writes small model folders that transformers loads: BERT and RoBERTa with a Korean and English WordPiece vocabulary.

Knows no torch: safetensors are a length, a JSON header and zeros, which the file system does not even store.
"""

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""In the order of BERT: [PAD] is 0."""
KLUE_SPECIALS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
"""In the order of klue/roberta-base: [CLS] is 0, [PAD] is 1."""

_HANGUL = "한국어모델을학습니다나는가이의에서로와고하지만질문답변안녕세요대민수도울"
_WORDS = (
    "한국",
    "한국어",
    "모델",
    "질문",
    "대한민국",
    "##입니다",
    "##에서",
    "the",
    "model",
    "question",
    "##ing",
)
_PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789.,?!()'\"-"

BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "U8": 1, "BOOL": 1}


def words(specials: Iterable[str] = BERT_SPECIALS, *, unused: int = 10) -> list[str]:
    """A vocabulary with Hangul and Latin letters, each also as a continuation (`##한`), and `unused` spare slots."""
    hangul = list(dict.fromkeys(_HANGUL))
    single = [*_PLAIN, *hangul]
    continued = [f"##{letter}" for letter in single if letter.isalnum()]
    return [*specials, *(f"[unused{number}]" for number in range(unused)), *single, *continued, *_WORDS]


def sizes_of(model_type: str) -> dict[str, Any]:
    """The architecture keys of a small model, as they stand in its config.json."""
    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
    }
    return sizes | ({"max_position_embeddings": 66, "type_vocab_size": 1} if model_type == "roberta" else {})


def config_of(model_type: str, vocabulary: list[str], sizes: Mapping[str, Any], model_class: str) -> dict[str, Any]:
    """A healthy config.json."""
    config = {
        "architectures": [model_class],
        "model_type": model_type,
        **sizes,
        "vocab_size": sizes.get("vocab_size", len(vocabulary)),
        "pad_token_id": vocabulary.index("[PAD]"),
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-5 if model_type == "roberta" else 1e-12,
    }
    if model_type == "roberta":
        config |= {"bos_token_id": vocabulary.index("[CLS]"), "eos_token_id": vocabulary.index("[SEP]")}
        config["tokenizer_class"] = "BertTokenizer"
    return config


def shapes_of(config: Mapping[str, Any], model_class: str) -> dict[str, tuple[int, ...]]:
    """The tensors that transformers saves for a `Bert…` or `Roberta…` class (`BertModel`, `RobertaForMaskedLM` …)."""
    model_type = config["model_type"]
    hidden, inner, rows = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    labels = config.get("num_labels", 2)
    bare = model_class.endswith("Model")
    prefix = "" if bare else f"{model_type}."
    body: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (rows, hidden),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        **_norm("embeddings.LayerNorm", hidden),
    }
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            body |= _linear(f"{layer}.attention.{part}", hidden, hidden)
        body |= _norm(f"{layer}.attention.output.LayerNorm", hidden)
        body |= _linear(f"{layer}.intermediate.dense", inner, hidden)
        body |= _linear(f"{layer}.output.dense", hidden, inner)
        body |= _norm(f"{layer}.output.LayerNorm", hidden)
    if bare or (model_type == "bert" and model_class.endswith(("SequenceClassification", "PreTraining"))):
        body |= _linear("pooler.dense", hidden, hidden)
    return {f"{prefix}{name}": shape for name, shape in body.items()} | _head(
        model_type, model_class, hidden, rows, labels
    )


def _head(model_type: str, model_class: str, hidden: int, rows: int, labels: int) -> dict[str, tuple[int, ...]]:
    if model_class.endswith(("MaskedLM", "PreTraining")) and model_type == "bert":
        transform = "cls.predictions.transform"
        head = _linear(f"{transform}.dense", hidden, hidden) | _norm(f"{transform}.LayerNorm", hidden)
        following = _linear("cls.seq_relationship", 2, hidden) if model_class.endswith("PreTraining") else {}
        return head | {"cls.predictions.bias": (rows,)} | following
    if model_class.endswith("MaskedLM"):
        return (
            _linear("lm_head.dense", hidden, hidden) | _norm("lm_head.layer_norm", hidden) | {"lm_head.bias": (rows,)}
        )
    if model_class.endswith("QuestionAnswering"):
        return _linear("qa_outputs", 2, hidden)
    if model_class.endswith("SequenceClassification") and model_type == "roberta":
        return _linear("classifier.dense", hidden, hidden) | _linear("classifier.out_proj", labels, hidden)
    if model_class.endswith("Classification"):
        return _linear("classifier", labels, hidden)
    return {}


def _linear(name: str, out: int, into: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def safetensors_header(shapes: Shapes, *, dtype: str = "F32", metadata: Mapping[str, str] | None = None) -> bytes:
    """The length and the JSON header of a safetensors file, as `safetensors` writes them (aligned to 8 bytes)."""
    header: dict[str, Any] = {"__metadata__": dict(metadata if metadata is not None else {"format": "pt"})}
    offset = 0
    for name, shape in shapes.items():
        size = BYTES[dtype]
        for edge in shape:
            size *= edge
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def write_safetensors(
    path: Path, shapes: Shapes, *, dtype: str = "F32", metadata: Mapping[str, str] | None = None
) -> int:
    """Write a safetensors file of zeros that takes next to no disk; give back its length in bytes."""
    header = safetensors_header(shapes, dtype=dtype, metadata=metadata)
    entries = json.loads(header[8:])
    data = max((entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"), default=0)
    with path.open("wb") as out:
        out.write(header)
        out.truncate(len(header) + data)
    return len(header) + data


def healthy_tokenizer(
    vocabulary: list[str], *, specials: Iterable[str] = BERT_SPECIALS, pair_type: int = 1
) -> dict[str, Any]:
    """A tokenizer.json as BertTokenizerFast saves it: WordPiece, [CLS] A [SEP] B [SEP]."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    cls, sep = ids["[CLS]"], ids["[SEP]"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}

    def piece(name: str, number: int) -> dict[str, Any]:
        return {"SpecialToken" if name[0] == "[" else "Sequence": {"id": name, "type_id": number}}

    single = [piece("[CLS]", 0), piece("A", 0), piece("[SEP]", 0)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": ids[token], "content": token, **flags} for token in sorted(specials, key=ids.__getitem__)
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": False,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, piece("B", pair_type), piece("[SEP]", pair_type)],
            "special_tokens": {
                "[CLS]": {"id": "[CLS]", "ids": [cls], "tokens": ["[CLS]"]},
                "[SEP]": {"id": "[SEP]", "ids": [sep], "tokens": ["[SEP]"]},
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": ids,
        },
    }


def healthy_tokenizer_config(model_type: str) -> dict[str, Any]:
    """A healthy tokenizer_config.json."""
    config: dict[str, Any] = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "model_max_length": 64,
        **healthy_special_tokens(model_type),
    }
    return config | ({"model_input_names": ["input_ids", "attention_mask"]} if model_type == "roberta" else {})


def healthy_special_tokens(model_type: str) -> dict[str, Any]:
    """A healthy special_tokens_map.json; klue's RoBERTa gives [CLS] and [SEP] as bos and eos too."""
    roles = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "sep", "pad", "cls", "mask")}
    return roles | ({"bos_token": "[CLS]", "eos_token": "[SEP]"} if model_type == "roberta" else {})


def write_model(
    folder: Path,
    model_type: str = "bert",
    *,
    model_class: str = "",
    sizes: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    vocabulary: list[str] | None = None,
    tensors: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    dtype: str = "F32",
    metadata: Mapping[str, str] | None = None,
    tokenizer_config: Mapping[str, Any] | None = {},
    special_tokens_map: Mapping[str, Any] | None = {},
    tokenizer_json: Mapping[str, Any] | None = {},
    weights: bool = True,
    files: Mapping[str, Any] | None = None,
) -> Path:
    """What the fixture `make_model` does (conftest.py explains the keywords), for benches and subprocesses."""
    roberta = model_type == "roberta"
    specials = KLUE_SPECIALS if roberta else BERT_SPECIALS
    model_class = model_class or ("RobertaModel" if roberta else "BertModel")
    vocabulary = vocabulary if vocabulary is not None else words(specials)
    base = config_of(model_type, vocabulary, sizes_of(model_type) | dict(sizes or {}), model_class)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "config.json", _changed(base, config))
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), "utf-8")
    whole = healthy_tokenizer(vocabulary, specials=specials, pair_type=0 if roberta else 1)
    for name, healthy, change in (
        ("tokenizer_config", healthy_tokenizer_config(model_type), tokenizer_config),
        ("special_tokens_map", healthy_special_tokens(model_type), special_tokens_map),
        ("tokenizer", whole, tokenizer_json),
    ):
        if change is not None:
            _write(folder / f"{name}.json", _changed(healthy, change))
    if weights:
        shapes = shapes_of(base, model_class)
        shapes = dict(tensors(shapes)) if callable(tensors) else _changed(shapes, tensors)
        write_safetensors(folder / "model.safetensors", shapes, dtype=dtype, metadata=metadata)
    for name, content in (files or {}).items():
        _write(folder / name, content)
    return folder


def _changed(table: Mapping[str, Any], change: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (dict(table) | dict(change or {})).items() if value is not ...}


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
        path.write_text(text, "utf-8")
