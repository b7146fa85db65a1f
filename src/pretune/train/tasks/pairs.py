"""Two texts: what the one says of the other (NLI, a class), or how much alike they are (STS, a number).

    {"premise": "비가 온다.", "hypothesis": "날씨가 맑다.", "label": "contradiction"}
    {"sentence1": "버스 언제 와?", "sentence2": "버스 몇 시에 와요?", "score": 4.6}

Which of both is told by the columns: a score, or a label with fractions, is a similarity. Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.quantity import number
from pretune.train.metrics_labels import pearson, similar_f1
from pretune.train.tasks import Prepared, Scores
from pretune.train.tasks.classify import Classification, known_classes, prepared, splits_of, texts_of
from pretune.train.tasks.encode import limit_of
from pretune.train.tasks.tables import tab_separated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.corpus.shape import Shape
    from pretune.corpus.task_rows import Rows
    from pretune.train.recipe import Recipe
    from pretune.train.tasks import Task

_SHAPES: Mapping[str | None, tuple[Shape, ...]] = {
    "pair-classification": ("pair",),
    "sentence-similarity": ("sts",),
    None: ("pair", "sts"),
}
ALIKE = 3.0
"""From this score on two sentences are alike, on KLUE-STS's and STS-B's scale of 0 to 5."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """Pairs of texts with a similarity each; see tasks.Task."""

    recipe: Recipe
    train: Rows
    dev: Rows | None
    head: str = "SequenceClassification"
    loss: str = "similarity"
    outputs: tuple[str, ...] = ("logits",)
    each_token: bool = False
    means: str = "sentence-similarity"
    main: str = "pearson"

    @property
    def config(self) -> Mapping[str, Any]:
        """One number, to be regressed."""
        return {"num_labels": 1, "problem_type": "regression"}

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The same."""
        return self.config

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Rows that cannot be used."""
        return self.train.skipped + (self.dev.skipped if self.dev else ())

    def prepare(self, tokenizer: Any, longest: int | None) -> Prepared:
        """Pairs as tokens, the longer text of a pair cut at the model's limit."""
        most = limit_of(tokenizer, longest, self.recipe.max_length)
        train, cut = prepared(self.train, tokenizer, most, _scores(self.train), "training pairs")
        given = _scores(self.train)
        said: tuple[str, ...] = (
            f"{number(len(train))} pairs, similarities from {given.min():g} to {given.max():g}",
            *cut,
        )
        dev = None
        if self.dev is not None:
            dev, more = prepared(self.dev, tokenizer, most, _scores(self.dev), "dev pairs")
            said += more
        return Prepared(train, dev, said, lambda row: self.train.examples[row].where, self.score)

    def score(self, outputs: Sequence[Any]) -> Scores:
        """Pearson, Spearman, mean squared error and F1 of "alike" from logits (examples, 1)."""
        import numpy as np

        assert self.dev is not None
        found, true = np.asarray(outputs[0], np.float64).reshape(-1), _scores(self.dev).astype(np.float64)
        figures = {
            "pearson": _number(pearson(found.tolist(), true.tolist())),
            "spearman": _number(pearson(_ranks(found).tolist(), _ranks(true).tolist())),
            "mse": float(((found - true) ** 2).mean()),
            "f1_at_3": similar_f1(found.tolist(), true.tolist(), threshold=ALIKE),
        }
        rows = [(one.where, f"{a:.4f}", f"{b:g}") for one, a, b in zip(self.dev.examples, found, true, strict=True)]
        order = np.argsort(-np.abs(found - true), kind="stable")
        errors = tuple(
            {
                "where": rows[i][0],
                "score": float(true[i]),
                "prediction": round(float(found[i]), 4),
                **texts_of(self.dev.examples[i]),
            }
            for i in order.tolist()
            if abs(found[i] - true[i]) > 1 or (found[i] >= ALIKE) != (true[i] >= ALIKE)
        )
        files = {"predictions.tsv": tab_separated(("where", "prediction", "score"), rows)}
        return Scores("sts", figures, self.main, files, errors)


def read(recipe: Recipe) -> Task:
    """The pairs of the recipe's files.

    Raises:
        UserError: files that are not there, columns that are not known, labels the model does not have.
    """
    train, dev = splits_of(recipe, _SHAPES[recipe.setup.task])
    if train.shape == "sts":
        return Similarity(recipe, train, dev)
    classes = known_classes(recipe, train, dev)
    return Classification(recipe, train, dev, classes, means="pair-classification", variant="pairs")


def _scores(rows: Rows) -> Any:
    import numpy as np

    return np.array([one.score for one in rows.examples], np.float32)


def _number(value: float) -> float:
    """0 for the correlation of a constant, which is no number."""
    return value if value == value else 0.0  # noqa: PLR0124 - NaN is not itself


def _ranks(values: Any) -> Any:
    """Ranks from 1, the mean rank where values are equal, as scipy's spearmanr has them."""
    import numpy as np

    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[back]
