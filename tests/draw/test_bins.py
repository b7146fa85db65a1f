"""Bins that double: what is a bound, that nothing is lost, that wide bins look no fuller than narrow ones."""

from hypothesis import given
from hypothesis import strategies as st

from pretune.draw.bins import Bins, bins


def test_lengths_that_people_use_are_bounds() -> None:
    """128, 256, 384, 512 and 1,024 part bins, so that a line at max_length parts bars."""
    assert {128, 256, 384, 512, 1024} <= set(bins([{1: 1, 5000: 1}]).bounds)


def test_nothing_to_count() -> None:
    """Without a number there is one empty bin."""
    assert bins([]).bounds == (0, 1)
    assert bins([{}]).fill({}) == [0.0]


def test_a_limit_is_on_the_scale() -> None:
    """A limit beyond or below all numbers is on the scale too."""
    assert bins([{10: 1}], reach=512).bounds[-1] >= 512
    assert bins([{1000: 1}], reach=128).bounds[0] < 128


def test_even_texts_look_even() -> None:
    """As many for each doubling are as high in bins of every width."""
    scale = bins([dict.fromkeys(range(16, 257), 1)])
    flat = {n: 10_000 // n for n in range(16, 257)}
    heights = scale.fill(flat)[1:-1]
    assert max(heights) < 1.1 * min(heights)


def test_place() -> None:
    """A number stands within its bin, and what is beyond the scale at its end."""
    scale = Bins((0, 1, 2, 4))
    assert [scale.place(value) for value in (0, 1, 2, 3, 4, 9)] == [0, 1, 2, 2.5, 3, 3]


@given(st.dictionaries(st.integers(0, 10**6), st.integers(1, 100), max_size=20), st.integers(1, 60))
def test_every_number_has_a_bin(counts: dict[int, int], most: int) -> None:
    """Bounds ascend, hold all numbers, and are as few as asked unless there are more doublings."""
    scale = bins([counts], most=most)
    assert list(scale.bounds) == sorted(set(scale.bounds))
    assert len(scale.bounds) - 1 <= max(most, 21)
    assert not counts or (scale.bounds[-1] >= max(counts) and (min(counts) > scale.bounds[0] or not scale.bounds[0]))
    assert sum(1 for height in scale.fill(counts) if height) <= len(counts)
    assert bool(counts) == any(scale.fill(counts))
