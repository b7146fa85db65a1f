"""A PEFT adapter in the folder: whether it holds full tables, and whether its rows are the base's: pitfall 22.

The base is AGAINST, else the folder that the adapter names, else the folder itself. Reads headers only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_object
from pretune.artifacts.weights import read_adapter
from pretune.core.errors import UserError
from pretune.tokens.id_shapes import EMBEDDING_ENDINGS, HEAD_ENDINGS
from pretune.tokens.tables import find_tables
from pretune.tokens.verify_result import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.artifacts.source import Source
    from pretune.artifacts.tensor_table import Tensor

CONFIG = "adapter_config.json"
_WRAPPED = re.compile(r"\.(modules_to_save(\.\w+)?|base_layer|original_module|token_adapter)(?=\.)")


def judge_adapter(source: Source, *, largest: int, base: int | None) -> Iterator[Fault | str]:
    """Faults and proofs of an adapter.

    Args:
        source: the folder.
        largest: the largest id of its tokenizer; -1: none.
        base: rows of the base's embedding; None: not known.
    """
    adapter = read_adapter(source)
    if adapter is None:
        return
    told: Mapping[str, Any] = read_object(source, CONFIG) if source.has(CONFIG) else {}
    rows = base if base is not None else _rows_of(told.get("base_model_name_or_path"))
    full = {name: tensor for name, tensor in adapter.tensors.items() if _is_table(name, tensor)}
    where = source.at(adapter.files[0] if adapter.files else CONFIG)
    wrong = {name: tensor for name, tensor in full.items() if rows is not None and tensor.shape[0] != rows}
    if wrong:
        name, tensor = next(iter(wrong.items()))
        message = (
            f"the adapter's {name} has {tensor.shape[0]:,} rows and the base's embedding {rows:,}: loading it on the "
            "base as published fails; resize the base first, or put the tokens into spare slots"
        )
        yield Fault("adapter-does-not-fit", message, where, "error", 22)
    elif full:
        size = sum(tensor.bytes for tensor in full.values())
        share = size / max(sum(tensor.bytes for tensor in adapter.tensors.values()), 1)
        message = (
            f"the adapter stores {len(full)} full tables, {size:,} bytes, {share:.0%} of it; train only the new rows "
            "(trainable_token_indices) and save with save_embedding_layers=False"
        )
        yield Fault("adapter-holds-tables", message, where, "warning", 22)
    indices = [at for at in _indices(told.get("trainable_token_indices")) if rows is not None and at >= rows]
    if indices:
        message = f"trainable_token_indices names id {max(indices):,} and the base's embedding has {rows:,} rows"
        yield Fault("adapter-does-not-fit", message, source.at(CONFIG, "/trainable_token_indices"), "error", 22)
    if rows is not None and largest >= rows and not full:
        message = (
            f"the tokenizer beside the adapter gives ids up to {largest:,}, the base's embedding has {rows:,} rows, "
            "and the adapter brings no table"
        )
        yield Fault("adapter-does-not-fit", message, where, "error", 22)
    if not full and not indices:
        yield "the adapter stores no full table" + ("" if rows is None else " and its tokens have rows in the base")


def _is_table(name: str, tensor: Tensor) -> bool:
    """Whether a tensor is a whole embedding or head rather than a low-rank part or single rows of one."""
    if len(tensor.shape) != 2 or "lora_" in name or "trainable_tokens" in name:
        return False
    bare = _WRAPPED.sub("", name)
    return any(bare == ending or bare.endswith(f".{ending}") for ending in (*EMBEDDING_ENDINGS, *HEAD_ENDINGS))


def _indices(value: Any) -> Iterator[int]:
    for part in value.values() if isinstance(value, Mapping) else [value]:
        if isinstance(part, list):
            yield from (at for at in part if isinstance(at, int))


def _rows_of(name: Any) -> int | None:
    """Rows of a base that lies on this machine; a hub name is not looked up."""
    if not isinstance(name, str) or not name or not Path(name).is_dir():
        return None
    try:
        return find_tables(name).rows
    except UserError:
        return None
