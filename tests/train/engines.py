"""Examples and tiny models with random weights for both engines: all four tasks, three architectures."""

from typing import Any

import numpy as np
import torch
import transformers

from pretune.train import levers, losses
from pretune.train.examples import Examples
from pretune.train.hooks import Trained
from pretune.train.options import Options

torch.set_num_threads(1)
"""Two threads wait for each other longer than models of this size take."""

TASKS = ("reading", "classes", "similarity", "tags")
HEADS = {
    "reading": "ForQuestionAnswering",
    "classes": "ForSequenceClassification",
    "similarity": "ForSequenceClassification",
    "tags": "ForTokenClassification",
}
LABELS = {"reading": 2, "classes": 3, "similarity": 1, "tags": 5}
WORDS = 60


def examples(task: str, count: int = 37, *, longest: int = 23, seed: int = 0, pad: int = 0) -> Examples:
    """Random sentences of 4 to `longest` tokens with labels of the task; the same for the same arguments."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(4, longest + 1, count)
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    total = int(starts[-1])
    first = draw.integers(0, lengths // 2)
    labels: dict[str, Any] = {
        "reading": {"start_positions": first, "end_positions": draw.integers(first, lengths)},
        "classes": {"labels": draw.integers(0, 3, count)},
        "similarity": {"labels": draw.random(count).astype(np.float32) * 5},
        "tags": {"labels": np.where(draw.random(total) < 0.4, -100, draw.integers(0, 5, total))},
    }[task]
    types = (np.arange(total) - np.repeat(starts[:-1], lengths) > 2).astype(np.int8)
    ids = draw.integers(5, WORDS, total).astype(np.int32)
    return Examples(ids=ids, starts=starts, types=types, labels=labels, pad=pad)


def model(task: str, family: str = "Bert", *, dropout: float = 0.1, seed: int = 0) -> Any:
    """A model with two layers of 32, the same weights for the same seed."""
    torch.manual_seed(seed)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=WORDS + 4,
        hidden_size=32,
        embedding_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        type_vocab_size=2,
        num_labels=LABELS[task],
        pad_token_id=1 if family == "Roberta" else 0,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return getattr(transformers, family + HEADS[task])(config)


def loss_of(task: str) -> losses.Loss:
    """The loss of the task."""
    return getattr(losses, task)


class Recorded:
    """A loss that keeps the sum of every batch."""

    def __init__(self, task: str) -> None:
        self.loss, self.sums = loss_of(task), []

    def __call__(self, outputs: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, int]:
        """As the loss."""
        summed, count = self.loss(outputs, batch)
        self.sums.append(summed.item())
        return summed, count


def weights(model: Any) -> dict[str, torch.Tensor]:
    """Copies of all weights."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether all weights are equal to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def trace(trained: Trained) -> list[tuple[float, ...]]:
    """All numbers of the log but the seconds."""
    return [
        (one.number, one.of, one.epoch, one.loss, one.learning_rate, one.gradient_norm, one.tokens)
        for one in trained.log
    ]


def run(engine: Any, task: str, options: Options, *, family: str = "Bert", dropout: float = 0.1, **more: Any) -> Any:
    """Train a tiny model: sums of the losses of all batches, the log's numbers, the final weights, what train gave."""
    made = more.pop("model", None) or model(task, family, dropout=dropout)
    prepared = levers.prepare(made, options)
    assert not prepared.said
    given = more.pop("examples", None) or examples(task, pad=1 if family == "Roberta" else 0)
    recorded = Recorded(task)
    trained = engine.train(made, given, prepared.options, loss=recorded, **more)
    return recorded.sums, trace(trained), weights(made), trained
