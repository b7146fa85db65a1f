"""Rules on scaled, clipped and gathered gradients in loops of the script's own."""

import pytest

from ask_scripts import SETUP, asked, lines, number_of
from pretune.check.rules.py_scaling import (
    RULES,
    accumulation_cleared_each_batch,
    clipping_before_unscale,
    clipping_without_effect,
    last_batches_never_applied,
    loss_never_scaled,
    loss_of_the_loop_not_divided,
    scaler_never_updated,
)

AMP = (
    SETUP
    + """\
scaler = torch.cuda.amp.GradScaler()
for epoch in range(epochs):
    model.train()
    for batch in train_loader:
        optimizer.zero_grad()
        with torch.cuda.amp.autocast():
            loss = model(**batch).loss
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
"""
)
BRANCHES = """\
import torch
from torch.cuda.amp import GradScaler, autocast

class Engine:
    def __init__(self, model, optimizer, fp16):
        self.model, self.optimizer, self.fp16 = model, optimizer, fp16
        self.scaler = GradScaler() if fp16 else None

    def step(self, loss):
        if self.fp16:
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
        self.optimizer.zero_grad()

def train(model, loader, args):
    engine = Engine(model, torch.optim.AdamW(model.parameters()), args.fp16)
    for batch in loader:
        engine.step(model(**batch).loss)
"""
GATHERING = (
    SETUP
    + """\
accumulation_steps = 4
for epoch in range(epochs):
    model.train()
    for step, batch in enumerate(train_loader):
        loss = model(**batch).loss
        loss = loss / accumulation_steps
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if (step + 1) % accumulation_steps == 0 or step + 1 == len(train_loader):
            optimizer.step()
            optimizer.zero_grad()
"""
)
PLAIN_TEST = " or step + 1 == len(train_loader)"
ACCELERATE = (
    SETUP
    + """\
from accelerate import Accelerator
accelerator = Accelerator(gradient_accumulation_steps=4)
model, optimizer, train_loader = accelerator.prepare(model, optimizer, train_loader)
for batch in train_loader:
    with accelerator.accumulate(model):
        accelerator.backward(model(**batch).loss)
        if accelerator.sync_gradients:
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
"""
)


def drop(text: str, *starts: str) -> str:
    """The text without the lines that begin so."""
    return "\n".join(line for line in text.split("\n") if not line.strip().startswith(starts))


