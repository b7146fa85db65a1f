"""What a sentence's vector could be in this model: the declared pooling, the pooler and whether it was ever trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.artifacts.sentence_files import read_sentence_files
from pretune.artifacts.weight_values import first_values
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import CLASSIFYING
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.check.facts.model import ModelFacts, WeightFacts
    from pretune.check.sources.setup import Setup

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
    files = read_sentence_files(model.source)
    if not files.declared and setup.task not in SENTENCE_TASKS:
        raise Unavailable("the task takes no sentence vector (classification or sentence-similarity does)")
    pooler, bias = _pooler(weights)
    architecture, cls = model.architecture, model.model_class or ""
    return SentenceVectorFacts(
        pooling=files.modes,
        declared=files.declared,
        switched=files.switched,
        width=files.width,
        width_where=model.source.at(files.file, f"/{files.width_key}") if files.file else "",
        max_seq_length=files.max_seq_length,
        pooler=pooler,
        pooler_bias=bias,
        uses_pooler=architecture is not None and architecture.uses_pooler(cls),
        reads=architecture.reads(cls) if architecture is not None else "",
        where=model.source.at(files.file) if files.file else model.at(),
    )


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
