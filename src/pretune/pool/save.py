"""Write a choice as a folder that SentenceTransformer loads and that gives the same vectors: save, Saved.

modules.json, the transformer with the layers it needs, and the modules behind it, in the form that old and new versions
of sentence-transformers read. The package itself is not needed to write it. A choice that none of its modules can do is
refused. Vectors are those of the model as loaded, in its precision.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.pool.poolers import document_weights
from pretune.pool.save_folder import new_folder
from pretune.pool.shaping import projection
from pretune.pool.shorter import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.pool.choice import Choice
    from pretune.pool.load import Loaded
    from pretune.pool.one_pass import Sweep

MODES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "": "pooling_mode_mean_sqrt_len_tokens",
    "weighted_mean": "pooling_mode_weightedmean_tokens",
    "last_token": "pooling_mode_lasttoken",
}
"""A pooling -> its switch in 1_Pooling/config.json, which versions 0.3 to 6 read."""

WEIGHTED = ("mean_words", "idf", "sif")
"""Poolings that are a mean of weighted words."""

_SAMPLES = 4
"""Sentences on which a shortened model must agree."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written.

    Attributes:
        folder: the model's folder.
        layers: layers that were kept.
        notes: what to know when using it, a sentence each.
    """

    folder: Path
    layers: int
    notes: tuple[str, ...] = ()


def save(loaded: Loaded, found: Sweep, choice: Choice, folder: str | Path, *, force: bool = False) -> Saved:
    """Write one choice of a sweep as a model of sentence-transformers.

    Args:
        loaded: the model that was swept.
        found: the sweep; weights of words and shapings are fitted on its sentences.
        choice: one with layers.
        folder: where to; written beside and put in place when it is whole.
        force: replace a folder that is there.

    Raises:
        UserError: no module does this choice, the folder is there already, or it cannot be written.
    """
    _possible(loaded, choice)
    lengths = sorted({len(ids): place for place, ids in enumerate(found.sentences.ids) if len(ids)}.items())
    samples = [found.sentences.ids[place] for _, place in lengths[:: max(1, len(lengths) // _SAMPLES)]]
    shorter = shorten(loaded.model, choice.layers, samples)
    notes = _notes(loaded)
    with new_folder(folder, own=loaded.name, force=force) as beside:
        modules = [("", "Transformer")]
        _write_transformer(beside, loaded, shorter.model, all_layers=not shorter.last)
        width = int(found.vectors.table.shape[-1])
        if not shorter.last:
            modules.append((_next(modules, "WeightedLayerPooling"), "WeightedLayerPooling"))
            _write_mix(beside / modules[-1][0], choice.layers, shorter.layers, width)
        if choice.pooling in WEIGHTED:
            modules.append((_next(modules, "WordWeights"), "WordWeights"))
            _write_words(beside / modules[-1][0], loaded, found, choice.pooling)
        modules.append((_next(modules, "Pooling"), "Pooling"))
        _write_pooling(beside / modules[-1][0], _mode(loaded, choice), width)
        if choice.shaping != "raw":
            modules.append((_next(modules, "Dense"), "Dense"))
            _write_shaping(beside / modules[-1][0], found, choice)
        listed = [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for place, (path, kind) in enumerate(modules)
        ]
        _write_json(beside / "modules.json", listed)
        _write_json(beside / "config_sentence_transformers.json", {"prompts": {}, "similarity_fn_name": "cosine"})
    from pathlib import Path

    return Saved(Path(folder), shorter.layers, notes)


def _possible(loaded: Loaded, choice: Choice) -> None:
    """Raise for what no module of sentence-transformers does."""
    if not choice.layers:
        raise UserError(f"{choice.name} is a baseline, not a model", hint="save a choice that has layers")
    if choice.pooling not in MODES and choice.pooling not in WEIGHTED:
        raise UserError(
            f"sentence-transformers has no module for {choice.pooling.replace('_', ' ')}",
            hint=f"can be saved: {', '.join([*filter(None, MODES), *WEIGHTED])}",
        )
    if _is_part(loaded.model) and loaded.model.config.model_type not in ("t5", "mt5"):
        raise UserError(
            f"the encoder of {loaded.model.config.model_type} alone cannot be loaded by sentence-transformers",
            hint="of encoder-decoder models, T5 and mT5 can be saved",
        )
    if not loaded.looks.even_layers:
        raise UserError(
            "the model's layers have states of different lengths, which no Pooling module averages",
            hint="choose a model with one state for each token",
        )


def _notes(loaded: Loaded) -> tuple[str, ...]:
    """What a user of the folder must know."""
    if loaded.looks.right_padding or loaded.looks.left_padding:
        return ()
    return ("any padding changes this model's states: encode(..., batch_size=1) gives the vectors measured here",)


def _mode(loaded: Loaded, choice: Choice) -> str:
    """The mode of the Pooling module."""
    if choice.pooling == "cls" and loaded.sentence_token == -1:
        return "last_token"
    return "mean" if choice.pooling in WEIGHTED else choice.pooling


def _next(modules: list[tuple[str, str]], kind: str) -> str:
    """The folder of the next module, as sentence-transformers names it: `1_Pooling`."""
    return f"{len(modules)}_{kind}"


def _write_transformer(beside: Path, loaded: Loaded, model: Any, *, all_layers: bool) -> None:
    """The model, its tokenizer with a padding side that is safe, and how many tokens it reads."""
    import copy

    tokenizer = copy.deepcopy(loaded.tokenizer)
    if loaded.looks.right_padding or loaded.looks.left_padding:
        tokenizer.padding_side = "right" if loaded.looks.right_padding else "left"
    if loaded.max_length is not None:
        tokenizer.model_max_length = loaded.max_length
    before = model.config
    try:
        model.config = copy.deepcopy(before)
        model.config.output_hidden_states = all_layers
        _as_it_is_loaded(model).save_pretrained(beside)
    finally:
        model.config = before
    if all_layers:
        # transformers leaves it out of config.json when saving; sentence-transformers asks the config for it.
        written = json.loads((beside / "config.json").read_bytes())
        _write_json(beside / "config.json", {**written, "output_hidden_states": True})
    tokenizer.save_pretrained(beside)
    _write_json(beside / "sentence_bert_config.json", {"max_seq_length": loaded.max_length, "do_lower_case": False})


def _as_it_is_loaded(model: Any) -> Any:
    """The model within the class by which sentence-transformers loads it: T5's encoder has one of its own."""
    if not _is_part(model):
        return model
    import torch
    import transformers

    with torch.device("meta"):  # its own weights are none that are kept
        whole = transformers.AutoModelForTextEncoding.from_config(model.config)
    whole.encoder = model
    whole.set_input_embeddings(model.get_input_embeddings())
    return whole.to(dtype=next(model.parameters()).dtype)


