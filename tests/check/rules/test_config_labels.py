"""CFG: labels in the config."""

from collections.abc import Callable
from pathlib import Path

from ask_rules import found, levels, one
from pretune.check.rules import config_labels as labels
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_num_labels_against_id2label(make_model: MakeModel) -> None:
    """Two numbers for one head: an error in the setup, a warning in the file, nothing when they agree."""
    rule = labels.num_labels_against_id2label
    both = {"num_labels": 3, "id2label": {0: "부정", 1: "긍정"}}
    finding = one(found(rule, Setup(model=str(make_model()), config=both)))
    assert (finding.level, "num_labels=3" in finding.message, "2 entries" in finding.message) == ("error", True, True)
    file = make_model(name="b", config={"num_labels": 3, "id2label": {"0": "a", "1": "b"}})
    assert levels(found(rule, Setup(model=str(file)))) == ["warning"]
    agree = {"num_labels": 3, "id2label": {0: "a", 1: "b", 2: "c"}}
    assert found(rule, Setup(model=str(make_model(name="c")), config=agree)) == []
    assert found(rule, Setup(model=str(make_model(name="d")), config={"num_labels": 7})) == []


def test_label_ids_as_text(make_model: MakeModel) -> None:
    """Code can write numbers, a setup file in TOML or JSON cannot."""
    text = {"id2label": {"0": "부정", "1": "긍정"}}
    folder = str(make_model())
    assert levels(found(labels.label_ids_as_text, Setup(model=folder, config=text))) == ["warning"]
    places = {"config.id2label": "setup.toml:/config/id2label"}
    assert found(labels.label_ids_as_text, Setup(model=folder, config=text, places=places)) == []
    assert found(labels.label_ids_as_text, Setup(model=folder, config={"id2label": {0: "부정", 1: "긍정"}})) == []


def test_the_order_of_a_trained_heads_labels(make_model: MakeModel) -> None:
    """The same names in another order are an error where the head is trained, other names are another task."""
    trained = {"id2label": {"0": "부정", "1": "긍정"}, "label2id": {"부정": 0, "긍정": 1}}
    folder = str(make_model(model_class="BertForSequenceClassification", config=trained))
    turned = Setup(model=folder, config={"id2label": {0: "긍정", 1: "부정"}})
    finding = one(found(labels.label_order_changed, turned))
    assert finding.level == "error"
    assert "label 0 is `부정`, the setup calls it `긍정`: 2 of 2" in finding.message
    assert found(labels.label_order_changed, Setup(model=folder, config={"id2label": {0: "스팸", 1: "정상"}})) == []
    assert found(labels.label_order_changed, Setup(model=folder, config={"id2label": {0: "부정", 1: "긍정"}})) == []
    bare = str(make_model(name="bare", config=trained))
    assert found(labels.label_order_changed, Setup(model=bare, config={"id2label": {0: "긍정", 1: "부정"}})) == []


def test_label2id_is_mended_where_id2label_is_sound(make_model: MakeModel) -> None:
    """The fix makes label2id the inverse; a label twice has none."""
    wrong = {"id2label": {"0": "부정", "1": "긍정"}, "label2id": {"부정": 1, "긍정": 0}}
    finding = one(found(labels.label2id_not_the_inverse, Setup(model=str(make_model(config=wrong)))))
    assert finding.level == "warning"
    assert finding.fix is not None
    assert finding.fix.patches[0].value == {"부정": 0, "긍정": 1}
    twice = {"id2label": {"0": "같음", "1": "같음"}, "label2id": {"같음": 0}}
    assert one(found(labels.label2id_not_the_inverse, Setup(model=str(make_model(name="b", config=twice))))).fix is None
    gap = {"id2label": {"1": "부정", "2": "긍정"}}
    assert (
        "the id 2, expected 0 to 1"
        in one(found(labels.label2id_not_the_inverse, Setup(model=str(make_model(name="c", config=gap))))).message
    )


def test_label2id_that_is_the_inverse(make_model: MakeModel) -> None:
    """Ids as text are the same ids; giving id2label alone is at most a note."""
    right = {"id2label": {"0": "부정", "1": "긍정"}, "label2id": {"부정": "0", "긍정": 1}}
    folder = str(make_model(config=right))
    assert found(labels.label2id_not_the_inverse, Setup(model=folder)) == []
    assert found(labels.label2id_not_the_inverse, Setup(model=folder, config={"num_labels": 3})) == []
    alone = Setup(model=folder, config={"id2label": {0: "스팸", 1: "정상"}})
    assert levels(found(labels.label2id_not_the_inverse, alone)) == ["note"]


def test_problem_type_against_num_labels(make_model: MakeModel) -> None:
    """A type that does not exist, and one label to choose from, are errors; regression on several numbers is fine."""
    rule = labels.problem_type_against_num_labels
    folder = str(make_model())
    assert levels(found(rule, Setup(model=folder, config={"problem_type": "classification"}))) == ["error"]
    single = {"problem_type": "single_label_classification", "num_labels": 1}
    assert levels(found(rule, Setup(model=folder, config=single))) == ["error"]
    for kind in ("regression", "multi_label_classification", None):
        assert found(rule, Setup(model=folder, config={"problem_type": kind, "num_labels": 3})) == []
