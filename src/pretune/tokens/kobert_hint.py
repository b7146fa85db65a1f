"""Tells who names a KoBERT folder, which transformers cannot load, what makes one of it that it can: told_of_import."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pretune.artifacts.json_file import read_object
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.source import Source

ENTRIES = 8002
"""Of KoBERT's sentencepiece model."""


@contextmanager
def told_of_import(source: Source) -> Iterator[None]:
    """Let a refusal of a KoBERT folder name `pretune tokens import-kobert`."""
    try:
        yield
    except UserError as error:
        if not _is_kobert(source):
            raise
        raise UserError(
            error.message, hint=f"it is KoBERT's: pretune tokens import-kobert {source.label} --out DIR"
        ) from None


def _is_kobert(source: Source) -> bool:
    """Whether a folder without tokenizer.json says that it is KoBERT's, or holds its sentencepiece model."""
    from pretune.artifacts.sentencepiece_model import parse

    if source.has("tokenizer.json"):
        return False
    try:
        if source.has("tokenizer_config.json"):
            named = str(read_object(source, "tokenizer_config.json").get("tokenizer_class", ""))
            if named.lower().startswith("kobert"):
                return True
        files = [name for name in source.names() if name.endswith((".model", ".spiece"))]
        return any(len(parse(source.read(name), name=name).pieces) == ENTRIES for name in files)
    except (UserError, OSError):
        return False
