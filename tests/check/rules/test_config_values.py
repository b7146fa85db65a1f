"""CFG: values that a config cannot hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import LLAMA, found, levels, one
from pretune.check.rules import config_values as values
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


@pytest.mark.parametrize(
    ("config", "mended"),
    [
        ({"num_hidden_layers": "2"}, 2), ({"num_labels": "3"}, 3), ({"layer_norm_eps": "1e-12"}, 1e-12), ({"hidden_size": 16.0}, 16),
        ({"hidden_dropout_prob": True}, None), ({"intermediate_size": "many"}, None), ({"use_cache": "false"}, False),
    ],
)  # fmt: skip
def test_values_of_the_wrong_type(make_model: MakeModel, config: dict[str, Any], mended: object) -> None:
    """A number as text is refused by transformers 5; where it can be read, the fix writes it as a number."""
    finding = one(found(values.value_of_the_wrong_type, Setup(model=str(make_model(config=config)))))
    assert finding.level == "error"
    assert next(iter(config)) in finding.message
    assert (finding.fix.patches[0].value if finding.fix else None) == mended


@pytest.mark.parametrize(
    "config",
    [{"hidden_dropout_prob": 0}, {"classifier_dropout": None}, {"pad_token_id": None}, {"eos_token_id": [1, 2]}, {}],
)
def test_values_of_a_fitting_type(make_model: MakeModel, config: dict[str, Any]) -> None:
    """0 is a number where 0.1 is the default, null where null may stand."""
    assert found(values.value_of_the_wrong_type, Setup(model=str(make_model(config=config)))) == []


@pytest.mark.parametrize(
    ("config", "level"),
    [
        ({"hidden_dropout_prob": 1.5}, "error"), ({"attention_probs_dropout_prob": -0.1}, "error"),
        ({"hidden_dropout_prob": 1.0}, "warning"), ({"num_hidden_layers": 0}, "error"), ({"hidden_size": -16}, "error"),
    ],
)  # fmt: skip
def test_values_out_of_range(make_model: MakeModel, config: dict[str, Any], level: str) -> None:
    """The config takes them all; building the model, or the training, does not."""
    finding = one(found(values.value_out_of_range, Setup(model=str(make_model()), config=config)))
    assert (finding.level, next(iter(config)) in finding.message) == (level, True)


@pytest.mark.parametrize("dropout", [0, 0.0, 0.5, 0.99, None, "0.1"])
def test_values_in_range(make_model: MakeModel, dropout: object) -> None:
    """A text is the other rule's business."""
    assert (
        found(values.value_out_of_range, Setup(model=str(make_model()), config={"hidden_dropout_prob": dropout})) == []
    )


def test_heads_that_do_not_divide(make_model: MakeModel, config_folder: Callable[..., str]) -> None:
    """16 hidden values do not part into 3 heads, 4 heads not into 3 groups; a stated head_dim makes its own rules."""
    rule = values.heads_that_do_not_divide
    finding = one(found(rule, Setup(model=str(make_model()), config={"num_attention_heads": 3})))
    assert (finding.level, "16 is not a multiple of num_attention_heads 3" in finding.message) == ("error", True)
    assert levels(found(rule, Setup(model=config_folder({**LLAMA, "num_key_value_heads": 3})))) == ["error"]
    assert found(rule, Setup(model=config_folder({**LLAMA, "hidden_size": 18, "head_dim": 4}))) == []
    assert found(rule, Setup(model=str(make_model(name="b")))) == []


def test_token_ids_outside_the_vocabulary(make_model: MakeModel) -> None:
    """An id past the end is a warning, the habit of -1 a note, an id that added tokens will give is fine."""
    rule = values.token_id_outside_the_vocabulary
    finding = one(found(rule, Setup(model=str(make_model(config={"eos_token_id": 50256})))))
    assert (finding.level, "50,256" in finding.message) == ("warning", True)
    assert levels(found(rule, Setup(model=str(make_model(name="b", config={"pad_token_id": -1}))))) == ["note"]
    assert found(rule, Setup(model=str(make_model(name="c", config={"eos_token_id": [2, 3]})))) == []
    assert (
        found(
            rule,
            Setup(model=str(make_model(name="d")), config={"pad_token_id": 300}, add_tokens=("[새말]",), resize=True),
        )
        == []
    )


def test_a_missing_model_type_is_mended_from_the_class(make_model: MakeModel) -> None:
    """BertModel is of type bert; an unknown class gives no fix."""
    finding = one(found(values.model_type_missing, Setup(model=str(make_model(config={"model_type": ...})))))
    assert finding.level == "error"
    assert finding.fix is not None
    assert finding.fix.patches[0].value == "bert"
    odd = one(
        found(
            values.model_type_missing,
            Setup(model=str(make_model(name="b", config={"model_type": 3, "architectures": ["Mine"]}))),
        )
    )
    assert odd.fix is None
    assert found(values.model_type_missing, Setup(model=str(make_model(name="c")))) == []


def test_a_model_type_without_a_table_is_a_note(make_model: MakeModel) -> None:
    """It says that less was compared, and whose code comes along."""
    raw = {"model_type": "quite_new", "auto_map": {"AutoModel": "modeling.Mine"}}
    finding = one(found(values.model_type_without_a_table, Setup(model=str(make_model(config=raw)))))
    assert (finding.level, "auto_map" in finding.message) == ("note", True)
    assert found(values.model_type_without_a_table, Setup(model=str(make_model(name="b")))) == []


def test_rope_scaling_without_what_it_is_computed_from(config_folder: Callable[..., str]) -> None:
    """Yarn without its original length is a warning, complete scaling is quiet, as is none."""
    rule = values.rope_scaling_incomplete
    partial = {"rope_type": "yarn", "factor": 4.0}
    finding = one(found(rule, Setup(model=config_folder({**LLAMA, "rope_scaling": partial}))))
    assert (finding.level, "original_max_position_embeddings" in finding.message) == ("warning", True)
    whole = partial | {"original_max_position_embeddings": 4096}
    assert found(rule, Setup(model=config_folder({**LLAMA, "rope_scaling": whole}))) == []
    assert found(rule, Setup(model=config_folder({**LLAMA, "rope_scaling": None}))) == []
    assert levels(
        found(rule, Setup(model=config_folder({**LLAMA, "rope_scaling": {"type": "linear", "factor": 0.5}})))
    ) == ["warning"]


def test_a_decoder_without_its_start_token(config_folder: Callable[..., str]) -> None:
    """BART needs one in either config file; an encoder does not."""
    rule = values.decoder_start_token_missing
    bart = {"model_type": "bart", "architectures": ["BartForConditionalGeneration"]}
    assert levels(found(rule, Setup(model=config_folder({**bart, "decoder_start_token_id": None})))) == ["warning"]
    assert found(rule, Setup(model=config_folder({**bart, "decoder_start_token_id": 2}))) == []
    assert found(rule, Setup(model=config_folder({"model_type": "bert"}))) == []
