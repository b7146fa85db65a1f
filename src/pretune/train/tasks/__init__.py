"""What is trained: a short module for each task, all of one form. Task, Prepared, Scores say which.

mrc.py reads passages for answers, classify.py gives a text a class, tag.py gives words or characters tags, pairs.py
gives two texts a class or a similarity. Each has `read(recipe)`, which opens the data, and knows no tokenizer before
`prepare` is called. None of them knows torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pretune.train.examples import Examples
    from pretune.train.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a model does on the dev set.

    Attributes:
        variant: whose figures these are, `korquad1`, `klue_ner`, ...
        figures: name -> value; percent where the official scripts give percent.
        main: the figure by which the best model is chosen; more is better.
        files: name -> the predictions as official scripts read them.
        errors: what was predicted wrongly, for reading, the worst first.
    """

    variant: str
    figures: Mapping[str, float]
    main: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    errors: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data as a model reads them.

    Attributes:
        train: to train on.
        dev: to be asked after each epoch; None: there is no dev set.
        said: what the user should know, a line each.
        where: number of a training example -> its place in the data.
        score: the model's outputs on dev, one array for each name of `Task.outputs` -> Scores. Each array has a row
            an example, or a row a token (as `dev.ids`) where `Task.each_token`.
    """

    train: Examples
    dev: Examples | None
    said: tuple[str, ...]
    where: Callable[[int], str]
    score: Callable[[Sequence[Any]], Scores]


class Task(Protocol):
    """A task with its data."""

    @property
    def head(self) -> str:
        """The ending of the model's class: `QuestionAnswering`."""
        ...

    @property
    def loss(self) -> str:
        """The name of the loss in losses.py."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """What of the model's output is scored."""
        ...

    @property
    def each_token(self) -> bool:
        """Whether the outputs have a row a token."""
        ...

    @property
    def main(self) -> str:
        """The figure by which the best model is chosen; more is better."""
        ...

    @property
    def means(self) -> str:
        """The task in a setup file's words."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """Keys of the model's config that the data decide: num_labels, id2label, label2id, problem_type."""
        ...

    @property
    def config_said(self) -> Mapping[str, Any]:
        """The same as `pretune check` may take it: without what the data's labels are not, such as ids."""
        ...

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """(place, why) of each row that cannot be used."""
        ...

    def prepare(self, tokenizer: Any, longest: int | None) -> Prepared:
        """The data as a model reads them; `longest`: tokens that the model has positions for, None: not limited."""
        ...


def read(recipe: Recipe) -> Task:
    """The recipe's task with its data.

    Raises:
        UserError: files that are not there or not of the task, no row that can be used, labels the model does not have.
    """
    found: Task = import_module(f"{__name__}.{recipe.task}").read(recipe)
    return found
