"""Every planted fault is named, and the healthy twin is silent."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pool import made
from pretune.pool.architecture import Looks, Pooler
from pretune.pool.choice import Choice
from pretune.pool.collapse import collapsed
from pretune.pool.declared import Declared
from pretune.pool.faults import faults
from pretune.pool.intervals import Interval
from pretune.pool.load import Loaded, load
from pretune.pool.one_pass import Sweep, one_pass
from pretune.pool.padding_cost import padding_costs
from pretune.pool.store import Vectors

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

GOOD = Looks(Pooler(0, "tanh"), False, False, True, True, 4)
DECLARED = Declared("mean", "1_Pooling/config.json", "mean", 64)
PAIRS = np.array([(one, one + 1) for one in range(len(made.SENTENCES) - 1)])


def _loaded(**other: Any) -> Loaded:
    """A healthy BERT that declares its mean, but for what is said."""
    side = other.pop("side", "right")
    tokenizer = made.tokenizer()
    tokenizer.padding_side = side
    return replace(Loaded("tiny", made.bert(), tokenizer, DECLARED, GOOD, 0, 64), **other)


def _names(loaded: Loaded, **other: Any) -> list[str]:
    """Names of what is found."""
    return [fault.name for fault in faults(loaded, **other)]


CAUSAL = replace(GOOD, pooler=None, causal=True)
CLS = replace(DECLARED, pooling="cls", said="cls")
LAST = replace(DECLARED, pooling="last_token", said="lasttoken")
UNMOVED = replace(GOOD, left_padding=True)


@pytest.mark.parametrize(
    ("name", "planted", "healthy"),
    [
        ("first-token-behind-left-padding", {"declared": CLS, "side": "left", "looks": UNMOVED}, {"declared": CLS}),
        (
            "last-token-before-right-padding",
            {"declared": LAST},
            {"declared": LAST, "side": "left", "looks": UNMOVED},
        ),
        ("left-padding-moves-states", {"side": "left"}, {"side": "left", "looks": UNMOVED}),
        (
            "right-padding-moves-states",
            {"looks": replace(GOOD, left_padding=True, right_padding=False)},
            {"looks": UNMOVED},
        ),
        ("any-padding-moves-states", {"looks": replace(GOOD, right_padding=False)}, {}),
        ("pooler-untrained", {"untrained_pooler": True, "made_up": ("pooler.dense.weight",)}, {}),
        ("pooler-place-unknown", {"looks": replace(GOOD, pooler=Pooler(None, ""))}, {}),
        ("layers-left-out", {"looks": replace(GOOD, even_layers=False)}, {}),
        (
            "first-token-of-causal-model",
            {"looks": CAUSAL, "declared": CLS, "sentence_token": -1},
            {"looks": CAUSAL, "declared": LAST, "sentence_token": -1, "side": "left"},
        ),
        ("mean-of-causal-model", {"looks": CAUSAL, "sentence_token": -1}, {}),
        ("declared-pooling-ambiguous", {"declared": replace(DECLARED, pooling="", said="cls+mean")}, {}),
        ("length-beyond-positions", {"declared": replace(DECLARED, max_length=65)}, {}),
    ],
)
def test_a_planted_fault_is_named_and_its_twin_is_silent(
    name: str, planted: dict[str, Any], healthy: dict[str, Any]
) -> None:
    """One change makes the fault; without it the name does not appear."""
    assert name in _names(_loaded(**planted))
    assert name not in _names(_loaded(**healthy))


def test_nothing_is_wrong_with_a_healthy_model() -> None:
    """A BERT that declares its mean and pads on the right is silent, also in use."""
    assert _names(_loaded(), used=Choice((3,), "mean")) == []
    assert _names(_loaded(), used=Choice((3,), "cls")) == ["declared-pooling-ignored"]


def test_poolers_that_transformers_makes_up_are_found_in_real_files(tmp_path: Path) -> None:
    """From a checkpoint without a pooler to the fault, with no hand in between."""
    model = made.bert()
    model.save_pretrained(tmp_path, state_dict={k: v for k, v in model.state_dict().items() if "pooler" not in k})
    made.tokenizer().save_pretrained(tmp_path)
    assert "pooler-untrained" in _names(load(str(tmp_path)))


def test_a_collapsed_layer_shows_where_float32_lies() -> None:
    """Vectors that differ in the fourth digit have an order in float64 that float32 cosines lose; spread ones do not."""
    random = np.random.default_rng(0)
    scores = np.arange(60.0)
    pairs = np.stack([np.arange(60), np.arange(60) + 60], axis=1)
    table = np.ones((1, 1, 120, 16)) + 1e-4 * random.standard_normal((1, 1, 120, 16))
    spread = random.standard_normal((1, 1, 120, 16))
    choices = (Choice((0,), "mean"),)
    for values, wanted in ((table, True), (spread, False)):
        vectors = Vectors((0,), ("mean",), values.astype(np.float32))
        one, other = vectors.table[0, 0, :60].astype(np.float64), vectors.table[0, 0, 60:].astype(np.float64)
        cosine = (one * other).sum(1) / np.sqrt((one**2).sum(1) * (other**2).sum(1))
        found = Sweep(SimpleNamespace(), vectors, choices, cosine[None])
        truth = np.argsort(np.argsort(cosine)).astype(float)
        assert ("float32-cosine-lies" in _names(_loaded(), found=found, pairs=pairs, scores=truth)) == wanted
        if wanted:
            (lying,) = collapsed(found, pairs, truth)
            assert lying.float64 == pytest.approx(1)
            assert lying.float32 < 0.99
            assert collapsed(found, pairs)[0].choice == choices[0]
    assert scores.size == 60


def test_a_default_below_random_vectors_is_said_to_be_so() -> None:
    """An error when the interval excludes zero, a warning when it does not, silence above."""
    choices = (Choice((3,), "mean"), Choice((), "random vectors"))
    for gap, wanted in (
        (Interval(-0.3, -0.4, -0.2), "error"),
        (Interval(-0.1, -0.3, 0.1), "warning"),
        (Interval(0.2, 0.1, 0.3), ""),
    ):
        verdict = SimpleNamespace(
            choices=choices, below_random=gap, random=1, default=0, best=0, intervals=[Interval(0.1, 0, 0.2)] * 2
        )
        found = faults(_loaded(), verdict=verdict)
        assert [fault.level for fault in found if fault.name == "default-below-random"] == ([wanted] if wanted else [])


def test_layers_of_other_lengths_are_named_by_index() -> None:
    """The reason of the sweep is repeated."""
    found = one_pass(made.bert(), made.tokenizer(), made.SENTENCES)
    found.vectors.skipped[2] = "has 1 states of 32 numbers for 4 tokens"
    (fault,) = faults(_loaded(looks=replace(GOOD, even_layers=False)), found=found)
    assert "layer 2 has 1 states" in fault.message


def test_the_cost_of_padding_is_measured() -> None:
    """Poolings done right have the sweep's scores; each mistake has another one."""
    loaded = _loaded()
    scores = np.arange(len(PAIRS), dtype=float)
    costs = {one.name: one for one in padding_costs(loaded, made.SENTENCES, PAIRS, scores)}
    assert len(costs) == 4
    assert all(-1 <= one.wrong <= 1 for one in costs.values())
    same = [one for one in costs.values() if one.right == one.wrong]
    assert len(same) < 4
    assert padding_costs(loaded, made.SENTENCES, PAIRS[:2], scores[:2]) == ()
