"""Rules on the optimizer of a loop of the script's own: whose parameters it has, in which precision."""

import pytest

from ask_scripts import READER, SETUP, asked, lines, number_of
from pretune.check.rules.py_optimizer import (
    RULES,
    every_parameter_frozen,
    half_weights_trained,
    loss_from_another_model,
    optimizer_made_every_epoch,
    parameters_made_after_the_optimizer,
)

BODY = """\
for epoch in range(epochs):
    model.train()
    for batch in train_loader:
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
"""
MADE = "optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)\n"
LOOP = SETUP + BODY
GROUPS = (
    SETUP.replace(MADE, "")
    + """\
no_decay = ["bias", "LayerNorm.weight"]
optimizer = torch.optim.AdamW([
    {"params": [p for n, p in model.named_parameters() if not any(d in n for d in no_decay)], "weight_decay": 0.01},
    {"params": [p for n, p in model.named_parameters() if any(d in n for d in no_decay)], "weight_decay": 0.0},
], lr=5e-5)
"""
    + BODY
)
OWN = (
    READER
    + """\
model = Classifier("klue/bert-base").cuda()
for param in model.bert.parameters():
    param.requires_grad = False
optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), lr=1e-3)
criterion = nn.CrossEntropyLoss()
model.train()
for epoch in range(3):
    for ids, mask, y in loader:
        optimizer.zero_grad()
        criterion(model(ids, mask), y).backward()
        optimizer.step()
"""
)


@pytest.mark.parametrize("text", [LOOP, GROUPS, OWN], ids=["loop", "groups", "own"])
def test_healthy_optimizers_are_quiet(text: str) -> None:
    """One list of parameters, two groups, a frozen body under a new head."""
    assert [finding for rule in RULES for finding in asked(rule, text)] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "tokenizer.add_tokens(['[신조어]'])\nmodel.resize_token_embeddings(len(tokenizer))",
            "the embeddings are resized",
        ),
        ("model.classifier = nn.Linear(768, 7)", "classifier is replaced by a new Linear"),
        (
            "from peft import LoraConfig, get_peft_model\nmodel = get_peft_model(model, LoraConfig(r=8))",
            "get_peft_model adds",
        ),
        ("model.bert.pooler = torch.nn.Sequential(nn.Linear(768, 768))", "pooler is replaced by a new Sequential"),
    ],
)
def test_parameters_made_after_the_optimizer(line: str, said: str) -> None:
    """New embeddings, heads and adapters behind the optimizer are errors."""
    (finding,) = asked(parameters_made_after_the_optimizer, SETUP + line + "\n" + BODY)
    assert finding.level == "error"
    assert finding.message.startswith(said)
    assert finding.also == ("train.py:17:13",)


@pytest.mark.parametrize(
    "text",
    [
        SETUP.replace(MADE, "model.classifier = nn.Linear(768, 7)\n" + MADE) + BODY,
        SETUP + "model.resize_token_embeddings(len(tokenizer))\n" + BODY,
        SETUP + "model.classifier = nn.Linear(768, 7)\n" + MADE + BODY,
        SETUP + "teacher.classifier = nn.Linear(768, 7)\nmodel.config.use_cache = False\n" + BODY,
        LOOP + "model.classifier = nn.Linear(768, 2)\n",
    ],
)
def test_parameters_made_after_the_optimizer_quiet(text: str) -> None:
    """Before it, a resize that adds nothing, an optimizer made again, another model, after the training."""
    assert asked(parameters_made_after_the_optimizer, text) == []


AGAIN = 'model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base", num_labels=2).to(device)\n'


@pytest.mark.parametrize(
    "text",
    [
        SETUP + AGAIN + BODY,
        SETUP + "for fold in range(5):\n    " + AGAIN + "\n".join("    " + row for row in BODY.split("\n")),
        SETUP + "student = AutoModelForSequenceClassification.from_pretrained('klue/roberta-small')\n"
        + BODY.replace("model(", "student(").replace("model.", "student."),
    ],
)  # fmt: skip
def test_loss_from_another_model(text: str) -> None:
    """The model made again behind the optimizer, in each fold, or another one: errors at backward."""
    found = asked(loss_from_another_model, text)
    assert lines(found) == [number_of(text, "loss.backward")]
    assert "the optimizer at line 17 has the parameters of another" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        GROUPS,
        OWN,
        SETUP + AGAIN + MADE + BODY,
        SETUP + "teacher = AutoModelForSequenceClassification.from_pretrained('klue/roberta-large').eval()\n"
        + BODY.replace("        loss.back", "        loss = loss + F.mse_loss(model(**batch)[1], teacher(**batch)[0])\n        loss.back"),
        SETUP.replace("model.parameters()", "model.classifier.parameters()") + BODY,
        SETUP + "from torch.nn.parallel import DistributedDataParallel as DDP\nmodel = DDP(model, device_ids=[0])\n" + BODY,
        SETUP.replace(MADE, "") + "optimizer = torch.optim.AdamW(get_params(), lr=1)\n" + BODY,
    ],
)  # fmt: skip
def test_loss_from_another_model_quiet(text: str) -> None:
    """Made again too, a teacher beside, a part of the model, wrapped, or parameters that are not known."""
    assert asked(loss_from_another_model, text) == []


