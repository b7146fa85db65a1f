"""What a model says of examples stands in their order, whatever was in a batch with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretune.train.attention import use_sequences
from pretune.train.batches import collate, inputs
from pretune.train.examples import Examples
from pretune.train.options import Options
from pretune.train.predict import predict
from train import engines

OUTPUTS = {
    "reading": ("start_logits", "end_logits"),
    "classes": ("logits",),
    "similarity": ("logits",),
    "tags": ("logits",),
}


@pytest.mark.parametrize("padding", ["longest", "max_length", "none"])
@pytest.mark.parametrize("task", engines.TASKS)
def test_one_by_one(task: str, padding: str) -> None:
    """In batches of any kind each example gets what it gets alone, and labels are not needed."""
    model, given = engines.model(task), engines.examples(task, 11)
    each_token = task in {"reading", "tags"}
    with torch.no_grad():
        alone = [model.eval()(**inputs(collate(given, [row], Options()))) for row in range(11)]
    expected = [torch.cat([one[name][0] if each_token else one[name] for one in alone]) for name in OUTPUTS[task]]
    if padding == "none":
        use_sequences(model)
    model.train()
    options = Options(padding=padding, max_length=40, per_device_eval_batch_size=3)
    state = torch.get_rng_state()
    for more in (options, replace(options, tokens_per_batch=30)):
        found = predict(model, replace(given, labels={}), more, outputs=OUTPUTS[task], each_token=each_token)
        assert model.training
        for mine, theirs in zip(found, expected, strict=True):
            assert mine.dtype == np.float32
            assert mine.shape == tuple(theirs.shape)
            assert np.abs(mine - theirs.numpy()).max() < 1e-5
    assert torch.equal(state, torch.get_rng_state())


def test_progress() -> None:
    """It says how many examples were asked, and of how many."""
    said = []
    predict(
        engines.model("classes"),
        engines.examples("classes", 5),
        Options(per_device_eval_batch_size=2),
        outputs=("logits",),
        each_token=False,
        told=lambda done, of: said.append((done, of)),
    )
    assert said == [(2, 5), (4, 5), (5, 5)]


def test_no_example() -> None:
    """Nothing is said of nothing."""
    none = Examples(np.zeros(0, np.int32), np.zeros(1, np.int64))
    (found,) = predict(engines.model("classes"), none, Options(), outputs=("logits",), each_token=False)
    assert len(found) == 0
