"""CFG: what the rules on edited keys say, and where they stay quiet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import CFG, FOUR, GPT2, LLAMA, found, levels, one
from pretune.check.rules import config_keys as keys
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_an_edit_of_a_size_names_the_tensor_and_both_shapes(make_model: MakeModel) -> None:
    """hidden_size 16 -> 32 fits no tensor of the body."""
    finding = one(found(keys.edits_against_the_shapes, Setup(model=str(make_model()), config={"hidden_size": 32})))
    assert finding.level == "error"
    assert "hidden_size 16 -> 32 changes the shape of" in finding.message
    assert "16, would have to be" in finding.message
    assert finding.where == "setup:/config/hidden_size"


def test_more_layers_ask_for_tensors_the_checkpoint_lacks(make_model: MakeModel) -> None:
    """Two layers are there, four are asked for."""
    finding = one(found(keys.edits_against_the_shapes, Setup(model=str(make_model()), config={"num_hidden_layers": 4})))
    assert finding.level == "error"
    assert "32 tensors" in finding.message


def test_fewer_layers_leave_trained_tensors_out(make_model: MakeModel) -> None:
    """One of two layers is left out: a warning, for it is also done on purpose."""
    finding = one(
        found(keys.edits_against_the_shapes, Setup(model=str(make_model()), config_update={"num_hidden_layers": 1}))
    )
    assert finding.level == "warning"
    assert "leaves out 16 trained tensors" in finding.message


@pytest.mark.parametrize(
    "config",
    [
        {"hidden_dropout_prob": 0.3},
        {"num_labels": 5},
        {"id2label": {0: "부정", 1: "긍정", 2: "중립"}, "label2id": {"부정": 0, "긍정": 1, "중립": 2}},
        {"problem_type": "multi_label_classification"},
        {"classifier_dropout": 0.1},
        {"use_cache": False},
        {"output_attentions": True},
        {"initializer_range": 0.01},
        {"hidden_size": 16},
        {"pad_token_id": 3},
        {"attn_implementation": "eager"},
        {"return_dict": True},
    ],
    ids=lambda config: next(iter(config)),
)
def test_keys_that_are_free_to_change_stay_silent(make_model: MakeModel, config: dict[str, Any]) -> None:
    """Dropout, labels and the like may be changed in either way, and an edit to the same value is none."""
    folder = str(make_model(model_class="BertForSequenceClassification"))
    for setup in (Setup(model=folder, config=config), Setup(model=folder, config_update=config)):
        assert [finding for rule in CFG for finding in found(rule, setup) if finding.level != "note"] == []


@pytest.mark.parametrize(
    ("key", "new", "level"),
    [
        ("num_attention_heads", 4, "error"),
        ("hidden_act", "relu", "error"),
        ("hidden_act", "gelu_new", "note"),
        ("layer_norm_eps", 1e-5, "note"),
        ("layer_norm_eps", 1e-2, "warning"),
    ],
)
def test_an_edit_that_fits_every_shape_is_told_by_its_harm(
    make_model: MakeModel, key: str, new: object, level: str
) -> None:
    """The level follows what the edit does to a real model."""
    for edit in ({"config": {key: new}}, {"config_update": {key: new}}):
        finding = one(found(keys.silent_architecture_edit, Setup(model=str(make_model()), **edit)))
        assert finding.level == level
        assert f"{key} " in finding.message
        assert str(new) in finding.message.replace("0.01", "0.01 1e-2").replace("1e-05", "1e-05 1e-5")


def test_heads_of_a_llama_with_its_own_head_size_change_shapes_not_silently(config_folder: Callable[..., str]) -> None:
    """Query heads 4 -> 8 with head_dim 4 fit no tensor: the rule on shapes speaks, the rule on silence does not."""
    setup = Setup(model=config_folder({**LLAMA, "head_dim": 4}), config={"num_attention_heads": 8})
    assert levels(found(keys.edits_against_the_shapes, setup)) == ["error"]
    assert found(keys.silent_architecture_edit, setup) == []


@pytest.mark.parametrize(
    "spelled", [{"rope_theta": 10000.0}, {"rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}]
)
def test_another_rope_base_is_an_error_in_either_spelling(
    config_folder: Callable[..., str], spelled: dict[str, Any]
) -> None:
    """Transformers 4 writes rope_theta, transformers 5 rope_parameters; an edit is seen from either."""
    raw = {key: old for key, old in LLAMA.items() if key != "rope_theta"} | spelled
    finding = one(
        found(keys.silent_architecture_edit, Setup(model=config_folder(raw), config_update={"rope_theta": 500000.0}))
    )
    assert finding.level == "error"
    assert "rope_theta 10000.0 -> 500000.0" in finding.message


def test_a_config_that_differs_from_its_origin_is_told(make_model: MakeModel, tmp_path: Path) -> None:
    """The origin's own weights under other heads are an error; trained-on weights a warning."""
    origin = make_model(name="origin")
    same = make_model(name="same", config={"num_attention_heads": 4, "_name_or_path": str(origin)})
    finding = one(found(keys.config_differs_from_its_origin, Setup(model=str(same))))
    assert (finding.level, "the weights are still the same" in finding.message) == ("error", True)
    trained = make_model(name="trained", config={"num_attention_heads": 4, "_name_or_path": str(origin)})
    weights = bytearray((trained / "model.safetensors").read_bytes())
    weights[-1] = 7
    (trained / "model.safetensors").write_bytes(bytes(weights))
    finding = one(found(keys.config_differs_from_its_origin, Setup(model=str(trained))))
    assert (finding.level, "4" in finding.message and "2" in finding.message) == ("warning", True)


