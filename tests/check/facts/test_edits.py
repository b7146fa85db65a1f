"""What a Setup's edits make of a saved config."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ask_facts import facts, write_config
from pretune.check.facts import Facts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup

MakeModel = Callable[..., Path]


def test_without_a_model_there_are_no_facts() -> None:
    """The reason names the flag that gives it."""
    with pytest.raises(Unavailable, match="--model"):
        _ = Facts(Setup()).model


def test_effective_is_defaults_then_file_then_keywords_then_update(make_model: MakeModel) -> None:
    """Each later one wins; the raw file stays as it is."""
    model = facts(
        make_model(), config={"hidden_act": "relu", "use_cache": False}, config_update={"hidden_act": "silu"}
    ).model
    assert model.get("hidden_act") == "silu"
    assert model.get("use_cache") is False
    assert model.get("chunk_size_feed_forward") == 0
    assert model.config["hidden_act"] == model.saved["hidden_act"] == "gelu"
    assert [(edit.key, edit.old, edit.new, edit.how) for edit in model.edits] == [
        ("hidden_act", "gelu", "relu", "kwarg"),
        ("use_cache", True, False, "kwarg"),
        ("hidden_act", "relu", "silu", "update"),
    ]


def test_places_lead_to_what_counts(make_model: MakeModel) -> None:
    """An edit stands in the setup, anything else in config.json."""
    folder = make_model()
    model = facts(folder, config={"use_cache": False}, places={"config.use_cache": "train.py:7:9"}).model
    assert model.place("use_cache") == "train.py:7:9"
    assert model.place("vocab_size") == f"{folder}/config.json:/vocab_size"
    assert model.at("/x") == f"{folder}/config.json:/x"


def test_an_alias_edits_the_real_key(tmp_path: Path) -> None:
    """hidden_size of GPT-2 is n_embd; the edit keeps the word that was written."""
    model = facts(write_config(tmp_path / "m", model_type="gpt2", n_embd=16), config={"hidden_size": 32}).model
    assert model.effective["n_embd"] == 32
    assert (model.edits[0].key, model.edits[0].name, model.edits[0].old) == ("hidden_size", "n_embd", 16)


def test_an_edit_to_the_same_value_is_none(make_model: MakeModel) -> None:
    """Labels with ids as text or as numbers are the same labels; true is not 1."""
    folder = make_model(config={"id2label": {"0": "a", "1": "b"}})
    assert facts(folder, config={"hidden_size": 16, "id2label": {0: "a", 1: "b"}}).model.edits == ()
    assert len(facts(folder, config={"type_vocab_size": True}).model.edits) == 1


def test_a_keyword_that_no_config_has_changes_nothing(make_model: MakeModel) -> None:
    """from_pretrained hands it on; update sets it all the same."""
    model = facts(make_model(), config={"num_lables": 3}, config_update={"my_key": 1}).model
    assert "num_lables" not in model.effective
    assert model.effective["my_key"] == 1
    assert [edit.known for edit in model.edits] == [False, False]


def test_arguments_of_from_pretrained_are_kept_apart(make_model: MakeModel) -> None:
    """They are no edits, wherever they were written."""
    model = facts(
        make_model(), from_pretrained={"ignore_mismatched_sizes": True}, model_kwargs={"dtype": "auto", "num_labels": 3}
    ).model
    assert model.arguments == {"ignore_mismatched_sizes": True, "dtype": "auto"}
    assert model.ignores_mismatches
    assert [edit.key for edit in model.edits] == ["num_labels"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, 2),
        ({"config": {"num_labels": 3}}, 3),
        ({"config": {"id2label": {0: "a", 1: "b", 2: "c", 3: "d"}, "num_labels": 3}}, 4),
        ({"config_update": {"num_labels": 5}}, 5),
        ({"config": {"num_labels": "3"}}, "3"),
    ],
)
def test_num_labels_follows_what_is_set_last(make_model: MakeModel, said: dict[str, Any], expected: object) -> None:
    """from_dict sets num_labels first, so labels given beside it win."""
    assert facts(make_model(), **said).model.get("num_labels") == expected


def test_the_text_part_of_a_nested_config_is_edited_as_a_whole(tmp_path: Path) -> None:
    """A text_config given to from_pretrained is merged into the saved one."""
    raw = {"model_type": "llava", "text_config": {"model_type": "llama", "vocab_size": 99, "hidden_size": 16}}
    model = facts(write_config(tmp_path / "m", **raw), config={"text_config": {"vocab_size": 120}}).model
    assert (model.get("vocab_size"), model.get("hidden_size")) == (120, 16)


def test_rope_is_seen_in_both_spellings(tmp_path: Path) -> None:
    """Transformers 4 writes two keys, transformers 5 one."""
    old = facts(
        write_config(tmp_path / "a", model_type="llama", rope_theta=5e5, rope_scaling={"type": "linear", "factor": 2.0})
    ).model
    new = facts(
        write_config(
            tmp_path / "b",
            model_type="llama",
            rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 5e5},
        )
    ).model
    plain = facts(write_config(tmp_path / "c", model_type="llama")).model
    assert old.get("rope_theta") == new.get("rope_theta") == 5e5
    assert old.get("rope_scaling")["factor"] == new.get("rope_scaling")["factor"] == 2.0
    assert plain.get("rope_scaling") is None
