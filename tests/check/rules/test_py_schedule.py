"""Rules on learning rate schedules in loops of the script's own."""

import pytest

from ask_scripts import SETUP, asked
from pretune.check.rules.py_schedule import (
    RULES,
    schedule_ignores_accumulation,
    schedule_never_stepped,
    schedule_of_one_epoch,
    schedule_stepped_by_batch,
    schedule_stepped_by_epoch,
    scheduler_before_optimizer,
)

TOTAL = "len(train_loader) * epochs"
STEPS = (
    SETUP
    + """\
total = len(train_loader) * epochs
scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=int(total * 0.1), num_training_steps=total)
for epoch in range(epochs):
    model.train()
    for batch in tqdm(train_loader):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
        scheduler.step()
"""
)
EPOCHS = (
    SETUP
    + """\
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
for epoch in range(epochs):
    for batch in train_loader:
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
    scheduler.step()
"""
)
ACCELERATE = (
    SETUP
    + """\
from accelerate import Accelerator
from transformers import get_scheduler
accelerator = Accelerator()
scheduler = get_scheduler("linear", optimizer=optimizer, num_warmup_steps=0, num_training_steps=epochs * len(train_loader))
model, optimizer, train_loader, scheduler = accelerator.prepare(model, optimizer, train_loader, scheduler)
for epoch in range(epochs):
    for batch in train_loader:
        accelerator.backward(model(**batch).loss)
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
"""
)
FUNCTIONS = """\
import argparse
import torch
from torch.utils.data import DataLoader
from transformers import BertForSequenceClassification, get_cosine_schedule_with_warmup

def train_epoch(model, loader, optimizer, scheduler):
    model.train()
    for batch in loader:
        loss = model(**batch)[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    model = BertForSequenceClassification.from_pretrained("bert-base-multilingual-cased")
    loader = DataLoader(load("train.tsv"), batch_size=32, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    scheduler = get_cosine_schedule_with_warmup(optimizer, 100, len(loader) * args.epochs)
    for epoch in range(args.epochs):
        train_epoch(model, loader, optimizer, scheduler)

main()
"""


def moved(text: str, line: str, *, before: str) -> str:
    """The text with a line put before another one, as deep as that one."""
    rows = [row for row in text.split("\n") if row.strip() != line]
    at = next(n for n, row in enumerate(rows) if row.strip().startswith(before))
    indent = rows[at][: len(rows[at]) - len(rows[at].lstrip())]
    return "\n".join([*rows[:at], indent + line, *rows[at:]])


def outdented(text: str) -> str:
    """The text with the scheduler's step in the loop over epochs."""
    return text.replace("        scheduler.step()\n", "    scheduler.step()\n")


@pytest.mark.parametrize(
    "text", [STEPS, EPOCHS, ACCELERATE, FUNCTIONS], ids=["steps", "epochs", "accelerate", "functions"]
)
def test_healthy_schedules_are_quiet(text: str) -> None:
    """Schedules by step and by epoch, in four styles."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        moved(STEPS, "scheduler.step()", before="optimizer.step"),
        moved(FUNCTIONS, "scheduler.step()", before="optimizer.step"),
        moved(EPOCHS, "scheduler.step()", before="for batch in"),
    ],
)
def test_scheduler_before_optimizer(text: str) -> None:
    """The scheduler's step before the optimizer's is a warning, in one loop or two."""
    (finding,) = asked(scheduler_before_optimizer, text)
    assert finding.level == "warning"
    assert "scheduler.step() comes before optimizer.step() at line" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        STEPS,
        STEPS.replace("        scheduler.step()", "        if step > 0:\n            scheduler.step()"),
        moved(STEPS, "scheduler.step()", before="optimizer.step").replace(
            "        scheduler.step()", "        if epoch > 0:\n            scheduler.step()"),
        EPOCHS,
    ],
)  # fmt: skip
def test_scheduler_before_optimizer_quiet(text: str) -> None:
    """Behind it, or under a condition that only a run decides."""
    assert asked(scheduler_before_optimizer, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (outdented(STEPS), "error"),
        (outdented(ACCELERATE), "warning"),
        (FUNCTIONS.replace("        scheduler.step()\n", "").replace("optimizer, scheduler)\n\n", "optimizer, scheduler)\n        scheduler.step()\n\n"),
         "error"),
        (outdented(STEPS.replace("get_linear_schedule_with_warmup(optimizer, num_warmup_steps=int(total * 0.1), num_training_steps=total)",
                                 "torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-4, total_steps=total)")), "error"),
    ],
)  # fmt: skip
def test_schedule_stepped_by_epoch(text: str, level: str) -> None:
    """A schedule of batches stepped by epoch: an error where a warm-up keeps the rate at 0, else a warning."""
    (finding,) = asked(schedule_stepped_by_epoch, text)
    assert finding.level == level
    assert "counts batches, but scheduler.step() is called once an epoch" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        STEPS,
        EPOCHS,
        outdented(STEPS.replace("total = len(train_loader) * epochs", "total = epochs")),
        outdented(STEPS.replace("total = len(train_loader) * epochs", "total = int(args.total)")),
    ],
)
def test_schedule_stepped_by_epoch_quiet(text: str) -> None:
    """Made for epochs, stepped by batch, or for a number that is not known."""
    assert asked(schedule_stepped_by_epoch, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (STEPS.replace("total = len(train_loader) * epochs", "total = epochs"), "error"),
        (EPOCHS.replace("    scheduler.step()", "        scheduler.step()"), "warning"),
        (FUNCTIONS.replace("len(loader) * args.epochs", "args.epochs"), "error"),
    ],
)
def test_schedule_stepped_by_batch(text: str, level: str) -> None:
    """A schedule of epochs stepped by batch: an error where the rate stays 0 afterwards."""
    (finding,) = asked(schedule_stepped_by_batch, text)
    assert finding.level == level
    assert "as many steps as there are epochs" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        STEPS,
        EPOCHS,
        EPOCHS.replace("    scheduler.step()", "        scheduler.step(epoch + i / n)"),
        STEPS.replace("total = len(train_loader) * epochs", "total = max_steps"),
        STEPS.replace("for epoch in range(epochs):", "for epoch in range(start, epochs):").replace(TOTAL, "epochs"),
    ],
)
def test_schedule_stepped_by_batch_quiet(text: str) -> None:
    """Made for batches, stepped with a fraction of an epoch, for an unknown number, or resumed."""
    assert asked(schedule_stepped_by_batch, text) == []


@pytest.mark.parametrize(
    "text",
    [
        STEPS.replace("total = len(train_loader) * epochs", "total = len(train_loader)"),
        FUNCTIONS.replace("len(loader) * args.epochs", "len(loader)"),
        ACCELERATE.replace("epochs * len(train_loader)", "len(train_loader)"),
    ],
)
def test_schedule_of_one_epoch(text: str) -> None:
    """One epoch's batches for several epochs: an error where the schedule is made."""
    (finding,) = asked(schedule_of_one_epoch, text)
    assert finding.level == "error"
    assert finding.message.startswith("get_")