def _is_part(model: Any) -> bool:
    """Whether it is a part of what AutoModel loads for its config: the encoder of an encoder-decoder."""
    import transformers

    known = transformers.MODEL_MAPPING.get(type(model.config), type(model))
    return not isinstance(model, known)


def _write_mix(folder: Path, layers: tuple[int, ...], count: int, width: int) -> None:
    """Weights of layers: 1 for those of the choice, 0 for the others."""
    import torch

    start = min(layers)
    weights = torch.tensor([float(layer in layers) for layer in range(start, count + 1)])
    settings = {"word_embedding_dimension": width, "layer_start": start, "num_hidden_layers": count}
    _write_module(folder, settings, {"layer_weights": weights})


def _write_words(folder: Path, loaded: Loaded, found: Sweep, pooling: str) -> None:
    """Weights of words; 0 for what the tokenizer's template puts around a sentence."""
    import numpy as np
    import torch

    by_id = {place: token for token, place in loaded.tokenizer.get_vocab().items()}
    size = 1 + max(by_id)
    vocabulary = [by_id.get(place, f"[no token {place}]") for place in range(size)]
    idf, sif = document_weights(found.sentences.ids, found.sentences.special, size)
    weights = {"idf": idf, "sif": sif, "mean_words": np.ones(size, dtype=np.float32)}[pooling].copy()
    for ids, special in zip(found.sentences.ids, found.sentences.special, strict=True):
        weights[ids[special]] = 0.0
    table = dict(zip(vocabulary, weights.tolist(), strict=True))
    settings = {"vocab": vocabulary, "word_weights": table, "unknown_word_weight": 1}
    _write_module(folder, settings, {"emb_layer.weight": torch.from_numpy(weights)[:, None]})


def _write_pooling(folder: Path, pooling: str, width: int) -> None:
    """One mode on, all others off."""
    switches = {key: name == pooling for name, key in MODES.items()}
    folder.mkdir()
    _write_json(folder / "config.json", {"word_embedding_dimension": width, **switches, "include_prompt": True})


def _write_shaping(folder: Path, found: Sweep, choice: Choice) -> None:
    """A linear layer that takes the mean off, or whitens."""
    import torch

    raw = sum(found.vectors.of(layer, choice.pooling) for layer in choice.layers) / len(choice.layers)
    matrix, offset = projection(raw, choice.shaping)
    settings = {
        "in_features": matrix.shape[0],
        "out_features": matrix.shape[1],
        "bias": True,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    tensors = {"linear.weight": torch.from_numpy(matrix.T.copy()), "linear.bias": torch.from_numpy(offset)}
    _write_module(folder, settings, {name: tensor.float().contiguous() for name, tensor in tensors.items()})


def _write_module(folder: Path, settings: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """A module's config.json and its weights."""
    from safetensors.torch import save_file

    folder.mkdir()
    _write_json(folder / "config.json", settings)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")


def _write_json(path: Path, value: Any) -> None:
    """JSON as people read it."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
