"""A user's mistakes and the words that were meant."""

import traceback

import pytest

from pretune import check
from pretune.core.errors import UserError, did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("num_lables", ["num_labels", "num_layers"], "num_labels"),
        ("vocabsize", ["vocab_size", "hidden_size"], "vocab_size"),
        ("hidden_act", ["hidden_size"], None),
        ("", ["a"], None),
        ("x", [], None),
        ("토크나이져", ["토크나이저", "모델"], "토크나이저"),
    ],
)
def test_nearest(word, known, meant):
    """One slip in a key is seen, another key is not taken for a slip."""
    assert nearest(word, known) == meant
    assert did_you_mean(word, known) == (f'did you mean "{meant}"?' if meant else "")


def test_known_may_be_any_iterable():
    """What is known may come from a generator or a mapping."""
    assert nearest("trian", (word for word in ("train", "eval"))) == "train"
    assert nearest("trian", {"train": 1}) == "train"


def test_user_error():
    """A UserError is its message, with a hint beside it, and ends with 2 unless told otherwise."""
    error = UserError("no such file", hint="look again")
    assert (str(error), error.message, error.hint, error.exit_code) == ("no such file", "no such file", "look again", 2)
    assert UserError("x", exit_code=1).exit_code == 1


def test_the_way_out_is_below_every_traceback():
    """Who calls from Python reads the hint too."""
    told = "".join(traceback.format_exception(UserError("no such file", hint="give one")))
    assert told.endswith("UserError: no such file\n  give one\n")
    assert not hasattr(UserError("no such file"), "__notes__")


def test_a_notebook_shows_the_line_that_called_and_no_frame_of_ours():
    """The message, the way out, and where it was called."""
    with pytest.raises(UserError) as caught:
        check.run("/nothing/here")  # the line
    first, hint, called = caught.value._render_traceback_()
    assert first.startswith("UserError: ")
    assert hint.strip() == caught.value.hint
    assert called.endswith('check.run("/nothing/here")  # the line')
    assert UserError("alone")._render_traceback_() == ["UserError: alone"]
