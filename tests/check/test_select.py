"""Choosing rules by code, by the beginning of a code, and by name."""

from collections.abc import Iterator

import pytest

from pretune.check.finding import Level, Problem, Rule, rule
from pretune.check.rules import matching, select
from pretune.core.errors import UserError


def make(code: str, name: str) -> Rule:
    """A rule of that code and name."""

    def ask() -> Iterator[Problem]:
        yield from ()

    ask.__name__ = name
    return rule(code, Level.NOTE)(ask)


RULES = (make("VOC001", "ids_outside"), make("VOC012", "rows_unused"), make("DAT001", "empty_text"))


@pytest.mark.parametrize(
    ("wanted", "unwanted", "codes"),
    [
        ([], [], ["VOC001", "VOC012", "DAT001"]),
        (["VOC"], [], ["VOC001", "VOC012"]),
        (["voc0"], [], ["VOC001", "VOC012"]),
        (["VOC01"], [], ["VOC012"]),
        (["DAT001", "ids-outside"], [], ["VOC001", "DAT001"]),
        (["ids_outside"], [], ["VOC001"]),
        (["ALL"], ["VOC"], ["DAT001"]),
        ([], ["empty-text"], ["VOC001", "VOC012"]),
        (["VOC001"], ["VOC"], []),
    ],
)
def test_select(wanted: list[str], unwanted: list[str], codes: list[str]) -> None:
    """Selected rules keep their order, and what is ignored is left out even when selected."""
    assert [rule.code for rule in select(RULES, wanted, unwanted)] == codes


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("ids-outsid", 'did you mean "ids-outside"?'),
        ("VOC002", 'did you mean "VOC012"?'),
        ("", "--list"),
        ("XYZ", "--list"),
        ("tokenizer", "--list"),
        ("VOC0011", 'did you mean "VOC001"?'),
    ],
)
def test_unknown(word: str, hint: str) -> None:
    """A word that fits no rule is one line, with the nearest or where to look."""
    with pytest.raises(UserError, match="no rule is called") as error:
        matching(RULES, word)
    assert hint in error.value.hint
