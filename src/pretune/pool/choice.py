"""One way to make a vector of a sentence: Choice. Names layers by index; knows no model and computes nothing.

"First-last average" means layers 0 and L in one published code and 1 and L in another, so no choice is called that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

POOLINGS: Final = (
    "cls",
    "mean",
    "mean_words",
    "max",
    "weighted_mean",
    "idf",
    "sif",
    "last_token",
    "last_word",
    "separator",
    "pooler_output",
)
"""How the states of a layer become one vector.

`cls` is the state of the token that the model's own head reads; `mean` averages all tokens that are not padding,
`mean_words` those that are not special either; `max` takes the largest value of each dimension; `weighted_mean` weighs
token i by its place 1..n (Muennighoff 2022); `idf` by ln((1 + N) / (1 + df)) + 1 over the sentences at hand; `sif` by
a / (a + p(token)) with a = 0.001 (Arora et al. 2017), special tokens 0 in both; `last_token` is the last that is not
padding, `last_word` the last that is not special either; `separator` the separator after the sentence;
`pooler_output` what the model's own pooler gives.
The mean divided by another number (mean_sqrt_len) has the same cosine as `mean` and is not counted twice.
"""

SHAPINGS: Final = ("raw", "centred", "whitened")
"""What is done to all vectors together: nothing; their mean taken off; mean off and covariance made the identity."""


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """A layer, or several averaged, a pooling, and what is done to all vectors afterwards.

    Attributes:
        layers: indices into hidden_states; 0 is the output of the embeddings. Several: their mean.
        pooling: one of POOLINGS, or the name of a baseline.
        shaping: one of SHAPINGS.
    """

    layers: tuple[int, ...]
    pooling: str
    shaping: str = "raw"

    @property
    def name(self) -> str:
        """The choice in words: `layer 6 mean`, `layers 0+6 mean, whitened`, `random word vectors, sif`."""
        where = ""
        if self.layers:
            where = f"layer{'s' if len(self.layers) > 1 else ''} {'+'.join(map(str, self.layers))} "
        after = "" if self.shaping == "raw" else f", {self.shaping}"
        return f"{where}{self.pooling.replace('_', ' ')}{after}"
