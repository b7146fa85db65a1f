"""Family LAB, labels and scores against the head: range, type, spelling, names.

Whether id2label and label2id agree, also with a trained head, is the family CFG's business.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown, some
from pretune.corpus.example import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.data import LabelFacts
    from pretune.check.finding import Rule


def _head(labels: LabelFacts) -> str:
    return "" if labels.said else " (num_labels is not set and defaults to 2)"


def _from_one(labels: LabelFacts) -> int | None:
    """The highest label when the whole-number labels of all splits are 1..k without a gap; else None."""
    found = {label for counts in labels.splits for label in counts.integers}
    return max(found) if len(found) > 1 and min(found) == 1 and max(found) == len(found) else None


def classes(labels: LabelFacts) -> bool:
    """Whether all labels are classes or tags: no scores, no fractions."""
    return labels.kind != "score" and all(counts.categorical for counts in labels.splits)


@rule("LAB001", Level.ERROR)
def labels_outside_the_head(labels: LabelFacts) -> Iterator[Problem]:
    """Labels are negative, or as large as num_labels or larger.

    Why: `IndexError: Target 2 is out of bounds` on CPU, an assert that hides its cause on GPU; perhaps late.
    Fix: set num_labels (or id2label) to the number of classes; ids run from 0.
    """
    size = labels.num_labels
    if size is None or size < 2 or not classes(labels) or labels.problem_type == "regression" or _from_one(labels):
        return
    for counts in labels.splits:
        high = {label: n for label, n in counts.integers.items() if label >= size}
        low = {label: n for label, n in counts.integers.items() if label < 0}
        for outside in (high, low):
            if outside:
                extreme = max(outside, key=abs)
                total = number(sum(outside.values()))
                span = f"outside 0..{size - 1}, up to {str(extreme)[:20]}{_head(labels)}"
                message = f"{total} {counts.split.name} labels are {span}"
                level = None if labels.said else Level.WARNING
                yield Problem(message, counts.first[extreme], level=level)
        if len(counts.names) > size:
            over = "over " if counts.partial else ""
            message = (
                f"{counts.split.name} has {over}{len(counts.names)} labels, but num_labels is {size}{_head(labels)}"
            )
            # the script may well count the names itself
            level = Level.WARNING if labels.said else Level.NOTE
            place = labels.num_labels_at or next(iter(counts.first.values()))
            yield Problem(f"{message}: {some(counts.names)}", place, level=level)


@rule("LAB002", Level.ERROR)
def labels_starting_at_one(labels: LabelFacts) -> Iterator[Problem]:
    """The labels are 1..k; classes are counted from 0.

    Why: label k is out of range, or, with one class more, row 0 of the head is never trained.
    Fix: subtract 1 from every label.
    """
    top = _from_one(labels)
    if top is None or labels.num_labels == 1 or labels.problem_type == "regression" or not classes(labels):
        return
    counts = next(counts for counts in labels.splits if counts.integers)
    size = labels.num_labels if labels.said else None
    said = f"but num_labels is {size}, ids 0..{size - 1}" if size is not None else "classes are counted from 0"
    level = None if size is not None and top >= size else Level.WARNING
    yield Problem(f"the labels are 1..{top}, {said}", counts.first[min(counts.integers)], level=level)


@rule("LAB003", Level.WARNING)
def numbers_as_strings(labels: LabelFacts) -> Iterator[Problem]:
    """Labels are numbers written as strings.

    Why: `"1"` cannot be made a tensor; the collator raises, with a message about padding.
    Fix: int(label), or a label2id that has these strings.
    """
    for counts in labels.splits:
        strings = [name for name in counts.names if number_of(name) is not None]
        if strings and labels.kind != "score" and not set(strings) & set(labels.label2id):
            mixed = counts.kinds.get("int", 0) + counts.kinds.get("float", 0)
            others = f", {number(mixed)} are numbers" if mixed else ""
            total = sum(counts.names[name] for name in strings)
            yield Problem(
                f"{number(total)} {counts.split.name} labels are numbers written as strings, such as "
                f"{shown(strings[0])}{others}",
                counts.first[strings[0]],
            )


@rule("LAB004", Level.WARNING)
def labels_of_several_types(labels: LabelFacts) -> Iterator[Problem]:
    """Labels are partly names and partly numbers.

    Why: a table of labels built from them has each class twice, or the loader refuses the column.
    Fix: write all labels in one way.
    """
    for counts in labels.splits:
        names = {name for name in counts.names if number_of(name) is None}
        kinds = {kind: n for kind, n in counts.kinds.items() if kind in {"int", "float", "list"} and n}
        if names and kinds and labels.kind != "score":
            kind, n = max(kinds.items(), key=lambda item: item[1])
            said = f"{number(sum(counts.names[name] for name in names))} are names and {number(n)} are of type {kind}"
            yield Problem(f"of the {counts.split.name} labels {said}", counts.first[min(names)])


@rule("LAB005", Level.WARNING)
def fractions_as_class_labels(labels: LabelFacts) -> Iterator[Problem]:
    """Labels of a classification are floating-point numbers.

    Why: a missing cell turns a whole column into floats; with them transformers takes the task for multi-label or
    regression, and the loss raises or means something else.
    Fix: fill or remove the missing labels and cast to int; for real numbers set num_labels=1.
    """
    if labels.kind != "class" or labels.num_labels == 1 or labels.problem_type == "regression":
        return
    for counts in labels.splits:
        floats = counts.kinds.get("float", 0)
        if not floats:
            continue
        one = next((label for label in counts.counts if isinstance(label, float)), next(iter(counts.counts)))
        place = counts.first[one]
        if counts.categorical:
            lost = len(counts.missing)
            why = f", as {number(lost)} labels are missing" if lost else ""
            found = f"{number(floats)} {counts.split.name} labels are floats such as {one}"
            message = f"{found}{why}, expected integers"
        else:
            message = (
                f"{counts.split.name} labels have fractions, but the head has {labels.num_labels or 'several'} classes"
            )
        yield Problem(message, place)


@rule("LAB006", Level.ERROR)
def missing_labels(labels: LabelFacts) -> Iterator[Problem]:
    """Rows have no label.

    Why: None cannot be made a tensor; NaN makes the loss NaN.
    Fix: remove these rows, or label them.
    """
    for counts in labels.splits:
        rows = counts.split.total
        if not counts.missing:
            continue
        what = {"tag": "tag", "score": "score"}.get(labels.kind, "label")
        if labels.kind != "tag" and len(counts.missing) == rows:
            level = Level.NOTE if counts.split.name == "eval" else None
            yield Problem(
                f"no {counts.split.name} row has a {what}, of {number(rows)}", counts.missing[0].where, level=level
            )
        else:
            level = Level.WARNING if counts.split.name == "eval" else None
            yield Problem(f"{counts.split.found(counts.missing)} lack a {what}", counts.missing[0].where, level=level)


@rule("LAB007", Level.WARNING)
def spellings_of_one_label(labels: LabelFacts) -> Iterator[Problem]:
    """One label is written in several ways: spaces, case, Unicode form.

    Why: each spelling becomes a class of its own, or is missing from label2id.
    Fix: unicodedata.normalize("NFC", label).strip(), and one case.
    """
    for counts in labels.splits:
        groups: dict[str, list[str]] = defaultdict(list)
        for name in [*counts.names, *labels.label2id]:
            folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
            if name not in groups[folded]:
                groups[folded].append(name)
        for names in groups.values():
            odd = [name for name in sorted(names, key=lambda name: -counts.names.get(name, 0)) if name in counts.names]
            known = [name for name in names if name in labels.label2id] or odd[:1]
            odd = [name for name in odd if name not in known]
            if odd:
                total = sum(counts.names[name] for name in odd)
                raises = bool(labels.label2id) and labels.names_by_user
                beside = f", beside {shown(known[0])}" + (" of label2id" if raises else "")
                message = f"{number(total)} {counts.split.name} labels are spelled {_spelled(odd[0])}{beside}"
                yield Problem(message, counts.first[odd[0]], level=Level.ERROR if raises else None)


def _spelled(name: str) -> str:
    return shown(name) if unicodedata.normalize("NFC", name) == name else f"{shown(name)} (decomposed)"


@rule("LAB008", Level.ERROR)
def labels_missing_from_label2id(labels: LabelFacts) -> Iterator[Problem]:
    """Labels of the data are not in label2id.

    Why: the lookup raises KeyError, or gives a default class without a word.
    Fix: add them to label2id and id2label, or mend the labels.
    """
    known = set(labels.label2id) or set(labels.id2label.values())
    folded = {name.strip().casefold() for name in known}
    found = {name for counts in labels.splits for name in counts.names}
    if not known or (not labels.names_by_user and not found & known):
        return  # the checkpoint's names of another task
    for counts in labels.splits:
        lost = [
            name
            for name in counts.names
            if name not in known and unicodedata.normalize("NFC", name).strip().casefold() not in folded
        ]
        if lost:
            total = sum(counts.names[name] for name in lost)
            level = None if labels.names_by_user else Level.WARNING
            odd = f"{number(total)} {counts.split.name} labels are not in label2id: {some(lost)}"
            message = f"{odd}; it has {some(sorted(known))}"
            yield Problem(message, counts.first[lost[0]], level=level)


RULES: tuple[Rule, ...] = (
    labels_outside_the_head,
    labels_starting_at_one,
    numbers_as_strings,
    labels_of_several_types,
    fractions_as_class_labels,
    missing_labels,
    spellings_of_one_label,
    labels_missing_from_label2id,
)
