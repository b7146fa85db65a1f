"""What loading a checkpoint would do with each of its tensors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_facts import facts, names
from pretune.check.finding import Unavailable

MakeModel = Callable[..., Path]


def test_a_fresh_head_is_all_that_is_missing(make_model: MakeModel) -> None:
    """The usual fine-tune: the body is loaded, the classifier is new."""
    loading = facts(make_model(), task="text-classification").loading
    assert names(loading) == {
        "missing": {"classifier.weight", "classifier.bias"},
        "unexpected": set(),
        "mismatched": set(),
    }
    assert loading.body_loaded == len(loading.body)
    assert {tensor.role for tensor in loading.missing} == {"head"}


def test_layers_too_many_are_body_and_foreign_heads_are_heads(make_model: MakeModel) -> None:
    """What is left over has the role it would have in a model with a place for it."""
    folder = make_model(model_class="BertForMaskedLM", config={"num_hidden_layers": 1}, tensors={"pooler.x": (2,)})
    loading = facts(folder, task="question-answering").loading
    assert {stray.role for stray in loading.unexpected if ".layer.1." in stray.tensor.name} == {"body"}
    assert {stray.role for stray in loading.unexpected if stray.tensor.name.startswith("cls.")} == {"head"}
    assert {stray.role for stray in loading.unexpected if stray.tensor.name.startswith("pooler")} == {"pooler"}


def test_a_wrapper_is_recognised_and_not_taken_off(make_model: MakeModel) -> None:
    """Module. stays in the way, as it does for from_pretrained."""
    folder = make_model(tensors=lambda table: {f"module.{name}": shape for name, shape in table.items()})
    loading = facts(folder).loading
    assert loading.wrapper == "module."
    assert loading.body_loaded == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"config": {"model_type": "quite_new"}}, "no table"),
        ({"config": {"quantization_config": {"quant_method": "gptq"}}}, "quantised"),
        ({"weights": False}, "no weights"),
        ({"config": {"num_hidden_layers": 10**12}}, "not known"),
        ({"config": {"hidden_size": "16"}}, "not known"),
    ],
)
def test_what_cannot_be_said_is_unavailable_with_a_reason(
    make_model: MakeModel, change: dict[str, Any], why: str
) -> None:
    """A rule is then skipped, and the reason shown."""
    with pytest.raises(Unavailable, match=why):
        _ = facts(make_model(**change)).loading


def test_a_cut_off_checkpoint_is_not_said_to_lack_tensors(make_model: MakeModel) -> None:
    """The weights' own family speaks of the file."""
    folder = make_model()
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(Unavailable, match=r"cannot be read in full|no weights"):
        _ = facts(folder).loading


def test_minilm_is_loaded_in_full(minilm: Path) -> None:
    """The real sentence encoder: nothing missing, its position buffer passed over without a word."""
    loading = facts(minilm).loading
    assert names(loading) == {"missing": set(), "unexpected": set(), "mismatched": set()}
    assert facts(minilm).weights.embedding_rows == 30522
