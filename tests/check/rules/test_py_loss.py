"""Rules on losses that a script computes itself, and on LightningModules."""

import pytest

from ask_scripts import READER, SETUP, asked, lines, number_of
from pretune.check.rules import py_lightning, py_loss
from pretune.check.rules.py_lightning import (
    backward_beside_lightning,
    optimizer_not_configured,
    training_step_without_loss,
)
from pretune.check.rules.py_loss import (
    bce_of_logits,
    kl_div_of_probabilities,
    loss_of_class_ids,
    nll_without_log_softmax,
    padding_in_the_labels,
    sigmoid_before_bce_with_logits,
    softmax_before_cross_entropy,
)

LOOP = (
    SETUP
    + """\
criterion = nn.CrossEntropyLoss()
for batch in train_loader:
    logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    loss = criterion(logits, batch["labels"])
    loss.backward()
"""
)
OWN = (
    READER
    + """\
model = Classifier("klue/bert-base")
loss_fn = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
for ids, mask, y in loader:
    out = model(ids, mask)
    loss = loss_fn(out, y)
    print(torch.softmax(out, -1).argmax(-1))
"""
)
TRAINER = """\
import torch
from torch import nn
from transformers import Trainer

class WeightedTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = nn.functional.cross_entropy(outputs.logits.view(-1, 2), labels.view(-1))
        return (loss, outputs) if return_outputs else loss
"""
LIGHTNING = """\
import torch
import pytorch_lightning as pl
from transformers import AutoModelForSequenceClassification

class Reviews(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base")

    def training_step(self, batch, batch_idx):
        loss = self.model(**batch).loss
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=2e-5)

pl.Trainer(max_epochs=3).fit(Reviews(), train_loader)
"""
ALL = (*py_loss.RULES, *py_lightning.RULES)


@pytest.mark.parametrize("text", [LOOP, OWN, TRAINER, LIGHTNING], ids=["loop", "own", "trainer", "lightning"])
def test_healthy_losses_are_quiet(text: str) -> None:
    """Cross-entropy of logits in four styles; softmax where probabilities are shown."""
    assert [finding for rule in ALL for finding in asked(rule, text)] == []


def of(expression: str, loss: str = "nn.CrossEntropyLoss()") -> str:
    """A loop whose loss is that of an expression."""
    return LOOP.replace("nn.CrossEntropyLoss()", loss).replace("criterion(logits,", f"criterion({expression},")


@pytest.mark.parametrize(
    "text",
    [
        of("F.softmax(logits, dim=-1)"),
        of("torch.softmax(logits, 1).view(-1, 2)"),
        of("logits.softmax(dim=1)"),
        of("torch.sigmoid(logits)"),
        OWN.replace("self.classifier = nn.Linear(768, num_labels)", "self.classifier = nn.Sequential(nn.Linear(768, 2), nn.Softmax(dim=1))"),
        OWN.replace("return self.classifier(self.dropout(hidden))", "return torch.softmax(self.classifier(hidden), dim=-1)"),
        TRAINER.replace("outputs.logits.view(-1, 2)", "outputs.logits.softmax(-1)"),
    ],
)  # fmt: skip
def test_softmax_before_cross_entropy(text: str) -> None:
    """Probabilities in cross-entropy are a warning, from functions, modules and the model's own forward."""
    found = asked(softmax_before_cross_entropy, text)
    assert [finding.level for finding in found] == ["warning"]
    assert "takes the softmax itself" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        of("logits.float().view(-1, 2)"),
        of("logits.log_softmax(-1)"),
        of("logits if args.raw else logits.softmax(-1)"),
        LOOP + "    probs = logits.softmax(-1)\n    scores.append(probs[:, 1])\n",
        of("attention.softmax(-1) @ values"),
    ],
)
def test_softmax_before_cross_entropy_quiet(text: str) -> None:
    """Logits, log-probabilities, a branch, probabilities for something else."""
    assert asked(softmax_before_cross_entropy, text) == []


BCE = "nn.BCEWithLogitsLoss()"


@pytest.mark.parametrize(
    "expression", ["torch.sigmoid(logits)", "logits.sigmoid().squeeze(-1)", "nn.Sigmoid()(logits)"]
)
def test_sigmoid_before_bce_with_logits(expression: str) -> None:
    """A sigmoid before a loss that takes it is a warning."""
    (finding,) = asked(sigmoid_before_bce_with_logits, of(expression, BCE))
    assert "BCEWithLogitsLoss takes the sigmoid itself" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        of("logits", BCE),
        of("torch.sigmoid(logits)", "nn.BCELoss()"),
        of("logits.squeeze(-1)", BCE) + "    p = logits.sigmoid()\n",
    ],
)
def test_sigmoid_before_bce_with_logits_quiet(text: str) -> None:
    """Logits, the loss of probabilities, a sigmoid for what is shown."""
    assert asked(sigmoid_before_bce_with_logits, text) == []


