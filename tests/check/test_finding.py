"""A rule as a value: its name, its needs and its page come from the function."""

from collections.abc import Iterator

import pytest

from pretune.check.finding import Finding, Level, Problem, Unavailable, rule, stamp


@rule("VOC001", Level.ERROR)
def ids_outside_embedding(model: object, tokenizer: object) -> Iterator[Problem]:
    """The tokenizer can emit ids that have no embedding row.

    Why: the first such id is an index error on CPU;
    on GPU, an assert that hides its cause.

    More words that belong to neither.

    Fix: load the tokenizer the model was saved with.
    """
    local = 1
    yield Problem(str(local))


@rule("VOC002", Level.NOTE)
def bare() -> Iterator[Problem]:  # noqa: D103 - that is what the test is about
    yield from ()


def test_what_the_function_says() -> None:
    """Name, needs, claim, Why and Fix come from the function; local variables are no needs."""
    assert ids_outside_embedding.name == "ids-outside-embedding"
    assert ids_outside_embedding.needs == ("model", "tokenizer")
    assert ids_outside_embedding.claim == "The tokenizer can emit ids that have no embedding row."
    assert ids_outside_embedding.why == (
        "the first such id is an index error on CPU; on GPU, an assert that hides its cause."
    )
    assert ids_outside_embedding.fix == "load the tokenizer the model was saved with."


def test_a_rule_without_a_docstring() -> None:
    """Missing documentation is empty, not a crash; that every real rule has it is tested elsewhere."""
    assert (bare.claim, bare.why, bare.fix, bare.needs) == ("", "", "", ())


def test_stamp() -> None:
    """The rule's level and Fix line hold unless the problem brings its own."""
    assert stamp(ids_outside_embedding, Problem("m", "w")) == Finding(
        "VOC001", "ids-outside-embedding", Level.ERROR, "m", "w", "load the tokenizer the model was saved with."
    )
    own = stamp(ids_outside_embedding, Problem("m", help="h", level=Level.NOTE))
    assert (own.level, own.help) == (Level.NOTE, "h")


def test_findings_are_frozen() -> None:
    """A finding cannot be changed after the fact."""
    with pytest.raises(AttributeError):
        stamp(bare, Problem("m")).message = "other"  # type: ignore[misc]


def test_unavailable_says_why() -> None:
    """A fact that cannot be had carries the reason that the report shows."""
    assert Unavailable("no data (give --data FILES)").reason == "no data (give --data FILES)"
