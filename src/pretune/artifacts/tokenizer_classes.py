"""Which class transformers picks for a tokenizer folder, and what that class does by itself.

The table beside this file is made by scripts/build_tokenizer_classes.py from transformers 5. Knows nothing of a
particular vocabulary.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
BACKEND = "TokenizersBackend"
_GENERIC = frozenset({BACKEND, "PreTrainedTokenizerFast", "PreTrainedTokenizer", "PythonBackend", "BloomTokenizer"})


@dataclass(frozen=True, slots=True)
class TokenizerClass:
    """What a tokenizer class of transformers 5 brings along.

    Attributes:
        name: without "Fast", and under its present name (LxmertTokenizer is BertTokenizer now).
        model: "WordPiece", "BPE", "Unigram"; None: any.
        rebuilds: it takes only vocabulary and merges from tokenizer.json and makes the rest itself.
        inputs: its model_input_names.
        padding_side: "right" or "left".
        files: the vocabulary files it looks for beside tokenizer.json.
        special: role -> token it assumes when the files say nothing.
        flags: role -> flags it gives a token that the files name by its text alone.
        extra: further tokens it assumes (`question_token`).
        more: special tokens it adds when the files list none (T5's sentinels).
        options: constructor options and their defaults (do_lower_case, add_prefix_space, ...).
        variants: option -> value as JSON -> parts of the pipeline that it makes otherwise then.
        pipeline: normalizer, pre_tokenizer, post_processor, decoder in tokenizer.json's words, with `@cls_token@` for
            the token of a role; `mapped_normalizer` is the normalizer where a file has a sentencepiece map. None: not
            known.
        own_template: its post-processor stands whatever the file says.
        follows_flags: add_bos_token and add_eos_token change its post-processor.
        made: the model type it builds.
        model_options: options of that model in tokenizer.json's words.
        empty: the vocabulary it makes when it finds no file.
        reorders: pieces of a sentencepiece model do not keep their ids in it.
        known: False for a class that is not in the table: one written in Python, or one with code of its own.
    """

    name: str
    model: str | None = None
    rebuilds: bool = False
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")
    padding_side: str = "right"
    files: tuple[str, ...] = ()
    special: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Mapping[str, bool]] = field(default_factory=dict, repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict, repr=False)
    pipeline: Mapping[str, Any] | None = field(default=None, repr=False)
    own_template: bool = False
    follows_flags: bool = True
    made: str | None = None
    model_options: Mapping[str, Any] = field(default_factory=dict)
    empty: tuple[str, ...] = field(default=(), repr=False)
    reorders: bool = False
    known: bool = True


@cache
def _table() -> dict[str, Any]:
    path = Path(__file__).with_name("tokenizer_classes.json")
    table: dict[str, Any] = json.loads(path.read_bytes())
    return table


def table_version() -> str:
    """The transformers version that the table was made from."""
    return str(_table()["transformers"])


@cache
def tokenizer_class(name: str) -> TokenizerClass:
    """The class of this name, with or without "Fast"; an unknown one is described by its name alone."""
    classes = _table()["classes"]
    row = classes.get(name) or classes.get(name.removesuffix("Fast"))
    if row is not None and "is" in row:
        row = classes[row["is"]]
    if row is None:
        return TokenizerClass(name=name.removesuffix("Fast"), known=False)
    return TokenizerClass(
        name=row["name"],
        model=row["model"],
        rebuilds=row["rebuilds"],
        inputs=tuple(row["inputs"]),
        padding_side=row["padding_side"],
        files=tuple(row["files"]),
        special=row["special"],
        flags=row.get("flags", {}),
        extra=row["extra"],
        more=tuple(row.get("more", ())),
        options=row["options"],
        variants=row.get("variants", {}),
        pipeline=row.get("pipeline"),
        own_template=row.get("own_template", False),
        follows_flags=row.get("follows_flags", True),
        made=row.get("type"),
        model_options=row.get("model_options", {}),
        empty=tuple(row.get("empty", ())),
        reorders=row["reorders_sentencepiece"],
    )


def exists(name: str) -> bool:
    """Whether transformers 5 has a tokenizer class of this name."""
    bare = name.removesuffix("Fast")
    table = _table()
    return {name, bare} & table["classes"].keys() != set() or name in _GENERIC or bare in table["python_classes"]


def for_model_type(model_type: str) -> str | None:
    """The class registered for a model type, or None."""
    name = _table()["by_model_type"].get(model_type)
    return str(name).removesuffix("Fast") if name else None


def pick(declared: str | None, model_type: str | None, *, byte_level: bool, label: str = "") -> tuple[str, str]:
    """The class AutoTokenizer of transformers 5 takes, and in a few words why.

    Args:
        declared: `tokenizer_class` of tokenizer_config.json, else of config.json.
        model_type: config.json's.
        byte_level: whether tokenizer.json has a byte-level pre-tokenizer or decoder.
        label: the folder or hub name as given: some names on the hub are known to declare a wrong class.

    Follows AutoTokenizer.from_pretrained of transformers 5.23 (models/auto/tokenization_auto.py).
    """
    if any(fnmatch(label.lower(), pattern) for pattern in _table()["backend_names"]):
        return BACKEND, "the hub name is on transformers' list"
    registered = for_model_type(model_type) if model_type else None
    forced = model_type in _table()["forced_to_backend"]
    if registered == "MistralCommonBackend":  # needs the package mistral-common; plain transformers goes on without it
        registered = BACKEND
    if declared:
        bare = declared if declared == "PreTrainedTokenizerFast" else declared.removesuffix("Fast")
        if bare == "LlamaTokenizer" and byte_level and not forced:
            return BACKEND, "LlamaTokenizer is declared, but tokenizer.json is byte-level"
        if registered and registered != bare:
            if registered not in _GENERIC:
                name = registered if forced else bare
                if name not in _GENERIC and exists(name):
                    return name, "tokenizer_class" if name == bare else f"model_type {model_type} overrules {declared}"
            return BACKEND, f"tokenizer_class {declared}"
        if bare in _GENERIC or not exists(bare):
            return BACKEND, f"tokenizer_class {declared}"
        return bare, "tokenizer_class"
    if registered:
        return (BACKEND if registered in _GENERIC else registered), f"model_type {model_type}"
    return BACKEND, "neither tokenizer_class nor a known model_type"
