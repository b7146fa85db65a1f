"""Family LAB, which labels occur and how often: unseen in training, rare, fewer than the head has.

What the labels are is in labels.py, what kind of head they ask for in label_kinds.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.labels import classes
from pretune.check.rules.wording import number, percent, shown, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.check.facts.data import LabelFacts
    from pretune.check.facts.label_table import Label
    from pretune.check.finding import Rule


@rule("LAB009", Level.WARNING)
def labels_unseen_in_training(labels: LabelFacts) -> Iterator[Problem]:
    """The evaluation data have labels that the training data lack.

    Why: they can only be wrong; a label table made from the training data raises KeyError on them.
    Fix: split by label (stratify), or give the label training rows.
    """
    partial = labels.train.partial or labels.eval.partial
    if labels.kind == "score" or not labels.train.counts or not classes(labels) or partial:
        return
    unseen = [label for label in labels.eval.counts if label not in labels.train.counts and label != -100]
    if unseen:
        total = sum(labels.eval.counts[label] for label in unseen)
        sampled = labels.train.split.sampled
        rows = number(labels.train.split.total)
        where = f"the first {rows} train rows, and may be further on" if sampled else f"any of the {rows} train rows"
        message = f"{number(total)} eval labels are not in {where}: {some(map(str, unseen))}"
        yield Problem(message, labels.eval.first[unseen[0]], level=Level.NOTE if sampled else None)


def spread(counts: Mapping[Label, int]) -> str:
    """The rarest and the most frequent label with their shares."""
    total = sum(counts.values())
    rare, often = min(counts, key=lambda k: counts[k]), max(counts, key=lambda k: counts[k])
    return (
        f"{shown(str(rare))} has {percent(counts[rare] / total)}, {shown(str(often))} {percent(counts[often] / total)}"
    )


@rule("LAB010", Level.NOTE)
def rare_class(labels: LabelFacts) -> Iterator[Problem]:
    """One class has very few training rows.

    Why: a model that never says it is still right almost always; accuracy hides it.
    Fix: look at F1 or recall per class; weigh the classes, or collect more rows.
    """
    counts = labels.train
    if labels.kind != "class" or counts.total < 40 or not 2 <= len(counts.counts) <= 1000 or not counts.categorical:
        return
    total, classes = counts.total, len(counts.counts)
    rarest = min(counts.counts.values())
    if rarest / total < 0.1 / classes:
        level = Level.WARNING if classes == 2 and rarest / total < 0.03 else None
        yield Problem(
            f"the {classes} classes of train are uneven: {spread(counts.counts)} of {number(total)} rows",
            counts.first[min(counts.counts, key=lambda k: counts.counts[k])],
            level=level,
        )


@rule("LAB011", Level.NOTE)
def head_larger_than_the_labels(labels: LabelFacts) -> Iterator[Problem]:
    """The head has more classes than the data have labels.

    Why: rows of the head that no label trains only take probability away; often num_labels was copied from elsewhere.
    Fix: set num_labels to the number of classes.
    """
    found = {label for counts in labels.splits for label in counts.counts if label != -100}
    size = labels.num_labels
    if size is None or not labels.said or size < 2 or not classes(labels) or labels.kind == "score" or not found:
        return
    if len(found) < size and any(counts.kinds.get("list") for counts in labels.splits) is False:
        may = "; rows further on may have the others" if any(counts.split.sampled for counts in labels.splits) else ""
        yield Problem(f"num_labels is {size}, but the rows have {len(found)} labels{may}", labels.num_labels_at)


RULES: tuple[Rule, ...] = (labels_unseen_in_training, rare_class, head_larger_than_the_labels)
