"""LIV3: what a Trainer would do with its batches, its evaluation set, its optimizer and its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.live import LiveFacts
    from pretune.check.finding import Rule

ANSWERS = {
    "question-answering": ("start_positions",),
    "text-classification": ("labels", "label", "label_ids"),
    "pair-classification": ("labels", "label", "label_ids"),
    "token-classification": ("labels", "label_ids"),
    "masked-lm": ("labels",),
    "causal-lm": ("labels",),
    "chat-sft": ("labels",),
}
"""The task -> the keys one of which a batch must have, or the model gives no loss."""


@rule("LIV301", Level.ERROR)
def batch_cannot_be_made(live: LiveFacts) -> Iterator[Problem]:
    """The training set or the collator raises while the first batches are made.

    Why: the run stops there as well.
    Fix: collate a few rows by hand, `collator([dataset[0], dataset[1]])`, and look at what they hold.
    """
    if live.failure:
        yield Problem(f"making batch {number(len(live.looked) + 1)} raises {live.failure}", "train batches")


@rule("LIV302", Level.ERROR)
def batch_without_labels(live: LiveFacts) -> Iterator[Problem]:
    """The batches hold no labels, so the model gives no loss.

    Why: the Trainer stops at the first step: "The model did not return a loss".
    Fix: call the column `labels` (`start_positions` and `end_positions` for reading), or use a collator that makes it.
    """
    wanted = ANSWERS.get(live.task or "", ())
    if not wanted or live.run.own_loss is not False or not live.model.inputs:
        return
    batch = live.batches[0]
    if batch.shapes and not any(key in batch.shapes for key in wanted) and wanted[0] in live.model.inputs:
        columns = f"; the set's columns are {some(live.run.columns, 6)}" if live.run.columns else ""
        yield Problem(f"a batch has {some(batch.shapes, 6)}, but no {wanted[0]}{columns}", "train batches")


@rule("LIV303", Level.ERROR)
def column_dropped_but_used(live: LiveFacts) -> Iterator[Problem]:
    """compute_loss takes a column from the batch that the Trainer has dropped.

    Why: remove_unused_columns drops every column that the model's forward does not take; the first step is a KeyError.
    Fix: `remove_unused_columns=False` in the training arguments, with a collator that leaves text out.
    """
    if live.run.arguments.get("remove_unused_columns") is False:
        return
    there = set(live.batches[0].shapes) | set(live.batches[0].values)
    for column in sorted(live.run.wanted & set(live.run.columns) - there):
        yield Problem(
            f'compute_loss reads inputs["{column}"], a column of the training set that no batch has',
            "trainer.compute_loss",
        )


@rule("LIV304", Level.ERROR)
def batch_key_not_accepted(live: LiveFacts) -> Iterator[Problem]:
    """The batches hold a key that the model's forward does not take.

    Why: the first step is a TypeError: unexpected keyword argument.
    Fix: let the collator leave it out, or keep remove_unused_columns=True.
    """
    model = live.model
    if live.run.own_loss is not False or model.open_inputs or not model.inputs or model.adapted:
        return
    strange = sorted(set(live.batches[0].shapes) - set(model.inputs) - {"num_items_in_batch"})
    if strange and "input_ids" in live.batches[0].shapes:
        yield Problem(f"{model.name} takes no {some(strange)}, which the batches hold", "train batches")


@rule("LIV305", Level.WARNING)
def evaluation_set_is_training_set(live: LiveFacts) -> Iterator[Problem]:
    """The run is evaluated on the set that it trains on.

    Why: what it measures says how well rows are remembered, and the best checkpoint is the most overfitted one.
    Fix: hold rows back: `dataset.train_test_split(0.1, seed=...)`.
    """
    if live.run.eval_is_train:
        yield Problem("eval_dataset is train_dataset", "trainer.eval_dataset")


@rule("LIV306", Level.WARNING)
def metrics_without_labels(live: LiveFacts) -> Iterator[Problem]:
    """compute_metrics is given, but the evaluation set has none of the columns that the Trainer takes for labels.

    Why: the Trainer then calls it never, without a word.
    Fix: name the columns in `label_names`, or call the column `labels`.
    """
    run = live.run
    if not run.measures or not run.eval_columns or run.label_names is None or live.task is None:
        return
    made = {"label", "label_ids", "labels"} & set(run.eval_columns) or live.task in (
        "masked-lm",
        "causal-lm",
        "chat-sft",
    )
    if run.label_names and not set(run.label_names) & set(run.eval_columns) and not made:
        yield Problem(
            f"compute_metrics waits for {some(run.label_names)}, and the evaluation set has "
            f"{some(run.eval_columns, 6)}",
            "trainer.compute_metrics",
        )


@rule("LIV307", Level.WARNING)
def schedule_apart_from_optimizer(live: LiveFacts) -> Iterator[Problem]:
    """The learning rate's schedule moves another optimizer than the one that trains.

    Why: the rate of the one that trains never changes: no warm-up, no decay.
    Fix: make the schedule from the optimizer that the Trainer is given, after the last time it is made.
    """
    if live.run.schedule_apart:
        yield Problem("lr_scheduler was made for another optimizer than the trainer's", "lr_scheduler")


@rule("LIV308", Level.WARNING)
def schedule_ends_early(live: LiveFacts) -> Iterator[Problem]:
    """The learning rate's schedule was made for fewer steps than the run has.

    Why: the rate is zero from there on, and the rest of the run trains nothing (or, with a cosine, starts anew).
    Fix: make the schedule for the run's steps, rows / batch / accumulation * epochs, or leave it to the Trainer.
    """
    made, steps = live.run.scheduled_steps, live.run.steps
    if made and steps and made < 0.9 * steps:
        yield Problem(
            f"the schedule was made for {number(made)} steps, and the run has {number(steps)}", "lr_scheduler"
        )


@rule("LIV309", Level.NOTE)
def schedule_never_ends(live: LiveFacts) -> Iterator[Problem]:
    """The learning rate's schedule was made for far more steps than the run has.

    Why: the rate is still high when the run ends; mostly accumulation or the number of devices was forgotten.
    Fix: make the schedule for the run's optimizer steps, or leave it to the Trainer.
    """
    made, steps = live.run.scheduled_steps, live.run.steps
    if made and steps and made > 1.5 * steps:
        yield Problem(
            f"the schedule was made for {number(made)} steps, and the run has {number(steps)}", "lr_scheduler"
        )


RULES: tuple[Rule, ...] = (
    batch_cannot_be_made,
    batch_without_labels,
    column_dropped_but_used,
    batch_key_not_accepted,
    evaluation_set_is_training_set,
    metrics_without_labels,
    schedule_apart_from_optimizer,
    schedule_ends_early,
    schedule_never_ends,
)
