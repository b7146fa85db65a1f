"""PYS140 to PYS145: which model and tokenizer are loaded, trained and saved."""

import pytest

from pretune.check.rules.py_loading import (
    another_model_saved,
    batches_by_another_tokenizer,
    hangul_lowercased,
    model_without_a_head,
    tokenizer_never_saved,
    tokenizer_of_another_model,
)
from script_rules import found

HEAD = """from transformers import (AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, BertTokenizer, BertModel,
    ElectraForSequenceClassification, Trainer, TrainingArguments, DataCollatorWithPadding, DataCollatorForLanguageModeling)
import torch
import torch.nn as nn
"""
ARGUMENTS = "args = TrainingArguments('out')\n"
TRAINED = "trainer = Trainer(model=model, args=args, train_dataset=data)\ntrainer.train()\n"


def pair(model: str, tokenizer: str) -> str:
    """A script that loads both and trains."""
    return (
        HEAD
        + ARGUMENTS
        + f"tokenizer = AutoTokenizer.from_pretrained({tokenizer!r})\n"
        + f"model = AutoModelForSequenceClassification.from_pretrained({model!r}, num_labels=7)\n"
        + TRAINED
    )


@pytest.mark.parametrize(
    ("model", "tokenizer", "expected"),
    [
        ("klue/bert-base", "bert-base-uncased", 1),
        ("monologg/koelectra-base-v3-discriminator", "klue/bert-base", 1),
        ("xlm-roberta-base", "bert-base-multilingual-cased", 1),
        ("skt/kogpt2-base-v2", "klue/bert-base", 1),
        ("klue/bert-base", "klue/bert-base", 0),
        ("klue/roberta-large", "klue/roberta-base", 0),
        ("distilbert-base-uncased", "bert-base-uncased", 0),
        ("monologg/koelectra-base-v3-discriminator", "monologg/koelectra-base-v3-generator", 0),
        ("bert-base-uncased", "google-bert/bert-base-uncased", 0),
        ("results/checkpoint-1000", "klue/bert-base", 0),
        ("./model", "klue/bert-base", 0),
        ("microsoft/codebert-base", "roberta-base", 0),
        ("my-org/qa-model", "klue/bert-base", 0),
        ("distilgpt2", "gpt2", 0),
        ("deepset/roberta-base-squad2", "roberta-base", 0),
        ("Huffon/sentence-klue-roberta-base", "klue/bert-base", 0),
    ],
)
def test_tokenizer_of_another_model(model: str, tokenizer: str, expected: int) -> None:
    """Other families and languages; not sizes, moved names, folders or fine-tuned models."""
    assert len(found(tokenizer_of_another_model, pair(model, tokenizer))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model = AutoModel.from_pretrained('klue/bert-base')\n" + TRAINED, 1),
        ("model = BertModel.from_pretrained('klue/bert-base').to('cuda')\n" + TRAINED, 1),
        ("config = AutoConfig.from_pretrained('klue/bert-base')\nmodel = AutoModel.from_pretrained('klue/bert-base', config=config)\n" + TRAINED, 1),
        ("model = AutoModelForSequenceClassification.from_pretrained('klue/bert-base')\n" + TRAINED, 0),
        ("class Mine(Trainer):\n    def compute_loss(self, model, inputs, return_outputs=False, **kwargs):\n        return model(**inputs)[0].mean()\n"
         "model = AutoModel.from_pretrained('klue/bert-base')\n" + TRAINED.replace("Trainer(", "Mine("), 0),
        ("class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.bert = AutoModel.from_pretrained('klue/bert-base')\n"
         "model = Net()\n" + TRAINED, 0),
        ("model = AutoModel.from_pretrained('klue/bert-base') if bare else AutoModelForSequenceClassification.from_pretrained('klue/bert-base')\n" + TRAINED, 0),
    ],
)  # fmt: skip
def test_model_without_a_head(text: str, expected: int) -> None:
    """The bare model, moved or with a config; not where a loss is made otherwise."""
    assert len(found(model_without_a_head, HEAD + ARGUMENTS + text)) == expected


