"""How seldom Python looks for cycles while a corpus is read; what stood there before comes back."""

import gc

import pytest

from pretune.corpus.memory import OBJECTS, seldom_collected


def test_the_thresholds_come_back_also_after_an_error():
    """Inside they are larger, and cycles are still looked for."""
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold() == (OBJECTS, *before[1:])
        assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), seldom_collected():
        1 / 0  # noqa: B018
    assert gc.get_threshold() == before
