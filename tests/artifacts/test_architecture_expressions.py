"""The small language of the architecture tables: its values, what it refuses, and what odd configs do to it."""

import pytest

from pretune.artifacts.architecture_expressions import Unknown, compiled, holds, size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("a", 6),
        ("2*a+b", 14),
        ("a+2*b//c", 7),
        ("a//b*c", 9),
        ("a-b-1", 3),
        ("a > b ? a : b", 6),
        ("!n ? (n ? 1 : 2) : 3", 2),
        ("s ^= 'gated-' ? 1 : 0", 1),
        ("l ~ 'c2p' ? 1 : 0", 1),
        ("n ~ 'c2p' ? 1 : 0", 0),
        ("len(l)", 2),
        ("a == 6 & n | b", 2),
    ],
)
def test_an_expression_has_the_value_that_arithmetic_gives(text, value):
    """Precedence, conditions, strings, lists and missing keys."""
    assert size(text, {"a": 6, "b": 2, "c": 3, "s": "gated-gelu", "l": ["c2p", "p2c"]}) == value


@pytest.mark.parametrize("text", ["", "a +", "(a", "a ? b", "a b", "__import__('os')", "a.b", "1 + $", "'open"])
def test_what_is_no_expression_is_refused(text):
    """Nothing but the small language compiles."""
    with pytest.raises(ValueError, match=r"expression|value|without|ends"):
        compiled(text)


@pytest.mark.parametrize("value", [None, "12", 1.5, True, -1, 2**80, [1], {}, float("nan")])
def test_a_value_that_is_no_size_is_unknown(value):
    """A config may hold anything; only a whole number of a sane size counts."""
    with pytest.raises(Unknown):
        size("a", {"a": value})
    with pytest.raises(Unknown):
        size("a*2", {"a": value})


def test_a_condition_on_incomparable_values_is_unknown():
    """`None > 0` is not false, it is unknown."""
    with pytest.raises(Unknown, match="cannot be decided"):
        holds("a > 0", {})
