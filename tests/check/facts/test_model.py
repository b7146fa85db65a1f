"""The model's facts: classes, embeddings, and that no config breaks them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_model
from ask_facts import facts
from pretune.check.facts import Facts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup
from pretune.core.errors import UserError

MakeModel = Callable[..., Path]


@pytest.mark.parametrize(
    ("said", "model_class", "chosen_by"),
    [
        ({"model_class": "AutoModelForQuestionAnswering"}, "BertForQuestionAnswering", "model_class"),
        ({"model_class": "BertForMaskedLM", "task": "question-answering"}, "BertForMaskedLM", "model_class"),
        ({"task": "pair-classification"}, "BertForSequenceClassification", "task"),
        ({"task": "sentence-similarity"}, "BertModel", "task"),
        ({"task": "no-such-task"}, None, "task"),
        ({}, "BertModel", "architectures"),
        ({"model_class": "AutoModelForVision2Seq"}, None, "model_class"),
    ],
)
def test_the_class_that_would_be_built(
    make_model: MakeModel, said: dict[str, Any], model_class: str | None, chosen_by: str
) -> None:
    """The setup's class, else the task's, else the one config.json names."""
    model = facts(make_model(), **said).model
    assert (model.model_class, model.chosen_by) == (model_class, chosen_by)


def test_a_folder_without_weights_says_so(make_model: MakeModel) -> None:
    """The reason names the folder."""
    with pytest.raises(Unavailable, match="holds no weights"):
        _ = facts(make_model(weights=False)).weights


@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.", "model.module."])
def test_the_word_embedding_is_found_behind_any_prefix(make_model: MakeModel, wrapper: str) -> None:
    """Its rows are what ids may be, wherever the name begins."""
    folder = make_model(
        model_class="BertForMaskedLM", tensors=lambda table: {wrapper + name: shape for name, shape in table.items()}
    )
    found = facts(folder)
    assert found.weights.embedding is not None
    assert found.weights.embedding.name == f"{wrapper}bert.embeddings.word_embeddings.weight"
    assert found.weights.embedding_rows == found.model.get("vocab_size")
    assert not found.weights.by_name


@pytest.mark.parametrize(
    "name", ["transformer.wte.weight", "model.embed_tokens.weight", "shared.weight", "tok_embeddings.weight"]
)
def test_an_unknown_architectures_embedding_is_found_by_its_usual_name(make_model: MakeModel, name: str) -> None:
    """Without a table the ending of the name has to do, and the facts say that it did."""
    folder = make_model(
        config={"model_type": "quite_new"}, tensors=lambda _: {name: (50, 8), "lm_head.weight": (60, 8), "x": (3,)}
    )
    weights = facts(folder).weights
    assert weights.embedding_rows == 50
    assert weights.by_name
    assert weights.lm_head is not None
    assert weights.lm_head.shape == (60, 8)


def test_no_embedding_is_no_rows(make_model: MakeModel) -> None:
    """A vision model has none; a table with one dimension is none."""
    folder = make_model(
        config={"model_type": "quite_new"}, tensors=lambda _: {"wte.weight": (50,), "conv.weight": (3, 3)}
    )
    assert facts(folder).weights.embedding_rows is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    raw=st.dictionaries(st.sampled_from(["model_type", "vocab_size", "num_hidden_layers", "id2label", "text_config", "rope_parameters", "rope_scaling", "architectures", "quantization_config"]), ODD, max_size=3),
    edits=st.dictionaries(st.sampled_from(["num_labels", "id2label", "hidden_size", "text_config", "", "a/b"]), ODD, max_size=3),
)  # fmt: skip
def test_no_config_breaks_a_fact(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, Any], edits: dict[str, Any]
) -> None:
    """A fact is had, or cannot be had with a reason, or the input is refused in one line."""
    folder = small_model.write_model(tmp_path_factory.mktemp("odd") / "m", "bert", config=raw)
    found = Facts(Setup(model=str(folder), config=edits, config_update=edits))
    for name in ("model", "weights", "loading"):
        reason = ""
        try:
            getattr(found, name)
        except (Unavailable, UserError) as why:
            reason = str(why)
        assert "\n" not in reason
