"""LIV4: computed batches; each rule fires on its fault and is quiet beside it."""

import math

import pytest

from live_made import cases, deep, judged, parameter
from pretune.check.facts.deep import Learnt
from pretune.check.rules.live_deep import (
    batch_cannot_be_learnt,
    first_loss_unlike_a_new_head,
    gradients_not_finite,
    gradients_of_nothing,
    language_model_at_a_loss,
    loss_not_finite,
    parameters_without_gradient,
)

CLS, QA, LM, MLM = "text-classification", "question-answering", "causal-lm", "masked-lm"
HEAD = frozenset({"classifier.weight"})
FRESH = {"fresh": HEAD, "head": HEAD, "parameters": (parameter("classifier.weight"), parameter("bert.weight"))}
TAUGHT = {"alike": True}


def first(task: str, *losses: float, model=FRESH, untrained: float | None = 1.1):
    """First losses beside what equal scores would give."""
    return deep(task, *losses, model=model, untrained=untrained, untrained_as="ln 3")


def learnt(start: float, lowest: float, steps: int = 40):
    """A batch learnt by heart, or not."""
    return deep(CLS, start, learnt=Learnt(start, lowest, steps, 8))


@pytest.mark.parametrize(
    ("rule", "facts", "word"),
    cases(
        (
            loss_not_finite,
            "batches is",
            [deep(CLS, math.nan), deep(LM, 1.0, math.inf), deep(QA, 1.0, 2.0, math.nan)],
            [deep(CLS, 1.0), deep(LM, 1e9), deep(QA, 0.0)],
        ),
        (
            first_loss_unlike_a_new_head,
            "a head that knows nothing gives",
            [first(CLS, 9.0), first(QA, 0.1, 0.2, untrained=4.8), first("token-classification", 3.0, 2.5)],
            [
                first(CLS, 1.2),
                first(CLS, 9.0, model={}),
                first(LM, 9.0),
                first(CLS, 9.0, untrained=None),
                first(CLS, math.nan),
                first(QA, 5.1, 4.9, untrained=4.8),
            ],
        ),
        (
            language_model_at_a_loss,
            "guessing by chance gives",
            [
                first(LM, 10.4, model=TAUGHT, untrained=10.4),
                first(MLM, 9.8, 10.1, model=TAUGHT, untrained=10.4),
                first("chat-sft", 12.0, model=TAUGHT, untrained=11.9),
            ],
            [
                first(LM, 3.4, model=TAUGHT, untrained=10.4),
                first(LM, 10.4, model={"alike": None}, untrained=10.4),
                first(LM, 10.4, model={"alike": False}, untrained=10.4),
                first(CLS, 1.1, model=TAUGHT),
            ],
        ),
        (
            gradients_not_finite,
            "hold NaN or infinity",
            [
                deep(CLS, infinite=("a.weight",), trained=2),
                deep(LM, 2.0, infinite=("a.weight", "b.weight"), trained=2),
                deep(QA, infinite=("a", "b", "c", "d"), trained=9),
            ],
            [deep(CLS, trained=2), deep(CLS, math.nan, infinite=("a",), trained=2), deep(LM)],
        ),
        (
            gradients_of_nothing,
            "got no gradient",
            [
                deep(CLS, without=("a", "b"), trained=2),
                deep(CLS, without=("a",), zero=("b",), trained=2),
                deep(CLS, model=FRESH, zero=("classifier.weight",), trained=2),
            ],
            [
                deep(CLS, without=("a",), trained=2),
                deep(CLS, model=FRESH, zero=("bert.weight",), trained=2),
                deep(CLS, trained=0),
                deep(CLS, math.nan, zero=("a", "b"), trained=2),
            ],
        ),
        (
            parameters_without_gradient,
            "trained parameters got no gradient",
            [
                deep(CLS, without=("pooler.weight",), trained=5),
                deep(LM, without=("a", "b", "c", "d"), trained=5),
                deep(QA, without=("a",), zero=("b",), trained=5),
            ],
            [deep(CLS, trained=5), deep(CLS, zero=("a",), trained=5), deep(CLS, without=("a",), trained=1)],
        ),
        (
            batch_cannot_be_learnt,
            "steps on them alone",
            [learnt(1.1, 1.09), learnt(5.2, 5.2), learnt(0.7, 0.68, 25)],
            [learnt(1.1, 0.2, 12), learnt(1.1, 1.0), learnt(1.1, 1.1, 3), learnt(0.01, 0.01), deep(CLS)],
        ),
    ),
)
def test_rule(rule, facts, word) -> None:
    """Fires with actual and expected value, or is quiet."""
    judged(rule, facts, word)
