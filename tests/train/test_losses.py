"""A step's loss and gradients depend on its examples alone: not on padding, batch mates, batches or accumulation."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from pretune.train import batches
from pretune.train.attention import use_sequences
from pretune.train.options import Options
from train import engines

PADDED = Options()
WIDE = Options(padding="max_length", max_length=40)
FREE = Options(padding="none")


def step(task: str, cuts: list[list[int]], options: Options, family: str = "Bert") -> tuple[float, torch.Tensor]:
    """Loss and gradient of one step with these batches, dropout 0."""
    model = engines.model(task, family, dropout=0.0)
    if options.padding == "none":
        use_sequences(model)
    given = engines.examples(task, pad=1 if family == "Roberta" else 0)
    count = int(batches.losses_of(given)[[row for rows in cuts for row in rows]].sum())
    first = batches.first_position(model)
    total = 0.0
    for rows in cuts:
        batch = batches.collate(given, rows, options, first_position=first)
        summed, losses = engines.loss_of(task)(model(**batches.inputs(batch)), batch)
        assert losses == batches.losses_of(given)[rows].sum()
        assert summed.dtype == torch.float32
        (summed / count).backward()
        total += summed.item() / count
    gradients = [weight.grad.reshape(-1) for weight in model.parameters() if weight.grad is not None]
    return total, torch.cat(gradients)


def close(one: tuple[float, torch.Tensor], other: tuple[float, torch.Tensor]) -> None:
    """Equal within float32: 1e-6 of the loss and of the gradient's norm."""
    assert one[0] == pytest.approx(other[0], rel=1e-6, abs=1e-6)
    assert (one[1] - other[1]).norm() <= 1e-6 * max(1.0, other[1].norm().item())


@pytest.mark.parametrize("task", engines.TASKS)
@pytest.mark.parametrize("options", [PADDED, WIDE, FREE], ids=["longest", "max_length", "none"])
def test_cuts(task: str, options: Options) -> None:
    """Eight examples at once, as four pairs, as two and six: the same loss and gradients, whatever the padding."""
    rows = list(range(8))
    whole = step(task, [rows], PADDED)
    for cuts in ([rows], [rows[i : i + 2] for i in range(0, 8, 2)], [rows[:2], rows[2:]], [[row] for row in rows]):
        close(step(task, cuts, options), whole)


@pytest.mark.parametrize("family", ["Roberta", "Electra"])
@pytest.mark.parametrize("task", engines.TASKS)
def test_other_architectures(task: str, family: str) -> None:
    """Other embeddings and heads: padded and padding-free are the same."""
    close(step(task, [[0, 1, 2], [3]], FREE, family), step(task, [[0, 1, 2, 3]], PADDED, family))


def test_reading_does_not_depend_on_batch_mates() -> None:
    """An example's loss is the same alone and beside a longer one; that of transformers is not, and wide pads move it."""
    model = engines.model("reading", dropout=0.0).eval()
    given = engines.examples("reading")
    short, long = int(given.lengths.argmin()), int(given.lengths.argmax())

    def losses(rows: list[int], options: Options) -> tuple[float, float]:
        batch = batches.collate(given, rows, options)
        labels = {name: batch[name] for name in given.labels}
        with torch.no_grad():
            outputs = model(**batches.inputs(batch), **labels)
            return engines.loss_of("reading")(outputs, batch)[0].item(), outputs.loss.item() * len(rows)

    alone, beside, other = losses([short], PADDED), losses([short, long], PADDED), losses([long], PADDED)
    wide = losses([short], WIDE)
    assert beside[0] - other[0] == pytest.approx(alone[0], abs=1e-5)
    assert wide[0] == pytest.approx(alone[0], abs=1e-6)
    assert alone[0] == pytest.approx(alone[1], abs=1e-6)  # nothing is padded: both are right
    assert abs(beside[1] - other[1] - alone[1]) > 0.5
    assert wide[1] - alone[1] > 0.5


@pytest.mark.parametrize("task", ["classes", "similarity", "tags"])
def test_transformers_own_loss_of_one_batch(task: str) -> None:
    """For other tasks the mean over one padded batch is that of transformers."""
    model = engines.model(task, dropout=0.0)
    batch = batches.collate(engines.examples(task), list(range(8)), PADDED)
    outputs = model(**batches.inputs(batch), labels=batch["labels"])
    summed, count = engines.loss_of(task)(outputs, batch)
    assert (summed / count).item() == pytest.approx(outputs.loss.item(), rel=1e-6)


def test_left_padding() -> None:
    """Pads on the left are out of the softmax as well."""
    given = replace(engines.examples("reading"), pad_left=True)
    batch = batches.collate(given, [0, 1, 2], PADDED)
    shape = batch["input_ids"].shape
    logits = torch.zeros(shape)
    outputs: Any = type("Outputs", (), {"start_logits": logits, "end_logits": logits})
    summed, _ = engines.loss_of("reading")(outputs, batch)
    expected = torch.tensor(given.lengths[:3]).log().sum()
    assert summed.item() == pytest.approx(expected.item(), rel=1e-6)


def test_low_precision_outputs() -> None:
    """bfloat16 logits are summed in float32; gradients of pads are zero, not NaN."""
    batch = batches.collate(engines.examples("reading"), [0, 1], PADDED)
    logits = torch.zeros(batch["input_ids"].shape, dtype=torch.bfloat16, requires_grad=True)
    outputs: Any = type("Outputs", (), {"start_logits": logits, "end_logits": logits})
    summed, _ = engines.loss_of("reading")(outputs, batch)
    summed.backward()
    assert summed.dtype == torch.float32
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[batch["attention_mask"] == 0] == 0).all()
