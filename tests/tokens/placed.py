"""Folders of the made tokenizers, and an own judgement of where a word stands: shared by the tests of tokens."""

import json
from dataclasses import dataclass

from corpus.made_tokenizers import made as made_tokenizers
from pretune.artifacts.folder import FolderSource
from pretune.artifacts.pipeline import as_class
from pretune.artifacts.tokenizer import read_tokenizer

_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
DECODERS = {
    "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "wordpiece-uncased": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "unigram": _METASPACE,
    "unigram-unsplit": _METASPACE,
    "llama2": {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    },
}
"""What puts tokens together again, as published tokenizers of these families have it."""


@dataclass(frozen=True)
class Spare:
    """A slot as spare.py gives it."""

    id: int
    name: str
    kind: str


def folder(path, name):
    """A folder with a made tokenizer as a plain tokenizer.json."""
    made = made_tokenizers()[name]
    path.mkdir(parents=True, exist_ok=True)
    spec = json.loads(made.to_str())
    spec["decoder"] = spec["decoder"] or DECODERS.get(name)
    (path / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False, indent=2), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": unknown_of(made)}
    (path / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in config.items() if v}), encoding="utf-8")
    return path


def unknown_of(made):
    """The unknown token's text, None without one."""
    return next((token for token in ("[UNK]", "<unk>") if made.token_to_id(token) is not None), None)


def tokenizer_in(path):
    """The folder's tokenizer as the artifacts read it."""
    return read_tokenizer(FolderSource(path.name, path))


def encoder_of(path):
    """The folder's encoder as transformers 5 builds it."""
    return as_class(tokenizer_in(path))


def write(path, plan):
    """Lay a plan's files over a folder."""
    for name, data in plan.files.items():
        (path / name).write_bytes(data)
    return path


def ids(encoder, text):
    """Ids without special tokens."""
    return encoder.encode(text, add_special_tokens=False).ids
