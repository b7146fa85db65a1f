"""PYS291 to PYS294: prompts padded on the right, labels decoded, predictions that are no texts, a score without a name."""

import pytest

from pretune.check.rules.py_generation import (
    best_metric_not_returned,
    generated_behind_padding,
    generation_not_asked_for,
    ignored_labels_decoded,
)
from script_rules import found

HEAD = """
import numpy as np
from transformers import *
model = AutoModelForCausalLM.from_pretrained("x/y")
"""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('t = AutoTokenizer.from_pretrained("x/y", padding_side="right")\nb = t(prompts, padding=True)\n', 1),
        ('t = AutoTokenizer.from_pretrained("x/y")\nt.padding_side = "right"\nb = t(prompts, padding="longest")\n', 1),
        ('t = AutoTokenizer.from_pretrained("x/y", padding_side="left")\nb = t(prompts, padding=True)\n', 0),
        ('t = AutoTokenizer.from_pretrained("x/y", padding_side="right")\nb = t("one", padding=True)\n', 0),
        ('t = AutoTokenizer.from_pretrained("x/y", padding_side="right")\nb = t(prompts)\n', 0),
        ('t = AutoTokenizer.from_pretrained("x/y")\nb = t(prompts, padding=True)\n', 0),
        (
            't = AutoTokenizer.from_pretrained("x/y", padding_side="right")\nb = t(prompts, padding=True)\nloss.backward()\n',
            0,
        ),
    ],
)
def test_generated_behind_padding(text: str, count: int) -> None:
    """Padded on the right in so many words; a script that trains may mean those encodings for it."""
    assert len(found(generated_behind_padding, f"{HEAD}{text}model.generate(**b)\n")) == count


SCORING = """
tokenizer = AutoTokenizer.from_pretrained("x/y")
model = AutoModelForSeq2SeqLM.from_pretrained("x/y")
def score(pair):
    predictions, labels = pair
{body}
args = Seq2SeqTrainingArguments("out", {args})
Seq2SeqTrainer(model=model, args=args, train_dataset=a, eval_dataset=b, compute_metrics=score)
"""


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("    return f(tokenizer.batch_decode(labels))", 1),
        ("    return f(tokenizer.batch_decode(np.where(labels != -100, labels, 0)))", 0),
        ("    labels[labels == -100] = 0\n    return f(tokenizer.batch_decode(labels))", 0),
        ("    return f(tokenizer.batch_decode(predictions))", 0),
    ],
)
def test_ignored_labels_decoded(body: str, count: int) -> None:
    """Labels as they come; without their -100, and predictions, are no fault."""
    assert len(found(ignored_labels_decoded, HEAD + SCORING.format(body=body, args=""))) == count


@pytest.mark.parametrize(
    ("args", "body", "count"),
    [
        ("num_train_epochs=1", "    return f(tokenizer.batch_decode(predictions))", 1),
        ("predict_with_generate=False", "    return f(tokenizer.batch_decode(predictions))", 1),
        ("predict_with_generate=True", "    return f(tokenizer.batch_decode(predictions))", 0),
        ("**more", "    return f(tokenizer.batch_decode(predictions))", 0),
        ("num_train_epochs=1", "    return f(tokenizer.batch_decode(predictions[0].argmax(-1)))", 0),
        ("num_train_epochs=1", "    return f(predictions)", 0),
    ],
)
def test_generation_not_asked_for(args: str, body: str, count: int) -> None:
    """Predictions are decoded and nothing is generated; told, unknown or with argmax it is nothing."""
    assert len(found(generation_not_asked_for, HEAD + SCORING.format(body=body, args=args))) == count


@pytest.mark.parametrize(
    ("name", "returned", "count"),
    [
        ('"f1"', '{"acc": 1.0, "macro_f1": 0.5}', 1),
        ('"eval_f1"', '{"acc": 1.0}', 1),
        ('"macro_f1"', '{"acc": 1.0, "macro_f1": 0.5}', 0),
        ('"eval_acc"', '{"acc": 1.0}', 0),
        ('"acc"', '{"eval_acc": 1.0}', 0),
        ('"loss"', '{"acc": 1.0}', 0),
        ('"f1"', "metric.compute(predictions=predictions)", 0),
        ('"f1"', '{"acc": 1.0, **more}', 0),
        ("name", '{"acc": 1.0}', 0),
    ],
)
def test_best_metric_not_returned(name: str, returned: str, count: int) -> None:
    """A name among keys that are all known; loss, a prefix, and unknown keys are no fault."""
    text = SCORING.format(
        body=f"    return {returned}", args=f"metric_for_best_model={name}, load_best_model_at_end=True"
    )
    assert len(found(best_metric_not_returned, HEAD + text)) == count