@pytest.mark.parametrize(
    "expression", ["logits", "logits.softmax(-1)", "F.softmax(logits, dim=-1)", "nn.Linear(768, 2)(hidden)"]
)
def test_nll_without_log_softmax(expression: str) -> None:
    """Logits or probabilities in NLLLoss are an error."""
    (finding,) = asked(nll_without_log_softmax, of(expression, "nn.NLLLoss()"))
    assert finding.level == "error"


@pytest.mark.parametrize(
    "expression", ["F.log_softmax(logits, dim=-1)", "torch.log(logits.softmax(-1))", "head(hidden)"]
)
def test_nll_without_log_softmax_quiet(expression: str) -> None:
    """Log-probabilities in one step or two, and what is not known."""
    assert asked(nll_without_log_softmax, of(expression, "nn.NLLLoss()")) == []


@pytest.mark.parametrize("expression", ["logits", "logits.squeeze(-1).float()", "nn.Linear(768, 1)(hidden)"])
def test_bce_of_logits(expression: str) -> None:
    """Logits in BCELoss are an error."""
    (finding,) = asked(bce_of_logits, of(expression, "nn.BCELoss()"))
    assert finding.level == "error"


@pytest.mark.parametrize("expression", ["torch.sigmoid(logits)", "head(hidden)", "logits.softmax(-1)[:, 1]"])
def test_bce_of_logits_quiet(expression: str) -> None:
    """Probabilities, and what is not known."""
    assert asked(bce_of_logits, of(expression, "nn.BCELoss()")) == []


@pytest.mark.parametrize(
    ("expression", "loss"),
    [
        ("logits.argmax(-1)", "nn.CrossEntropyLoss()"),
        ("torch.argmax(logits, dim=1).float()", "nn.MSELoss()"),
        ("torch.max(logits, 1)[1].float()", "nn.BCEWithLogitsLoss()"),
    ],
)
def test_loss_of_class_ids(expression: str, loss: str) -> None:
    """A loss of argmax is an error that names it."""
    (finding,) = asked(loss_of_class_ids, of(expression, loss))
    assert finding.level == "error"
    assert "which have no gradient" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LOOP + "    correct += (logits.argmax(-1) == batch['labels']).sum()\n",
        of("logits.max(1)[0]", "nn.MSELoss()"),
        LOOP.replace('batch["labels"])\n', "teacher_logits.argmax(-1))\n"),
        SETUP + "with torch.no_grad():\n    mse = F.mse_loss(model(x).logits.argmax(-1).float(), y)\n",
    ],
)  # fmt: skip
def test_loss_of_class_ids_quiet(text: str) -> None:
    """Argmax for a score, for hard labels, the largest value itself, or where no gradient is wanted."""
    assert asked(loss_of_class_ids, text) == []


@pytest.mark.parametrize(
    "call",
    [
        "F.kl_div(F.softmax(logits / 2, -1), F.softmax(teacher / 2, -1), reduction='batchmean')",
        "nn.KLDivLoss(reduction='batchmean')(logits.softmax(-1), teacher.softmax(-1))",
        "nn.KLDivLoss()(torch.softmax(logits, dim=1).view(-1), teacher)",
    ],
)
def test_kl_div_of_probabilities(call: str) -> None:
    """Probabilities as the first argument of kl_div are an error."""
    (finding,) = asked(kl_div_of_probabilities, LOOP.replace('criterion(logits, batch["labels"])', call))
    assert finding.level == "error"


@pytest.mark.parametrize(
    "call",
    [
        "F.kl_div(F.log_softmax(logits / 2, -1), F.softmax(teacher / 2, -1), reduction='batchmean')",
        "nn.KLDivLoss(log_target=True)(logits.log_softmax(-1), teacher.log_softmax(-1))",
        "F.kl_div(logits.softmax(-1).log(), teacher)",
    ],
)
def test_kl_div_of_probabilities_quiet(call: str) -> None:
    """Log-probabilities in one step or two."""
    assert asked(kl_div_of_probabilities, LOOP.replace('criterion(logits, batch["labels"])', call)) == []


CAUSAL = """\
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, default_data_collator
tokenizer = AutoTokenizer.from_pretrained("skt/kogpt2-base-v2")

def preprocess(examples):
    tokens = tokenizer(examples["text"], truncation=True, padding="max_length", max_length=128)
    tokens["labels"] = tokens["input_ids"].copy()
    return tokens

data = load_dataset("json", data_files="train.jsonl")["train"].map(preprocess, batched=True)
Trainer(AutoModelForCausalLM.from_pretrained("skt/kogpt2-base-v2"), args, train_dataset=data).train()
"""
SUMMARY = """\
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("gogamza/kobart-base-v2")

def preprocess(batch):
    inputs = tokenizer(batch["document"], padding="max_length", truncation=True)
    targets = tokenizer(batch["summary"], padding="max_length", truncation=True)
    inputs["labels"] = targets["input_ids"]
    return inputs

data = data.map(preprocess, batched=True)
"""


