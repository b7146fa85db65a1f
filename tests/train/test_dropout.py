"""Dropout from 16-bit random numbers: its rate, its mean, its repeatability, and that it can be undone."""

import math

import pytest
import torch

from pretune.train.dropout import Keep, dropped_of, replace_dropout, restore_dropout, scale_of
from train import lever_models as tiny


@pytest.mark.parametrize("rate", [0.0, 1 / 65536, 0.1, 0.5, 0.9, 1.0])
def test_rate(rate: float) -> None:
    """The share of dropped elements is the rate, within five standard errors of a million draws."""
    torch.manual_seed(0)
    count = 1 << 20
    dropped = 1 - Keep(rate).mask((count,), torch.float32).mean(dtype=torch.float64).item()
    assert dropped == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / count) + 1e-12)


def test_rate_of_each_of_the_four_numbers_in_a_word() -> None:
    """All four 16-bit numbers of a 64-bit word are equally random, the one with the sign too."""
    torch.manual_seed(1)
    mask = Keep(0.5).mask((1 << 18, 4), torch.float32)
    assert torch.allclose(mask.mean(0), torch.full((4,), 0.5), atol=0.005)
    assert torch.corrcoef(mask.T).fill_diagonal_(0).abs().max() < 0.01


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.123456])
def test_expected_value_stays(rate: float) -> None:
    """What is kept is scaled by one over the share that is really kept: no bias at all."""
    assert scale_of(rate) * (65536 - dropped_of(rate)) / 65536 == pytest.approx(1, abs=1e-15)
    assert dropped_of(rate) / 65536 == pytest.approx(rate, abs=1 / 65536)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_forward_and_backward_drop_the_same(dtype: torch.dtype) -> None:
    """The gradient is zero exactly where the output is, and the scale where it is not."""
    layer = torch.nn.Sequential(torch.nn.Dropout(0.25))
    assert replace_dropout(layer) == 1
    given = torch.ones(33, 7, dtype=dtype, requires_grad=True)
    out = layer(given)
    out.sum().backward()
    assert out.dtype == dtype
    assert torch.equal(given.grad, out.detach())
    assert sorted(set(out.detach().flatten().tolist())) == [0, pytest.approx(4 / 3, rel=0.01)]


def test_the_same_state_gives_the_same_mask() -> None:
    """Setting torch's random state back repeats what was drawn; the next draw is another."""
    layer = torch.nn.Dropout(0.5)
    replace_dropout(layer)
    state = torch.get_rng_state()
    first, second = layer(torch.ones(100)), layer(torch.ones(100))
    torch.set_rng_state(state)
    assert torch.equal(layer(torch.ones(100)), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (5, 0, 2), (2, 3, 5)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    """Also a scalar, nothing, and counts that are no multiple of four."""
    layer = torch.nn.Dropout(0.5)
    replace_dropout(layer)
    assert layer(torch.ones(shape)).shape == shape
    assert not replace_dropout(layer)


def test_evaluating_drops_nothing() -> None:
    """The very tensor comes back, and no random number is used."""
    layer = torch.nn.Dropout(0.5).eval()
    replace_dropout(layer)
    state = torch.get_rng_state()
    given = torch.ones(8)
    assert torch.equal(layer(given), given)
    assert torch.equal(torch.get_rng_state(), state)


def test_replacing_changes_no_name_and_can_be_undone() -> None:
    """The state_dict, the names and the rates are the same; undone, all are torch's own again."""
    model = tiny.model("classes")
    names, rates = list(model.state_dict()), [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    torch.manual_seed(2)
    before = model.train()(input_ids=torch.arange(5, 15)[None]).logits
    count = replace_dropout(model)
    assert count == len(rates)
    assert list(model.state_dict()) == names
    assert [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)] == rates
    assert restore_dropout(model) == count
    assert {type(m) for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {torch.nn.Dropout}
    torch.manual_seed(2)
    assert torch.equal(model(input_ids=torch.arange(5, 15)[None]).logits, before)


def test_subclasses_are_left_alone() -> None:
    """A dropout with a forward of its own, and torch's other kinds, stay what they are."""

    class Own(torch.nn.Dropout):
        """Another kind."""

    assert not replace_dropout(torch.nn.Sequential(Own(0.1), torch.nn.AlphaDropout(0.1), torch.nn.Dropout1d(0.1)))
