"""Which texts hold others: as asking each pair says."""

from hypothesis import given
from hypothesis import strategies as st

from pretune.tokens.holding import holding

TEXTS = st.lists(st.text("ab\n가", max_size=6), max_size=8)


@given(TEXTS, TEXTS)
def test_as_every_pair_says(texts, contents):
    """Also with line ends inside, which stand between the texts in the search."""
    wanted = {at for at, text in enumerate(texts) if any(one and one in text for one in contents)}
    assert set(holding(texts, contents)) == wanted
