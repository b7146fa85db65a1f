"""LIV3: what surrounds the model; each rule fires on its fault and is quiet beside it."""

import pytest

from live_made import batch, cases, judged, live
from pretune.check.rules.live_run import (
    batch_cannot_be_made,
    batch_key_not_accepted,
    batch_without_labels,
    column_dropped_but_used,
    evaluation_set_is_training_set,
    metrics_without_labels,
    schedule_apart_from_optimizer,
    schedule_ends_early,
    schedule_never_ends,
)

CLS, QA, LM = "text-classification", "question-answering", "causal-lm"
BARE = batch(input_ids=[[2, 3]], attention_mask=[[1, 1]])
LABELLED = batch(input_ids=[[2, 3]], labels=[1])
METRICS = {"measures": True, "label_names": ("labels",)}


def steps(made: int | None, run: int | None):
    """A schedule made for so many steps, in a run of so many."""
    return live(CLS, run={"scheduled_steps": made, "steps": run})


def wants(*names: str, **run):
    """A compute_loss of one's own that takes these keys."""
    return {"own_loss": True, "wanted": frozenset(names), "columns": ("text", "weight", "labels"), **run}


@pytest.mark.parametrize(
    ("rule", "facts", "word"),
    cases(
        (
            batch_cannot_be_made,
            "raises",
            [
                live(CLS, failure="KeyError: 'labels'"),
                live(LM, LABELLED, failure="ValueError: Unable to create tensor"),
                live(None, failure="IndexError: 7"),
            ],
            [live(CLS, LABELLED), live(CLS), live(CLS, unseen="the training set is a stream")],
        ),
        (
            batch_without_labels,
            "but no",
            [
                live(CLS, BARE, run={"columns": ("text", "sentiment")}),
                live(QA, BARE),
                live(LM, BARE),
                live("token-classification", BARE, LABELLED),
            ],
            [
                live(CLS, LABELLED),
                live(QA, batch(input_ids=[[2]], start_positions=[0], end_positions=[0])),
                live(CLS, BARE, run={"own_loss": True}),
                live(CLS, BARE, run={"own_loss": None}),
                live(None, BARE),
                live(CLS, batch(input_ids=[[2]], label=[1])),
            ],
        ),
        (
            column_dropped_but_used,
            'compute_loss reads inputs["weight"]',
            [
                live(CLS, LABELLED, run=wants("weight")),
                live(None, LABELLED, run=wants("weight", "labels")),
                live(LM, LABELLED, run=wants("weight", arguments={"remove_unused_columns": True})),
            ],
            [
                live(CLS, LABELLED, run=wants("labels")),
                live(CLS, batch(input_ids=[[2]], weight=[0.5]), run=wants("weight")),
                live(CLS, LABELLED, run=wants("weight", arguments={"remove_unused_columns": False})),
                live(CLS, LABELLED, run=wants("made_up")),
            ],
        ),
        (
            batch_key_not_accepted,
            "takes no",
            [
                live(CLS, batch(input_ids=[[2]], labels=[1], idx=[7])),
                live(QA, batch(input_ids=[[2]], offset_mapping=[[[0, 1]]])),
                live(None, batch(input_ids=[[2]], special_tokens_mask=[[1]])),
            ],
            [
                live(CLS, LABELLED),
                live(CLS, batch(input_ids=[[2]], idx=[7]), model={"open_inputs": True}),
                live(CLS, batch(input_ids=[[2]], idx=[7]), run={"own_loss": True}),
                live(None, batch(input_ids=[[2]], idx=[7]), run={"own_loss": None}),
                live(None, batch(pixel_values=[[0.5]])),
            ],
        ),
        (
            evaluation_set_is_training_set,
            "eval_dataset is train_dataset",
            [live(task, run={"eval_is_train": True}) for task in (CLS, QA, None)],
            [live(CLS), live(QA, run={"eval_is_train": False}), live(None, LABELLED)],
        ),
        (
            metrics_without_labels,
            "compute_metrics waits for",
            [
                live(CLS, run={**METRICS, "eval_columns": ("input_ids", "target")}),
                live(
                    QA,
                    run={
                        **METRICS,
                        "label_names": ("start_positions", "end_positions"),
                        "eval_columns": ("input_ids",),
                    },
                ),
                live("token-classification", run={**METRICS, "eval_columns": ("input_ids", "ner_tags")}),
            ],
            [
                live(CLS, run={**METRICS, "eval_columns": ("input_ids", "labels")}),
                live(CLS, run={**METRICS, "eval_columns": ("input_ids", "label")}),
                live(CLS, run={"eval_columns": ("input_ids",), "label_names": ("labels",)}),
                live(LM, run={**METRICS, "eval_columns": ("input_ids",)}),
                live(CLS, run=METRICS),
            ],
        ),
        (
            schedule_apart_from_optimizer,
            "for another optimizer",
            [live(task, run={"schedule_apart": True}) for task in (CLS, LM, None)],
            [live(CLS), live(LM, LABELLED), live(None, run={"schedule_apart": False})],
        ),
        (
            schedule_ends_early,
            "made for 100 steps, and the run has",
            [steps(100, 1000), steps(100, 112), steps(100, 10_000)],
            [steps(100, 100), steps(100, 110), steps(100, None), steps(None, 100), steps(1000, 100)],
        ),
        (
            schedule_never_ends,
            "made for 1,000 steps, and the run has",
            [steps(1000, 100), steps(1000, 600), steps(1000, 1)],
            [steps(1000, 1000), steps(1000, 700), steps(None, 10), steps(100, 1000)],
        ),
    ),
)
def test_rule(rule, facts, word) -> None:
    """Fires with actual and expected value, or is quiet."""
    judged(rule, facts, word)
