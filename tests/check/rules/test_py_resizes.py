"""PYS103 to PYS105: which model is resized, where, and to how many rows."""

import pytest

from pretune.check.rules.py_tokens import resized_another_model, resized_in_a_branch, resized_to_vocab_size
from script_rules import found, lines

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


@pytest.mark.parametrize(
    "text",
    [
        LOADED
        + """
tokenizer.add_tokens(["<e>"])
model.resize_token_embeddings(len(tokenizer))
model = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base")
"""
        + TRAINED,
        LOADED
        + """
tokenizer.add_tokens(["<e>"])
model.resize_token_embeddings(len(tokenizer))
reader = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base", hidden_dropout_prob=0.2)
"""
        + TRAINED.replace("model=model", "model=reader"),
        LOADED
        + """
tokenizer.add_special_tokens({"additional_special_tokens": ["<e>"]})
backbone = BertModel.from_pretrained("klue/bert-base")
backbone.resize_token_embeddings(len(tokenizer))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
for batch in loader:
    model(**batch).loss.backward()
    optimizer.step()
""",
    ],
)
def test_another_model_resized(text: str) -> None:
    """A model that is loaded again, a second one, and the bare one beside it."""
    assert len(found(resized_another_model, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        LOADED
        + """
tokenizer.add_tokens(["<e>"])
teacher = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base")
for one in (model, teacher):
    one.resize_token_embeddings(len(tokenizer))
"""
        + TRAINED,
        LOADED
        + 'tokenizer.add_tokens(["<e>"])\nmodel.resize_token_embeddings(len(tokenizer))\nmodel = torch.nn.DataParallel(model)\n'
        + TRAINED,
        LOADED
        + """
tokenizer.add_tokens(["<e>"])
model.resize_token_embeddings(len(tokenizer))
"""
        + TRAINED
        + 'best = AutoModelForQuestionAnswering.from_pretrained("out/checkpoint-500")\nbest(**batch)\n',
    ],
)
def test_the_trained_model_is_resized(text: str) -> None:
    """All of several, a wrapped one, and a checkpoint that is read afterwards."""
    assert found(resized_another_model, text) == []


@pytest.mark.parametrize(
    "text",
    [
        LOADED
        + 'tokenizer.add_tokens(["<e>"])\nif args.do_train:\n    trainer = Trainer(model=model, train_dataset=data)\n'
        + "    trainer.train()\nelse:\n    model.resize_token_embeddings(len(tokenizer))\n",
        LOADED
        + """
def run(mode):
    tokenizer.add_special_tokens({"additional_special_tokens": ["[Q]"]})
    if mode == "inference":
        model.resize_token_embeddings(len(tokenizer))
    else:
        optimizer = torch.optim.AdamW(model.parameters())
        model(**batch).loss.backward()
        optimizer.step()
run(cfg.mode)
""",
        LOADED
        + """
tokenizer.add_tokens(["<e>"])
if not training:
    model.resize_token_embeddings(len(tokenizer))
    print(model(**batch))
else:
"""
        + "\n".join(f"    {line}" for line in TRAINED.strip().split("\n")),
    ],
)
def test_resized_on_the_other_side(text: str) -> None:
    """Evaluation resizes, training does not."""
    assert isinstance(found(resized_in_a_branch, text), list)
    if "print(model" not in text:
        assert len(found(resized_in_a_branch, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        LOADED
        + 'n = tokenizer.add_tokens(["<e>"])\nif n:\n    model.resize_token_embeddings(len(tokenizer))\n'
        + TRAINED,
        LOADED
        + 'tokenizer.add_tokens(["<e>"])\nif len(tokenizer) > model.get_input_embeddings().weight.shape[0]:\n'
        + "    model.resize_token_embeddings(len(tokenizer))\n"
        + TRAINED,
        LOADED
        + 'if args.do_train:\n    tokenizer.add_tokens(["<e>"])\n    model.resize_token_embeddings(len(tokenizer))\n'
        + TRAINED,
    ],
)
def test_resized_where_needed(text: str) -> None:
    """A test of what was added, of the rows, and a branch that holds both."""
    assert found(resized_in_a_branch, text) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("tokenizer.vocab_size", 1),
        ("new_num_tokens=tokenizer.vocab_size", 1),
        ("tokenizer.vocab_size + 1", 1),
        ("len(tokenizer)", 0),
        ("tokenizer.vocab_size + 2", 0),
        ("tokenizer.vocab_size + added", 0),
        ("model.config.vocab_size + 2", 0),
    ],
)
def test_resized_to_vocab_size(rows: str, expected: int) -> None:
    """vocab_size leaves out what was added, unless that is counted in."""
    text = LOADED + f'added = tokenizer.add_tokens(["<e>", "</e>"])\nmodel.resize_token_embeddings({rows})\n' + TRAINED
    assert len(found(resized_to_vocab_size, text)) == expected


def test_vocab_size_without_additions() -> None:
    """Where nothing is added it is the same number."""
    assert lines(resized_to_vocab_size, LOADED + "model.resize_token_embeddings(tokenizer.vocab_size)\n") == []
