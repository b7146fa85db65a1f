"""LIV0: the labels of the first batches, as the model will be fed with them."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

from pretune.check.facts.live_batches import IGNORED
from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent
from pretune.check.sources.setup import CLASSIFYING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.live import LiveFacts
    from pretune.check.facts.live_batches import Batch
    from pretune.check.finding import Rule

LABELS = ("labels", "label", "label_ids")


@rule("LIV001", Level.ERROR)
def labels_all_ignored(live: LiveFacts) -> Iterator[Problem]:
    """Every label of a batch is -100, which the loss passes over.

    Why: the mean over no label is not a number; one such batch makes every weight NaN or trains nothing.
    Fix: print a row decoded beside its labels: the answer was cut off, or its beginning is not found in the text.
    """
    tables = [table for batch in live.batches if (table := _table(batch)) is not None]
    empty = [table for table in tables if all(label == IGNORED for label in _flat(table))]
    if not tables or not empty:
        return
    if len(empty) == len(tables):
        yield Problem(f"all labels of the first {_batches(len(tables))} are {IGNORED}", "train batches: labels")
    elif live.task != "masked-lm":
        yield Problem(
            f"in {number(len(empty))} of the first {_batches(len(tables))} all labels are {IGNORED}",
            "train batches: labels",
            level=Level.WARNING,
        )


@rule("LIV002", Level.WARNING)
def rows_without_a_label(live: LiveFacts) -> Iterator[Problem]:
    """Many rows hold no label but -100, so they train nothing.

    Why: the cut took the answer away, or the marker from which on labels count is not found in these rows.
    Fix: cut the prompt and keep the answer, raise max_length, or look for the marker in the decoded row.
    """
    if live.task not in ("causal-lm", "chat-sft", "token-classification"):
        return
    rows = [row for batch in live.batches for row in _rows(batch)]
    empty = sum(all(label == IGNORED for label in row) for row in rows)
    if len(rows) >= 8 and empty < len(rows) and empty * 4 >= len(rows):
        yield Problem(
            f"{number(empty)} of the first {number(len(rows))} rows hold no label but {IGNORED}",
            "train batches: labels",
        )


@rule("LIV003", Level.ERROR)
def answers_at_the_beginning(live: LiveFacts) -> Iterator[Problem]:
    """Every answer of the first batches begins and ends at the first token, which means "no answer".

    Why: the answers were not found while rows were made, so that the model learns to answer nothing.
    Fix: compare the answers with the offsets: `offset_mapping` counts characters of the context, from 0.
    """
    spans = list(_spans(live))
    at_first = sum(start == end == first for start, end, _, first in spans)
    if len(spans) >= 16 and at_first == len(spans):
        yield Problem(
            f"all answers of the first {number(len(spans))} rows point at the first token ([CLS])",
            "train batches: start_positions",
        )


@rule("LIV004", Level.ERROR)
def answer_ends_before_it_begins(live: LiveFacts) -> Iterator[Problem]:
    """An answer's last token stands before its first.

    Why: start and end are learnt apart, and no span can be read from such a pair: the columns are swapped, or the end
    is counted otherwise than the start.
    Fix: look for the end with the answer's last character, `start + len(text) - 1`.
    """
    spans = list(_spans(live))
    turned = [(start, end) for start, end, _, _ in spans if end < start and start >= 0]
    if turned:
        start, end = turned[0]
        yield Problem(
            f"in {number(len(turned))} of the first {number(len(spans))} rows the answer ends before it begins "
            f"(start {start}, end {end})",
            "train batches: end_positions",
        )


@rule("LIV005", Level.WARNING)
def answers_beyond_the_row(live: LiveFacts) -> Iterator[Problem]:
    """Answers point behind the last token of their row.

    Why: the loss passes over them without a word, so these rows train nothing; mostly characters are counted where
    tokens are meant.
    Fix: turn character offsets to token positions with `offset_mapping`, and give rows without the answer position 0.
    """
    spans = list(_spans(live))
    beyond = [(start, width) for start, end, width, _ in spans if max(start, end) >= width > 0]
    if len(spans) >= 4 and len(beyond) * 10 >= len(spans):
        start, width = beyond[0]
        yield Problem(
            f"{number(len(beyond))} of the first {number(len(spans))} answers point behind their row's last token "
            f"(start {start}, but {width} tokens)",
            "train batches: start_positions",
        )


@rule("LIV006", Level.ERROR)
def batch_label_outside_head(live: LiveFacts) -> Iterator[Problem]:
    """A batch holds a label that the head has no output for.

    Why: cross-entropy raises an index error on the CPU; on a GPU an assert that hides its cause stops the run.
    Fix: load with num_labels as many as there are labels, and number the labels from 0.
    """
    count = live.model.labels
    if (
        live.task not in (*CLASSIFYING, "token-classification")
        or not count
        or (count == 1 and live.task in CLASSIFYING)
    ):
        return
    if live.run.own_loss:
        return
    seen: Counter[int] = Counter()
    for batch in live.batches:
        key = next((name for name in LABELS if name in batch.values), None)
        wide = key is not None and len(batch.shapes.get(key, ())) > 1 and live.task in CLASSIFYING
        if key is not None and batch.kinds.get(key, "int64").startswith("int") and not wide:
            seen.update(label for label in _flat(batch.values[key]) if isinstance(label, int))
    outside = sorted(label for label in seen if label != IGNORED and not 0 <= label < count)
    if outside:
        yield Problem(
            f"label {outside[-1] if outside[-1] >= count else outside[0]} is in the batches, but the head has "
            f"{number(count)} outputs (0 to {count - 1})",
            "train batches: labels",
        )


@rule("LIV011", Level.WARNING)
def one_class_at_a_time(live: LiveFacts) -> Iterator[Problem]:
    """The first batches hold one class alone, though the training set has several.

    Why: rows sorted by label and not shuffled make the model forget one class while it learns the next.
    Fix: shuffle the set, or leave the shuffling to the Trainer (no sampler of one's own, no `shuffle=False`).
    """
    if live.task not in CLASSIFYING:
        return
    labels = [label for batch in live.batches for label in _whole(batch)]
    classes = live.run.classes
    total = sum(classes.values())
    if len(live.batches) < 3 or len(labels) < 24 or len(set(labels)) != 1 or len(classes) < 2 or not total:
        return
    share = classes.get(labels[0], 0) / total
    if share > 0 and share ** len(labels) < 1e-4:
        yield Problem(
            f"the first {number(len(labels))} rows are all of class {labels[0]}, which {percent(share)} of the "
            "training set have",
            "train batches: labels",
        )


def _table(batch: Batch) -> Any:
    """The labels of a batch, of whatever form; None: it has none."""
    return next((batch.values[key] for key in LABELS if key in batch.values), None)


def _rows(batch: Batch) -> list[list[int]]:
    return batch.rows("labels") or []


def _whole(batch: Batch) -> list[Any]:
    """One label for each row."""
    key = next((name for name in LABELS if name in batch.values), "")
    return batch.column(key) or []


def _flat(table: Any) -> Iterator[Any]:
    """The numbers of nested lists."""
    if isinstance(table, list):
        yield from chain.from_iterable(_flat(one) for one in table)
    else:
        yield table


def _spans(live: LiveFacts) -> Iterator[tuple[int, int, int, int]]:
    """Start, end, width of the row and place of its first token, for each row of a reading task."""
    if live.task != "question-answering":
        return
    first_id = live.known_tokenizer.special.get("cls") if live.known_tokenizer else None
    for batch in live.batches:
        starts, ends, ids = batch.column("start_positions"), batch.column("end_positions"), batch.rows("input_ids")
        if starts is None or ends is None or ids is None or not len(starts) == len(ends) == len(ids):
            continue
        for start, end, row in zip(starts, ends, ids, strict=True):
            yield start, end, len(row), row.index(first_id) if first_id in row else 0


def _batches(count: int) -> str:
    return f"{number(count)} batches" if count > 1 else "batch"


RULES: tuple[Rule, ...] = (
    labels_all_ignored,
    rows_without_a_label,
    answers_at_the_beginning,
    answer_ends_before_it_begins,
    answers_beyond_the_row,
    batch_label_outside_head,
    one_class_at_a_time,
)
