"""Tiny models with random weights and examples of the four tasks, for the tests of the levers."""

from typing import Any

import numpy as np
import torch
import transformers

from pretune.train import losses
from pretune.train.examples import Examples

TASKS = ("reading", "classes", "similarity", "tags")
HEADS = {"reading": "ForQuestionAnswering", "tags": "ForTokenClassification"}
LABELS = {"reading": 2, "classes": 3, "similarity": 1, "tags": 5}


def examples(task: str, count: int = 16, *, pad: int = 0) -> Examples:
    """Random sentences of 4 to 23 tokens with labels of the task; the same for the same arguments."""
    draw = np.random.default_rng(0)
    lengths = draw.integers(4, 24, count)
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
    return Examples(draw.integers(5, 60, total).astype(np.int32), starts, types, labels, pad=pad)


def model(task: str, family: str = "Bert", *, dropout: float = 0.1) -> Any:
    """A model with two layers of 32, always of the same weights."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(
        vocab_size=64,
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
    return getattr(transformers, family + HEADS.get(task, "ForSequenceClassification"))(config)


def loss_of(task: str) -> losses.Loss:
    """The loss of the task."""
    found: losses.Loss = getattr(losses, task)
    return found
