"""Rules on gradients in loops of the script's own: cleared, made, applied, in which order."""

import pytest

from ask_scripts import READER, SETUP, asked, lines, number_of
from pretune.check.rules.py_gradients import (
    RULES,
    gradients_cleared_before_step,
    gradients_never_applied,
    gradients_never_cleared,
    graph_kept_by_running_total,
    graph_retained,
    loss_cut_from_the_model,
    step_before_backward,
)

LOOP = (
    SETUP
    + """\
for epoch in range(epochs):
    model.train()
    for batch in tqdm(train_loader):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
"""
)
FUNCTION = """\
import torch

def train_fn(model, loader, optimizer, scheduler, device):
    model.train()
    for step, batch in enumerate(loader):
        input_ids, labels = batch["input_ids"].to(device), batch["labels"].to(device)
        loss = model(input_ids, labels=labels)[0]
        loss.backward()
        optimizer.step()
        scheduler.step()
"""
ACCELERATE = (
    SETUP
    + """\
from accelerate import Accelerator
accelerator = Accelerator(gradient_accumulation_steps=4)
model, optimizer, train_loader = accelerator.prepare(model, optimizer, train_loader)
for epoch in range(epochs):
    model.train()
    for batch in train_loader:
        with accelerator.accumulate(model):
            loss = model(**batch).loss
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
"""
)
OWN_MODULE = (
    READER
    + """\
class Engine:
    def __init__(self, model, loader):
        self.model = model
        self.loader = loader
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=3e-5)
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, epochs):
        for epoch in range(epochs):
            self.model.train()
            for ids, mask, y in self.loader:  # 한 배치씩
                loss = self.criterion(self.model(ids, mask), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()

Engine(Classifier("klue/roberta-base"), loader).fit(3)
"""
)
GAN = """\
import torch
opt_g = torch.optim.Adam(generator.parameters())
opt_d = torch.optim.Adam(critic.parameters())
for epoch in range(10):
    for real in loader:
        opt_d.zero_grad()
        loss_d = critic(real).mean() - critic(generator(noise()).detach()).mean()
        loss_d.backward()
        opt_d.step()
        opt_g.zero_grad()
        loss_g = -critic(generator(noise())).mean()
        loss_g.backward()
        opt_g.step()
"""
HEALTHY = pytest.mark.parametrize("text", [LOOP, ACCELERATE, OWN_MODULE, GAN], ids=["loop", "accelerate", "own", "gan"])


