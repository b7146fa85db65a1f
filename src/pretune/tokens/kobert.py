"""Makes a folder that plain transformers loads of SKT's KoBERT: its sentencepiece model, vocabulary and weights.

KoBERT's own ways are gluonnlp with mxnet, or a tokenizer class from a package of its own; neither is needed for the
result, nor is sentencepiece. Whether the ids are the same is kobert_check.py's business.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import parse_json
from pretune.artifacts.sentencepiece_model import parse
from pretune.core.errors import UserError
from pretune.core.files import read_bounded
from pretune.tokens.byte_copy import link_or_copy
from pretune.tokens.kobert_tokenizer import kobert_tokenizer
from pretune.tokens.kobert_vocabulary import saved_vocabulary, vocabulary_of
from pretune.tokens.swap import whole_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.artifacts.sentencepiece_model import SentencePieceModel
    from pretune.tokens.kobert_vocabulary import KobertVocabulary

MADE_BY = "pretune tokens import-kobert"

_MODEL_NAMES = (".model", ".spiece")
_WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")
_POSITIONS = 512
"""KoBERT's positions, where no config says them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written.

    Attributes:
        folder: where.
        files: their names, sorted.
        entries: how many ids the tokenizer has.
        specials: special token -> id.
        notes: what the user should know: what is not there, what cannot be exact.
    """

    folder: Path
    files: tuple[str, ...]
    entries: int
    specials: Mapping[str, int]
    notes: tuple[str, ...]


def import_kobert(source: Path, out: Path, *, vocabulary: Path | None = None) -> Imported:
    """Write the tokenizer folder, with config and weights where the source has them.

    Args:
        source: the sentencepiece model, or the folder that holds it.
        out: the folder that shall appear, whole or not at all.
        vocabulary: a vocabulary that gluonnlp saved; None: the one beside the model, else as gluonnlp builds it.

    Raises:
        UserError: nothing there that is KoBERT's, or `out` cannot be written.
    """
    file = model_file(source)
    data = read_bounded(file, label=str(file))
    model = parse(data, name=str(file))
    told, said_by = _vocabulary(file, vocabulary, model)
    made = kobert_tokenizer(model, told)
    notes = [*made.notes, *([f"ids are those of {said_by}"] if said_by else [])]
    config, config_notes = _config(file.parent, len(told.tokens), told) if source.is_dir() else (None, [])
    files: dict[str, bytes] = {
        "tokenizer.json": made.text.encode(),
        "tokenizer_config.json": _json(_tokenizer_config(told, config)),
        "special_tokens_map.json": _json(dict(told.roles)),
    }
    if told.as_model:
        files["spiece.model"] = data
    else:
        notes.append("the sentencepiece model is left out: its ids are others than the vocabulary's")
    if config is not None:
        files["config.json"] = read_bounded(file.parent / "config.json")
    carried = _weights(file.parent) if source.is_dir() else []
    if config is None:
        notes.append("there is no config.json: load the model from its own folder")
    elif not carried:
        notes.append("there are no weights: load the model from its own folder")
    with whole_folder(out, made_by=MADE_BY) as beside:
        for name, content in files.items():
            (beside / name).write_bytes(content)
        for path in carried:
            link_or_copy(path, beside / path.name)
    names = tuple(sorted([*files, *(path.name for path in carried)]))
    return Imported(Path(out), names, len(told.tokens), dict(made.specials), (*notes, *config_notes))


def model_file(source: Path) -> Path:
    """The sentencepiece model that is meant."""
    if not source.exists():
        raise UserError(f"{source} does not exist", hint="name KoBERT's sentencepiece model or the folder it lies in")
    if not source.is_dir():
        return source
    found = sorted(path for path in source.iterdir() if path.suffix in _MODEL_NAMES and path.is_file())
    if not found:
        raise UserError(
            f"{source} holds no sentencepiece model (*.model, *.spiece)",
            hint="name the file itself, if it is elsewhere",
        )
    if len(found) > 1:
        raise UserError(
            f"{source} holds {len(found)} sentencepiece models: {', '.join(path.name for path in found)}",
            hint="name the file that is meant",
        )
    return found[0]


def _vocabulary(file: Path, given: Path | None, model: SentencePieceModel) -> tuple[KobertVocabulary, str]:
    """The vocabulary, and the name of the file that says it (empty: the model itself)."""
    candidates = [given] if given else sorted(file.parent.glob("*vocab*.json"))
    for path in candidates:
        told = parse_json(read_bounded(path, label=str(path)), str(path))
        if given or (isinstance(told, dict) and "idx_to_token" in told):
            told = told if isinstance(told, dict) else {}
            return saved_vocabulary(told, model, name=str(path)), path.name
    return vocabulary_of(model), ""


def _config(folder: Path, entries: int, told: KobertVocabulary) -> tuple[dict[str, Any] | None, list[str]]:
    """config.json beside the model, and where it does not fit the tokenizer; it is carried as it is."""
    path = folder / "config.json"
    if not path.is_file():
        return None, []
    config = parse_json(read_bounded(path), str(path))
    if not isinstance(config, dict):
        raise UserError(f"{path} holds no JSON object")
    notes = []
    if config.get("vocab_size") != entries:
        notes.append(f"config.json has vocab_size {config.get('vocab_size')}, the tokenizer {entries:,} ids")
    pad = told.tokens.index(told.roles["pad_token"])
    if config.get("pad_token_id", pad) != pad:
        notes.append(f"config.json has pad_token_id {config['pad_token_id']}, the tokenizer {pad}")
    return config, notes


def _tokenizer_config(told: KobertVocabulary, config: Mapping[str, Any] | None) -> dict[str, Any]:
    """tokenizer_config.json: the class that takes tokenizer.json as it is, whatever the model is."""
    positions = (config or {}).get("max_position_embeddings")
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions if isinstance(positions, int) else _POSITIONS,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        **told.roles,
    }


def _weights(folder: Path) -> list[Path]:
    """The weights' files: one, or an index and its shards."""
    found = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    for index in [path for path in found if path.name.endswith(".index.json")]:
        told = parse_json(read_bounded(index), str(index))
        shards = told.get("weight_map") if isinstance(told, dict) else None
        names = set(shards.values()) if isinstance(shards, dict) else set()
        found += [folder / name for name in sorted(map(str, names)) if os.path.basename(name) == name]  # noqa: PTH119
    missing = next((path for path in found if not path.is_file()), None)
    if missing is not None:
        raise UserError(f"{missing} does not exist, though the weights' index names it")
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
