"""A choice is found by any of its names; what was not tried is told with what is near."""

import pytest

from pretune.core.errors import UserError
from pretune.pool.choice import Choice
from pretune.pool.naming import choice_of

CHOICES = (
    Choice((6,), "mean"),
    Choice((3, 4, 5, 6), "weighted_mean"),
    Choice((0, 6), "sif", "centred"),
    Choice((), "random word vectors, mean"),
)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("layer 6 mean", 0),
        ("6 MEAN", 0),
        ("layers 3+4+5+6 weighted mean", 1),
        ("layers 3-6 weighted_mean", 1),
        ("layers 0+6 sif, centred", 2),
        ("0+6 sif centered", 2),
    ],
)
def test_every_name_of_a_choice_finds_it(words: str, place: int) -> None:
    """As `Choice.name` has it, with ranges, without `layer`, with other spellings."""
    assert choice_of(words, CHOICES) == CHOICES[place]


def test_what_was_not_tried_is_told() -> None:
    """A slip is answered with the name that is near; a baseline cannot be meant."""
    with pytest.raises(UserError, match='no choice "layer 6 meen" was tried') as caught:
        choice_of("layer 6 meen", CHOICES)
    assert caught.value.hint == 'did you mean "layer 6 mean"?'
    with pytest.raises(UserError, match="was tried"):
        choice_of("random word vectors, mean", CHOICES)
