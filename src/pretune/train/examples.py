"""What a model is trained on, as flat arrays: Examples. Knows neither torch, nor a tokenizer, nor a task's meaning.

One layout for all tasks: token ids of all examples one after the other, and where each begins. A batch of any shape
(padded, padding-free) is cut from it by batches.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Examples:
    """N tokenized examples with T tokens in all.

    Attributes:
        ids: shape (T,), int32; token ids, special tokens included, nothing padded.
        starts: shape (N + 1,), int64; example i is ids[starts[i]:starts[i + 1]].
        types: shape (T,), int8; segment ids, None for a model that has none.
        labels: name of the model's argument -> one array. Shape (N,) for one value an example (`labels` of a class
            int64 or of a similarity float32, `start_positions`, `end_positions` int64, counted from the example's
            first token); shape (T,) int64 with -100 where nothing is asked, for token classification.
        pad: the id that fills a padded batch.
        pad_left: whether this model is padded on the left.
    """

    ids: Any
    starts: Any
    types: Any | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    pad: int = 0
    pad_left: bool = False

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> Any:
        """Tokens of each example: shape (N,), int64."""
        return self.starts[1:] - self.starts[:-1]