@pytest.mark.parametrize(
    "text", [AMP, BRANCHES, GATHERING, ACCELERATE], ids=["amp", "branches", "gathering", "accelerate"]
)
def test_healthy_loops_are_quiet(text: str) -> None:
    """Mixed precision, clipping and accumulation as the documentation has them."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        drop(AMP, "scaler.unscale_"),
        drop(BRANCHES, "self.scaler.unscale_"),
        AMP.replace("        scaler.unscale_(optimizer)\n", "").replace(
            "        scaler.step", "        scaler.unscale_(optimizer)\n        scaler.step"
        ),
    ],
)
def test_clipping_before_unscale(text: str) -> None:
    """Clipping of scaled gradients is a warning, also where unscale_ comes after it."""
    (finding,) = asked(clipping_before_unscale, text)
    assert finding.level == "warning"
    assert "no unscale_() comes before it" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        AMP,
        drop(AMP, "scaler.unscale_").replace("GradScaler()", "GradScaler(enabled=args.fp16)"),
        drop(AMP, "scaler.unscale_", "torch.nn.utils.clip"),
        drop(AMP, "scaler.unscale_").replace("torch.nn.utils.clip", "accelerator.clip"),
    ],
)
def test_clipping_before_unscale_quiet(text: str) -> None:
    """Unscaled before, a scaler that may be off, no clipping, one that unscales itself."""
    assert asked(clipping_before_unscale, text) == []


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("loss.backward()", "optimizer.step()", "{clip}", "optimizer.zero_grad()"), "comes after step()"),
        (("optimizer.zero_grad()", "{clip}", "loss.backward()", "optimizer.step()"), "comes before backward()"),
        (("optimizer.zero_grad()", "loss.backward()", "optimizer.step()", "{clip}"), "comes after step()"),
    ],
)
def test_clipping_without_effect(order: tuple[str, ...], said: str) -> None:
    """Clipping behind the step or before backward is a warning."""
    body = "\n    ".join(order).replace("{clip}", "nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)")
    text = SETUP + f"for batch in train_loader:\n    loss = model(**batch).loss\n    {body}\n"
    found = asked(clipping_without_effect, text)
    assert lines(found) == [number_of(text, "nn.utils.clip")]
    assert said in found[0].message


@pytest.mark.parametrize(
    "body",
    [
        "loss.backward()\n    nn.utils.clip_grad_norm_(model.parameters(), 1)\n    optimizer.step()\n    optimizer.zero_grad()",
        (
            "if i % 8 == 0:\n        nn.utils.clip_grad_norm_(model.parameters(), 1)\n        optimizer.step()\n"
            "        optimizer.zero_grad()\n    loss.backward()"
        ),
        "loss.backward()\n    for p in model.parameters():\n        nn.utils.clip_grad_norm_([p], 1)\n    optimizer.step()",
    ],
)
def test_clipping_without_effect_quiet(body: str) -> None:
    """Clipping between backward and step, also over rounds."""
    text = SETUP + f"for i, batch in enumerate(train_loader):\n    loss = model(**batch).loss\n    {body}\n"
    assert asked(clipping_without_effect, text) == []


@pytest.mark.parametrize(
    "text",
    [
        drop(AMP, "scaler.update"),
        drop(BRANCHES, "self.scaler.update"),
        drop(AMP, "scaler.update") + "scaler.update()\n",
    ],
)
def test_scaler_never_updated(text: str) -> None:
    """Step without update is an error: the second batch stops."""
    (finding,) = asked(scaler_never_updated, text)
    assert finding.level == "error"


@pytest.mark.parametrize(
    "text",
    [AMP, BRANCHES, drop(AMP, "scaler.update").replace("GradScaler()", "GradScaler(enabled=False)"),
     drop(AMP, "scaler.update").replace("torch.cuda.amp.GradScaler()", "make_scaler()")],
)  # fmt: skip
def test_scaler_never_updated_quiet(text: str) -> None:
    """Updated, switched off, or not known to be torch's."""
    assert asked(scaler_never_updated, text) == []


@pytest.mark.parametrize(
    "text",
    [
        AMP.replace("scaler.scale(loss).backward()", "loss.backward()"),
        BRANCHES.replace("self.scaler.scale(loss).backward()", "loss.backward()"),
        AMP.replace("torch.cuda.amp.GradScaler()", 'torch.amp.GradScaler("cuda")').replace(
            "scaler.scale(loss).backward()", "loss.backward()"
        ),
    ],
)
def test_loss_never_scaled(text: str) -> None:
    """A scaler that steps and never scaled is an error."""
    (finding,) = asked(loss_never_scaled, text)
    assert "is called on the loss as it is, and scaler.scale() nowhere" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        AMP,
        BRANCHES,
        AMP.replace("scaler.scale(loss).backward()", "scaled = scaler.scale(loss)\n        scaled.backward()"),
    ],
)
def test_loss_never_scaled_quiet(text: str) -> None:
    """Scaled in one line or two, or in the branch that has a scaler."""
    assert asked(loss_never_scaled, text) == []


UNDIVIDED = drop(GATHERING, "loss = loss / ")