@pytest.mark.parametrize(
    "text",
    [
        CAUSAL,
        SUMMARY,
        CAUSAL.replace('tokens["labels"] = tokens["input_ids"].copy()\n    return tokens', 'return {"input_ids": tokens["input_ids"], '
                       '"labels": tokens["input_ids"]}'),
        CAUSAL.replace('padding="max_length"', 'padding=True, return_tensors="pt"').replace(".copy()", ".clone()"),
    ],
)  # fmt: skip
def test_padding_in_the_labels(text: str) -> None:
    """Ids of padded text as labels are a warning, for language models and for targets."""
    (finding,) = asked(padding_in_the_labels, text)
    assert finding.level == "warning"
    assert "no pad becomes -100" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        CAUSAL.replace(', padding="max_length"', ""),
        CAUSAL.replace("    return tokens", "    tokens['labels'] = [[-100 if t == tokenizer.pad_token_id else t for t in row] "
                       "for row in tokens['labels']]\n    return tokens"),
        CAUSAL.replace("args, train", "args, data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False), train")
        .replace("default_data_collator", "DataCollatorForLanguageModeling"),
        SUMMARY + "loss = nn.CrossEntropyLoss(ignore_index=tokenizer.pad_token_id)\n",
        SUMMARY.replace('targets = tokenizer(batch["summary"], padding="max_length", ', 'targets = tokenizer(batch["summary"], '),
        CAUSAL.replace('tokens["input_ids"].copy()', 'examples["label"]'),
    ],
)  # fmt: skip
def test_padding_in_the_labels_quiet(text: str) -> None:
    """Not padded, masked by hand or by the collator or the loss, or labels of another kind."""
    assert asked(padding_in_the_labels, text) == []


RETURN = "        return loss\n"


@pytest.mark.parametrize(
    "line",
    [
        "loss.backward()",
        "self.manual_backward(loss)",
        "opt = self.optimizers()\n        loss.backward()\n        opt.step()",
    ],
)
def test_backward_beside_lightning(line: str) -> None:
    """Backward in training_step under automatic optimization is an error."""
    (finding,) = asked(backward_beside_lightning, LIGHTNING.replace(RETURN, f"        {line}\n{RETURN}"))
    assert "but automatic_optimization is on" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LIGHTNING,
        LIGHTNING.replace(RETURN, "        self.manual_backward(loss)\n").replace(
            "super().__init__()", "super().__init__()\n        self.automatic_optimization = False"),
        LIGHTNING.replace(RETURN, "        self.manual_backward(loss)\n").replace(
            "    def __init__", "    automatic_optimization = False\n\n    def __init__"),
        LOOP,
    ],
)  # fmt: skip
def test_backward_beside_lightning_quiet(text: str) -> None:
    """Left to Lightning, switched off in the constructor or the class, or no Lightning."""
    assert asked(backward_beside_lightning, text) == []


@pytest.mark.parametrize("last", ["", "        return None\n", "        return\n"])
def test_training_step_without_loss(last: str) -> None:
    """training_step that gives nothing back is an error at its definition."""
    text = LIGHTNING.replace(RETURN, last)
    found = asked(training_step_without_loss, text)
    assert lines(found) == [number_of(text, "def training_step")]


@pytest.mark.parametrize(
    "text",
    [
        LIGHTNING,
        LIGHTNING.replace(RETURN, '        return {"loss": loss}\n'),
        LIGHTNING.replace('        loss = self.model(**batch).loss\n        self.log("train_loss", loss)\n        return loss\n',
                          "        raise NotImplementedError\n"),
        LIGHTNING.replace(RETURN, "").replace("super().__init__()", "super().__init__()\n        self.automatic_optimization = False"),
    ],
)  # fmt: skip
def test_training_step_without_loss_quiet(text: str) -> None:
    """A loss, a dict, a stub for others, manual optimization."""
    assert asked(training_step_without_loss, text) == []


CONFIGURE = "    def configure_optimizers(self):\n        return torch.optim.AdamW(self.parameters(), lr=2e-5)\n"


@pytest.mark.parametrize(
    "text",
    [
        LIGHTNING.replace(CONFIGURE, ""),
        LIGHTNING.replace(CONFIGURE, "").replace("pytorch_lightning", "lightning"),
        LIGHTNING.replace(CONFIGURE, "    def configure_optimizer(self):\n        return None\n"),
    ],
)
def test_optimizer_not_configured(text: str) -> None:
    """A module that is fitted without configure_optimizers is an error at its class."""
    (finding,) = asked(optimizer_not_configured, text)
    assert lines([finding]) == [number_of(text, "class Reviews")]


@pytest.mark.parametrize(
    "text",
    [
        LIGHTNING,
        LIGHTNING.replace(CONFIGURE, "").replace(
            "Reviews(pl.LightningModule)", "Reviews(WithOptimizer, pl.LightningModule)"
        ),
        LIGHTNING.replace(CONFIGURE, "").replace(".fit(Reviews(), train_loader)", ""),
    ],
)
def test_optimizer_not_configured_quiet(text: str) -> None:
    """Configured, perhaps by another base, or never fitted."""
    assert asked(optimizer_not_configured, text) == []
