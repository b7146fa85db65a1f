"""MOD: what the rules say of what is loaded, and where they stay quiet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import FIVE, MOD, found, is_asked, one
from pretune.check.rules import model as loading
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]
ARGS = {"learning_rate": 2e-5}


def renamed(change: Callable[[str], str | None]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A table with changed names; None leaves a tensor out."""
    return lambda table: {new: shape for name, shape in table.items() if (new := change(name)) is not None}


def test_nothing_of_the_body_loaded(make_model: MakeModel) -> None:
    """Names of nobody's: the message shows one of theirs and one of ours."""
    folder = make_model(tensors=renamed(lambda name: f"enc_{name.replace('.', '_')}"))
    finding = one(found(loading.nothing_of_the_body_loaded, Setup(model=str(folder))))
    assert finding.level == "error"
    assert "none of BertModel's" in finding.message
    assert "enc_embeddings_word_embeddings_weight" in finding.message
    assert finding.where == f"{folder}/model.safetensors"


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "model.module.", "my_model."])
def test_wrapped_names(make_model: MakeModel, wrapper: str) -> None:
    """One finding names the prefix; the rule on the whole body leaves it to this one."""
    setup = Setup(model=str(make_model(tensors=renamed(lambda name: wrapper + name))), task="text-classification")
    finding = one(found(loading.wrapped_tensor_names, setup))
    assert (finding.level, f"`{wrapper}`" in finding.message) == ("error", True)
    assert found(loading.nothing_of_the_body_loaded, setup) == []
    assert found(loading.body_partly_missing, setup) == []


def test_a_base_models_own_prefix_is_no_wrapper(make_model: MakeModel) -> None:
    """Bert. is added and taken off by from_pretrained itself."""
    for model_class in ("BertModel", "BertForMaskedLM"):
        for said in ({}, {"task": "text-classification"}):
            setup = Setup(model=str(make_model(name=model_class, model_class=model_class)), **said)
            assert is_asked(loading.wrapped_tensor_names, setup)
            assert found(loading.wrapped_tensor_names, setup) == []
            assert found(loading.nothing_of_the_body_loaded, setup) == []


def test_weights_of_another_architecture(make_model: MakeModel) -> None:
    """Bert. tensors under a RoBERTa config: the message says whose they are."""
    folder = make_model(
        model_class="BertForMaskedLM", config={"model_type": "roberta", "architectures": ["RobertaForMaskedLM"]}
    )
    setup = Setup(model=str(folder), task="text-classification")
    finding = one(found(loading.weights_of_another_architecture, setup))
    assert (finding.level, "are of bert" in finding.message, "roberta" in finding.message) == ("error", True, True)
    assert found(loading.nothing_of_the_body_loaded, setup) == []
    right = Setup(model=str(make_model("roberta", name="right")), task="text-classification")
    assert found(loading.weights_of_another_architecture, right) == []


def test_layers_left_out(make_model: MakeModel) -> None:
    """The file has two layers, the config one; an edit is the other family's."""
    rule = loading.layers_left_out
    finding = one(found(rule, Setup(model=str(make_model(config={"num_hidden_layers": 1})))))
    assert (finding.level, "layer 1" in finding.message, "16" in finding.message) == ("warning", True, True)
    assert found(rule, Setup(model=str(make_model(name="b")), config={"num_hidden_layers": 1})) == []
    assert found(rule, Setup(model=str(make_model(name="c")))) == []


def test_body_partly_missing(make_model: MakeModel) -> None:
    """The layers are named, single tensors too; an edit that asks for more is the other family's."""
    rule = loading.body_partly_missing
    gone = make_model(tensors=renamed(lambda name: None if ".layer.1." in name else name))
    finding = one(found(rule, Setup(model=str(gone), task="text-classification")))
    assert (finding.level, "layer 1" in finding.message) == ("error", True)
    single = make_model(name="b", tensors={"embeddings.position_embeddings.weight": ...})
    assert "position_embeddings" in one(found(rule, Setup(model=str(single)))).message
    whole = str(make_model(name="c"))
    assert found(rule, Setup(model=whole, config={"num_hidden_layers": 4})) == []
    assert found(rule, Setup(model=whole, task="question-answering")) == []


def test_pooler_missing(make_model: MakeModel) -> None:
    """BERT's classifier reads the pooler that a masked-LM checkpoint lacks; RoBERTa's does not, question answering neither."""
    rule = loading.pooler_missing
    folder = str(make_model(model_class="BertForMaskedLM"))
    finding = one(found(rule, Setup(model=folder, task="text-classification")))
    assert (finding.level, "pooler.dense" in finding.message) == ("warning", True)
    assert found(rule, Setup(model=folder, task="question-answering")) == []
    assert found(rule, Setup(model=str(make_model(name="b")), task="text-classification")) == []
    roberta = make_model("roberta", name="r", model_class="RobertaForMaskedLM")
    assert found(rule, Setup(model=str(roberta), task="text-classification")) == []


def test_language_head_missing(make_model: MakeModel) -> None:
    """The bare encoder for masked words is a warning; for classification it is the usual start."""
    rule = loading.language_head_missing
    bare, whole = str(make_model()), str(make_model(name="b", model_class="BertForMaskedLM"))
    finding = one(found(rule, Setup(model=bare, task="masked-lm")))
    assert (finding.level, "cls.predictions" in finding.message) == ("warning", True)
    assert found(rule, Setup(model=whole, task="masked-lm")) == []
    assert found(rule, Setup(model=bare, task="text-classification")) == []


def test_trained_head_left_behind(make_model: MakeModel) -> None:
    """A classifier's head has no place in a question answerer; a language model's head is left every day."""
    rule = loading.trained_head_left_behind
    folder = str(make_model(model_class="BertForSequenceClassification"))
    finding = one(found(rule, Setup(model=folder, task="question-answering")))
    assert (finding.level, "classifier." in finding.message) == ("note", True)
    assert found(rule, Setup(model=folder, task="text-classification")) == []
    assert (
        found(rule, Setup(model=str(make_model(name="b", model_class="BertForMaskedLM")), task="question-answering"))
        == []
    )


@pytest.mark.parametrize(
    "task", [None, "text-classification", "question-answering", "token-classification", "sentence-similarity"]
)
@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_healthy_fine_tunes_are_quiet(make_model: MakeModel, kind: str, task: str | None) -> None:
    """A pretrained encoder and a new head: nothing to say."""
    setup = Setup(model=str(make_model(kind)), task=task, training_args=ARGS, config={"num_labels": 7})
    assert [finding for rule in MOD for finding in found(rule, setup)] == []


def test_minilm_is_quiet(minilm: Path) -> None:
    """The real sentence encoder, looked at and trained."""
    for setup in (Setup(model=str(minilm)), Setup(model=str(minilm), task="text-classification", training_args=ARGS)):
        assert all(is_asked(rule, setup) for rule in MOD)
        assert [finding for rule in MOD for finding in found(rule, setup, versions=FIVE)] == []


def test_layers_of_another_make_are_no_error(make_model: MakeModel) -> None:
    """Unknown names in the layers say that the table may not know this variant: a warning that names one."""

    def other_make(name: str) -> str:
        return name.replace("intermediate.dense", "intermediate.up")

    finding = one(found(loading.body_partly_missing, Setup(model=str(make_model(tensors=renamed(other_make))))))
    assert (finding.level, "intermediate.up" in finding.message) == ("warning", True)
