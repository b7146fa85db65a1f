"""PYS170 to PYS176: questions with contexts, windows and offsets."""

import pytest

from pretune.check.finding import Rule
from pretune.check.rules.py_contexts import (
    context_cut_without_windows,
    offsets_never_asked_for,
    question_cut_with_the_context,
    windows_never_asked_for,
    windows_without_overlap,
    windows_without_their_rows,
    wrong_side_cut,
)
from script_rules import found

HEALTHY = """
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, Trainer, TrainingArguments
from datasets import load_from_disk

tokenizer = AutoTokenizer.from_pretrained("klue/roberta-large", use_fast=True)
model = AutoModelForQuestionAnswering.from_pretrained("klue/roberta-large")
datasets = load_from_disk("../data/train_dataset")
question_column_name = "question"
context_column_name = "context"
pad_on_right = tokenizer.padding_side == "right"

def prepare_train_features(examples):
    tokenized_examples = tokenizer(
        examples[question_column_name if pad_on_right else context_column_name],
        examples[context_column_name if pad_on_right else question_column_name],
        truncation="only_second" if pad_on_right else "only_first",
        max_length=384,
        stride=128,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length",
    )
    sample_mapping = tokenized_examples.pop("overflow_to_sample_mapping")
    offset_mapping = tokenized_examples.pop("offset_mapping")
    tokenized_examples["start_positions"] = []
    tokenized_examples["end_positions"] = []
    for i, offsets in enumerate(offset_mapping):
        sample_index = sample_mapping[i]
        answers = examples["answers"][sample_index]
        tokenized_examples["start_positions"].append(0)
    return tokenized_examples

train = datasets["train"].map(prepare_train_features, batched=True)
trainer = Trainer(model=model, args=TrainingArguments("out"), train_dataset=train)
trainer.train()
"""

RULES = (
    question_cut_with_the_context,
    wrong_side_cut,
    context_cut_without_windows,
    windows_without_overlap,
    offsets_never_asked_for,
    windows_never_asked_for,
    windows_without_their_rows,
)


def plain(keywords: str, then: str = "pass") -> str:
    """A notebook that encodes question and context itself."""
    return f"""
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("klue/bert-base")
model = AutoModelForQuestionAnswering.from_pretrained("klue/bert-base")

def encode(examples):
    encoded = tokenizer(examples["question"], examples["context"]{", " if keywords else ""}{keywords})
    {then}
    return encoded

data = data.map(encode, batched=True)
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_usual_preprocessing_is_healthy(rule: Rule) -> None:
    """What the examples of transformers do, with both padding sides."""
    assert found(rule, HEALTHY) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation=True, max_length=384"), 1),
        (plain("truncation='longest_first', return_overflowing_tokens=True, stride=64"), 1),
        (HEALTHY.replace('"only_second" if pad_on_right else "only_first"', "True"), 1),
        (plain("truncation='only_second'"), 0),
        (plain("truncation=cut"), 0),
        (plain("truncation=True").replace("ForQuestionAnswering", "ForSequenceClassification"), 0),
    ],
)
def test_question_cut_with_the_context(text: str, expected: int) -> None:
    """truncation=True on two texts of reading comprehension only."""
    assert len(found(question_cut_with_the_context, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation='only_first', max_length=384"), 1),
        (plain("truncation='only_second'").replace('examples["question"], examples["context"]', 'examples["context"], examples["question"]'), 1),
        (plain("truncation='only_first'").replace('examples["question"]', '[q.strip() for q in examples["question"]]'), 1),
        (plain("truncation='only_second'"), 0),
        (plain("truncation='only_first'").replace('examples["question"], examples["context"]', 'examples["context"], examples["question"]'), 0),
        (plain("truncation=side"), 0),
    ],
)  # fmt: skip
def test_wrong_side_cut(text: str, expected: int) -> None:
    """only_first for (question, context) and the other way round."""
    assert len(found(wrong_side_cut, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation='only_second', max_length=384"), 1),
        (plain("truncation=True, max_length=512, padding='max_length'"), 1),
        (plain("truncation='only_second', return_overflowing_tokens=False"), 1),
        (plain("truncation='only_second', return_overflowing_tokens=True"), 0),
        (plain(""), 0),
        (plain("truncation='only_second', **options"), 0),
    ],
)
def test_context_cut_without_windows(text: str, expected: int) -> None:
    """Cut and dropped; not with windows, nor where nothing is cut."""
    assert len(found(context_cut_without_windows, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation='only_second', return_overflowing_tokens=True"), 1),
        (plain("truncation='only_second', return_overflowing_tokens=True, stride=0"), 1),
        (HEALTHY.replace("        stride=128,\n", ""), 1),
        (plain("truncation='only_second', return_overflowing_tokens=True, stride=64"), 0),
        (plain("truncation='only_second'"), 0),
        (plain("truncation='only_second', return_overflowing_tokens=True, stride=args.doc_stride"), 0),
    ],
)
def test_windows_without_overlap(text: str, expected: int) -> None:
    """No stride, or none to speak of."""
    assert len(found(windows_without_overlap, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation='only_second'", "offsets = encoded['offset_mapping']"), 1),
        (plain("truncation='only_second'", "offsets = encoded.pop('offset_mapping')"), 1),
        (HEALTHY.replace("return_offsets_mapping=True", "return_offsets_mapping=False"), 1),
        (plain("return_offsets_mapping=True", "offsets = encoded['offset_mapping']"), 0),
        (plain("", "offsets = encoded.pop('offset_mapping', None)"), 0),
        (plain("**options", "offsets = encoded['offset_mapping']"), 0),
    ],
)
def test_offsets_never_asked_for(text: str, expected: int) -> None:
    """An item, a pop, switched off; not asked for, popped with a default, or maybe among **options."""
    assert len(found(offsets_never_asked_for, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (plain("truncation='only_second', stride=64", "rows = encoded['overflow_to_sample_mapping']"), 1),
        (plain("truncation=True", "rows = encoded.pop('overflow_to_sample_mapping')"), 1),
        (HEALTHY.replace("return_overflowing_tokens=True", "return_overflowing_tokens=False"), 1),
        (plain("return_overflowing_tokens=True", "rows = encoded['overflow_to_sample_mapping']"), 0),
        (plain("return_overflowing_tokens=windows", "rows = encoded['overflow_to_sample_mapping']"), 0),
        (plain("truncation=True"), 0),
    ],
)
def test_windows_never_asked_for(text: str, expected: int) -> None:
    """Read without windows; not with, nor where it depends."""
    assert len(found(windows_never_asked_for, text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEALTHY.replace('    sample_mapping = tokenized_examples.pop("overflow_to_sample_mapping")\n', ""), 1),
        (plain("return_overflowing_tokens=True, return_offsets_mapping=True, stride=64", "encoded['start_positions'] = [0 for _ in examples['answers']]"), 1),
        (plain("return_overflowing_tokens=True, return_offsets_mapping=True, stride=64", "encoded['labels'] = examples['label']"), 1),
        (plain("return_overflowing_tokens=True, return_offsets_mapping=True, stride=64"), 0),
        (plain("return_offsets_mapping=True", "encoded['start_positions'] = [0 for _ in examples['answers']]"), 0),
    ],
)  # fmt: skip
def test_windows_without_their_rows(text: str, expected: int) -> None:
    """Labels by row for windows; not without labels, nor without windows."""
    assert len(found(windows_without_their_rows, text)) == expected
