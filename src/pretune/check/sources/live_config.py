"""How a live config differs from the one it was loaded from, as edits of a Setup. Imports nothing itself.

Both are compared as transformers reads them, so that defaults, old names and what loading adds are no differences.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.artifacts.source import Source

NOT_SAID = frozenset({
    "dtype", "torch_dtype", "transformers_version", "architectures", "model_type", "auto_map", "name_or_path",
    "return_dict", "use_cache", "gradient_checkpointing", "quantization_config", "attn_implementation",
    "output_hidden_states", "output_attentions", "peft_config", "vocab_size", "chunk_size_feed_forward", "pruned_heads",
})  # fmt: skip
"""Keys that loading, saving, the Trainer or a resize change, and nobody else."""

LABELS = ("id2label", "label2id")
SPECIAL = "_token_id"
MOST = 64 * 2**20
"""Bytes of a config.json that is read."""


def edits_of(config: Any, source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the live config says otherwise: keys as given to from_pretrained, and keys as set afterwards.

    Token ids count as set afterwards: the Trainer of transformers 5 aligns them with the tokenizer.
    """
    saved = _reread(config, source)
    if saved is None:
        return {}, {}
    given: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for key, new in config.to_dict().items():
        old = saved.get(key)
        if key.startswith("_") or key in NOT_SAID or key in LABELS or old == new or not _plain(new):
            continue
        (later if key.endswith(SPECIAL) else given)[key] = new
    labels, before = getattr(config, "id2label", None), saved.get("id2label")
    if isinstance(labels, dict) and labels != before:
        if all(name == f"LABEL_{index}" for index, name in labels.items()):
            given["num_labels"] = len(labels)
        else:
            given |= {"id2label": dict(labels), "label2id": dict(getattr(config, "label2id", None) or {})}
    return given, later


def _reread(config: Any, source: Source) -> Mapping[str, Any] | None:
    """The saved config as transformers reads it; None where it cannot, or where it is another type's."""
    try:
        raw = json.loads(source.read("config.json", limit=MOST))
        if raw.get("model_type") != config.model_type:
            return None
        saved: Mapping[str, Any] = type(config).from_dict(raw).to_dict()
    except Exception:  # noqa: BLE001 - a config with code of its own may raise anything; then nothing is compared
        return None
    return saved


def _plain(value: Any) -> bool:
    """Whether a setup can say it: no nested config, no object."""
    return (
        value is None
        or isinstance(value, bool | int | float | str)
        or (isinstance(value, list) and all(isinstance(one, bool | int | float | str) for one in value))
    )


def write_config(config: Any, folder: Path) -> None:
    """A folder with the config alone, for a model that was loaded from nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json_string(use_diff=False), encoding="utf-8")