@pytest.mark.parametrize(
    "text",
    [
        STEPS,
        STEPS.replace(TOTAL, "len(train_loader)").replace("epochs = 3", "epochs = 1"),
        SETUP + "for epoch in range(epochs):\n    scheduler = get_linear_schedule_with_warmup(optimizer, 0, len(train_loader))\n"
        "    for batch in train_loader:\n        optimizer.zero_grad()\n        model(**batch)[0].backward()\n"
        "        optimizer.step()\n        scheduler.step()\n",
        STEPS.replace(TOTAL, "len(other_loader)"),
    ],
)  # fmt: skip
def test_schedule_of_one_epoch_quiet(text: str) -> None:
    """All epochs, one epoch in all, a schedule made in each epoch, the length of something else."""
    assert asked(schedule_of_one_epoch, text) == []


GATHERING = STEPS.replace("for batch in tqdm(train_loader):", "for i, batch in enumerate(train_loader):").replace(
    "        optimizer.step()\n        scheduler.step()\n",
    "        if (i + 1) % 4 == 0:\n            optimizer.step()\n            scheduler.step()\n            optimizer.zero_grad()\n",
).replace("        optimizer.zero_grad()\n        model", "        model")  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [GATHERING, GATHERING.replace("if (i + 1) % 4 == 0", "if not i % accum"),
     GATHERING.replace("get_linear_schedule_with_warmup(optimizer, num_warmup_steps=int(total * 0.1), num_training_steps=total)",
                       "get_linear_schedule_with_warmup(optimizer, 0, total)")],
)  # fmt: skip
def test_schedule_ignores_accumulation(text: str) -> None:
    """A schedule of all batches, stepped every nth, is a note."""
    assert [finding.level for finding in asked(schedule_ignores_accumulation, text)] == ["note"]


@pytest.mark.parametrize(
    "text",
    [STEPS, GATHERING.replace(TOTAL, "len(train_loader) // 4 * epochs"), GATHERING.replace(TOTAL, "total_steps"),
     GATHERING.replace("            scheduler.step()\n", "") + "        scheduler.step()\n"],
)  # fmt: skip
def test_schedule_ignores_accumulation_quiet(text: str) -> None:
    """Divided, not known, or stepped on every batch."""
    assert asked(schedule_ignores_accumulation, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (STEPS.replace("        scheduler.step()\n", ""), "error"),
        (EPOCHS.replace("    scheduler.step()\n", ""), "warning"),
        (ACCELERATE.replace("        scheduler.step()\n", ""), "warning"),
    ],
)
def test_schedule_never_stepped(text: str, level: str) -> None:
    """A schedule that nobody steps: an error where its first value is 0."""
    (finding,) = asked(schedule_never_stepped, text)
    assert finding.level == level
    assert ("the learning rate stays 0" in finding.message) == (level == "error")


@pytest.mark.parametrize(
    "text",
    [
        STEPS,
        STEPS.replace("scheduler.step()", "step_all(scheduler)"),
        ACCELERATE.replace("scheduler = get_scheduler(", "scheduler = DummyScheduler(optimizer) if deepspeed else get_scheduler("),
        ("from transformers import Trainer, get_linear_schedule_with_warmup\nimport torch\n"
        "opt = torch.optim.AdamW(model.parameters())\ns = get_linear_schedule_with_warmup(opt, 10, 100)\n"
        "Trainer(model, args, optimizers=(opt, s)).train()\n"),
        ("import torch\nimport pytorch_lightning as pl\nclass M(pl.LightningModule):\n    def configure_optimizers(self):\n"
        "        opt = torch.optim.AdamW(self.parameters())\n"
        "        return [opt], [torch.optim.lr_scheduler.StepLR(opt, 1)]\n"),
    ],
)  # fmt: skip
def test_schedule_never_stepped_quiet(text: str) -> None:
    """Stepped, handed on, one of two, given to a Trainer or to Lightning."""
    assert asked(schedule_never_stepped, text) == []
