"""PYS236, PYS268, PYS269: an adapter frozen again, labels shifted twice, pads read as words."""

import pytest

from pretune.check.rules.py_targets import adapter_frozen_again, labels_shifted_by_hand, mask_left_out
from script_rules import found

HEAD = """
from peft import get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("x/y")
model = AutoModelForCausalLM.from_pretrained("x/y")
encoder = AutoModel.from_pretrained("x/y")
ids = tokenizer(texts, return_tensors="pt")["input_ids"]
"""


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("model(ids[:, :-1], labels=ids[:, 1:])", 1),
        ("model(input_ids=ids[..., :-1].contiguous(), labels=ids[..., 1:].clone())", 1),
        ("model(ids, labels=ids)", 0),
        ("model(ids[:, :-1])", 0),
        ("model(ids[:, 1:], labels=ids[:, 1:])", 0),
        ("encoder(ids[:, :-1], labels=ids[:, 1:])", 0),
    ],
)
def test_labels_shifted_by_hand(call: str, count: int) -> None:
    """Both cut by one for a model that shifts; whole ones, or another model's, are no fault."""
    assert len(found(labels_shifted_by_hand, f"{HEAD}{call}\n")) == count


@pytest.mark.parametrize(
    ("encoding", "call", "count"),
    [
        ("texts, padding=True", 'encoder(b["input_ids"])', 1),
        ("texts, padding='max_length', truncation=True", "encoder(input_ids=b.input_ids.to(0), labels=y)", 1),
        ("texts, padding=True", 'encoder(b["input_ids"], b["attention_mask"])', 0),
        ("texts, padding=True", 'encoder(b["input_ids"], attention_mask=b["attention_mask"])', 0),
        ("texts, padding=True", "encoder(**b)", 0),
        ("texts, truncation=True", 'encoder(b["input_ids"])', 0),
        ('"one text", padding=True', 'encoder(b["input_ids"])', 0),
        ("texts, padding=pads", 'encoder(b["input_ids"])', 0),
    ],
)
def test_mask_left_out(encoding: str, call: str, count: int) -> None:
    """Padded ids alone; with the mask, unpadded, of one text or not known they are nothing."""
    text = f'{HEAD}b = tokenizer({encoding}, return_tensors="pt")\n{call}\n'
    assert len(found(mask_left_out, text)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("model = get_peft_model(model, config)\nmodel = prepare_model_for_kbit_training(model)\n", 1),
        ("model = prepare_model_for_kbit_training(get_peft_model(model, config))\n", 1),
        ("model = prepare_model_for_kbit_training(model)\nmodel = get_peft_model(model, config)\n", 0),
    ],
)
def test_adapter_frozen_again(text: str, count: int) -> None:
    """After the adapter; before it is right."""
    assert len(found(adapter_frozen_again, HEAD + text)) == count
