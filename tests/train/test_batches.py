"""Order, cut and tensors of batches: edges, both paddings, positions and labels."""

import math
from itertools import zip_longest

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from pretune.core.errors import UserError
from pretune.train import batches
from pretune.train.examples import Examples
from pretune.train.options import Options
from train import engines

TOKENS = Examples(
    ids=np.array([5, 6, 7, 8, 9, 10], np.int32),
    starts=np.array([0, 1, 4, 6]),
    types=np.array([0, 0, 1, 1, 0, 1], np.int8),
    labels={"start_positions": np.array([0, 2, 1]), "end_positions": np.array([0, 2, 1])},
    pad=1,
)
"""Three examples of 1, 3 and 2 tokens."""
TAGGED = Examples(TOKENS.ids, TOKENS.starts, labels={"labels": np.array([1, -100, 2, 3, 4, -100])})


def test_order_is_that_of_accelerates_sampler() -> None:
    """The order of an epoch is what the Trainer's sampler gives, and nothing is drawn from the global generator."""
    from accelerate.data_loader import SeedableRandomSampler

    sampler = SeedableRandomSampler(range(50), data_seed=42)
    sampler.set_epoch(3)
    before = torch.get_rng_state()
    assert batches.order(50, 42, 3).tolist() == list(sampler)
    assert torch.equal(before, torch.get_rng_state())
    assert batches.order(0, 42, 3).tolist() == []


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 60))
def test_batches_by_tokens(lengths: list[int], budget: int) -> None:
    """All rows in their order, no batch over the budget but one of a single row, none that would have fitted cut off."""
    sizes, order = np.array(lengths, np.int64), np.arange(len(lengths))
    cut = batches.cut_batches(sizes, order, Options(tokens_per_batch=budget))
    assert [row for rows in cut for row in rows] == order.tolist()
    for rows, after in zip_longest(cut, cut[1:]):
        total = int(sizes[rows].sum())
        assert total <= budget or len(rows) == 1
        assert after is None or total + sizes[after[0]] > budget


@given(st.lists(st.integers(1, 500), min_size=1, max_size=300), st.integers(1, 16))
def test_as_many_steps_as_with_examples(lengths: list[int], size: int) -> None:
    """A budget of 0 is what so many examples and a half have on average."""
    sizes, order = np.array(lengths, np.int64), np.arange(len(lengths))
    options = Options(tokens_per_batch=0, per_device_train_batch_size=size)
    room = math.ceil((size + 0.5) * sum(lengths) / len(lengths))
    expected = batches.cut_batches(sizes, order, Options(tokens_per_batch=room))
    assert [rows.tolist() for rows in batches.cut_batches(sizes, order, options)] == [one.tolist() for one in expected]


def test_about_as_many_steps() -> None:
    """On lengths as windows have them the steps of an epoch are within 3 % of those with a fixed number of examples."""
    lengths = np.random.default_rng(0).gamma(6, 30, 1600).astype(np.int64) + 20
    for size in (4, 8, 16):
        options = Options(tokens_per_batch=0, per_device_train_batch_size=size)
        cut = batches.cut_batches(lengths, batches.order(1600, 42, 0), options)
        assert abs(len(cut) * size / 1600 - 1) < 0.03


def test_batches_of_a_size() -> None:
    """Without a budget they have a fixed number of rows, the last one what is left."""
    cut = batches.cut_batches(np.ones(5, np.int64), np.array([4, 3, 2, 1, 0]), Options(per_device_train_batch_size=2))
    assert [rows.tolist() for rows in cut] == [[4, 3], [2, 1], [0]]


def test_padded() -> None:
    """Filled up on the right with the pad id, token type 0 and mask 0; positions of answers stay."""
    batch = batches.collate(TOKENS, [1, 0], Options())
    assert batch["input_ids"].tolist() == [[6, 7, 8], [5, 1, 1]]
    assert batch["token_type_ids"].tolist() == [[0, 1, 1], [0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["start_positions"].tolist() == [2, 0]
    assert (batch["count"], batch["rows"]) == (2, [1, 0])
    assert set(batches.inputs(batch)) == {"input_ids", "token_type_ids", "attention_mask"}
    assert all(batches.inputs(batch)[name].dtype == torch.int64 for name in batches.inputs(batch))


def test_padded_on_the_left() -> None:
    """A model that pads on the left gets its pads there, and positions move with the tokens."""
    left = Examples(TOKENS.ids, TOKENS.starts, labels=TOKENS.labels, pad=1, pad_left=True)
    batch = batches.collate(left, [1, 2], Options())
    assert batch["input_ids"].tolist() == [[6, 7, 8], [1, 9, 10]]
    assert batch["start_positions"].tolist() == [2, 2]
    assert "token_type_ids" not in batch


def test_padded_to_max_length() -> None:
    """The width is max_length; an example that is longer, or no max_length, is told in one line."""
    batch = batches.collate(TOKENS, [0], Options(padding="max_length", max_length=4))
    assert batch["input_ids"].tolist() == [[5, 1, 1, 1]]
    with pytest.raises(UserError, match="an example has 3 tokens, more than max_length 2"):
        batches.collate(TOKENS, [1], Options(padding="max_length", max_length=2))
    with pytest.raises(UserError, match="there is no max_length"):
        batches.collate(TOKENS, [1], Options(padding="max_length"))


def test_padding_free() -> None:
    """One row without pads; positions begin anew, at the model's own first one; answers count from their example."""
    batch = batches.collate(TOKENS, [2, 0, 1], Options(padding="none"), first_position=2)
    assert batch["input_ids"].tolist() == [[9, 10, 5, 6, 7, 8]]
    assert batch["position_ids"].tolist() == [[2, 3, 2, 2, 3, 4]]
    assert batch["lens"] == [2, 1, 3]
    assert batch["start_positions"].tolist() == [1, 0, 2]
    assert "attention_mask" not in batch


@pytest.mark.parametrize("padding", ["longest", "none"])
def test_labels_of_tokens(padding: str) -> None:
    """Labels of tokens are spread like the tokens, pads get -100, and only true ones count."""
    batch = batches.collate(TAGGED, [1, 0], Options(padding=padding))
    assert batch["labels"].tolist() == ([[-100, 2, 3], [1, -100, -100]] if padding == "longest" else [[-100, 2, 3, 1]])
    assert batch["count"] == 3
    assert batches.losses_of(TAGGED).tolist() == [1, 2, 1]
    assert batches.losses_of(TOKENS).tolist() == [1, 1, 1]


@pytest.mark.parametrize(("family", "first"), [("Bert", 0), ("Roberta", 2), ("Electra", 0)])
def test_first_position(family: str, first: int) -> None:
    """RoBERTa counts positions from behind its pad id, BERT and ELECTRA from 0."""
    assert batches.first_position(engines.model("classes", family)) == first


def test_first_position_without_a_table() -> None:
    """A model with rotary positions counts from 0."""
    config = transformers.ModernBertConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0
    )
    assert batches.first_position(transformers.ModernBertForTokenClassification(config)) == 0