FREEZE = "for param in model.parameters():\n    param.requires_grad = False\n"


@pytest.mark.parametrize(
    "text",
    [
        SETUP + FREEZE + BODY,
        SETUP + "model.requires_grad_(False)\n" + BODY,
        SETUP + "for name, p in model.named_parameters():\n    p.requires_grad = False\n" + BODY,
        "from transformers import AutoModelForTokenClassification, Trainer\n"
        "model = AutoModelForTokenClassification.from_pretrained('klue/bert-base')\n" + FREEZE
        + "trainer = Trainer(model=model, args=args)\ntrainer.train()\n",
    ],
)  # fmt: skip
def test_every_parameter_frozen(text: str) -> None:
    """All frozen and trained all the same, by a loop or a Trainer, is an error where it is frozen."""
    (finding,) = asked(every_parameter_frozen, text)
    assert finding.level == "error"
    assert finding.message.startswith("every parameter of the model is frozen")


@pytest.mark.parametrize(
    "text",
    [
        SETUP + FREEZE + "for p in model.classifier.parameters():\n    p.requires_grad = True\n" + BODY,
        SETUP + "for name, p in model.named_parameters():\n    if 'classifier' not in name:\n        p.requires_grad = False\n" + BODY,
        SETUP + "for p in model.base_model.parameters():\n    p.requires_grad = False\n" + BODY,
        SETUP + FREEZE + "model.classifier = nn.Linear(768, 2)\n" + MADE + BODY,
        SETUP + FREEZE + "from peft import get_peft_model\nmodel = get_peft_model(model, config)\n" + MADE + BODY,
        SETUP + "if args.freeze:\n    model.requires_grad_(False)\n" + BODY,
        OWN,
        LOOP + FREEZE,
    ],
)  # fmt: skip
def test_every_parameter_frozen_quiet(text: str) -> None:
    """The head freed again or new, an adapter, the body alone, a flag, or frozen after the training."""
    assert asked(every_parameter_frozen, text) == []


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (SETUP + "model.half()\n" + BODY, "warning"),
        (LOOP.replace("num_labels=2)", "num_labels=2, torch_dtype=torch.float16)"), "warning"),
        (SETUP + "model = model.to(torch.float16)\n" + BODY, "warning"),
        (SETUP + "model.half()\nscaler = torch.cuda.amp.GradScaler()\n" + BODY.replace("loss.backward()", "scaler.scale(loss).backward()")
         .replace("optimizer.step()", "scaler.step(optimizer)\n        scaler.update()"), "error"),
    ],
)  # fmt: skip
def test_half_weights_trained(text: str, level: str) -> None:
    """float16 weights in training are a warning, with a GradScaler an error."""
    assert [finding.level for finding in asked(half_weights_trained, text)] == [level]


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        LOOP + "model.half()\n",
        SETUP + "model.half()\nmodel.float()\n" + BODY,
        SETUP + "from peft import get_peft_model\nmodel = get_peft_model(model.half(), config)\n" + MADE + BODY,
        LOOP.replace("num_labels=2)", "num_labels=2, torch_dtype=torch.bfloat16)"),
        SETUP + "teacher = AutoModelForSequenceClassification.from_pretrained('x').half()\n" + BODY,
    ],
)
def test_half_weights_trained_quiet(text: str) -> None:
    """Halved after the training, turned back, under an adapter, bfloat16, or a teacher."""
    assert asked(half_weights_trained, text) == []


@pytest.mark.parametrize(
    "text",
    [
        SETUP + BODY.replace("    model.train()\n", "    model.train()\n    " + MADE),
        SETUP + BODY.replace("        optimizer.zero_grad()\n", "        " + MADE),
        OWN.replace("optimizer = torch", "optim0 = torch").replace(
            "    for ids", "    optimizer = torch.optim.Adam(model.parameters())\n    for ids"),
    ],
)  # fmt: skip
def test_optimizer_made_every_epoch(text: str) -> None:
    """An optimizer made in the loop for a model made before it is a warning."""
    (finding,) = asked(optimizer_made_every_epoch, text)
    assert finding.level == "warning"
    assert "for the same model" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LOOP,
        GROUPS,
        SETUP
        + "for fold in range(5):\n    "
        + AGAIN
        + "    "
        + MADE
        + "\n".join("    " + row for row in BODY.split("\n")),
    ],
)
def test_optimizer_made_every_epoch_quiet(text: str) -> None:
    """Made once, or in each fold with its model."""
    assert asked(optimizer_made_every_epoch, text) == []
