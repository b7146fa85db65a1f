"""LIV2: parameters in memory; each rule fires on its fault and is quiet beside it."""

import pytest

from live_made import batch, cases, judged, live, parameter, told
from pretune.check.facts.live_training import LiveOptimizer
from pretune.check.rules.live_parameters import (
    added_rows_frozen,
    body_not_from_the_checkpoint,
    float16_weights_scaled,
    float16_weights_trained,
    fresh_head_not_trained,
    head_is_fresh,
    nothing_is_trained,
    optimizer_of_another_model,
    parameters_outside_the_optimizer,
    weights_not_finite,
)

CLS, QA, LM, MLM = "text-classification", "question-answering", "causal-lm", "masked-lm"
BODY, HEAD, BIAS = "bert.layer.weight", "classifier.weight", "classifier.bias"
FRESH = frozenset({HEAD, BIAS})


def of(*parameters, fresh=FRESH, optimizer=None, task=CLS, batches=(), arguments=None, **model):
    """Facts of a model with these parameters, whose head is fresh."""
    told_ = {"parameters": tuple(parameters), "fresh": fresh, "head": fresh, **model}
    return live(task, *batches, model=told_, run={"optimizer": optimizer, "arguments": arguments or {}})


def holds(*names: str, strangers: int = 0) -> LiveOptimizer:
    """An optimizer."""
    return LiveOptimizer("AdamW", frozenset(names), strangers, len(names) + strangers)


FROZEN = [parameter(name, trained=False) for name in (BODY, HEAD, BIAS)]
TRAINED = [parameter(name) for name in (BODY, HEAD, BIAS)]
HALF = [parameter(name, dtype="float16") for name in (BODY, HEAD, BIAS)]
TABLE = "embeddings.weight"
NEW = [batch(input_ids=[[2, 101, 3]])]


@pytest.mark.parametrize(
    ("rule", "facts", "word"),
    cases(
        (
            nothing_is_trained,
            "are frozen (requires_grad=False)",
            [of(*FROZEN), of(FROZEN[0]), of(*FROZEN, task=LM)],
            [of(*TRAINED), of(*FROZEN[:2], TRAINED[2]), of(*FROZEN, whole=False), of()],
        ),
        (
            weights_not_finite,
            "hold NaN or infinity: `",
            [
                of(parameter(BODY, finite=False)),
                of(*TRAINED, parameter("x", finite=False)),
                of(parameter(BODY, finite=False, trained=False)),
            ],
            [of(*TRAINED), of(*FROZEN), of()],
        ),
        (
            float16_weights_scaled,
            "trained parameters are float16, with fp16=True",
            [
                of(*HALF, arguments={"fp16": True}),
                of(TRAINED[0], HALF[1], arguments={"fp16": True}),
                of(HALF[0], task=LM, arguments={"fp16": True, "bf16": False}),
            ],
            [
                of(*HALF),
                of(*TRAINED, arguments={"fp16": True}),
                of(parameter(BODY, dtype="float16", trained=False), TRAINED[1], arguments={"fp16": True}),
                of(*[parameter(BODY, dtype="bfloat16")], arguments={"fp16": True}),
            ],
        ),
        (
            float16_weights_trained,
            "of the trained weights are float16",
            [of(*HALF), of(*HALF[:2], TRAINED[2]), of(*HALF, arguments={"bf16": True})],
            [
                of(*TRAINED),
                of(parameter(BODY, dtype="float16", trained=False), *TRAINED[1:]),
                of(*HALF, arguments={"fp16": True}),
                of(parameter(BODY, dtype="bfloat16")),
            ],
        ),
        (
            parameters_outside_the_optimizer,
            "AdamW lacks",
            [
                of(*TRAINED, optimizer=holds(BODY)),
                of(*TRAINED, optimizer=holds(BODY, BIAS)),
                of(*TRAINED, fresh=None, optimizer=holds(HEAD, BIAS, strangers=1)),
            ],
            [
                of(*TRAINED, optimizer=holds(BODY, HEAD, BIAS)),
                of(*TRAINED, optimizer=holds(HEAD, BIAS)),
                of(*TRAINED),
                of(*TRAINED[:1], *FROZEN[1:], optimizer=holds(BODY)),
                of(*TRAINED, optimizer=holds(strangers=3)),
            ],
        ),
        (
            optimizer_of_another_model,
            "none of them of this BertForSequenceClassification",
            [
                of(*TRAINED, optimizer=holds(strangers=3)),
                of(*TRAINED, optimizer=holds(strangers=1), task=LM),
                of(*FROZEN, optimizer=holds(strangers=9)),
            ],
            [of(*TRAINED, optimizer=holds(BODY, strangers=3)), of(*TRAINED), of(*TRAINED, whole=False, optimizer=holds(strangers=1))],
        ),
        (
            fresh_head_not_trained,
            "parameters of the new head are frozen",
            [
                of(TRAINED[0], *FROZEN[1:]),
                of(TRAINED[0], FROZEN[1], TRAINED[2]),
                of(TRAINED[0], FROZEN[2], task=QA),
            ],
            [of(*TRAINED), of(FROZEN[0], *TRAINED[1:]), of(TRAINED[0], *FROZEN[1:], fresh=None), of(*FROZEN)],
        ),
        (
            added_rows_frozen,
            "added tokens are in the batches (id 101)",
            [
                of(parameter(TABLE, 102, 4, trained=False), TRAINED[1], rows=102, saved_rows=100, batches=NEW),
                of(parameter(TABLE, 102, 4, trained=False), rows=102, saved_rows=101, batches=NEW, task=LM),
                of(parameter(TABLE, 128, 4, trained=False), rows=128, saved_rows=100, batches=NEW * 3, fresh=None),
            ],
            [
                of(parameter(TABLE, 102, 4), rows=102, saved_rows=100, batches=NEW),
                of(parameter(TABLE, 100, 4, trained=False), rows=100, saved_rows=100, batches=NEW),
                of(parameter(TABLE, 102, 4, trained=False), rows=102, saved_rows=102, batches=NEW),
                of(parameter(TABLE, 102, 4, trained=False), rows=102, saved_rows=100, batches=[batch(input_ids=[[2, 3]])]),
                of(
                    parameter(TABLE, 102, 4, trained=False), parameter("token_adapter.trainable_tokens_delta"),
                    rows=102, saved_rows=100, batches=NEW,
                ),
            ],
        ),
        (
            body_not_from_the_checkpoint,
            "unlike the checkpoint's",
            [of(*TRAINED, alike=False), of(*TRAINED, alike=False, task=QA), of(*TRAINED, alike=False, task=MLM)],
            [of(*TRAINED, alike=True), of(*TRAINED), of(*TRAINED, alike=None, task=QA)],
        ),
        (
            head_is_fresh,
            "parameters started at random: `classifier",
            [of(*TRAINED), of(TRAINED[0], TRAINED[1]), of(*TRAINED, alike=True, task=QA)],
            [of(*TRAINED, fresh=frozenset()), of(*TRAINED, fresh=None), of(*TRAINED, alike=False)],
        ),
    ),
)  # fmt: skip
def test_rule(rule, facts, word) -> None:
    """Fires with actual and expected value, or is quiet."""
    judged(rule, facts, word)


def test_training_from_nothing_is_a_note_for_language_models() -> None:
    """Whoever pretrains builds a model from its config on purpose; nobody trains a reader so."""
    levels = [told(body_not_from_the_checkpoint, of(*TRAINED, alike=False, task=task))[0].level for task in (MLM, QA)]
    assert levels == ["note", "warning"]