@HEALTHY
def test_healthy_loops_are_quiet(text: str) -> None:
    """Loops that clear, differentiate and step in this order, in four styles, have nothing to say."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


def without(text: str, start: str) -> str:
    """The text without the lines that begin so."""
    return "\n".join(line for line in text.split("\n") if not line.strip().startswith(start))


@pytest.mark.parametrize(
    "text",
    [without(LOOP, "optimizer.zero_grad"), FUNCTION, without(OWN_MODULE, "self.optimizer.zero_grad"),
     without(ACCELERATE, "optimizer.zero_grad")],
)  # fmt: skip
def test_gradients_never_cleared(text: str) -> None:
    """A loop that steps and clears nothing is an error at its step, in a function that nothing calls too."""
    (finding,) = asked(gradients_never_cleared, text)
    assert finding.level == "error"
    assert "clears no gradients: they add up" in finding.message


def test_gradients_cleared_outside_of_the_loop() -> None:
    """zero_grad once an epoch does not clear between batches; the message says where it stands."""
    text = without(LOOP, "optimizer.zero_grad").replace(
        "    model.train()", "    model.train()\n    optimizer.zero_grad()"
    )
    (finding,) = asked(gradients_never_cleared, text)
    assert "and zero_grad() at line 21 stands outside of it" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        without(LOOP, "optimizer.zero_grad") + "        model.zero_grad()\n",
        without(LOOP, "optimizer.zero_grad") + "        for p in model.parameters():\n            p.grad = None\n",
        FUNCTION + "        optimizer.zero_grad(set_to_none=True)\n",
        ("import deepspeed\nengine, _, loader, _ = deepspeed.initialize(model=m, model_parameters=m.parameters())\n"
        "for batch in loader:\n    loss = engine(batch)\n    engine.backward(loss)\n    engine.step()\n"),
        SETUP + "optimizer = torch.optim.LBFGS(model.parameters())\nfor batch in train_loader:\n    def closure():\n"
        "        loss = model(**batch).loss\n        loss.backward()\n        return loss\n    optimizer.step(closure)\n",
        without(LOOP, "optimizer.zero_grad") + "        clear_all(optimizer)\n",
    ],
)  # fmt: skip
def test_gradients_never_cleared_quiet(text: str) -> None:
    """Cleared by the model, by hand, by an engine; a closure and something unknown that gets the optimizer."""
    assert asked(gradients_never_cleared, text) == []


@pytest.mark.parametrize(
    ("body", "start"),
    [
        ("loss.backward()\n        optimizer.zero_grad()\n        optimizer.step()", "optimizer.zero_grad"),
        ("loss.backward()\n        model.zero_grad()\n        optimizer.step()", "model.zero_grad"),
        ("scaler.scale(loss).backward()\n        optimizer.zero_grad()\n        scaler.step(optimizer)\n        scaler.update()",
         "optimizer.zero_grad"),
    ],
)  # fmt: skip
def test_gradients_cleared_before_step(body: str, start: str) -> None:
    """zero_grad between backward and step is an error where it stands."""
    text = (
        SETUP
        + f"scaler = torch.cuda.amp.GradScaler()\nfor batch in train_loader:\n        loss = model(**batch)[0]\n        {body}\n"
    )
    found = asked(gradients_cleared_before_step, text)
    assert lines(found) == [number_of(text, start)]
    assert "can apply them" in found[0].message
    assert asked(step_before_backward, text) == []


@pytest.mark.parametrize(
    "body",
    [
        "if i % 4 == 0:\n            optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()",
        "loss.backward()\n        if (i + 1) % 4 == 0:\n            optimizer.step()\n            optimizer.zero_grad()",
        "optimizer.zero_grad()\n        loss.backward()\n        other_optimizer.zero_grad()\n        optimizer.step()",
        "first.backward()\n        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()",
    ],
)
def test_gradients_cleared_before_step_quiet(body: str) -> None:
    """Cleared before, behind the step, for another optimizer, or before a second backward."""
    text = SETUP + f"for i, batch in enumerate(train_loader):\n        loss = model(**batch)[0]\n        {body}\n"
    assert asked(gradients_cleared_before_step, text) == []


@pytest.mark.parametrize(
    "body",
    [
        "optimizer.zero_grad()\n        loss = model(**batch)[0]\n        optimizer.step()\n        loss.backward()",
        "loss = model(**batch).loss\n        optimizer.zero_grad()\n        optimizer.step()\n        scheduler.step()\n        loss.backward()",
        "model.zero_grad()\n        loss = F.cross_entropy(model(**batch).logits, batch['labels'])\n        optimizer.step()\n        loss.backward()",
    ],
)  # fmt: skip
def test_step_before_backward(body: str) -> None:
    """A step between clearing and backward is an error at the step."""
    text = SETUP + f"for batch in train_loader:\n        {body}\n"
    assert lines(asked(step_before_backward, text)) == [number_of(text, "optimizer.step")]
    assert asked(gradients_cleared_before_step, text) == []


@pytest.mark.parametrize(
    "body",
    [
        "optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()",
        "if i % 4 == 0:\n            optimizer.step()\n            optimizer.zero_grad()\n        loss.backward()",
        "optimizer.step()\n        optimizer.zero_grad()\n        loss.backward()",
    ],
)
def test_step_before_backward_quiet(body: str) -> None:
    """A step at the top of a round applies what the round before has made, if nothing cleared it."""
    text = SETUP + f"for i, batch in enumerate(train_loader):\n        loss = model(**batch)[0]\n        {body}\n"
    assert asked(step_before_backward, text) == []


@pytest.mark.parametrize(
    "text",
    [
        without(LOOP, "optimizer.step"),
        without(OWN_MODULE, "self.optimizer.step"),
        without(ACCELERATE, "optimizer.step"),
    ],
)
def test_gradients_never_applied(text: str) -> None:
    """A loop without a step trains nothing, with an Accelerator neither."""
    (finding,) = asked(gradients_never_applied, text)
    assert finding.level == "error"
    assert finding.message.endswith("calls backward() and zero_grad() but never step()")


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        SETUP + "for batch in valid_loader:\n    batch.requires_grad_()\n    model(batch)[0].sum().backward()\n    saliency.append(batch.grad)\n    model.zero_grad()\n",
        without(LOOP, "optimizer.step") + "        update(model, optimizer)\n",
        without(LOOP, "        optimizer.step") + "    optimizer.step()\n",
    ],
)  # fmt: skip
def test_gradients_never_applied_quiet(text: str) -> None:
    """A step, gradients for their own sake, and an optimizer in unknown hands."""
    assert asked(gradients_never_applied, text) == []


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("loss = torch.tensor(loss.item(), requires_grad=True)", "torch.tensor(...)"),
        ("loss = loss.detach()", ".detach()"),
        ("loss = model(**batch).loss.item()", ".item()"),
    ],
)
def test_loss_cut_from_the_model(loss: str, said: str) -> None:
    """Backward on a number, a detached tensor or a new one is an error that names what cut it."""
    (finding,) = asked(
        loss_cut_from_the_model, LOOP.replace("        loss.backward()", f"        {loss}\n        loss.backward()")
    )
    assert f"backward() is called on what {said} at line" in finding.message


@pytest.mark.parametrize(
    "line",
    [
        "running += loss.item()",
        "target = loss.detach()",
        "loss = loss * torch.tensor(0.5)",
        "loss = F.mse_loss(model(**batch).logits, teacher.detach())",
    ],
)
def test_loss_cut_from_the_model_quiet(line: str) -> None:
    """What is detached beside the loss, or in it, cuts nothing."""
    text = LOOP.replace("        loss.backward()", f"        {line}\n        loss.backward()")
    assert asked(loss_cut_from_the_model, text) == []


@pytest.mark.parametrize(
    "text",
    [
        LOOP.replace("loss.backward()", "loss.backward(retain_graph=True)"),
        ACCELERATE.replace("backward(loss)", "backward(loss, retain_graph=True)"),
        OWN_MODULE.replace("loss.backward()", "loss.backward(retain_graph=True)"),
    ],
)
def test_graph_retained(text: str) -> None:
    """retain_graph=True with a single backward is a note."""
    assert [finding.level for finding in asked(graph_retained, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP.replace("loss.backward()", "loss.backward(retain_graph=True)\n        (loss * 2).backward()"),
        LOOP.replace("loss.backward()", "loss.backward(retain_graph=args.keep)"),
        LOOP.replace("loss.backward()", "for part in parts:\n            part.backward(retain_graph=True)"),
    ],
)
def test_graph_retained_quiet(text: str) -> None:
    """A second backward through the graph needs it; what a run decides is not judged."""
    assert asked(graph_retained, text) == []


@pytest.mark.parametrize(
    ("line", "kept"),
    [("total += loss", "total"), ("total = total + loss", "total"), ("losses.append(loss)", "a list")],
)
def test_graph_kept_by_running_total(line: str, kept: str) -> None:
    """The loss itself in a total or a list is a note that names it."""
    text = LOOP.replace("    model.train()", "    model.train()\n    total, losses = 0, []") + f"        {line}\n"
    (finding,) = asked(graph_kept_by_running_total, text)
    assert finding.level == "note"
    assert f"kept with its graph in {kept}:" in finding.message


@pytest.mark.parametrize(
    "line", ["total += loss.item()", "total += loss.detach()", "losses.append(float(loss))", "total += 1"]
)
def test_graph_kept_by_running_total_quiet(line: str) -> None:
    """The number of the loss keeps no graph."""
    text = LOOP.replace("    model.train()", "    model.train()\n    total, losses = 0, []") + f"        {line}\n"
    assert asked(graph_kept_by_running_total, text) == []


def test_sum_of_losses_that_is_differentiated() -> None:
    """A total that backward is called on is meant to hold the graph."""
    text = SETUP + (
        "for batch in train_loader:\n    optimizer.zero_grad()\n    total = 0\n    for task in tasks:\n"
        "        total += model(**task)[0]\n    total.backward()\n    optimizer.step()\n"
    )
    assert asked(graph_kept_by_running_total, text) == []
