"""PYS182 to PYS185: a collator against its model's task; the collator that fits, and what is not known, are silent."""

import pytest

from pretune.check.rules.py_collators import (
    label_pads_counted,
    labels_not_padded,
    nothing_masked_for_a_masked_model,
    words_masked_for_a_causal_model,
)
from script_rules import found

HEAD = """
import sys
from transformers import *
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
args = TrainingArguments("out")
"""


def trained(model: str, collator: str) -> str:
    """A script that trains a model with a collator."""
    return f'{HEAD}model = {model}.from_pretrained("x/y")\nTrainer(model, args, data_collator={collator}, train_dataset=rows)\n'


@pytest.mark.parametrize(
    ("model", "collator", "count"),
    [
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer)", 1),
        ("GPT2LMHeadModel", "DataCollatorForLanguageModeling(tokenizer=tokenizer, mlm=True, mlm_probability=0.15)", 1),
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer, mlm=False)", 0),
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer, False)", 0),
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer, mlm=masked)", 0),
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer, **options)", 0),
        ("AutoModelForMaskedLM", "DataCollatorForLanguageModeling(tokenizer)", 0),
    ],
)
def test_words_masked_for_a_causal_model(model: str, collator: str, count: int) -> None:
    """The default masks; off, unknown, or for a masked model it is nothing."""
    assert len(found(words_masked_for_a_causal_model, trained(model, collator))) == count


@pytest.mark.parametrize(
    ("model", "collator", "count"),
    [
        ("BertForMaskedLM", "DataCollatorForLanguageModeling(tokenizer, mlm=False)", 1),
        ("BertForMaskedLM", "DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.3)", 0),
        ("AutoModelForCausalLM", "DataCollatorForLanguageModeling(tokenizer, mlm=False)", 0),
    ],
)
def test_nothing_masked_for_a_masked_model(model: str, collator: str, count: int) -> None:
    """Only for a masked model that is shown everything."""
    assert len(found(nothing_masked_for_a_masked_model, trained(model, collator))) == count


@pytest.mark.parametrize(
    ("model", "collator", "count"),
    [
        ("AutoModelForTokenClassification", "DataCollatorWithPadding(tokenizer)", 1),
        ("AutoModelForSeq2SeqLM", "DataCollatorWithPadding(tokenizer)", 1),
        ("BartForConditionalGeneration", "None, processing_class=tokenizer", 0),
        ("AutoModelForTokenClassification", "DataCollatorForTokenClassification(tokenizer)", 0),
        ("AutoModelForSequenceClassification", "DataCollatorWithPadding(tokenizer)", 0),
        ("AutoModelForTokenClassification", "my_collator", 0),
    ],
)
def test_labels_not_padded(model: str, collator: str, count: int) -> None:
    """Lists of labels need a collator of their own; one label a row does not."""
    assert len(found(labels_not_padded, trained(model, collator))) == count


def test_labels_not_padded_by_default() -> None:
    """A Trainer with a tokenizer and no collator takes the one for inputs; rows of one length need none."""
    text = f'{HEAD}model = AutoModelForTokenClassification.from_pretrained("x/y")\n'
    trainer = "Trainer(model, args, processing_class=tokenizer, train_dataset=rows)\n"
    full = 'def encode(row):\n    return tokenizer(row["tokens"], padding="max_length", truncation=True)\nrows.map(encode)\n'
    assert len(found(labels_not_padded, text + trainer)) == 1
    assert not found(labels_not_padded, text + full + trainer)


@pytest.mark.parametrize(
    ("collator", "count"),
    [
        ("DataCollatorForTokenClassification(tokenizer, label_pad_token_id=0)", 1),
        ("DataCollatorForSeq2Seq(tokenizer, model, label_pad_token_id=-100)", 0),
        ("DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=tokenizer.pad_token_id if sys.argv else -100)", 0),
        ("DataCollatorForTokenClassification(tokenizer)", 0),
    ],
)
def test_label_pads_counted(collator: str, count: int) -> None:
    """A number that the loss counts; -100, unknown and nothing are no fault."""
    assert len(found(label_pads_counted, trained("AutoModelForTokenClassification", collator))) == count