@pytest.mark.parametrize(
    "change", [{"hidden_dropout_prob": 0.3}, {"layer_norm_eps": 1e-5}, {"hidden_act": "gelu_new"}, {}]
)
def test_harmless_differences_from_the_origin_stay_quiet(make_model: MakeModel, change: dict[str, Any]) -> None:
    """A fine-tuned model has other labels and dropouts than its origin."""
    origin = make_model(name="origin")
    other = make_model(name="other", config={"_name_or_path": str(origin), "id2label": {"0": "a"}, **change})
    assert found(keys.config_differs_from_its_origin, Setup(model=str(other))) == []
    missing = make_model(name="missing", config={"_name_or_path": "nobody/nothing", "num_attention_heads": 4})
    assert found(keys.config_differs_from_its_origin, Setup(model=str(missing))) == []


def test_a_keyword_that_no_config_has_reaches_the_model(make_model: MakeModel) -> None:
    """num_lables goes to __init__, which does not take it."""
    for part in ({"config": {"num_lables": 3}}, {"model_kwargs": {"num_lables": 3}}):
        finding = one(found(keys.unknown_model_argument, Setup(model=str(make_model()), **part)))
        assert finding.level == "error"
        assert 'did you mean "num_labels"' in finding.message


@pytest.mark.parametrize(
    "arguments",
    [
        {"ignore_mismatched_sizes": True, "torch_dtype": "auto", "device_map": "auto", "trust_remote_code": False},
        {"add_pooling_layer": False, "attn_implementation": "sdpa", "cache_dir": "x", "low_cpu_mem_usage": True},
    ],
)
def test_arguments_of_from_pretrained_are_no_config_keys(make_model: MakeModel, arguments: dict[str, Any]) -> None:
    """What from_pretrained takes for itself is no typing error."""
    folder = str(make_model())
    assert found(keys.unknown_model_argument, Setup(model=folder, from_pretrained=arguments)) == []
    assert found(keys.unknown_model_argument, Setup(model=folder, model_kwargs=arguments)) == []


def test_what_transformers_4_still_took_is_quiet_there(make_model: MakeModel) -> None:
    """Transformers 5 took task keys out of the base config; under 4 they are fine."""
    setup = Setup(model=str(make_model()), config={"finetuning_task": "nsmc"})
    assert levels(found(keys.unknown_model_argument, setup)) == ["error"]
    assert found(keys.unknown_model_argument, setup, versions=FOUR) == []


@pytest.mark.parametrize(
    ("key", "level"),
    [("hidden_dropout", "warning"), ("n_embd", "warning"), ("num_ner_labels", "note"), ("use_crf", "note")],
)
def test_an_update_of_an_unknown_key_is_told_by_what_it_resembles(make_model: MakeModel, key: str, level: str) -> None:
    """A key cut short is a slip, a key of one's own is a note."""
    finding = one(found(keys.key_without_effect, Setup(model=str(make_model()), config_update={key: 1})))
    assert (finding.level, key in finding.message) == (level, True)


def test_an_update_of_a_known_key_has_an_effect(config_folder: Callable[..., str]) -> None:
    """Real names, aliases and keys that the file itself holds are known."""
    setup = Setup(
        model=config_folder({**GPT2, "my_own": 1}), config_update={"hidden_size": 16, "n_embd": 16, "my_own": 2}
    )
    assert found(keys.key_without_effect, setup) == []


def test_relative_positions_are_ignored_by_transformers_5(make_model: MakeModel) -> None:
    """A note for an edit, a warning for a checkpoint that was saved so, nothing under transformers 4."""
    rule = keys.position_type_without_effect
    saved = str(make_model(config={"position_embedding_type": "relative_key"}))
    edited = Setup(model=str(make_model(name="b")), config_update={"position_embedding_type": "relative_key"})
    assert levels(found(rule, Setup(model=saved))) == ["warning"]
    assert levels(found(rule, edited)) == ["note"]
    assert found(rule, edited, versions=FOUR) == []
    assert found(rule, Setup(model=str(make_model(name="c", config={"position_embedding_type": "absolute"})))) == []


def test_an_encoder_made_causal(make_model: MakeModel) -> None:
    """is_decoder on a classifier is an error when edited, a warning when saved, fine for a decoder's class."""
    rule = keys.encoder_made_causal
    folder = str(make_model())
    assert levels(found(rule, Setup(model=folder, task="text-classification", config={"is_decoder": True}))) == [
        "error"
    ]
    assert levels(found(rule, Setup(model=str(make_model(name="b", config={"is_decoder": True}))))) == ["warning"]
    assert found(rule, Setup(model=folder, task="causal-lm", config={"is_decoder": True})) == []
    assert found(rule, Setup(model=folder, task="text-classification")) == []
