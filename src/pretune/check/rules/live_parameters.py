"""LIV2: the parameters in memory: what is trained, in which precision, and what of it the checkpoint gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.check.facts.live import LiveFacts
    from pretune.check.facts.live_model import Parameter
    from pretune.check.finding import Rule

HEADED = ("question-answering", "text-classification", "pair-classification", "token-classification")
"""Tasks for which nobody trains a model from nothing."""


@rule("LIV201", Level.ERROR)
def nothing_is_trained(live: LiveFacts) -> Iterator[Problem]:
    """No parameter of the model is trained.

    Why: the backward pass raises, as nothing requires a gradient.
    Fix: unfreeze the head at least: `requires_grad_(True)` on its parameters.
    """
    parameters = live.model.parameters
    if parameters and live.model.whole and not any(one.trained for one in parameters):
        yield Problem(f"all {number(len(parameters))} parameters are frozen (requires_grad=False)", "model")


@rule("LIV202", Level.ERROR)
def weights_not_finite(live: LiveFacts) -> Iterator[Problem]:
    """Weights are infinite or no numbers before training begins.

    Why: every loss will be NaN.
    Fix: load the checkpoint anew, not in float16; it may have been saved by a run that had failed.
    """
    broken = [one.name for one in live.model.parameters if not one.finite]
    if broken:
        yield Problem(f"{number(len(broken))} parameters hold NaN or infinity: {some(broken)}", "model")


@rule("LIV203", Level.ERROR)
def float16_weights_scaled(live: LiveFacts) -> Iterator[Problem]:
    """The weights are float16, and fp16=True scales the gradients of float32 weights.

    Why: the first step raises "Attempting to unscale FP16 gradients".
    Fix: load with `dtype="float32"` and keep fp16=True, or train in bf16.
    """
    half = [one for one in live.model.parameters if one.trained and one.dtype == "float16"]
    if half and live.run.arguments.get("fp16") is True and live.model.whole:
        yield Problem(
            f"{number(len(half))} trained parameters are float16, with fp16=True: {some(_names(half))}", "model"
        )


@rule("LIV204", Level.WARNING)
def float16_weights_trained(live: LiveFacts) -> Iterator[Problem]:
    """All weights are float16 and are updated as such.

    Why: AdamW's epsilon of 1e-8 is zero in float16 and updates overflow; the loss is NaN after a few steps.
    Fix: load with `dtype="float32"`, and set bf16=True or fp16=True in the training arguments.
    """
    trained = [one for one in live.model.parameters if one.trained]
    half = sum(one.size for one in trained if one.dtype == "float16")
    total = sum(one.size for one in trained)
    if live.run.arguments.get("fp16") is not True and half and half * 2 > total:
        yield Problem(f"{percent(half / total)} of the trained weights are float16", "model")


@rule("LIV205", Level.WARNING)
def parameters_outside_the_optimizer(live: LiveFacts) -> Iterator[Problem]:
    """Parameters want gradients, but the optimizer does not hold them.

    Why: they keep their first values: the optimizer was made before a head was exchanged or the embedding resized.
    Fix: make the optimizer after the last change of the model, or leave it to the Trainer.
    """
    optimizer, model = live.run.optimizer, live.model
    if optimizer is None or not optimizer.holds or not model.whole:
        return
    left = [one for one in model.parameters if one.trained and one.name not in optimizer.holds]
    if not left or (not optimizer.strangers and not _untrained_for_good(live, left)):
        return
    yield Problem(
        f"{optimizer.name} lacks {number(len(left))} of {number(sum(one.trained for one in model.parameters))} trained "
        f"parameters: {some(_names(left))}",
        "optimizer",
    )


def _untrained_for_good(live: LiveFacts, left: Sequence[Parameter]) -> bool:
    """Whether what the optimizer lacks was not left out to train the head alone: the fresh head is among it."""
    names = {one.name for one in left}
    return bool(names & (live.model.fresh or frozenset()))


@rule("LIV206", Level.ERROR)
def optimizer_of_another_model(live: LiveFacts) -> Iterator[Problem]:
    """The optimizer holds no parameter of this model.

    Why: it trains a model that nobody looks at; the loss stays as it is.
    Fix: make the optimizer from `model.parameters()` of the model that the Trainer is given.
    """
    optimizer = live.run.optimizer
    if optimizer is not None and live.model.whole and optimizer.total and not optimizer.holds:
        yield Problem(
            f"{optimizer.name} holds {number(optimizer.total)} parameters, none of them of this {live.model.name}",
            "optimizer",
        )


@rule("LIV207", Level.ERROR)
def fresh_head_not_trained(live: LiveFacts) -> Iterator[Problem]:
    """Parameters of the head started at random and are frozen.

    Why: what the head says stays random, whatever the body learns.
    Fix: freeze the body only: `model.base_model.requires_grad_(False)`.
    """
    model = live.model
    fresh = (model.fresh or frozenset()) & (model.head or frozenset())
    frozen = [one.name for one in model.parameters if one.name in fresh and not one.trained]
    if frozen and any(one.trained for one in model.parameters):
        yield Problem(f"{number(len(frozen))} parameters of the new head are frozen: {some(frozen)}", "model")


@rule("LIV208", Level.WARNING)
def added_rows_frozen(live: LiveFacts) -> Iterator[Problem]:
    """The embedding has new rows for added tokens, the batches use them, and the embedding is frozen.

    Why: the new rows keep the random values that the resize gave them.
    Fix: train the embedding too; with LoRA name the new ids in trainable_token_indices.
    """
    model, before = live.model, live.model.saved_rows
    if before is None or model.rows is None or model.rows <= before:
        return
    tables = [one for one in model.parameters if len(one.shape) == 2 and one.shape[0] == model.rows]
    if (
        not tables
        or any(one.trained for one in tables)
        or any("trainable_tokens" in one.name for one in model.parameters)
    ):
        return
    used = {
        index
        for batch in live.batches
        for row in batch.rows("input_ids") or ()
        for index in row
        if before <= index < (model.rows or 0)
    }
    if used:
        yield Problem(
            f"{number(len(used))} added tokens are in the batches (id {max(used)}), and {tables[0].name} is frozen",
            "model",
        )


@rule("LIV209", Level.WARNING)
def body_not_from_the_checkpoint(live: LiveFacts) -> Iterator[Problem]:
    """The model's weights have nothing to do with those of the checkpoint that it names.

    Why: `AutoModel.from_config(config)` and `BertModel(config)` build a model of random weights; what was pretrained is
    not there.
    Fix: `from_pretrained(name)`, or a state dict whose names fit.
    """
    if live.model.alike is False:
        yield Problem(
            "the first values of the body's weights are unlike the checkpoint's, as in a model that started at random",
            "model",
            level=Level.WARNING if live.task in HEADED else Level.NOTE,
        )


@rule("LIV210", Level.NOTE)
def head_is_fresh(live: LiveFacts) -> Iterator[Problem]:
    """These parameters come from no checkpoint; they started at random.

    Why: it is as it should be for a new task, and a fault where a trained head was to be used.
    Fix: nothing, if you mean to train this head; else load the checkpoint that holds it, into its own class.
    """
    fresh = [one.name for one in live.model.parameters if one.name in (live.model.fresh or ())]
    if fresh and live.model.alike is not False:
        yield Problem(f"{number(len(fresh))} parameters started at random: {some(fresh)}", "model")


def _names(parameters: Sequence[Parameter]) -> list[str]:
    return [one.name for one in parameters]


RULES: tuple[Rule, ...] = (
    nothing_is_trained,
    weights_not_finite,
    float16_weights_scaled,
    float16_weights_trained,
    parameters_outside_the_optimizer,
    optimizer_of_another_model,
    fresh_head_not_trained,
    added_rows_frozen,
    body_not_from_the_checkpoint,
    head_is_fresh,
)
