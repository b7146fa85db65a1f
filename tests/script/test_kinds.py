"""What a value of a script is in the field, and what it was before it was wrapped."""

import pytest

from pretune.script.kind_names import class_kind
from pretune.script.kinds import alternatives, class_of, held, kind, root, same, source_of
from pretune.script.read import read_source
from pretune.script.trace import Assigned
from pretune.script.values import Constant, Made, OneOf, Unknown, Value

IMPORTS = """
import torch
import torch.nn as nn
import transformers
import pytorch_lightning as pl
from accelerate import Accelerator
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from torch.utils.data import DataLoader, random_split
from transformers import *
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertPreTrainedModel, DataCollatorWithPadding, Trainer, TrainingArguments
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModel.from_pretrained("klue/bert-base")
"""


def value(expression: str, before: str = "") -> Value:
    """What `x = expression` makes of x."""
    trace = read_source(f"{IMPORTS}{before}\nx = {expression}\n", "train.py")
    return [event for event in trace.events if isinstance(event, Assigned) and event.name == "x"][-1].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transformers.BertTokenizerFast.from_pretrained", "tokenizer"),
        ("kobert_tokenizer.KoBERTTokenizer.from_pretrained", "tokenizer"),
        ("nltk.tokenize.TweetTokenizer", None),
        ("tokenizers.BertWordPieceTokenizer", None),
        ("transformers.GPT2LMHeadModel.from_pretrained", "model"),
        ("transformers.ElectraForPreTraining", "model"),
        ("pydantic.BaseModel", None),
        ("transformers.Seq2SeqTrainingArguments", "training_arguments"),
        ("trl.SFTConfig", "training_arguments"),
        ("transformers.GenerationConfig", "generation_config"),
        ("peft.LoraConfig", "peft_config"),
        ("logging.Config", None),
        ("torch.optim.lr_scheduler.OneCycleLR", "scheduler"),
        ("transformers.optimization.get_cosine_schedule_with_warmup", "scheduler"),
        ("bitsandbytes.optim.PagedAdamW8bit", "optimizer"),
        ("pytorch_lightning.Trainer", "lightning_trainer"),
        ("sentence_transformers.SentenceTransformerTrainer", "trainer"),
        ("torch.nn.BCEWithLogitsLoss", "loss"),
        ("torch.nn.Linear", "module"),
        ("", None),
    ],
)
def test_names(name: str, expected: str | None) -> None:
    """Classes and functions of many libraries, and look-alikes of others."""
    assert class_kind(name) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("model.to('cuda').half()", "model"),
        ("nn.DataParallel(model).module", "model"),
        ("model(input_ids=ids)", "output"),
        ("tokenizer('가', return_tensors='pt').to('cuda')", "encoding"),
        ("load_dataset('klue', 'mrc')['train'].shuffle(seed=1).select(range(10))", "dataset"),
        ("load_dataset('klue', 'mrc')['train']['question']", None),
        ("random_split(load_dataset('x'), [1, 2])[0]", "dataset"),
        ("DataLoader(data)", "loader"),
        ("[batch for batch in DataLoader(data)][0]", "batch"),
        ("Trainer(model, TrainingArguments('out')).model", "model"),
        ("Trainer(model=model).get_train_dataloader()", "loader"),
        ("model.config", "config"),
        ("model if flag else None", "model"),
        ("model if flag else tokenizer", None),
        ("get_peft_model(model, LoraConfig())", "model"),
        ("transformers.pipeline('ner').tokenizer", "tokenizer"),
        ("torch.zeros(3)", None),
    ],
)
def test_kinds(expression: str, expected: str | None) -> None:
    """What methods, items, wrappers and branches give."""
    assert kind(value(expression)) == expected


def test_classes_of_the_project() -> None:
    """By their bases, also in a line of them; made by a class method too."""
    before = """
class Reader(BertPreTrainedModel):
    pass
class Longer(Reader):
    pass
class FocalLoss(nn.Module):
    pass
class Lit(pl.LightningModule):
    pass
class Mine(Trainer):
    pass
"""
    for expression, expected in (
        ("Longer.from_pretrained('klue/bert-base')", "model"),
        ("FocalLoss()", "loss"),
        ("Lit()", "model"),
        ("Mine(model=model)", "trainer"),
    ):
        assert kind(value(expression, before)) == expected


def test_parameters_by_annotation_or_name() -> None:
    """An annotation says it; a name only where that is asked for."""
    annotated = Unknown("a parameter of f()", "x", "transformers.PreTrainedTokenizerFast")
    assert kind(annotated) == "tokenizer"
    assert kind(Unknown("a parameter of f()", "tokenizer")) is None
    assert kind(Unknown("a parameter of f()", "tokenizer"), by_name=True) == "tokenizer"
    assert kind(Unknown("a parameter of f()", "config"), by_name=True) is None


@pytest.mark.parametrize(
    "expression",
    [
        "model.to('cuda').eval()",
        "nn.DataParallel(model.half())",
        "torch.compile(model)",
        "Accelerator().prepare(optimizer, model)[1]",
        "Accelerator().prepare(model)",
        "Accelerator().unwrap_model(model)",
        "get_peft_model(model, LoraConfig(r=8))",
        "Trainer(model=model.cuda(), args=TrainingArguments('o')).model",
        "model.cuda() if torch.cuda.is_available() else model",
    ],
)
def test_root(expression: str) -> None:
    """The model as it was loaded, through whatever moved or wrapped it."""
    found = root(value(expression))
    assert isinstance(found, Made)
    assert found.call.function_name == "transformers.AutoModel.from_pretrained"


def test_root_of_several() -> None:
    """Of two that differ both are left."""
    found = root(value("model if flag else AutoModel.from_pretrained('gpt2')"))
    assert isinstance(found, OneOf)
    assert len(alternatives(found)) == 2


def test_source_class_and_held() -> None:
    """The name that was loaded, the class, what a trainer was given by position."""
    loaded = value("AutoModel.from_pretrained(pretrained_model_name_or_path='klue/roberta-large').cuda()")
    assert source_of(loaded) == Constant("klue/roberta-large")
    assert class_of(root(loaded)) == "AutoModel"
    assert source_of(value("torch.zeros(1)")) is None
    trainer = value(
        "Trainer(model, TrainingArguments('out'), DataCollatorWithPadding(tokenizer), processing_class=tokenizer)"
    )
    given = held(trainer, "tokenizer")
    assert given is not None
    assert kind(given) == "tokenizer"
    collator = held(trainer, "data_collator")
    assert collator is not None
    assert kind(collator) == "collator"
    assert same(value("model"), value("model")) is False  # two walks, two objects
