"""Which pooling a model's own files declare: declared_choice. Reads files; asks no model and computes nothing.

sentence-transformers' Pooling module comes first, then the config's own word for its classification head
(classifier_pooling, summary_type). What is declared was trained or at least meant; it is the default to beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.sentence_files import read_sentence_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.source import Source

_OF_SENTENCE_TRANSFORMERS = {
    "cls": "cls",
    "mean": "mean",
    "mean_sqrt_len_tokens": "mean",
    "max": "max",
    "weightedmean": "weighted_mean",
    "lasttoken": "last_token",
}
_OF_CLASSIFIER = {"cls": "cls", "bos": "cls", "mean": "mean"}
_OF_SUMMARY = {"first": "cls", "last": "last_token", "mean": "mean", "cls_index": "last_token"}
"""`cls_index` is GPT-2's own: transformers takes the last token where no index comes with the batch."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the files say.

    Attributes:
        pooling: one of choice.POOLINGS; empty when nothing is declared, or something that is no single pooling.
        by: the file and key that say so.
        said: the word that stands there.
        max_length: tokens that sentence-transformers cuts at; None when it is silent.
    """

    pooling: str = ""
    by: str = ""
    said: str = ""
    max_length: int | None = None


def declared_choice(source: Source, config: Mapping[str, Any]) -> Declared:
    """The pooling that a model's folder declares.

    Args:
        source: its files.
        config: its config.json, or the config of a live model as a mapping.
    """
    files = read_sentence_files(source)
    if files.switched or files.declared:
        # with no mode on, sentence-transformers 6 takes the mean without a word.
        said = "+".join(files.modes) or "mean"
        return Declared(_OF_SENTENCE_TRANSFORMERS.get(said, ""), source.at(files.file), said, files.max_seq_length)
    key, word, pooling = _of_config(config)
    if key:
        return Declared(pooling, source.at("config.json", f"/{key}"), word, files.max_seq_length)
    return Declared(max_length=files.max_seq_length)


def declared_by_objects(config: Mapping[str, Any], *, mode: str = "", max_length: int | None = None) -> Declared:
    """The pooling that live objects declare.

    Args:
        config: the model's config as a mapping.
        mode: what sentence-transformers' Pooling module says of itself (`mean`, `cls+max`); empty without one.
        max_length: tokens that sentence-transformers cuts at; None when it is silent.
    """
    if mode:
        return Declared(_OF_SENTENCE_TRANSFORMERS.get(mode, ""), "its Pooling module", mode, max_length)
    key, word, pooling = _of_config(config)
    return Declared(pooling, f"config.{key}" if key else "", word, max_length)


def _of_config(config: Mapping[str, Any]) -> tuple[str, str, str]:
    """The key of a config that declares a pooling, what it says, and which pooling that is; empty: none does."""
    for key, names in (("classifier_pooling", _OF_CLASSIFIER), ("summary_type", _OF_SUMMARY)):
        word = config.get(key)
        if isinstance(word, str) and word in names:
            return key, word, names[word]
    return "", "", ""
