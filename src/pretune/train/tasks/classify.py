"""Classification of texts: one class a text. NSMC, YNAT, any columns of text and label.

    {"text": "배송이 빨라요.", "label": 1}

Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.quantity import number
from pretune.corpus.task_rows import read_rows_of
from pretune.train.metrics_labels import accuracy, f1
from pretune.train.tasks import Prepared, Scores
from pretune.train.tasks.classes import called_in, classes_of
from pretune.train.tasks.encode import encode, limit_of
from pretune.train.tasks.tables import tab_separated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape
    from pretune.corpus.task_rows import Rows
    from pretune.train.recipe import Recipe
    from pretune.train.tasks.classes import Classes


@dataclass(frozen=True, slots=True)
class Classification:
    """Texts, or pairs of them, with a class each; see tasks.Task."""

    recipe: Recipe
    train: Rows
    dev: Rows | None
    classes: Classes
    means: str = "text-classification"
    variant: str = "classes"
    main: str = "accuracy"
    head: str = "SequenceClassification"
    loss: str = "classes"
    outputs: tuple[str, ...] = ("logits",)
    each_token: bool = False

    @property
    def config(self) -> Mapping[str, Any]:
        """The names of the classes."""
        return {**self.classes.config, "problem_type": "single_label_classification"}

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The names, where a number among the labels is its own id."""
        return self.classes.config_said

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Rows that cannot be used."""
        return self.train.skipped + (self.dev.skipped if self.dev else ())

    def prepare(self, tokenizer: Any, longest: int | None) -> Prepared:
        """Texts as tokens, cut at the model's limit."""
        most = limit_of(tokenizer, longest, self.recipe.max_length)
        train, said = prepared(self.train, tokenizer, most, self._ids(self.train), "training texts")
        names = self.classes.names
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        said = (f"{number(len(train))} texts, {len(names)} classes ({self.classes.said}): {listed}", *said)
        dev = None
        if self.dev is not None:
            dev, more = prepared(self.dev, tokenizer, most, self._ids(self.dev), "dev texts")
            said += more
        return Prepared(train, dev, said, lambda row: self.train.examples[row].where, self.score)

    def _ids(self, rows: Rows) -> Any:
        import numpy as np

        return np.array([self.classes.id_of(label) for label in rows.labels()], np.int64)

    def score(self, outputs: Sequence[Any]) -> Scores:
        """Accuracy and macro F1 from logits (examples, classes)."""
        assert self.dev is not None
        logits = outputs[0]
        found, true = logits.argmax(-1).tolist(), self._ids(self.dev).tolist()
        names = self.classes.names
        figures = {"accuracy": accuracy(found, true), "macro_f1": f1(found, true)}
        rows = [(one.where, names[a], names[b]) for one, a, b in zip(self.dev.examples, found, true, strict=True)]
        chances = certainty(logits)
        wrong = sorted((i for i, (_, a, b) in enumerate(rows) if a != b), key=lambda i: -chances[i])
        errors = tuple(
            {
                "where": rows[i][0],
                "label": rows[i][2],
                "prediction": rows[i][1],
                "probability": round(chances[i], 4),
                **texts_of(self.dev.examples[i]),
            }
            for i in wrong
        )
        files = {"predictions.tsv": tab_separated(("where", "prediction", "label"), rows)}
        return Scores(self.variant, figures, self.main, files, errors)


def read(recipe: Recipe) -> Classification:
    """The rows of the recipe's files.

    Raises:
        UserError: files that are not there, columns that are not known, labels the model does not have.
    """
    train, dev = splits_of(recipe, ("classification",))
    return Classification(recipe, train, dev, known_classes(recipe, train, dev))


def splits_of(recipe: Recipe, shapes: Sequence[Shape]) -> tuple[Rows, Rows | None]:
    """The rows to train on and those to be asked; the second are of the shape of the first."""
    setup = recipe.setup
    columns = dict(setup.data.columns)
    train = read_rows_of(setup.data.train, shapes, columns, purpose="train", usable=_usable)
    if not setup.data.eval:
        return train, None
    return train, read_rows_of(setup.data.eval, (train.shape,), columns, purpose="eval", usable=_usable)


def known_classes(recipe: Recipe, train: Rows, dev: Rows | None) -> Classes:
    """The classes of both splits; one that only dev has is told as a mistake.

    Raises:
        UserError: labels the model or the training data do not have.
    """
    first: dict[Any, str] = {}
    for example, label in zip(train.examples, train.labels(), strict=True):
        first.setdefault(label, example.where)
    if len(first) == 1 and train.skipped and recipe.unfit == "error":
        where, why = train.skipped[0]  # what the only label is left over from is the mistake
        raise UserError(f"{where}: {why}", hint="mend it (`pretune check` shows all), or --unfit skip")
    classes = classes_of(
        list(first.items()),
        recipe.setup,
        head="SequenceClassification",
        new_head=recipe.new_head,
        called=called_in(recipe.setup, (train.columns or {}).get("label")),
    )
    if dev is not None:
        for example, label in zip(dev.examples, dev.labels(), strict=True):
            if classes.id_of(label) is None:
                raise UserError(
                    f'{example.where}: the label "{label}" of the dev set is none of the training data',
                    hint="is it the right file? else name all labels in config.id2label",
                )
    return classes


def prepared(rows: Rows, tokenizer: Any, most: int | None, labels: Any, what: str) -> tuple[Any, tuple[str, ...]]:
    """The examples of rows of one or two texts, and what is to be said of them."""
    pairs = None if rows.shape == "classification" else [one.text_pair or "" for one in rows.examples]
    encoded = encode([one.text or "" for one in rows.examples], tokenizer, pairs=pairs, longest=most)
    return encoded.examples(tokenizer, {"labels": labels}), encoded.said(what)


def texts_of(example: Example) -> dict[str, str]:
    """The texts of an example, for reading."""
    return {role: text for role, text in example.texts if role in ("text", "text_pair")}


def certainty(logits: Any) -> list[float]:
    """The probability that a model gives its own prediction: shape (examples,)."""
    import numpy as np

    logits = np.asarray(logits, np.float64)
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    chances = (chances / chances.sum(-1, keepdims=True)).max(-1)
    return [float(one) for one in chances]


def _usable(example: Example, shape: Shape) -> str:
    """Why a row cannot be used; empty: it can."""
    if example.text is None or (shape != "classification" and example.text_pair is None):
        return f"no text as {'text' if example.text is None else 'text_pair'}"
    if shape == "sts":
        return "" if example.score is not None else "no number as score"
    label = example.label
    if label is None or label == "":
        return "no label"
    if isinstance(label, list | tuple | dict):
        return "several labels, expected one"
    if isinstance(label, float) and not label.is_integer():
        return f"the label {label} is no class"
    return ""
