"""All levers together: the same losses as padded batches, and a model that is plain again."""

from typing import Any

import pytest
import torch
import transformers

from pretune.train import levers
from pretune.train.attention import NotServedError
from pretune.train.batches import collate, first_position, inputs
from pretune.train.dropout import restore_dropout
from pretune.train.options import PRESETS, Options
from train import lever_models as tiny


def loss_and_gradients(model: Any, task: str, options: Options, family: str) -> tuple[float, list[Any]]:
    """Of 16 examples in one batch."""
    examples = tiny.examples(task, 16, pad=1 if family == "Roberta" else 0)
    batch = collate(examples, range(16), options, first_position=first_position(model))
    if family == "Roberta":
        batch.pop("token_type_ids")
    summed, count = tiny.loss_of(task)(model(**inputs(batch)), batch)
    (summed / count).backward()
    return summed.item() / count, [one.grad for one in model.parameters() if one.grad is not None]


@pytest.mark.parametrize("family", ["Bert", "Roberta", "Electra"])
@pytest.mark.parametrize("task", tiny.TASKS)
def test_padded_and_padding_free_are_the_same(task: str, family: str) -> None:
    """Loss and every gradient agree within 1e-5, for all tasks."""
    free = Options(padding="none", fast_dropout=True, attention_dropout=0.0)
    models = [tiny.model(task, family, dropout=0.0).train() for _ in range(2)]
    assert levers.prepare(models[0], free) == levers.Prepared(free)
    ours, gradients = loss_and_gradients(models[0], task, free, family)
    theirs, expected = loss_and_gradients(models[1], task, Options(), family)
    assert ours == pytest.approx(theirs, rel=1e-5)
    for one, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", tiny.TASKS)
def test_the_fast_preset_trains(task: str) -> None:
    """With bfloat16 and dropout the loss falls, and all gradients are float32 numbers."""
    options = Options(**PRESETS["fast"] | {"precision": "bf16"})
    model = tiny.model(task).train()
    prepared = levers.prepare(model, options)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        loss, gradients = loss_and_gradients(model, task, prepared.options, "Bert")
        assert all(one.dtype == torch.float32 and one.isfinite().all() for one in gradients)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss)
    assert losses[-1] < losses[0]


def test_restored(tmp_path: Any) -> None:
    """After all levers the model says, and saves, what it did before."""
    model = tiny.model("reading").eval()
    ids = torch.randint(5, 60, (2, 9))
    before = model(input_ids=ids).start_logits
    model.save_pretrained(tmp_path)
    config = model.config.to_json_string()
    levers.prepare(model, Options(padding="none", precision="bf16", fast_dropout=True, attention_dropout=0.0))
    model.save_pretrained(tmp_path)
    levers.restore(model)
    assert model.config.to_json_string() == config
    assert torch.equal(model(input_ids=ids).start_logits, before)
    assert not restore_dropout(model)
    loaded = transformers.AutoModelForQuestionAnswering.from_pretrained(tmp_path)
    assert torch.equal(loaded(input_ids=ids).start_logits, before)
    assert loaded.config.hidden_dropout_prob == loaded.config.attention_probs_dropout_prob == 0.1


def test_the_exact_preset_touches_nothing() -> None:
    """No lever, no change, no word."""
    model = tiny.model("reading").train()
    ids = torch.randint(5, 60, (2, 9))
    torch.manual_seed(0)
    before = model(input_ids=ids).start_logits
    options = Options(**PRESETS["exact"])
    assert levers.prepare(model, options) == levers.Prepared(options)
    torch.manual_seed(0)
    assert torch.equal(model(input_ids=ids).start_logits, before)


def test_a_model_that_is_not_served_is_padded() -> None:
    """One line says so, and the options to make batches with say `longest`."""
    config = transformers.DebertaV2Config(
        vocab_size=64, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    model = transformers.DebertaV2ForTokenClassification(config)
    prepared = levers.prepare(model, Options(padding="none", fast_dropout=True))
    assert prepared.options.padding == "longest"
    assert len(prepared.said) == 1
    assert "DebertaV2ForTokenClassification" in prepared.said[0]
    with pytest.raises(NotServedError):
        levers.prepare(model, Options(attention_dropout=0.0))


def test_auto_precision_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine multiplies faster is chosen, and float32 is explained."""
    for found in ("bf16", "fp32"):
        monkeypatch.setattr(levers, "faster", lambda device, found=found: found)
        prepared = levers.prepare(tiny.model("tags"), Options(precision="auto"))
        assert prepared.options.precision == found
        assert bool(prepared.said) == (found == "fp32")
