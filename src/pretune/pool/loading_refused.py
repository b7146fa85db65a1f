"""Why transformers cannot load a folder, said by its files where they know better: refusal. Loads nothing itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pretune.artifacts.config import read_config
from pretune.artifacts.source import FolderSource
from pretune.artifacts.vocabulary import vocabulary_files
from pretune.artifacts.weights import read_weights
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.source import Source


OPENED = (".safetensors", ".bin", ".json")
"""Endings of the files that transformers opens."""


def may_be_read(source: Source) -> None:
    """Raise for a file whose rights forbid to read it: safetensors would say that there is none.

    Raises:
        UserError: there is such a file.
    """
    for file in sorted(source.names()) if isinstance(source, FolderSource) else ():
        path = source.path(file) if file.endswith(OPENED) else None
        if path is not None and not os.access(path, os.R_OK):
            raise UserError(f"{source.at(file)} cannot be read: permission denied")


def refusal(source: Source, error: BaseException) -> UserError:
    """What to tell of an error that transformers raised while it loaded a model.

    Args:
        source: the model's files.
        error: whatever was raised; libraries have their own kinds.
    """
    said = first_line(error)
    if isinstance(error, TypeError) and "NoneType" in said:  # Funnel has two base models
        said = "its config.json names no `architectures` to choose one of several models by"
    elif isinstance(source, FolderSource) and not source.has("adapter_config.json"):
        try:
            found = _of_the_files(source)
        except UserError as broken:  # no config.json, or one that is no JSON
            found = broken
        if found is not None:
            return found
    return UserError(
        f"transformers cannot load {source.label}: {said}", hint=f"`pretune check {source.label}` says more"
    )


def without_tokenizer(source: Source) -> UserError:
    """One line for a folder from whose files no tokenizer can be made."""
    return UserError(
        f"{source.label} has no tokenizer: no tokenizer.json, vocab.txt, vocab.json or sentencepiece model",
        hint="copy the tokenizer's files there",
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's text, for one line of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _of_the_files(source: FolderSource) -> UserError | None:
    """What is wrong with the files; None where nothing is known to be."""
    read_config(source)
    weights = read_weights(source)
    if weights is None or weights.format == "none":
        return UserError(
            f"{source.label} has no weights: no model.safetensors and no pytorch_model.bin",
            hint="give a model with its weights",
        )
    if weights.troubles:
        return UserError(
            f"{source.label}: {weights.troubles[0].message}", hint=f"`pretune check {source.label}` says more"
        )
    return None if vocabulary_files(source) else without_tokenizer(source)