@pytest.mark.parametrize(
    "text",
    [
        UNDIVIDED,
        UNDIVIDED.replace("model(**batch).loss", "nn.CrossEntropyLoss()(model(**batch).logits, batch['labels'])"),
        UNDIVIDED.replace("(step + 1) % accumulation_steps == 0 or", "not (step + 1) % 8 or"),
        UNDIVIDED.replace("model(**batch).loss", "F.cross_entropy(model(**batch)[1], batch['labels'])"),
    ],
)
def test_loss_of_the_loop_not_divided(text: str) -> None:
    """An undivided mean loss under accumulation is a warning that names the step."""
    (finding,) = asked(loss_of_the_loop_not_divided, text)
    assert finding.level == "warning"
    assert "and the loss is not divided" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        GATHERING,
        UNDIVIDED.replace("loss.backward()", "(loss / accumulation_steps).backward()"),
        UNDIVIDED.replace("accumulation_steps = 4", "accumulation_steps = 1"),
        UNDIVIDED.replace("accumulation_steps = 4", "import argparse\np = argparse.ArgumentParser()\n"
                          "p.add_argument('--acc', type=int, default=1)\naccumulation_steps = p.parse_args().acc"),
        UNDIVIDED.replace("model(**batch).loss", "nn.CrossEntropyLoss(reduction='sum')(model(**batch).logits, y)"),
        UNDIVIDED.replace("            optimizer.step()", "            for p in model.parameters():\n"
                          "                p.grad /= accumulation_steps\n            optimizer.step()"),
        UNDIVIDED.replace("        loss.backward()", "        if accumulation_steps > 1:\n"
                          "            loss = loss / accumulation_steps\n        loss.backward()"),
        UNDIVIDED.replace("            optimizer.zero_grad()", "        optimizer.zero_grad()"),
    ],
)  # fmt: skip
def test_loss_of_the_loop_not_divided_quiet(text: str) -> None:
    """Divided in some way, summed, one batch a step, or something else than accumulation."""
    assert asked(loss_of_the_loop_not_divided, text) == []


@pytest.mark.parametrize(
    "text",
    [
        GATHERING.replace("            optimizer.zero_grad()", "").replace(
            "        loss = model", "        optimizer.zero_grad()\n        loss = model"
        ),
        GATHERING.replace("            optimizer.zero_grad()", "        optimizer.zero_grad()"),
        GATHERING.replace("            optimizer.zero_grad()", "        optimizer.zero_grad()").replace(PLAIN_TEST, ""),
    ],
)
def test_accumulation_cleared_each_batch(text: str) -> None:
    """Clearing on each batch under accumulation is a warning where it clears."""
    found = asked(accumulation_cleared_each_batch, text)
    assert lines(found) == [number_of(text, "optimizer.zero_grad")]
    assert "comes every 4 batches" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        GATHERING,
        ACCELERATE,
        GATHERING.replace("if (step + 1) % accumulation_steps == 0 or step + 1 == len(train_loader):",
                          "if (step + 1) % accumulation_steps != 0:\n            continue\n        else:"),
        AMP.replace("        scaler.update()", "        if step % 10 == 0:\n            print(loss.item())\n        scaler.update()"),
    ],
)  # fmt: skip
def test_accumulation_cleared_each_batch_quiet(text: str) -> None:
    """Cleared with the step; skipped by continue; another `%` that is no accumulation."""
    assert asked(accumulation_cleared_each_batch, text) == []


@pytest.mark.parametrize(
    "text",
    [GATHERING.replace(PLAIN_TEST, ""), UNDIVIDED.replace(PLAIN_TEST, ""),
     GATHERING.replace("if (step + 1) % accumulation_steps == 0" + PLAIN_TEST, "if not (step + 1) % accumulation_steps")],
)  # fmt: skip
def test_last_batches_never_applied(text: str) -> None:
    """A step every nth batch alone is a note."""
    (finding,) = asked(last_batches_never_applied, text)
    assert (finding.level, lines([finding])) == ("note", [number_of(text, "optimizer.step")])


@pytest.mark.parametrize(
    "text",
    [
        GATHERING,
        AMP,
        ACCELERATE,
        GATHERING.replace(PLAIN_TEST, "") + "    optimizer.step()\n    optimizer.zero_grad()\n",
    ],
)
def test_last_batches_never_applied_quiet(text: str) -> None:
    """The last batch steps too, or a step stands behind the loop."""
    assert asked(last_batches_never_applied, text) == []
