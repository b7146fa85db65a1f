"""PYS10: adding tokens and resizing, in the styles in which people write it."""

import pytest

from pretune.check.finding import InsertAfter
from pretune.check.rules.py_tokens import (
    added_never_resized,
    resized_before_adding,
)
from script_rules import found

HEAD = """
from transformers import AutoTokenizer, AutoModelForQuestionAnswering, AutoModelForSequenceClassification
from transformers import AutoModelForCausalLM, AutoConfig, BertModel, Trainer, TrainingArguments
import torch
"""

LOADED = (
    HEAD
    + """
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base")
"""
)

TRAINED = """
trainer = Trainer(model=model, args=TrainingArguments("out"), train_dataset=data)
trainer.train()
"""

ARGUMENT_PARSER = """
from dataclasses import dataclass, field
from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoTokenizer, HfArgumentParser, Trainer, TrainingArguments

@dataclass
class ModelArguments:
    model_name_or_path: str = field(default="klue/roberta-large", metadata={"help": "사전학습 모델"})

def main():
    parser = HfArgumentParser((ModelArguments, TrainingArguments))
    model_args, training_args = parser.parse_args_into_dataclasses()
    config = AutoConfig.from_pretrained(model_args.model_name_or_path)
    tokenizer = AutoTokenizer.from_pretrained(model_args.model_name_or_path, use_fast=True)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[E1]", "[/E1]"]})
    model = AutoModelForQuestionAnswering.from_pretrained(model_args.model_name_or_path, config=config)
    # model.resize_token_embeddings(len(tokenizer))
    trainer = Trainer(model=model, args=training_args, train_dataset=load())
    if training_args.do_train:
        trainer.train()

if __name__ == "__main__":
    main()
"""

LIGHTNING = """
import pytorch_lightning as pl
import torch
from transformers import AutoModel, AutoTokenizer

class Reader(pl.LightningModule):
    def __init__(self, name="klue/bert-base"):
        super().__init__()
        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.tokenizer.add_tokens(["코로나19", "확진자"])
        self.bert = AutoModel.from_pretrained(name)
        RESIZE

    def forward(self, batch):
        return self.bert(**batch)[0]

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-5)

pl.Trainer(max_epochs=3).fit(Reader())
"""

OWN_LOOP = (
    HEAD
    + """
tokenizer = AutoTokenizer.from_pretrained("monologg/koelectra-base-v3-discriminator")
model = AutoModelForSequenceClassification.from_pretrained("monologg/koelectra-base-v3-discriminator", num_labels=2)
new = ["<url>", "<user>"]
print(tokenizer.add_tokens(new))
model.to("cuda")
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
for batch in loader:
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
"""
)


@pytest.mark.parametrize(
    "text",
    [
        LOADED + 'tokenizer.add_tokens(["<e>", "</e>"])\n' + TRAINED,
        ARGUMENT_PARSER,
        LIGHTNING.replace("RESIZE", "pass"),
        OWN_LOOP,
    ],
)
def test_never_resized(text: str) -> None:
    """A script, an argument parser, a Lightning module and an own loop that add words and never resize."""
    (finding,) = found(added_never_resized, text)
    assert finding.level == "error"
    assert "is never resized" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        LOADED + 'tokenizer.add_tokens(["<e>"])\nmodel.resize_token_embeddings(len(tokenizer))\n' + TRAINED,
        LOADED + 'tokenizer.add_special_tokens({"pad_token": tokenizer.eos_token})\n' + TRAINED,
        LOADED + 'tokenizer.add_tokens(["<e>"])\ntokenizer.save_pretrained("words")\n',
        LOADED + "tokenizer.add_tokens([])\n" + TRAINED,
        LIGHTNING.replace("RESIZE", "self.bert.resize_token_embeddings(len(self.tokenizer))"),
        HEAD
        + """
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
tokenizer.add_tokens(["<e>"])
config = AutoConfig.from_pretrained("klue/bert-base", vocab_size=len(tokenizer))
model = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base", config=config, ignore_mismatched_sizes=True)
"""
        + TRAINED,
        LOADED
        + """
def widen(tokenizer, model):
    n = tokenizer.add_special_tokens({"additional_special_tokens": ["<e>"]})
    if n > 0:
        model.resize_token_embeddings(len(tokenizer))
widen(tokenizer, model)
"""
        + TRAINED,
    ],
)
def test_resized(text: str) -> None:
    """A resize anywhere, no new token, no model in use, a table made to measure."""
    assert found(added_never_resized, text) == []


