"""Family LAB, what kind of head the labels ask for (classes, scores, several labels at once), and how they spread.

Knows no rows beyond their labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.hits import Hit, Hits
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.label_counts import spread
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.data import DataFacts, LabelCounts, LabelFacts
    from pretune.check.finding import Rule
    from pretune.check.sources.setup import Setup


@rule("LAB020", Level.ERROR)
def regression_head_for_classes(labels: LabelFacts) -> Iterator[Problem]:
    """num_labels is 1, but the labels are classes.

    Why: with one label transformers trains a regression (mean squared error): it runs, and predicts numbers in between.
    Fix: set num_labels to the number of classes.
    """
    if labels.num_labels != 1 or labels.kind == "score" or labels.problem_type == "regression":
        return
    counts = next((counts for counts in labels.splits if len(counts.counts) > 1), None)
    if counts is None or not counts.categorical:
        return
    # ratings 1..5 may be meant as numbers
    certain = bool(counts.names) or labels.kind == "tag" or set(counts.integers) == {0, 1}
    message = f"num_labels is 1, a regression, but the {counts.split.name} labels are {len(counts.counts)} classes"
    yield Problem(
        message, labels.num_labels_at or next(iter(counts.first.values())), level=None if certain else Level.NOTE
    )


@rule("LAB021", Level.ERROR)
def class_head_for_scores(labels: LabelFacts, setup: Setup) -> Iterator[Problem]:
    """The head has several classes, but the labels are scores.

    Why: a classification head needs whole-number classes; scores with fractions raise, or are cut off to integers.
    Fix: set num_labels=1 (and problem_type="regression"), or train a bi-encoder on the cosine.
    """
    sequence = setup.model_class is not None and "SequenceClassification" in setup.model_class
    scores = labels.kind == "score" and not all(counts.categorical for counts in labels.splits)
    if scores and labels.num_labels is not None and labels.num_labels > 1 and sequence:
        default = "" if labels.said else " (the default)"
        message = f"num_labels is {labels.num_labels}{default}, but the rows have scores with fractions, expected 1"
        yield Problem(message, labels.num_labels_at or setup.place("model_class"))


@rule("LAB022", Level.ERROR)
def label_lists_against_problem_type(labels: LabelFacts) -> Iterator[Problem]:
    """Rows have several labels, but problem_type is not multi_label_classification, or the reverse.

    Why: transformers guesses the loss from the labels' type: lists of integers raise, or train the wrong loss.
    Fix: problem_type="multi_label_classification", and labels as lists of 0.0 and 1.0, one for each class.
    """
    if labels.kind != "class":
        return
    multi = labels.problem_type == "multi_label_classification"
    for counts in labels.splits:
        lists, sizes = counts.lists, list(counts.sizes)
        if lists and not multi:
            hot = len(sizes) == 1 and not lists.kinds.get("mixed")
            shape = f"lists of {sizes[0]} numbers" if hot else "lists"
            said = labels.problem_type or "not set"
            found = f"{number(len(lists))} {counts.split.name} labels are {shape}"
            message = f"{found}, but problem_type is {said}, expected multi_label_classification"
            yield Problem(message, counts.lists[0].where, level=None if hot else Level.WARNING)
        elif multi and counts.total and not lists:
            found = f"the {counts.split.name} labels are single values"
            message = f"problem_type is multi_label_classification, but {found}, expected lists"
            yield Problem(message, next(iter(counts.first.values())))


@rule("LAB023", Level.ERROR)
def label_lists_of_another_length(labels: LabelFacts) -> Iterator[Problem]:
    """Multi-label rows have lists of different lengths, or of another length than the head.

    Why: they cannot be stacked into a batch, or do not fit the head's output.
    Fix: a list of num_labels zeros and ones for each row.
    """
    if labels.kind != "class" or labels.problem_type != "multi_label_classification":
        return
    for counts in labels.splits:
        if not counts.lists or counts.lists.kinds.get("mixed"):
            continue
        size = labels.num_labels if labels.said and labels.num_labels else int(counts.lists[0].said[0])
        others = {length: seen for length, seen in counts.sizes.items() if length != size}
        if others:
            first = min(others, key=lambda length: others[length].order)
            rows = Hits(sum(seen.rows for seen in others.values()), (Hit(others[first].where),))
            message = f"{counts.split.found(rows)} have another number of labels than {size}, the first {first}"
            yield Problem(message, rows[0].where)


@rule("LAB024", Level.WARNING)
def one_label_only(labels: LabelFacts) -> Iterator[Problem]:
    """All training rows have the same label.

    Why: there is nothing to tell apart; the loss goes to zero and the model says one thing.
    Fix: look at the label column; a sorted file needs shuffling before it is split.
    """
    counts = labels.train
    if labels.kind != "tag" and counts.total >= 2 and len(counts.counts) == 1 and not counts.lists:
        label, rows = next(iter(counts.counts.items()))
        level = Level.NOTE if counts.split.sampled else None
        yield Problem(
            f"{'the first' if counts.split.sampled else 'all'} {number(rows)} train rows have the one label "
            f"{shown(str(label))}",
            counts.first[label],
            level=level,
        )


@rule("LAB025", Level.WARNING)
def scores_on_different_scales(labels: LabelFacts) -> Iterator[Problem]:
    """Training and evaluation scores have different ranges.

    Why: a model trained on 0..1 and scored on 0..5 has a loss that means nothing; a threshold moves.
    Fix: bring both to one scale.
    """
    if labels.kind != "score":
        return
    tops = {counts.split.name: max(_numbers(counts), default=0.0) for counts in labels.splits if counts.total >= 10}
    if (
        len(tops) == 2
        and (tops["train"] <= 1.0) != (tops["eval"] <= 1.0)
        and max(tops.values()) >= 2 * min(tops.values())
    ):
        message = f"train scores go up to {tops['train']:g}, eval scores up to {tops['eval']:g}"
        yield Problem(message, next(iter(labels.eval.first.values())))


def _numbers(counts: LabelCounts) -> list[float]:
    return [float(label) for label in counts.counts if not isinstance(label, str)]


@rule("LAB026", Level.NOTE)
def labels_distributed_otherwise(labels: LabelFacts) -> Iterator[Problem]:
    """The labels of the evaluation data are distributed otherwise than those of the training data.

    Why: the score then says little about training, and a prior learnt from train is wrong on eval.
    Fix: split by label (stratify), unless the difference is meant.
    """
    train, eval_ = labels.train, labels.eval
    if labels.kind != "class" or min(train.total, eval_.total) < 100 or not 2 <= len(train.counts) <= 100:
        return
    every = set(train.counts) | set(eval_.counts)
    distance = sum(abs(train.counts.get(k, 0) / train.total - eval_.counts.get(k, 0) / eval_.total) for k in every) / 2
    if distance >= 0.2:
        may = " in the sampled rows" if train.split.sampled or eval_.split.sampled else ""
        change = f"{percent(distance)} of the labels would have to change"
        message = f"{change} to make train and eval alike{may}: in train {spread(train.counts)}"
        yield Problem(message, next(iter(eval_.first.values())))


@rule("LAB027", Level.NOTE)
def scores_beyond_one(labels: LabelFacts, data: DataFacts, setup: Setup) -> Iterator[Problem]:
    """Similarity scores go beyond 1, while a cosine does not.

    Why: sentence-transformers' CosineSimilarityLoss compares the cosine with the score: 0..5 can never be met.
    Fix: divide the scores by their maximum for such a loss; a regression head takes them as they are.
    """
    top = max(_numbers(labels.train), default=0.0) if labels.kind == "score" else 0.0
    cross = labels.said or (setup.model_class is not None and "SequenceClassification" in setup.model_class)
    if data.task == "sentence-similarity" and top > 1.5 and not cross:
        message = (
            f"train scores go up to {top:g}; a loss on the cosine needs at most 1, and may be what is trained here"
        )
        yield Problem(message, next(iter(labels.train.first.values())))


RULES: tuple[Rule, ...] = (
    regression_head_for_classes,
    class_head_for_scores,
    label_lists_against_problem_type,
    label_lists_of_another_length,
    one_label_only,
    scores_on_different_scales,
    labels_distributed_otherwise,
    scores_beyond_one,
)
