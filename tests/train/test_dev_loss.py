"""The loss on dev: that of one padded batch, a mean over true examples, none without labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretune.train.batches import collate, inputs
from pretune.train.dev_loss import dev_loss
from pretune.train.options import Options
from pretune.train.predict import predict
from train import engines


@pytest.mark.parametrize("task", engines.TASKS)
def test_it_is_the_loss_of_all_examples_at_once(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From ragged batches, computed three examples at a time: as one batch of training with dropout off."""
    model, given = engines.model(task).eval(), engines.examples(task, 11)
    names = ("start_logits", "end_logits") if task == "reading" else ("logits",)
    each_token = task in {"reading", "tags"}
    outputs = predict(model, given, Options(per_device_eval_batch_size=4), outputs=names, each_token=each_token)
    monkeypatch.setattr("pretune.train.dev_loss._AT_ONCE", 3)
    found = dev_loss(given, outputs, names=names, each_token=each_token, loss=engines.loss_of(task))
    batch = collate(given, np.arange(11), Options())
    with torch.no_grad():
        summed, count = engines.loss_of(task)(model(**inputs(batch)), batch)
    assert found == pytest.approx(float(summed) / count, rel=1e-5)


def test_no_labels_no_loss() -> None:
    """Dev data whose answers stand nowhere have no loss, nor have tokens that nothing is asked of."""
    given = engines.examples("tags", 5)
    logits = (np.zeros((len(given.ids), engines.LABELS["tags"]), np.float32),)
    names, loss = ("logits",), engines.loss_of("tags")
    unasked = {"labels": np.full(len(given.ids), -100)}
    for labels in ({}, unasked):
        assert dev_loss(replace(given, labels=labels), logits, names=names, each_token=True, loss=loss) is None