def test_level_where_rows_may_be_spare() -> None:
    """A decoder with padded rows is a note; a usual token and a branch are a warning, not an error."""
    spare = LOADED.replace("klue/bert-base", "Qwen/Qwen3-0.6B")
    levels = [
        finding.level for finding in found(added_never_resized, spare + 'tokenizer.add_tokens(["<e>"])\n' + TRAINED)
    ]
    assert levels == ["note"]
    for text in (
        LOADED + 'tokenizer.add_special_tokens({"pad_token": "[PAD]"})\n' + TRAINED,
        LOADED + 'if mark:\n    tokenizer.add_tokens(["<e>"])\n' + TRAINED,
    ):
        assert [finding.level for finding in found(added_never_resized, text)] == ["warning"]


def test_missing_resize_is_inserted() -> None:
    """Behind the later of the addition and the model, by the names of the script."""
    (finding,) = found(added_never_resized, ARGUMENT_PARSER)
    assert finding.fix is not None
    (edit,) = finding.fix.patches
    assert isinstance(edit, InsertAfter)
    assert (edit.place.line, edit.statement) == (15, "model.resize_token_embeddings(len(tokenizer))")
    assert found(added_never_resized, LIGHTNING.replace("RESIZE", "pass"))[0].fix is None


@pytest.mark.parametrize(
    "text",
    [
        LOADED + 'model.resize_token_embeddings(len(tokenizer))\ntokenizer.add_tokens(["<e>"])\n' + TRAINED,
        LIGHTNING.replace(
            '        self.tokenizer.add_tokens(["코로나19", "확진자"])\n        self.bert = AutoModel.from_pretrained(name)\n',
            "        self.bert = AutoModel.from_pretrained(name)\n        self.bert.resize_token_embeddings(len(self.tokenizer))\n",
        ).replace("RESIZE", 'self.tokenizer.add_tokens(["코로나19"])'),
        LOADED
        + """
def prepare(tokenizer, model):
    model.resize_token_embeddings(len(tokenizer))
    special = {"additional_special_tokens": ["[Q]", "[C]"]}
    tokenizer.add_special_tokens(special)
    return model
model = prepare(tokenizer, model).cuda()
"""
        + TRAINED,
    ],
)
def test_resized_before_adding(text: str) -> None:
    """At the top, in a module's constructor, in a function."""
    assert len(found(resized_before_adding, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        LOADED + 'tokenizer.add_tokens(["<e>"])\nmodel.resize_token_embeddings(len(tokenizer))\n' + TRAINED,
        LOADED
        + 'model.resize_token_embeddings(len(tokenizer))\ntokenizer.add_tokens(["<e>"])\n'
        + "model.resize_token_embeddings(len(tokenizer))\n"
        + TRAINED,
        LOADED + 'model.resize_token_embeddings(32010)\ntokenizer.add_tokens(["<e>"])\n' + TRAINED,
        LOADED
        + 'model.resize_token_embeddings(len(tokenizer))\nif more:\n    tokenizer.add_tokens(["<e>"])\n'
        + TRAINED,
    ],
)
def test_resized_after_adding(text: str) -> None:
    """Resized after, or again, or by a number that may count them, or added only maybe."""
    assert found(resized_before_adding, text) == []
