"""Analyses made of numbers, without a model: scores of three layers by three poolings, two baselines, whatever is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from pretune.pool.analysis import Analysis, Shortlist
from pretune.pool.choice import Choice
from pretune.pool.declared import Declared
from pretune.pool.faults import Fault
from pretune.pool.importance import TokenWeight
from pretune.pool.one_pass import Sweep
from pretune.pool.padding_cost import PaddingCost
from pretune.pool.sentence_tokens import SentenceTokens
from pretune.pool.shapley import Shares
from pretune.pool.verdict import judge_classes, judge_pairs

POOLINGS = ("cls", "mean", "weighted_mean")
DEFAULT = Choice((2,), "mean")
DECLARED = Declared("mean", "1_Pooling/config.json", "mean")


def choices(*shapings: str) -> tuple[Choice, ...]:
    """Single layers 0 to 2 and the mix 0+2, of each pooling and shaping."""
    return tuple(
        Choice(layers, name, shaping)
        for shaping in ("raw", *shapings)
        for name in POOLINGS
        for layers in ((0,), (1,), (2,), (0, 2))
        if shaping == "raw" or len(layers) == 1
    )


def pairs(
    *, count: int = 300, noise: dict[Choice, float] | None = None, shapings: tuple[str, ...] = (), **given: Any
) -> Analysis:
    """Scored pairs; a choice's similarities are the scores and noise of the given size (2 where none is given).

    Layer 0's cls is the same for every pair, so its score is undefined.
    """
    every = (*choices(*shapings), Choice((), "random word vectors, mean"), Choice((), "length difference"))
    sizes = {DEFAULT: 0.5, every[-2]: 6.0, every[-1]: 40.0} | (noise or {})
    rng = np.random.default_rng(0)
    scores, shared = rng.normal(size=count), rng.normal(size=count)
    table = np.array(
        [
            np.zeros(count)
            if one == Choice((0,), "cls")
            else scores + sizes.get(one, 2.0) * (0.9 * shared + 0.45 * rng.normal(size=count))
            for one in every
        ]
    )
    default = given.pop("default", DEFAULT)
    verdict = judge_pairs(table, scores, every, default=every.index(default))
    return made("pairs", count, every, default=default, verdict=verdict, **given)


def classes(**given: Any) -> Analysis:
    """Sentences with two classes, which layer 1's mean tells apart best."""
    every = choices()
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, size=240)
    verdict = judge_classes(
        lambda one: truth[:, None] + (0.2 if one == Choice((1,), "mean") else 3.0) * rng.normal(size=(240, 2)),
        truth,
        every,
        default=every.index(DEFAULT),
    )
    return made("classes", 240, every, verdict=verdict, **given)


def everything(strange: str) -> Analysis:
    """Scored pairs with everything that can be asked for; model, token, fault and remark are named `strange`."""
    share = Shares({"cls": 0.1, "word": 0.3}, 0.4, ("word",), 0.45, {"cls": 0.45, "word": 0.1})
    weights = tuple(TokenWeight(place, strange, 0.2 / (place + 1), 0.1 if place < 3 else None) for place in range(12))
    return pairs(
        shapings=("centred",),
        model=strange,
        faults=(Fault("a-fault", strange, "do this", "error"), Fault("another", "so it is", "", "note")),
        padding=(PaddingCost("mean over padding", 0.8, 0.7),),
        shares={1: share, 0: share},
        tokens=(SentenceTokens(strange, 2, weights),),
        notes=(strange,),
        seconds={"encode": 1.25},
    )


def bare(**given: Any) -> Analysis:
    """Sentences with nothing beside them; the upper half of the choices is the shortlist."""
    every = choices()
    margins = np.arange(len(every)) / 10
    return made("text", 40, every, shortlist=Shortlist(every, margins, margins >= np.median(margins)), **given)


def made(kind: Any, count: int, every: tuple[Choice, ...], **given: Any) -> Analysis:
    """An Analysis with a name, a source, and what else is given."""
    sweep = Sweep(None, None, tuple(one for one in every if one.layers), None, {"separator": "last_token"})  # type: ignore[arg-type]
    keys = {"model": "some/model", "source": "pairs.tsv", "default": DEFAULT, "declared": DECLARED} | given
    return Analysis(kind=kind, count=count, sentences=count, found=sweep, **keys)
