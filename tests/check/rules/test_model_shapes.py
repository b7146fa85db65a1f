"""MOD: tensors that do not fit, and the flag that throws them away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_rules import MOD, found, one
from pretune.check.rules import model_shapes as shapes
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_head_of_another_size(make_model: MakeModel) -> None:
    """Two trained labels, three asked for: an error that tells the flag, unless the flag is there."""
    rule = shapes.head_of_another_size
    folder = str(make_model(model_class="BertForSequenceClassification"))
    asked = {"task": "text-classification", "config": {"num_labels": 3}}
    finding = one(found(rule, Setup(model=folder, **asked)))
    assert finding.level == "error"
    assert "classifier.weight is 2 x 16 in the checkpoint, 3 x 16 by the config" in finding.message
    assert "ignore_mismatched_sizes=True" in finding.help
    assert finding.where == "setup:/config/num_labels"
    assert found(rule, Setup(model=folder, from_pretrained={"ignore_mismatched_sizes": True}, **asked)) == []
    assert found(rule, Setup(model=folder, task="text-classification")) == []


def test_shapes_against_the_config(make_model: MakeModel) -> None:
    """The file's own config asks for other shapes; vocabulary and edits are the other family's."""
    rule = shapes.shapes_against_the_config
    finding = one(found(rule, Setup(model=str(make_model(config={"intermediate_size": 64})))))
    assert (finding.level, "32" in finding.message, "64" in finding.message) == ("error", True, True)
    assert "because of intermediate_size" in finding.message.replace("hidden_size, ", "")
    assert found(rule, Setup(model=str(make_model(name="b", config={"vocab_size": 300})))) == []
    assert found(rule, Setup(model=str(make_model(name="c")), config={"intermediate_size": 64})) == []
    assert (
        found(rule, Setup(model=str(make_model(name="d")), task="text-classification", config={"num_labels": 9})) == []
    )


IGNORE = {"ignore_mismatched_sizes": True}


@pytest.mark.parametrize(
    ("config", "count"),
    [({"intermediate_size": 64}, "6"), ({"max_position_embeddings": 66}, "1"), ({"type_vocab_size": 1}, "1")],
)
def test_body_started_at_random(make_model: MakeModel, config: dict[str, Any], count: str) -> None:
    """The flag for a new head throws trained tensors away: their number and names."""
    folder = str(make_model())
    finding = one(found(shapes.body_started_at_random, Setup(model=folder, config=config, from_pretrained=IGNORE)))
    assert finding.level == "error"
    assert f"throws away {count} trained tensor" in finding.message
    assert next(iter(config)) in finding.message


def test_the_flag_for_a_new_head_is_fine(make_model: MakeModel) -> None:
    """Only the head is thrown away, or nothing at all."""
    folder = str(make_model(model_class="BertForSequenceClassification"))
    for labels in (2, 5):
        setup = Setup(model=folder, task="text-classification", config={"num_labels": labels}, from_pretrained=IGNORE)
        for rule in MOD:
            assert found(rule, setup) == []


def test_word_embedding_started_at_random(make_model: MakeModel) -> None:
    """Four rows more with the flag lose every row; without it the other family speaks."""
    rule = shapes.word_embedding_started_at_random
    folder = str(make_model())
    setup = Setup(model=folder, config={"vocab_size": 500}, from_pretrained=IGNORE)
    finding = one(found(rule, setup))
    assert (finding.level, "vocab_size 500" in finding.message) == ("error", True)
    assert found(shapes.body_started_at_random, setup) == []
    assert found(rule, Setup(model=folder, config={"vocab_size": 500})) == []
    assert found(rule, Setup(model=folder, from_pretrained=IGNORE)) == []
