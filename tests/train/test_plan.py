"""What each process does in each step: nothing lost, nothing twice, the same steps for one process and several."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.train.examples import Examples
from pretune.train.options import Options
from pretune.train.plan import Plan
from train import engines


def examples(lengths: list[int]) -> Examples:
    """Examples of these lengths."""
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return Examples(np.zeros(int(starts[-1]), np.int32), starts, labels={"labels": np.zeros(len(lengths), np.int64)})


def rows_of(plans: list[Plan], epoch: int) -> list[list[int]]:
    """The examples of each step of an epoch, all processes together, those computed for nothing left out; sorted."""
    steps = []
    for shares in zip(*(plan.epoch(epoch) for plan in plans), strict=True):
        assert len({(one.count, one.tokens, len(one.batches)) for one in shares}) == 1
        rows = [int(row) for one in shares for rows in one.batches[: len(one.batches) - one.idle] for row in rows]
        steps.append(sorted(rows))
    return steps


@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=60),
    st.sampled_from([None, 1, 7, 25, 60]),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_every_example_once(
    lengths: list[int], budget: int | None, processes: int, accumulated: int, size: int
) -> None:
    """In every epoch each example is in one step once, all epochs have as many batches, every process the same number."""
    options = Options(
        tokens_per_batch=budget,
        per_device_train_batch_size=size,
        gradient_accumulation_steps=accumulated,
        num_train_epochs=2.5,
    )
    plans = [Plan(examples(lengths), options, processes, process) for process in range(processes)]
    for epoch in range(3):
        steps = rows_of(plans, epoch)
        assert sorted(row for rows in steps for row in rows) == list(range(len(lengths)))
        assert len(steps) == plans[0].steps_in_epoch
        for plan in plans:
            assert sum(len(one.batches) for one in plan.epoch(epoch)) == plan.batches
    assert plans[0].steps == math.ceil(2.5 * plans[0].steps_in_epoch)
    assert plans[0].epochs <= 3


@pytest.mark.parametrize("budget", [None, 40])
@pytest.mark.parametrize("count", [37, 64, 3, 1])
def test_processes_share_the_same_steps(count: int, budget: int | None) -> None:
    """Four accumulated batches of one process are two of two, and one of four: the same examples in every step."""
    given = engines.examples("classes", count)
    found = []
    for processes, accumulated in ((1, 4), (2, 2), (4, 1)):
        options = Options(
            tokens_per_batch=budget, per_device_train_batch_size=3, gradient_accumulation_steps=accumulated
        )
        found.append([rows_of([Plan(given, options, processes, n) for n in range(processes)], e) for e in range(2)])
    assert found[0] == found[1] == found[2]


def test_a_ragged_last_step_is_shared_evenly() -> None:
    """Nine examples, two processes with batches of four: the last one is computed once, and once for nothing."""
    options = Options(per_device_train_batch_size=4)
    one, other = (list(Plan(examples([1] * 9), options, 2, process).epoch(0)) for process in range(2))
    assert [one[-1].idle, other[-1].idle] == [0, 1]
    assert one[-1].count == other[-1].count == 1
    assert one[-1].batches[0].tolist() == other[-1].batches[0].tolist()


def test_budget_holds_in_all_epochs() -> None:
    """Batches are as many in each epoch because some are cut in two: none has more tokens than the budget."""
    given = engines.examples("classes", 64)
    plan = Plan(given, Options(tokens_per_batch=40, gradient_accumulation_steps=3, num_train_epochs=4))
    sizes = [given.lengths[rows].sum() for epoch in range(4) for share in plan.epoch(epoch) for rows in share.batches]
    assert max(sizes) <= 40
    assert plan.batches % 3 == 0


def test_max_steps() -> None:
    """max_steps wins over epochs, for batches of a size and by tokens."""
    for budget in (None, 40):
        plan = Plan(engines.examples("classes"), Options(max_steps=50, tokens_per_batch=budget))
        assert plan.steps == 50
        assert plan.epochs == math.ceil(50 / plan.steps_in_epoch)


def test_start_in_the_middle() -> None:
    """An epoch that is gone on with has the steps it would have had."""
    plan = Plan(engines.examples("classes"), Options(per_device_train_batch_size=3, gradient_accumulation_steps=2))
    whole, rest = list(plan.epoch(1)), list(plan.epoch(1, start=4))
    assert [[rows.tolist() for rows in one.batches] for one in rest] == [
        [rows.tolist() for rows in one.batches] for one in whole[2:]
    ]


def test_a_step_without_a_label() -> None:
    """A step in which nothing is asked counts one loss, so that nothing is divided by zero."""
    asked = Examples(np.zeros(4, np.int32), np.array([0, 2, 4]), labels={"labels": np.full(4, -100)})
    assert next(Plan(asked, Options()).epoch(0)).count == 1