TWICE = """
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base")
other = AutoModelForSequenceClassification.from_pretrained("klue/bert-base")
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWICE + TRAINED + "other.save_pretrained('best')\n", 1),
        (TWICE + "optimizer = torch.optim.AdamW(model.parameters())\nfor b in loader:\n    model(**b).loss.backward()\n    optimizer.step()\n"
         "other.save_pretrained('best')\n", 1),
        (TWICE + "model = nn.DataParallel(model)\n" + TRAINED + "other.eval()\nother.save_pretrained('best')\n", 1),
        (TWICE + TRAINED + "model.save_pretrained('best')\n", 0),
        (TWICE + TRAINED + "trainer.model.save_pretrained('best')\n", 0),
        (TWICE + TRAINED + "other.load_state_dict(model.state_dict())\nother.save_pretrained('best')\n", 0),
        (TWICE + "other.save_pretrained('before')\n" + TRAINED, 0),
    ],
)  # fmt: skip
def test_another_model_saved(text: str, expected: int) -> None:
    """The twin that was never trained; not the trained one, a filled one, or one saved before."""
    assert len(found(another_model_saved, HEAD + ARGUMENTS + text)) == expected


SMALL = """
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForSequenceClassification.from_pretrained("klue/bert-base")
"""
ADDED = "tokenizer.add_tokens(['코로나19'])\nmodel.resize_token_embeddings(len(tokenizer))\n"


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        (SMALL + TRAINED + "trainer.save_model('best')\n", ["note"]),
        (SMALL + ADDED + TRAINED + "trainer.save_model('best')\n", ["warning"]),
        (SMALL + ADDED + TRAINED + "model.save_pretrained('best')\n", ["warning"]),
        (SMALL + TRAINED + "trainer.save_model('best')\ntokenizer.save_pretrained('best')\n", []),
        (SMALL + TRAINED.replace("args=args", "args=args, tokenizer=tokenizer") + "trainer.save_model('best')\n", []),
        (SMALL + TRAINED.replace("args=args", "args=args, processing_class=tokenizer") + "trainer.save_model()\n", []),
        (SMALL + TRAINED.replace("args=args", "args=args, data_collator=DataCollatorWithPadding(tokenizer)") + "trainer.save_model('best')\n", []),
        (SMALL + TRAINED, []),
    ],
)  # fmt: skip
def test_tokenizer_never_saved(text: str, levels: list[str]) -> None:
    """A note, a warning where tokens were added; nothing where the Trainer saves it."""
    assert [finding.level for finding in found(tokenizer_never_saved, HEAD + ARGUMENTS + text)] == levels


MAPPED = """
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
def encode(rows):
    return tokenizer(rows["text"], truncation=True)
data = data.map(encode, batched=True)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MAPPED + "collator = DataCollatorWithPadding(AutoTokenizer.from_pretrained('gpt2'))\n", 1),
        (MAPPED + "second = AutoTokenizer.from_pretrained('xlm-roberta-base')\ncollator = DataCollatorForLanguageModeling(tokenizer=second)\n", 1),
        (MAPPED + "second = AutoTokenizer.from_pretrained('bert-base-uncased')\nTrainer(model=model, processing_class=second)\n", 1),
        (MAPPED + "collator = DataCollatorWithPadding(tokenizer)\n", 0),
        (MAPPED + "collator = DataCollatorWithPadding(AutoTokenizer.from_pretrained('klue/bert-base'))\n", 0),
        (MAPPED + "collator = DataCollatorWithPadding(make_tokenizer())\n", 0),
    ],
)  # fmt: skip
def test_batches_by_another_tokenizer(text: str, expected: int) -> None:
    """Another vocabulary pads; not the same one loaded twice, nor one that is not known."""
    assert len(found(batches_by_another_tokenizer, HEAD + text)) == expected


@pytest.mark.parametrize(
    ("load", "levels"),
    [
        ("BertTokenizer.from_pretrained('bert-base-multilingual-cased', do_lower_case=True)", ["error"]),
        ("AutoTokenizer.from_pretrained('klue/bert-base', do_lower_case=True)", ["error"]),
        ("AutoTokenizer.from_pretrained('monologg/koelectra-base-v3-discriminator', do_lower_case=True)", ["error"]),
        ("BertTokenizer.from_pretrained('bert-base-cased', do_lower_case=True)", ["warning"]),
        ("BertTokenizer.from_pretrained('bert-base-uncased', do_lower_case=True)", []),
        ("BertTokenizer.from_pretrained('bert-base-multilingual-cased', do_lower_case=False)", []),
        ("BertTokenizer.from_pretrained(name, do_lower_case=True)", []),
        ("BertTokenizer.from_pretrained('bert-base-multilingual-cased', do_lower_case=True, strip_accents=False)", []),
    ],
)
def test_hangul_lowercased(load: str, levels: list[str]) -> None:
    """Korean models with case; not English ones without, nor with accents kept."""
    assert [finding.level for finding in found(hangul_lowercased, HEAD + f"tokenizer = {load}\n")] == levels
