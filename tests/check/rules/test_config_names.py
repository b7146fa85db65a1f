"""CFG: what a key was meant to be, how values are written, and how much harm an edit does."""

import pytest

from pretune.check.rules.config_harm import harm
from pretune.check.rules.config_names import meant, value


def test_the_table_of_harm_knows_equal_spellings() -> None:
    """Swish is silu, true to the letter; a key without an entry is free."""
    assert harm("hidden_act", "silu", "swish") is None
    assert harm("hidden_dropout_prob", 0.1, 0.9) is None
    assert harm("layer_norm_eps", 1e-12, float("nan")) is None
    assert harm("layer_norm_eps", 1e-12, "1e-5") is None
    assert harm("rope_scaling", None, {"rope_type": "default"}) is None
    assert harm("rope_parameters", {"rope_theta": 1e4}, {"rope_theta": 1e4, "rope_type": "default"}) is None


@pytest.mark.parametrize(
    ("key", "guess"),
    [
        ("num_lables", "num_labels"), ("hidden_dropout", "hidden_dropout_prob"), ("dropout", "hidden_dropout_prob"),
        ("clasifier_dropout", "classifier_dropout"), ("entity_dropout", None), ("loss_type", None), ("a", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_key_was_meant_to_be(key: str, guess: str | None) -> None:
    """Slips and cut names are understood, names of one's own are left alone."""
    assert (
        meant(key, ["num_labels", "hidden_dropout_prob", "classifier_dropout", "hidden_size", "type_vocab_size"])
        == guess
    )


def test_values_are_written_as_json_and_cut() -> None:
    """Messages stay one short line whatever the value is."""
    assert (value("gelu"), value(1234567), value(None), value(True)) == ('"gelu"', "1,234,567", "null", "true")
    assert len(value(list(range(1000)))) == 40
    assert "\n" not in value("a\nb")
    assert value(10**40) == "a number beyond all sizes"
    assert value({1, 2}) == "set"
