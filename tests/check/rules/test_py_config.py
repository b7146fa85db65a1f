"""PYS120 to PYS122: configs that are edited too late, not passed on, or updated with themselves."""

import pytest

from pretune.check.finding import ReplaceText
from pretune.check.rules.py_config import (
    config_edited_after_build,
    config_updated_with_itself,
    edited_config_not_passed,
)
from script_rules import found

HEAD = """from transformers import (AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForMaskedLM, BertConfig,
    BertForSequenceClassification, BertModel, Trainer, TrainingArguments)
import torch
NAME = "klue/bert-base"
"""
MADE = HEAD + "config = AutoConfig.from_pretrained(NAME)\n"
TRAINED = "\nTrainer(model=model, args=TrainingArguments('out'), train_dataset=data).train()\n"
LOADED = "model = AutoModelForSequenceClassification.from_pretrained(NAME, config=config)\n"


@pytest.mark.parametrize(
    "text",
    [
        MADE + LOADED + "config.hidden_dropout_prob = 0.3\n" + TRAINED,
        MADE + LOADED + "model.config.attention_probs_dropout_prob = 0.0\n" + TRAINED,
        MADE + LOADED + "setattr(config, 'num_labels', 7)\n" + TRAINED,
        HEAD
        + """
class Model(torch.nn.Module):
    def __init__(self, dropout):
        super().__init__()
        config = BertConfig.from_pretrained(NAME)
        self.bert = BertModel.from_pretrained(NAME, config=config)
        config.hidden_dropout_prob = dropout
model = Model(0.5)
optimizer = torch.optim.AdamW(model.parameters())
""",
    ],
)
def test_edited_after_build(text: str) -> None:
    """On the config, on the model's, by setattr, in a module of one's own."""
    assert len(found(config_edited_after_build, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        MADE + "config.hidden_dropout_prob = 0.3\n" + LOADED + TRAINED,
        MADE + LOADED + "model.config.pad_token_id = 0\nmodel.config.id2label = names\n" + TRAINED,
        MADE + LOADED + "model.config.num_labels = 3\nmodel.classifier = torch.nn.Linear(768, 3)\n" + TRAINED,
        MADE + LOADED + "config.num_hidden_layers = 6\nstudent = AutoModel.from_config(config)\n" + TRAINED,
        MADE + LOADED + "model.config.use_cache = False\n" + TRAINED,
    ],
)
def test_edited_in_time(text: str) -> None:
    """Before, keys that are read later, a head of one's own, a second model, use_cache."""
    assert found(config_edited_after_build, text) == []


BARE = "model = AutoModelForSequenceClassification.from_pretrained(NAME)\n"


@pytest.mark.parametrize(
    "text",
    [
        MADE + "config.hidden_dropout_prob = 0.2\n" + BARE + TRAINED,
        MADE + "config.update({'num_labels': 7})\n" + BARE + TRAINED,
        HEAD
        + """
def build(name):
    config = AutoConfig.from_pretrained(name)
    config.num_labels = 5
    model = AutoModelForSequenceClassification.from_pretrained(name)
    return model
model = build(NAME)
"""
        + TRAINED,
    ],
)
def test_edited_and_not_passed(text: str) -> None:
    """An attribute, an update, in a function."""
    assert len(found(edited_config_not_passed, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        MADE + "config.hidden_dropout_prob = 0.2\n" + LOADED + TRAINED,
        MADE + BARE + TRAINED,
        MADE + "config.num_labels = 5\nhead = Head(config)\n" + BARE + TRAINED,
        MADE + "config.num_labels = 5\nmodel = AutoModel.from_pretrained(NAME, **kwargs)\n" + TRAINED,
        MADE + "config.num_labels = 5\nconfig.save_pretrained('out')\n" + BARE + TRAINED,
    ],
)
def test_edited_and_used(text: str) -> None:
    """Passed, not edited, used by a head, maybe among **kwargs, saved."""
    assert found(edited_config_not_passed, text) == []


@pytest.mark.parametrize(
    "text",
    [
        MADE + "custom_config = {'hidden_dropout_prob': 0.3}\nconfig.update(config)\n" + LOADED,
        HEAD + "cfg = BertConfig()\ncfg.update(cfg)\n",
        HEAD
        + "def f(args):\n    config = AutoConfig.from_pretrained(args.name)\n    config.update(config.to_dict())\n",
    ],
)
def test_updated_with_itself(text: str) -> None:
    """With the dict that was meant in sight, by another name, with its own dict."""
    assert len(found(config_updated_with_itself, text)) == 1


def test_the_dict_that_was_meant() -> None:
    """The only dict with config keys is put in; where there are two, none is."""
    one = MADE + "custom_config = {'hidden_dropout_prob': 0.3}\nconfig.update(config)\n"
    (finding,) = found(config_updated_with_itself, one)
    assert finding.fix is not None
    (edit,) = finding.fix.patches
    assert isinstance(edit, ReplaceText)
    assert (edit.old, edit.new) == ("config.update(config)", "config.update(custom_config)")
    two = one.replace("config.update", "other = {'num_labels': 2}\nconfig.update")
    assert found(config_updated_with_itself, two)[0].fix is None


@pytest.mark.parametrize(
    "text",
    [
        MADE + "config.update({'num_labels': 2})\n",
        "config = {'a': 1}\nconfig.update(config)\n",
        MADE + "config.update(other)\n",
        MADE + "second = AutoConfig.from_pretrained(NAME)\nconfig.update(second.to_dict())\n",
    ],
)
def test_updated_with_another(text: str) -> None:
    """A dict, no config at all, something unknown, another config's dict."""
    assert found(config_updated_with_itself, text) == []
