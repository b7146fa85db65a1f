"""What a sentence's vector could be in this model: the declared pooling, the pooler and whether it was ever trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.json_file import read_json
from pretune.artifacts.weight_values import first_values
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import CLASSIFYING
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.source import Source
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.sources.setup import Setup

MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""sentence-transformers' older switches -> their names in version 6, in the order in which vectors are joined."""
SENTENCE_TASKS = (*CLASSIFYING, "sentence-similarity")


@dataclass(frozen=True, slots=True)
class SentenceVectorFacts:
    """Declared and possible sentence vectors.

    Attributes:
        pooling: modes that the pooling file switches on; empty when it declares none, or is silent about all.
        declared: whether the folder declares a pooling at all.
        switched: the pooling file speaks of modes, be they all off.
        width: the token vectors' width by that file; None when it is silent.
        width_where: its place.
        max_seq_length: sentence_bert_config.json's; None without it.
        pooler: name of the pooler's weight in the checkpoint, None when it has none.
        pooler_bias: the first values of the pooler's bias; empty when they cannot be read cheaply.
        uses_pooler: whether the class that would be built reads the pooler.
        reads: the vector that a classification head of this type reads: `first`, `last non-pad`, …; empty: not known.
        where: the pooling file.
    """

    pooling: tuple[str, ...] = ()
    declared: bool = False
    switched: bool = False
    width: int | None = None
    width_where: str = ""
    max_seq_length: int | None = None
    pooler: str | None = None
    pooler_bias: tuple[float, ...] = ()
    uses_pooler: bool = False
    reads: str = ""
    where: str = ""


def read_sentence_vector(setup: Setup, model: ModelFacts, weights: WeightFacts | None) -> SentenceVectorFacts:
    """Read the folder's sentence-transformers files and look at the pooler.

    Raises:
        Unavailable: the task takes no sentence vector and the folder declares none.
    """
    folder = _pooling_folder(model.source)
    if folder is None and setup.task not in SENTENCE_TASKS:
        raise Unavailable("the task takes no sentence vector (classification or sentence-similarity does)")
    file = f"{folder}/config.json" if folder else ""
    told = _object(model.source, file)
    lengths = _object(model.source, "sentence_bert_config.json")
    key = "embedding_dimension" if "embedding_dimension" in told else "word_embedding_dimension"
    pooler, bias = _pooler(weights)
    architecture, cls = model.architecture, model.model_class or ""
    return SentenceVectorFacts(
        pooling=_modes(told),
        declared=folder is not None,
        switched="pooling_mode" in told or any(name in told for name in MODES),
        width=_whole(told.get(key)),
        width_where=model.source.at(file, f"/{key}") if file else "",
        max_seq_length=_whole(lengths.get("max_seq_length")),
        pooler=pooler,
        pooler_bias=bias,
        uses_pooler=architecture is not None and architecture.uses_pooler(cls),
        reads=architecture.reads(cls) if architecture is not None else "",
        where=model.source.at(file) if file else model.at(),
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else None


def _modes(told: Mapping[str, Any]) -> tuple[str, ...]:
    named = told.get("pooling_mode")  # sentence-transformers 6: one name, or a list of them
    if isinstance(named, str):
        return (named,)
    if isinstance(named, list):
        return tuple(map(str, named))
    return tuple(mode for key, mode in MODES.items() if told.get(key) is True)


def _pooling_folder(source: Source) -> str | None:
    """The folder of the Pooling module, by modules.json, else 1_Pooling."""
    modules = _read(source, "modules.json")
    for module in modules if isinstance(modules, list) else ():
        if isinstance(module, Mapping) and str(module.get("type", "")).endswith("Pooling"):
            path = str(module.get("path", ""))
            if path and source.has(f"{path}/config.json"):
                return path
    return "1_Pooling" if source.has("1_Pooling/config.json") else None


def _object(source: Source, name: str) -> Mapping[str, Any]:
    value = _read(source, name) if name else {}
    return value if isinstance(value, Mapping) else {}


def _read(source: Source, name: str) -> Any:
    """The JSON of a file that need not be there, nor be readable: no training reads it."""
    try:
        return read_json(source, name) if source.has(name) else None
    except UserError:
        return None


def _pooler(weights: WeightFacts | None) -> tuple[str | None, tuple[float, ...]]:
    """The pooler's weight, and its bias's first values where they can be read."""
    if weights is None:
        return None, ()
    name = next((name for name in weights.table.tensors if name.endswith("pooler.dense.weight")), None)
    bias = weights.table.tensors.get(f"{name.removesuffix('weight')}bias") if name else None
    if name is None or bias is None:
        return name, ()
    try:
        return name, tuple(first_values(weights.source, bias, 256))
    except (UserError, ValueError):
        return name, ()
