"""CFG: what the config says of how the weights are stored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import FOUR, found, levels, one
from pretune.check.facts.versions import VersionFacts
from pretune.check.rules import config_training as training
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_a_config_from_a_newer_transformers(make_model: MakeModel) -> None:
    """The minor version decides; patches, local builds and words do not."""
    rule = training.written_by_a_newer_transformers
    for written, expected in (
        ("6.0.0", ["note"]),
        ("5.24.0.dev0", ["note"]),
        ("5.23.9", []),
        ("4.8.2", []),
        ("soon", []),
    ):
        folder = str(make_model(config={"transformers_version": written}))
        assert levels(found(rule, Setup(model=folder))) == expected
    assert found(rule, Setup(model=folder), versions=VersionFacts()) == []


def test_a_quantised_checkpoint(make_model: MakeModel) -> None:
    """A note on the package; a warning where it is trained without an adapter."""
    folder = str(make_model(config={"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}))
    args = {"learning_rate": 1e-4}
    rule = training.quantised_checkpoint
    assert "bitsandbytes" in one(found(rule, Setup(model=folder))).message
    assert levels(found(rule, Setup(model=folder, training_args=args))) == ["warning"]
    assert levels(found(rule, Setup(model=folder, training_args=args, peft={"r": 8}))) == ["note"]
    told = one(found(rule, Setup(model=folder))).message
    assert 'says the checkpoint is quantised ("bitsandbytes"), but stores its weights as F32' in told
    plain = str(make_model(name="b"))
    assert found(rule, Setup(model=plain)) == []
    for said in (
        {"load_in_4bit": True},
        {"quantization_config": {"load_in_8bit": True}},
        {"quantization_config": {"quant_method": "gptq"}},
    ):
        setup = Setup(model=plain, from_pretrained=said, training_args=args)
        finding = one(found(rule, setup))
        assert (finding.level, finding.where) == ("error", f"setup:/from_pretrained/{next(iter(said))}")
        assert levels(found(rule, Setup(model=plain, from_pretrained=said, training_args=args, peft={"r": 8}))) == [
            "note"
        ]
    assert found(rule, Setup(model=plain, from_pretrained={"load_in_4bit": False}, training_args=args)) == []
    qat = {"quantization_config": {"quant_method": "fp_quant"}}
    assert levels(found(rule, Setup(model=plain, from_pretrained=qat, training_args=args))) == ["warning"]


def test_an_untied_model_without_an_output_layer(make_model: MakeModel) -> None:
    """The flag set to false over a tied checkpoint leaves the output layer random."""
    rule = training.untied_without_an_output_layer
    folder = str(make_model(model_class="BertForMaskedLM"))
    setup = Setup(model=folder, task="masked-lm", config={"tie_word_embeddings": False})
    finding = one(found(rule, setup))
    assert (finding.level, "decoder.weight" in finding.message) == ("error", True)
    assert found(rule, Setup(model=folder, task="masked-lm")) == []
    assert found(rule, Setup(model=folder, task="text-classification", config={"tie_word_embeddings": False})) == []


def test_a_tied_model_with_an_output_layer_of_its_own(make_model: MakeModel) -> None:
    """Values that differ speak against the flag; equal values are merely stored twice."""
    rule = training.tied_but_stored_apart
    rows = json.loads((make_model(name="x") / "config.json").read_text("utf-8"))["vocab_size"]
    folder = make_model(model_class="BertForMaskedLM", tensors={"cls.predictions.decoder.weight": (rows, 16)})
    setup = Setup(model=str(folder), task="masked-lm")
    assert found(rule, setup) == []
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    begin, end = header["cls.predictions.decoder.weight"]["data_offsets"]
    offset = 8 + int.from_bytes(data[:8], "little")
    data[offset + begin : offset + end] = b"\x01" * (end - begin)
    weights.write_bytes(bytes(data))
    finding = one(found(rule, setup))
    assert (finding.level, "cls.predictions.decoder.weight" in finding.message) == ("warning", True)


@pytest.mark.parametrize(
    ("part", "args", "expected"),
    [
        ({}, {"learning_rate": 2e-5}, ["warning"]),
        ({}, {"bf16": True}, []),
        ({}, {}, []),
        ({}, {"fp16": True}, ["error"]),
        ({"peft": {"r": 8}}, {"learning_rate": 1e-4}, []),
        ({"from_pretrained": {"dtype": "float32"}}, {"learning_rate": 2e-5}, []),
        ({"from_pretrained": {"torch_dtype": "bfloat16"}}, {"learning_rate": 2e-5}, ["warning"]),
    ],
)
def test_training_in_half_precision(
    make_model: MakeModel, part: dict[str, Any], args: dict[str, Any], expected: list[str]
) -> None:
    """A warning where nothing keeps float32 copies, an error where fp16 scaling will refuse, quiet with mixed precision."""
    folder = str(make_model(config={"torch_dtype": "float16"}))
    assert (
        levels(found(training.trained_in_half_precision, Setup(model=folder, training_args=args, **part))) == expected
    )


def test_transformers_4_loads_in_float32_whatever_the_config_says(make_model: MakeModel) -> None:
    """Only dtype="auto" made it follow the config."""
    rule, args = training.trained_in_half_precision, {"learning_rate": 2e-5}
    folder = str(make_model(config={"torch_dtype": "float16"}))
    assert found(rule, Setup(model=folder, training_args=args), versions=FOUR) == []
    auto = Setup(model=folder, training_args=args, from_pretrained={"torch_dtype": "auto"})
    assert levels(found(rule, auto, versions=FOUR)) == ["warning"]
