"""Family DAT, rows that repeat: within a split, with other labels, from one split to the other; and their order.

What repeats is found by facts/repeats.py and row_repeats.py. Knows nothing of near-duplicates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.data import real_path
from pretune.check.rules.wording import number, percent, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.split import DataFacts
    from pretune.check.finding import Rule


@rule("DAT009", Level.ERROR)
def evaluation_rows_in_training(data: DataFacts) -> Iterator[Problem]:
    """Rows of the evaluation data stand in the training data as well.

    Why: the score counts what was memorised; copies that differ in spaces, case or Unicode form escape drop_duplicates.
    Fix: remove them from the training data.
    """
    if {real_path(file.path) for file in data.train.files} & {real_path(file.path) for file in data.eval.files}:
        return
    hits = data.eval.hit("leaks")
    if not hits:
        return
    share = data.eval.share(hits)
    # short texts repeat by chance, and few copies change no number
    long = data.eval.share(hits.kinds["long"])
    level = Level.ERROR if share >= 0.1 else Level.WARNING if long >= 0.01 else Level.NOTE
    disguised = hits.kinds["disguised"]
    hidden = f", {number(disguised)} of them in another spacing, case or Unicode form" if disguised else ""
    yield Problem(f"{data.eval.found(hits)} also stand in train ({percent(share)}){hidden}", hits[0].where, level=level)


@rule("DAT010", Level.WARNING)
def one_text_again_and_again(data: DataFacts) -> Iterator[Problem]:
    """One text makes up a large part of the rows.

    Why: it is usually a placeholder (`삭제된 댓글입니다.`), and the model learns its label by heart.
    Fix: remove the placeholder rows.
    """
    for split in data.splits:
        hits = split.hit("top")
        if len(hits) >= 10 and len(hits) >= 0.05 * len(split.hit("keyed")):
            text = shown(hits[0].said[0]) if hits[0].said else "one text"
            yield Problem(f"{text} is the text of {split.found(hits)}, {percent(split.share(hits))}", hits[0].where)


@rule("DAT011", Level.NOTE)
def repeated_rows(data: DataFacts) -> Iterator[Problem]:
    """Rows repeat, label and all.

    Why: repeated rows count more than others, and a random split puts their copies on both sides.
    Fix: drop the copies, where they are not meant.
    """
    for split in data.splits:
        hits = split.hit("copies")
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
        hits = split.hit("conflicts")
        if hits:
            level = None if split.share(hits) >= 0.01 else Level.NOTE
            such = f", such as {shown(hits[0].said[0])}" if hits[0].said else ""
            about = "about " if hits.about else ""
            message = f"{about}{number(hits.total)} texts carry more than one label: {split.found(hits)}{such}"
            yield Problem(message, hits[0].where, level=level)


@rule("DAT013", Level.NOTE)
def training_file_sorted_by_label(data: DataFacts) -> Iterator[Problem]:
    """The training file is sorted by label.

    Why: the Trainer shuffles, but streaming, sequential sampling and `train[:1000]` do not: one label comes at a time.
    Fix: shuffle the file once, or keep the shuffling on.
    """
    runs, split = data.train.runs, data.train
    if runs is None or runs.labels < 20 or not (runs.kinds > 1 or split.sampled):
        return
    if runs.runs == runs.kinds <= 51:
        rows = f"the first {number(runs.labels)}" if split.sampled else f"the {number(runs.labels)}"
        message = f"{rows} train rows are sorted by label: {runs.kinds} labels in {runs.kinds} runs"
        yield Problem(message, split.rows[0].where)


RULES: tuple[Rule, ...] = (
    evaluation_rows_in_training,
    one_text_again_and_again,
    repeated_rows,
    conflicting_labels,
    training_file_sorted_by_label,
)
