"""Which data in memory are rows that a person wrote, and which are token ids already; the columns of a live data set.

Knows the classes of `datasets` by their names alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pretune.corpus.in_memory import kind_of
from pretune.corpus.shape import columns_for, recognise

SHAPES: Mapping[str, tuple[str, ...]] = {
    "question-answering": ("squad",),
    "text-classification": ("classification", "pair"),
    "pair-classification": ("classification", "pair"),
    "token-classification": ("tagging",),
    "sentence-similarity": ("sts", "pair"),
    "chat-sft": ("chat",),
    "causal-lm": ("text",),
    "masked-lm": ("text",),
}
"""The task -> the shapes of rows whose rules may be asked."""

NEEDED: Mapping[str, frozenset[str]] = {
    "squad": frozenset({"question", "context", "answers"}),
    "classification": frozenset({"text", "label"}),
    "pair": frozenset({"text", "text_pair", "label"}),
    "tagging": frozenset({"tokens", "tags"}),
    "sts": frozenset({"text", "text_pair", "score"}),
    "text": frozenset({"text"}),
}
"""The shape of rows -> what must be there; a set that has lost some was encoded, and its rules would ask for them."""

PLAIN = ("text", "question", "context", "text_pair", "tokens")
"""Roles whose columns hold text."""


def columns_of(data: Any) -> tuple[str, ...]:
    """The columns of a data set; empty where it has none, or none that can be had without reading it."""
    names = getattr(data, "column_names", None)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    if isinstance(data, list | tuple) and data and isinstance(data[0], Mapping):
        return tuple(map(str, data[0]))
    return ()


def encoded(data: Any) -> bool:
    """Whether the rows hold token ids."""
    return any(name.endswith("input_ids") for name in columns_of(data))


def raw_rows(data: Any, task: str | None) -> Any:
    """The data with the columns that hold text and labels; None where there are none that suit the task."""
    columns = columns_of(data)
    if task is None or task not in SHAPES or kind_of(data) != "Dataset" or not columns or not len(data):
        return None
    plain = data.with_format(None)
    row = plain[0]
    shape = recognise(columns, row)
    if shape not in SHAPES[task]:
        return None
    roles = columns_for(shape, row)
    if not NEEDED.get(shape, frozenset()) <= set(roles):
        return None
    texts = [row.get(column) for role, column in roles.items() if role in PLAIN]
    if shape != "chat" and (not texts or not all(isinstance(text, str | list) for text in texts)):
        return None
    kept = [name for name in columns if not _of_a_model(name, row.get(name))]
    return plain.select_columns(kept) if len(kept) < len(columns) else plain


def _of_a_model(name: str, value: Any) -> bool:
    """Whether a column is what a tokenizer made."""
    made = ("input_ids", "attention_mask", "token_type_ids", "offset_mapping", "special_tokens_mask", "word_ids")
    return name.endswith(made) or (name == "labels" and isinstance(value, list))
