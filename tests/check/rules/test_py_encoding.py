"""PYS160 to PYS166: cutting, padding and stacking texts."""

import pytest

from pretune.check.rules.py_encoding import (
    encoded_without_cutting,
    longer_than_the_positions,
    offsets_of_a_slow_tokenizer,
    padded_but_not_cut,
    padded_twice,
    rows_do_not_stack,
    words_given_as_texts,
)
from script_rules import found

HEAD = """from transformers import (AutoModelForSequenceClassification, AutoTokenizer, BertTokenizer, BertTokenizerFast, DataCollatorWithPadding,
    Trainer, TrainingArguments, default_data_collator)
from datasets import load_dataset
import torch
tokenizer = AutoTokenizer.from_pretrained("klue/roberta-base")
model = AutoModelForSequenceClassification.from_pretrained("klue/roberta-base", num_labels=7)
"""


def mapped(keywords: str, trainer: str = "", **more: str) -> str:
    """A script that encodes a column with these keywords and trains on it."""
    return (
        HEAD
        + f"""
def preprocess(examples):
    return tokenizer(examples["title"]{", " if keywords else ""}{keywords})
data = load_dataset("klue", "ynat")
encoded = data.map(preprocess, {more.get("map", "batched=True")})
trainer = Trainer(model=model, args=TrainingArguments("out"), train_dataset=encoded["train"]{", " if trainer else ""}{trainer})
trainer.train()
"""
    )


DATASET = (
    HEAD
    + """
class Titles(torch.utils.data.Dataset):
    def __init__(self, titles, tokenizer):
        self.rows = [tokenizer.encode_plus(title, KEYWORDS) for title in titles]
    def __getitem__(self, index):
        return self.rows[index]
train = Titles(open("train.txt"), tokenizer)
"""
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped("padding='max_length', max_length=128"), 1),
        (mapped("padding='max_length', truncation=False"), 1),
        (
            DATASET.replace(
                "KEYWORDS", "add_special_tokens=True, max_length=64, padding='max_length', return_tensors='pt'"
            ),
            1,
        ),
        (mapped("padding='max_length', truncation=True, max_length=128"), 0),
        (mapped("padding=True, max_length=128"), 0),
        (mapped("padding='max_length', **kwargs"), 0),
        (mapped("padding='max_length', truncation=args.truncation"), 0),
        (mapped("padding='max_length', max_length=64, truncation='only_first'"), 0),
    ],
)
def test_padded_but_not_cut(text: str, expected: int) -> None:
    """Without truncation, or with it switched off; not where it may be on."""
    assert len(found(padded_but_not_cut, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped("padding='max_length', truncation=True", "data_collator=DataCollatorWithPadding(tokenizer)"), 1),
        (mapped("padding='max_length', truncation=True", "data_collator=DataCollatorWithPadding(tokenizer=tokenizer)"), 1),
        (mapped("truncation=True, max_length=64, padding='max_length'", "data_collator=DataCollatorWithPadding(tokenizer, padding=True)"), 1),
        (mapped("truncation=True", "data_collator=DataCollatorWithPadding(tokenizer)"), 0),
        (mapped("padding='max_length', truncation=True", "data_collator=default_data_collator"), 0),
        (mapped("padding='max_length' if pad else False, truncation=True", "data_collator=DataCollatorWithPadding(tokenizer)"), 0),
        (mapped("padding='max_length', truncation=True", "data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8)"), 0),
    ],
)  # fmt: skip
def test_padded_twice(text: str, expected: int) -> None:
    """A collator that finds nothing to pad; not where padding depends, nor to a multiple."""
    assert len(found(padded_twice, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped("truncation=True"), 1),
        (mapped("truncation=True, padding=True"), 1),
        (mapped("truncation=True", "data_collator=None"), 1),
        (mapped("truncation=True, padding='longest'", "data_collator=DataCollatorWithPadding(tokenizer)"), 0),
        (mapped("truncation=True", "tokenizer=tokenizer"), 0),
        (mapped("truncation=True", "processing_class=tokenizer"), 0),
        (mapped("truncation=True, padding='max_length'"), 0),
        (mapped("truncation=True, padding=True", map="batched=True, batch_size=None"), 0),
        (mapped("truncation=True, padding=pad"), 0),
        (mapped("truncation=True").replace('encoded["train"]', "other"), 0),
    ],
)
def test_rows_do_not_stack(text: str, expected: int) -> None:
    """No padding, or in groups; not where a collator pads, lengths are equal or the data are others."""
    assert len(found(rows_do_not_stack, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped("truncation=True, max_length=1024"), 1),
        (mapped("truncation='longest_first', max_length=768, padding='max_length'"), 1),
        ("MAX = 600\n" + DATASET.replace("KEYWORDS", "truncation=True, max_length=MAX") + "model(**train[0])\n", 1),
        (mapped("truncation=True, max_length=512"), 0),
        (mapped("truncation=True, max_length=1024").replace("klue/roberta-base", "monologg/kobigbird-bert-base"), 0),
        (mapped("truncation=True, max_length=1024").replace("klue/roberta-base", "answerdotai/ModernBERT-base"), 0),
        (mapped("truncation=True, max_length=args.length"), 0),
    ],
)
def test_longer_than_the_positions(text: str, expected: int) -> None:
    """More than 512 for a model with 512; not for long models nor unknown lengths."""
    assert len(found(longer_than_the_positions, text)) == expected


