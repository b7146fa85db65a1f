"""Rules on training and evaluation mode, and on gradients that nobody needs, in loops of the script's own."""

import pytest

from ask_scripts import READER, SETUP, asked, lines, number_of
from pretune.check.rules.py_mode import (
    RULES,
    evaluated_in_training_mode,
    evaluation_builds_graphs,
    never_in_training_mode,
    trained_in_evaluation_mode,
)

LOOP = (
    SETUP
    + """\
for epoch in range(epochs):
    model.train()
    for batch in train_loader:
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
    model.eval()
    preds = []
    with torch.no_grad():
        for batch in valid_loader:
            preds.append(model(**batch).logits)
"""
)
OWN = (
    READER
    + """\
from torch.utils.data import DataLoader

def train(model, loader, optimizer):
    model.train()
    for ids, mask, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids, mask), y)
        loss.backward()
        optimizer.step()

@torch.inference_mode()
def evaluate(model, loader):
    model.eval()
    correct = 0
    for ids, mask, y in loader:
        correct += (model(ids, mask).argmax(1) == y).sum().item()
    return correct / len(loader.dataset)

model = Classifier("klue/bert-base").to("cuda")
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
train_loader, valid_loader = DataLoader(train_set, 32, shuffle=True), DataLoader(valid_set, 32)
for epoch in range(5):
    train(model, train_loader, optimizer)
    print(evaluate(model, valid_loader))
"""
)
EVERY_N = LOOP.replace("        optimizer.step()\n", """\
        optimizer.step()
        if step % 100 == 0:
            model.eval()
            with torch.no_grad():
                for b in valid_loader:
                    model(**b)
            model.train()
""").replace("for batch in train", "for step, batch in enumerate(train", 1).replace("train_loader:", "train_loader):", 1)  # fmt: skip


def drop(text: str, *starts: str) -> str:
    """The text without the lines that begin so."""
    return "\n".join(line for line in text.split("\n") if not line.strip().startswith(starts))


@pytest.mark.parametrize("text", [LOOP, OWN, EVERY_N], ids=["loop", "own", "every-n"])
def test_healthy_modes_are_quiet(text: str) -> None:
    """train() before each epoch, eval() and no_grad for the evaluation."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    "text",
    [
        drop(LOOP, "model.train").replace("for epoch in", "model.train()\nfor epoch in"),
        drop(OWN, "model.train").replace("for epoch in", "model.train()\nfor epoch in"),
        LOOP.replace("    model.train()", "    model.eval()"),
        drop(EVERY_N, "model.train").replace("for epoch in", "model.train()\nfor epoch in"),
        LOOP.replace("    model.train()", "    model.train(False)"),
    ],
)
def test_trained_in_evaluation_mode(text: str) -> None:
    """train() once before the epochs, or eval() in its place: a warning at eval()."""
    (finding,) = asked(trained_in_evaluation_mode, text)
    assert finding.level == "warning"
    assert "eval()" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        drop(LOOP, "model.eval"),
        LOOP.replace("    model.train()", "    model.train(mode=args.train)"),
        LOOP.replace("    model.train()", "    set_mode(model)\n    runner.train()"),
        LOOP.replace("    model.train()", "    model.train()\n    model.bert.embeddings.eval()"),
        LOOP.replace("model.eval()", "teacher.eval()"),
    ],
)
def test_trained_in_evaluation_mode_quiet(text: str) -> None:
    """No eval(), a mode that is not known, something that may hold the model, a part of it, another model."""
    assert asked(trained_in_evaluation_mode, text) == []


@pytest.mark.parametrize(
    "text",
    [
        drop(LOOP, "model.train", "model.eval"),
        drop(LOOP, "model.train", "model.eval").replace("model.to(device)", "model = model.to(device)"),
        drop(LOOP, "model.train", "model.eval") + "tokenizer.save_pretrained('out')\n",
    ],
)
def test_never_in_training_mode(text: str) -> None:
    """A loaded model that is trained without train() is a warning at the loop."""
    found = asked(never_in_training_mode, text)
    assert lines(found) == [number_of(text, "for batch in train_loader")]
    assert "without train()" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        drop(OWN, "model.train", "model.eval"),
        drop(LOOP, "model.train", "model.eval").replace("for epoch", "wrapper.train()\nfor epoch"),
        drop(LOOP, "model.train", "model.eval").replace(
            'AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2)',
            "AutoModelForSequenceClassification.from_config(config)"),
    ],
)  # fmt: skip
def test_never_in_training_mode_quiet(text: str) -> None:
    """train() somewhere, a module of the script's own, a model that is new."""
    assert asked(never_in_training_mode, text) == []


@pytest.mark.parametrize(
    "text",
    [
        drop(LOOP, "model.eval"),
        drop(OWN, "model.eval"),
        LOOP.replace("    model.eval()", "    model.train(True)"),
    ],
)
def test_evaluated_in_training_mode(text: str) -> None:
    """An evaluation under no_grad after train() is a warning at its loop."""
    (finding,) = asked(evaluated_in_training_mode, text)
    assert finding.level == "warning"
    assert "evaluates the model in training mode" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        drop(LOOP, "model.eval", "model.train"),
        drop(LOOP, "model.eval").replace("torch.no_grad()", "torch.set_grad_enabled(phase == 'train')"),
        drop(LOOP, "model.eval").replace("for batch in valid_loader", "for batch in samples"),
    ],
)
def test_evaluated_in_training_mode_quiet(text: str) -> None:
    """eval(), never train(), gradients as a run decides, or no loader."""
    assert asked(evaluated_in_training_mode, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (LOOP.replace("    with torch.no_grad():", "    if True:"), "warning"),
        (LOOP.replace("    with torch.no_grad():", "    if True:").replace("model(**batch).logits", "model(**batch).logits.argmax(-1)"),
         "note"),
        (drop(OWN, "@torch.inference_mode"), "note"),
        (LOOP.replace("    with torch.no_grad():", "    if True:").replace("preds.append(model(**batch).logits)", "total += model(**batch).loss")
         .replace("preds = []", "total = 0"),
         "warning"),
    ],
)  # fmt: skip
def test_evaluation_builds_graphs(text: str, level: str) -> None:
    """Evaluation with gradients is a note, a warning where outputs are gathered."""
    (finding,) = asked(evaluation_builds_graphs, text)
    assert finding.level == level
    assert ("keeps the graph of every batch" in finding.message) == (level == "warning")


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        OWN,
        "import torch\ntorch.set_grad_enabled(False)\n" + drop(OWN, "@torch.inference_mode"),
        LOOP.replace("    with torch.no_grad():", "    with context():"),
        LOOP.replace("    with torch.no_grad():", "    if True:").replace(
            "            preds.append(", "            torch.autograd.grad(model(**batch).loss, x)\n            preds.append("),
    ],
)  # fmt: skip
def test_evaluation_builds_graphs_quiet(text: str) -> None:
    """Without gradients by block, decorator or switch, by something unknown, or with gradients on purpose."""
    assert asked(evaluation_builds_graphs, text) == []
