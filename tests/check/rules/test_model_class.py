"""MOD: classes, adapters, and the precision of the weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import small_model
from ask_rules import FOUR, found, levels, one
from pretune.check.facts.versions import VersionFacts
from pretune.check.rules import model_class as classes
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]
ARGS = {"learning_rate": 2e-5}


@pytest.mark.parametrize("model_class", ["AutoModel", "BertModel"])
def test_class_without_a_head(make_model: MakeModel, model_class: str) -> None:
    """Trainer needs a loss; a sentence encoder needs none."""
    folder = str(make_model())
    setup = Setup(model=folder, model_class=model_class, task="text-classification", training_args=ARGS)
    finding = one(found(classes.class_without_a_head, setup))
    assert (finding.level, "AutoModelForSequenceClassification" in finding.message) == ("error", True)
    assert (
        found(classes.class_without_a_head, Setup(model=folder, model_class=model_class, task="sentence-similarity"))
        == []
    )
    assert (
        found(classes.class_without_a_head, Setup(model=folder, task="text-classification", training_args=ARGS)) == []
    )


def test_class_not_of_this_model(make_model: MakeModel) -> None:
    """An auto class without an entry, and a class of another architecture."""
    rule = classes.class_not_of_this_model
    folder = str(make_model())
    other = one(found(rule, Setup(model=folder, model_class="RobertaForSequenceClassification")))
    assert (other.level, "is a class of roberta" in other.message) == ("error", True)
    for model_class in ("BertForQuestionAnswering", "AutoModelForMaskedLM", "MyOwnModel", "AutoModelForMultipleChoice"):
        assert found(rule, Setup(model=folder, model_class=model_class)) == []
    assert found(rule, Setup(model=folder)) == []


def test_a_task_that_the_model_type_cannot_do(tmp_path: Path) -> None:
    """GPT-2 has no masked-LM class."""
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}', "utf-8")
    finding = one(found(classes.class_not_of_this_model, Setup(model=str(tmp_path), task="masked-lm")))
    assert "the task masked-lm needs AutoModelForMaskedLM, which gpt2 does not have" in finding.message


def test_class_of_another_task(make_model: MakeModel) -> None:
    """A classifier for question answering is a warning; its own class and the bare model are not."""
    rule = classes.class_of_another_task
    folder = str(make_model())
    wrong = Setup(model=folder, model_class="AutoModelForSequenceClassification", task="question-answering")
    assert levels(found(rule, wrong)) == ["warning"]
    for model_class, task in (
        ("BertForQuestionAnswering", "question-answering"),
        ("AutoModelForSequenceClassification", "pair-classification"),
        ("BertForPreTraining", "masked-lm"),
        ("AutoModelForSequenceClassification", "sentence-similarity"),
        ("MyOwnModel", "question-answering"),
    ):
        assert found(rule, Setup(model=folder, model_class=model_class, task=task)) == []


def test_adapter_in_place_of_a_model(make_model: MakeModel) -> None:
    """A folder with config.json and an adapter: peft can load it, without peft nothing can."""
    rule = classes.adapter_in_place_of_a_model
    adapter = {
        "adapter_config.json": {"base_model_name_or_path": "klue/bert-base"},
        "adapter_model.safetensors": b"\0" * 8,
    }
    setup = Setup(model=str(make_model(weights=False, files=adapter)))
    assert levels(found(rule, setup)) == ["warning"]
    assert levels(found(rule, setup, versions=VersionFacts())) == ["error"]
    assert found(rule, Setup(model=str(make_model(name="b")))) == []


def test_checkpoint_without_tensors(make_model: MakeModel) -> None:
    """An empty table is an error; a format that from_pretrained does not load is SAF030's to tell."""
    rule = classes.checkpoint_without_tensors
    finding = one(found(rule, Setup(model=str(make_model(tensors=lambda _: {})))))
    assert (finding.level, "holds no tensors" in finding.message) == ("error", True)
    foreign = make_model(name="b", weights=False, files={"tf_model.h5": b"x"})
    assert found(rule, Setup(model=str(foreign))) == []
    assert found(rule, Setup(model=str(make_model(name="c")))) == []


@pytest.mark.parametrize(
    ("dtype", "said", "expected"),
    [
        ("F16", {}, ["warning"]),
        ("BF16", {}, ["warning"]),
        ("F32", {}, []),
        ("BF16", {"training_args": {"bf16": True}}, []),
        ("BF16", {"peft": {"r": 8}}, []),
        ("BF16", {"from_pretrained": {"dtype": "float32"}}, []),
        ("BF16", {"training_args": {}}, []),
    ],
)
def test_half_precision_weights(make_model: MakeModel, dtype: str, said: dict[str, Any], expected: list[str]) -> None:
    """Stored in half precision, trained in it, and nothing said: a warning."""
    setup = Setup(**{"model": str(make_model(dtype=dtype)), "training_args": ARGS, **said})
    assert levels(found(classes.half_precision_weights, setup)) == expected
    assert found(classes.half_precision_weights, setup, versions=FOUR) == []


def test_weights_of_mixed_precision(make_model: MakeModel) -> None:
    """Two precisions in one file are a note, unless a dtype is named."""
    folder = make_model(weights=False)
    entries = {"a": ("F32", (40, 4)), "b": ("BF16", (40, 4))}
    header: dict[str, Any] = {}
    offset = 0
    for name, (dtype, shape) in entries.items():
        size = small_model.BYTES[dtype] * shape[0] * shape[1]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * offset)
    finding = one(found(classes.weights_of_mixed_precision, Setup(model=str(folder))))
    assert (finding.level, "float32 67 %" in finding.message, "bfloat16 33 %" in finding.message) == (
        "note",
        True,
        True,
    )
    named = Setup(model=str(folder), from_pretrained={"dtype": "float32"})
    assert found(classes.weights_of_mixed_precision, named) == []
    assert found(classes.weights_of_mixed_precision, Setup(model=str(make_model(name="b")))) == []


def test_encoder_sees_the_next_word(make_model: MakeModel) -> None:
    """An encoder as a language model; told to be a decoder, as a masked one, or without a class it is nothing."""
    rule, folder = classes.encoder_sees_the_next_word, str(make_model("bert"))
    for name in ("AutoModelForCausalLM", "BertLMHeadModel"):
        assert levels(found(rule, Setup(model=folder, model_class=name))) == ["error"]
    assert found(rule, Setup(model=folder, model_class="AutoModelForCausalLM", config={"is_decoder": True})) == []
    assert found(rule, Setup(model=folder, model_class="AutoModelForMaskedLM")) == []
    assert found(rule, Setup(model=folder, task="text-classification")) == []
