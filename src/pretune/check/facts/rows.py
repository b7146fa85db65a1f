"""How many ids the model can look up: the rows of its word embedding, from the weights or else from the config."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.facts.model import ModelFacts, WeightFacts


@dataclass(frozen=True, slots=True)
class RowFacts:
    """The word embedding's rows, and where that number stands."""

    count: int
    where: str
    from_weights: bool


def read_rows(model: ModelFacts, weights: WeightFacts | None) -> RowFacts:
    """Rows of the word embedding: the checkpoint's tensor, else config.vocab_size.

    Raises:
        Unavailable: neither says.
    """
    if weights is not None and weights.embedding is not None and weights.embedding_rows is not None:
        return RowFacts(weights.embedding_rows, weights.at(weights.embedding.file), from_weights=True)
    size = _number(model.effective, "vocab_size")
    if size is None:
        raise Unavailable("neither the weights nor the config say how many rows the word embedding has")
    return RowFacts(size, model.at("/vocab_size"), from_weights=False)


def _number(config: Mapping[str, Any], key: str) -> int | None:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
