"""LIV4: what a few computed batches say: the loss before training, gradients, a batch learnt by heart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.model import LANGUAGE
from pretune.check.rules.wording import number, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.deep import DeepFacts
    from pretune.check.finding import Rule


@rule("LIV401", Level.ERROR)
def loss_not_finite(deep: DeepFacts) -> Iterator[Problem]:
    """The loss of a first batch is infinite or no number.

    Why: one such step makes every weight NaN.
    Fix: look for a batch whose labels are all -100, for weights that are not finite, for float16.
    """
    broken = [loss for loss in deep.losses if not math.isfinite(loss)]
    if broken:
        yield Problem(
            f"the loss of {number(len(broken))} of the first {number(len(deep.losses))} batches is {broken[0]}", "loss"
        )


@rule("LIV402", Level.WARNING)
def first_loss_unlike_a_new_head(deep: DeepFacts) -> Iterator[Problem]:
    """The first loss is not what a head that knows nothing must give.

    Why: equal scores for each class give ln(classes), for each token ln(tokens). Far more says that scores are not of
    their usual size, or labels not the head's; far less, that the answer is among the inputs.
    Fix: look at how the head is initialised, what the loss is multiplied with, and which columns the model is fed.
    """
    fresh = (deep.model.fresh or frozenset()) & (deep.model.head or frozenset())
    if deep.untrained is None or deep.task in LANGUAGE or not fresh or not all(map(math.isfinite, deep.losses)):
        return
    if deep.loss > deep.untrained + max(1.0, 0.5 * deep.untrained) or deep.loss < 0.4 * deep.untrained:
        yield Problem(
            f"the first loss is {deep.loss:.2f}, and a head that knows nothing gives {deep.untrained:.2f} "
            f"({deep.untrained_as})",
            "loss",
        )


@rule("LIV403", Level.WARNING)
def language_model_at_a_loss(deep: DeepFacts) -> Iterator[Problem]:
    """A pretrained language model guesses no better than by chance.

    Why: ln(vocabulary) is the loss of one that knows nothing: it met another tokenizer, or its head was not loaded.
    Fix: load model and tokenizer from one name, and the class that the checkpoint was saved from.
    """
    if deep.task not in LANGUAGE or deep.untrained is None or not deep.model.alike or not math.isfinite(deep.loss):
        return
    if deep.loss > 0.9 * deep.untrained:
        yield Problem(
            f"the first loss is {deep.loss:.2f}, and guessing by chance gives {deep.untrained:.2f} "
            f"({deep.untrained_as})",
            "loss",
        )


@rule("LIV404", Level.ERROR)
def gradients_not_finite(deep: DeepFacts) -> Iterator[Problem]:
    """Gradients of the first batch are infinite or no numbers.

    Why: the first step makes these weights NaN, and through them all others.
    Fix: look for a division by a length of zero, a mask that leaves nothing, float16 without scaling.
    """
    if deep.infinite and all(map(math.isfinite, deep.losses)):
        yield Problem(
            f"the gradients of {number(len(deep.infinite))} parameters hold NaN or infinity: {some(deep.infinite)}",
            "gradients",
        )


@rule("LIV405", Level.ERROR)
def gradients_of_nothing(deep: DeepFacts) -> Iterator[Problem]:
    """No trained parameter gets a gradient from the first batch, or none of the new head does.

    Why: what gets no gradient stays as it is.
    Fix: look for `.detach()`, `no_grad` or `.item()` between the model and the loss, and for an output that is not
    used.
    """
    idle = {*deep.without, *deep.zero}
    if deep.trained and len(idle) == deep.trained and all(map(math.isfinite, deep.losses)):
        yield Problem(f"all {number(deep.trained)} trained parameters got no gradient", "gradients")
        return
    head = (deep.model.fresh or frozenset()) & (deep.model.head or frozenset())
    trained = {one.name for one in deep.model.parameters if one.trained} & head
    if trained and trained <= idle:
        yield Problem(f"the new head got no gradient: {some(sorted(trained))}", "gradients")


@rule("LIV406", Level.NOTE)
def parameters_without_gradient(deep: DeepFacts) -> Iterator[Problem]:
    """Some trained parameters got no gradient from the first batch.

    Why: the loss does not depend on them (a pooler that nothing reads); DistributedDataParallel then raises.
    Fix: nothing, or freeze them; `ddp_find_unused_parameters=True` with several devices.
    """
    if deep.without and len(deep.without) < deep.trained:
        yield Problem(
            f"{number(len(deep.without))} of {number(deep.trained)} trained parameters got no gradient: "
            f"{some(deep.without)}",
            "gradients",
        )


@rule("LIV407", Level.WARNING)
def batch_cannot_be_learnt(deep: DeepFacts) -> Iterator[Problem]:
    """A few rows cannot be learnt by heart.

    Why: a model that can learn anything learns eight rows in some tens of steps; what stands in the way there stands in
    the way of the whole run.
    Fix: look whether the labels belong to these rows, whether the right parameters are trained, and at the loss.
    """
    learnt = deep.learnt
    if learnt is not None and learnt.steps >= 20 and learnt.first > 0.05 and learnt.lowest > 0.95 * learnt.first:
        yield Problem(
            f"the loss of {number(learnt.rows)} rows went from {learnt.first:.3f} to {learnt.lowest:.3f} in "
            f"{number(learnt.steps)} steps on them alone",
            "loss",
        )


RULES: tuple[Rule, ...] = (
    loss_not_finite,
    first_loss_unlike_a_new_head,
    language_model_at_a_loss,
    gradients_not_finite,
    gradients_of_nothing,
    parameters_without_gradient,
    batch_cannot_be_learnt,
)