KOBERT = """
from kobert_tokenizer import KoBERTTokenizer
tokenizer = KoBERTTokenizer.from_pretrained("skt/kobert-base-v1")
"""


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        (KOBERT + "e = tokenizer('가', return_offsets_mapping=True)\n", "5.23.0", 1),
        (HEAD + "t = BertTokenizer.from_pretrained('klue/bert-base')\ne = t('가', return_offsets_mapping=True)\n", "4.40", 1),
        (HEAD + "t = AutoTokenizer.from_pretrained('klue/bert-base', use_fast=False)\ne = t('가')\nprint(e.word_ids())\n", "4.40", 1),
        (HEAD + "t = BertTokenizer.from_pretrained('klue/bert-base')\ne = t('가', return_offsets_mapping=True)\n", "5.23.0", 0),
        (HEAD + "t = BertTokenizerFast.from_pretrained('klue/bert-base')\ne = t('가', return_offsets_mapping=True)\n", "4.40", 0),
        (HEAD + "e = tokenizer('가', return_offsets_mapping=True)\n", "4.40", 0),
        (KOBERT + "e = tokenizer('가')\n", "5.23.0", 0),
    ],
)  # fmt: skip
def test_offsets_of_a_slow_tokenizer(text: str, version: str, expected: int) -> None:
    """KoBERT's under each version, BertTokenizer before 5 only."""
    assert len(found(offsets_of_a_slow_tokenizer, text, transformers=version)) == expected


def tagged(call: str) -> str:
    """A script for named entities."""
    return (
        HEAD
        + f"""
def align(examples):
    encoded = {call}
    for index, tags in enumerate(examples["ner_tags"]):
        words = encoded.word_ids(batch_index=index)
    return encoded
data.map(align, batched=True)
"""
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tagged('tokenizer(examples["tokens"], truncation=True)'), 1),
        (tagged('tokenizer(examples["words"])'), 1),
        (tagged('tokenizer.batch_encode_plus(examples["tokens"], padding="max_length", truncation=True)'), 1),
        (tagged('tokenizer(examples["tokens"], truncation=True, is_split_into_words=True)'), 0),
        (tagged('tokenizer(examples["sentence"], truncation=True)'), 0),
        (tagged('tokenizer(examples["tokens"], **options)'), 0),
        (HEAD + 'data.map(lambda e: tokenizer(e["tokens"]))\n', 0),
    ],
)
def test_words_given_as_texts(text: str, expected: int) -> None:
    """Columns of words that are matched to tokens; not texts, nor where the option may be there."""
    assert len(found(words_given_as_texts, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mapped(""), 1),
        (mapped("padding=True"), 1),
        (mapped("return_token_type_ids=False"), 1),
        (mapped("truncation=True"), 0),
        (mapped("max_length=128"), 0),
        (mapped("").replace("klue/roberta-base", "Qwen/Qwen3-0.6B"), 0),
        (mapped("**options"), 0),
    ],
)
def test_encoded_without_cutting(text: str, expected: int) -> None:
    """For models of 512 positions, where nothing says a length."""
    assert len(found(encoded_without_cutting, text)) == expected
