"""Family DAT, rows that repeat: within a split, with other labels, from one split to the other; and their order.

Texts are compared as written, and again without what readers do not see. Knows nothing of near-duplicates.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.data import real_path
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.example import Example
    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule

_NATURAL = 15
"""Characters, folded, up to which a text may repeat by chance (`굿`, `재밌어요`)."""

Key = tuple[str, ...]


def key_of(example: Example) -> Key:
    """What makes two rows the same input, as written: their texts without the label. Empty when there is no text."""
    texts = tuple(text for _, text in example.texts)
    return texts if any(text.strip() for text in texts) else ()


def folded(key: Key) -> Key:
    """The key without what readers do not see: Unicode form, case, white space."""
    return tuple("".join(unicodedata.normalize("NFC", text).casefold().split()) for text in key)


@rule("DAT009", Level.ERROR)
def evaluation_rows_in_training(data: DataFacts) -> Iterator[Problem]:
    """Rows of the evaluation data stand in the training data as well.

    Why: the score counts what was memorised; copies that differ in spaces, case or Unicode form escape drop_duplicates.
    Fix: remove them from the training data.
    """
    if {real_path(file.path) for file in data.train.files} & {real_path(file.path) for file in data.eval.files}:
        return
    exact = {key for row in data.train.rows if (key := key_of(row))}
    loose = {folded(key) for key in exact}
    hits = [(row, key) for row in data.eval.rows if (key := key_of(row)) and folded(key) in loose]
    if not hits:
        return
    disguised = sum(key not in exact for _, key in hits)
    long = [row for row, key in hits if len("".join(folded(key))) > _NATURAL]
    share = data.eval.share(hits)
    # short texts repeat by chance, and few copies change no number
    level = Level.ERROR if share >= 0.1 else Level.WARNING if data.eval.share(long) >= 0.01 else Level.NOTE
    rows = [row for row, _ in hits]
    hidden = f", {number(disguised)} of them in another spacing, case or Unicode form" if disguised else ""
    yield Problem(f"{data.eval.found(rows)} also stand in train ({percent(share)}){hidden}", rows[0].where, level=level)


@rule("DAT010", Level.WARNING)
def one_text_again_and_again(data: DataFacts) -> Iterator[Problem]:
    """One text makes up a large part of the rows.

    Why: it is usually a placeholder (`삭제된 댓글입니다.`), and the model learns its label by heart.
    Fix: remove the placeholder rows.
    """
    for split in data.splits:
        keys = [(row, key) for row in split.rows if (key := key_of(row))]
        if not keys:
            continue
        top, count = Counter(key for _, key in keys).most_common(1)[0]
        if count >= 10 and count >= 0.05 * len(keys):
            hits = [row for row, key in keys if key == top]
            yield Problem(
                f"{shown(' / '.join(top))} is the text of {split.found(hits)}, {percent(split.share(hits))}",
                hits[0].where,
            )


@rule("DAT011", Level.NOTE)
def repeated_rows(data: DataFacts) -> Iterator[Problem]:
    """Rows repeat, label and all.

    Why: repeated rows count more than others, and a random split puts their copies on both sides.
    Fix: drop the copies, where they are not meant.
    """
    for split in data.splits:
        seen: set[tuple[Key, str]] = set()
        hits = []
        for row in split.rows:
            key = key_of(row)
            whole = (key, repr((row.label, row.score, row.tags, row.answers)))
            if len("".join(key)) > _NATURAL and whole in seen:
                hits.append(row)
            seen.add(whole)
        if split.share(hits) >= 0.01 or len(hits) >= 20:
            level = Level.WARNING if split.share(hits) >= 0.2 else None
            yield Problem(
                f"{split.found(hits)} repeat an earlier row, label and all ({percent(split.share(hits))})",
                hits[0].where,
                level=level,
            )


@rule("DAT012", Level.WARNING)
def conflicting_labels(data: DataFacts) -> Iterator[Problem]:
    """The same text carries different labels.

    Why: no model can learn both; the conflict is a ceiling for the score, and a sign of merged annotations.
    Fix: decide for one label, or remove these rows.
    """
    for split in data.splits:
        by_key: dict[Key, list[Example]] = {}
        for row in split.rows:
            if data.shape in {"classification", "pair"} and row.label is not None and (key := key_of(row)):
                by_key.setdefault(folded(key), []).append(row)
        hits = [row for rows in by_key.values() if len({repr(row.label) for row in rows}) > 1 for row in rows]
        texts = sum(len({repr(row.label) for row in rows}) > 1 for rows in by_key.values())
        if hits:
            level = None if split.share(hits) >= 0.01 else Level.NOTE
            such = shown(hits[0].text or "")
            message = f"{number(texts)} texts carry more than one label: {split.found(hits)}, such as {such}"
            yield Problem(message, hits[0].where, level=level)


@rule("DAT013", Level.NOTE)
def training_file_sorted_by_label(data: DataFacts) -> Iterator[Problem]:
    """The training file is sorted by label.

    Why: the Trainer shuffles, but streaming, sequential sampling and `train[:1000]` do not: one label comes at a time.
    Fix: shuffle the file once, or keep the shuffling on.
    """
    labels = [repr(row.label) for row in data.train.rows if row.label is not None and not isinstance(row.label, list)]
    changes = sum(a != b for a, b in pairwise(labels))
    kinds = len(set(labels))
    if (
        data.shape in {"classification", "pair"}
        and len(labels) >= 20
        and (kinds > 1 or data.train.sampled)
        and changes == kinds - 1 <= 50
    ):
        first = data.train.rows[0]
        message = f"the first {number(len(labels))} train rows are sorted by label: {kinds} labels in {kinds} runs"
        yield Problem(message, first.where)


RULES: tuple[Rule, ...] = (
    evaluation_rows_in_training,
    one_text_again_and_again,
    repeated_rows,
    conflicting_labels,
    training_file_sorted_by_label,
)
