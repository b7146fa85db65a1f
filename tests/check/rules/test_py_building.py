"""PYS123 to PYS125: another model's config, and weights that are not loaded."""

from pathlib import Path

import pytest

from pretune.check.rules.py_building import config_of_another_model, mismatches_ignored, weights_left_random
from script_rules import found, lines

HEAD = """from transformers import (AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForMaskedLM, BertConfig,
    BertForSequenceClassification, BertModel, Trainer, TrainingArguments)
import torch
NAME = "klue/bert-base"
"""
MADE = HEAD + "config = AutoConfig.from_pretrained(NAME)\n"
TRAINED = "\nTrainer(model=model, args=TrainingArguments('out'), train_dataset=data).train()\n"


@pytest.mark.parametrize(
    ("model", "config", "expected"),
    [
        ("klue/bert-base", "bert-base-multilingual-cased", 1),
        ("klue/roberta-large", "klue/roberta-base", 1),
        ("monologg/koelectra-base-v3-discriminator", "klue/bert-base", 1),
        ("klue/bert-base", "klue/bert-base", 0),
        ("google-bert/bert-base-uncased", "bert-base-uncased", 0),
        ("./outputs/checkpoint-500", "klue/bert-base", 0),
        ("models/best", "klue/bert-base", 0),
    ],
)
def test_config_of_another_model(model: str, config: str, expected: int) -> None:
    """Other repositories of the hub, but neither moved names nor folders of one's own."""
    text = (
        HEAD
        + f"config = AutoConfig.from_pretrained({config!r})\nm = AutoModel.from_pretrained({model!r}, config=config)\n"
    )
    assert len(found(config_of_another_model, text)) == expected


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("model = AutoModelForSequenceClassification.from_config(config)", 1),
        ("model = BertForSequenceClassification(config)", 1),
        ("model = BertForSequenceClassification(config=config).to('cuda')", 1),
        ("model = AutoModelForSequenceClassification.from_pretrained(NAME, config=config)", 0),
        ("model = AutoModelForMaskedLM.from_config(config)", 0),
        ("model = BertForSequenceClassification(config)\nmodel.load_state_dict(torch.load('best.pt'))", 0),
        ("config.num_hidden_layers = 3\nmodel = BertForSequenceClassification(config)", 0),
        ("model = BertForSequenceClassification(BertConfig(vocab_size=8000))", 0),
    ],
)
def test_weights_left_random(build: str, expected: int) -> None:
    """from_config and the constructor, but not pretraining, loaded weights or a config of one's own."""
    assert len(found(weights_left_random, MADE + build + TRAINED)) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("True", [5]), ("args.ignore", []), ("False", []), ("1 if x else 0", [])]
)
def test_mismatches_ignored(given: str, expected: list[int]) -> None:
    """Only where it is surely asked for."""
    text = MADE.replace(
        "config =", "m = AutoModel.from_pretrained(NAME, ignore_mismatched_sizes=" + given + ")\nconfig ="
    )
    assert [line - 1 for line in lines(mismatches_ignored, text)] == [line - 1 for line in expected]


def test_weights_of_a_folder_left_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that holds weights counts as a name of the hub; one without is the user's own beginning."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "mine").mkdir(parents=True)
    text = MADE.replace("klue/bert-base", "models/mine") + "model = BertForSequenceClassification(config)" + TRAINED
    assert not found(weights_left_random, text)
    (tmp_path / "models" / "mine" / "model.safetensors").write_bytes(b"")
    assert len(found(weights_left_random, text)) == 1


def test_weights_left_random_in_a_module() -> None:
    """A model that a class of the script holds and that is trained with it."""
    text = """import lightning
class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.bert = BertForSequenceClassification({build})
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters())
lightning.Trainer().fit(Module(), loader)
"""
    assert len(found(weights_left_random, MADE + text.replace("{build}", "config"))) == 1
