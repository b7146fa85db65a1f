"""Sentences alone give a shortlist, never a winner."""

import numpy as np

from pretune.pool.unlabelled import crops, margin, shortlist


def test_crops_are_runs_of_words() -> None:
    """Each crop is 60 % of the words in a row, the same each time; short texts have none."""
    texts = ["one two three four five", "하나 둘", "", "a b c"]
    found = crops(texts)
    assert found == crops(texts)
    assert found[0] is not None
    assert found[0] in texts[0]
    assert len(found[0].split()) == 3
    assert found[1] is None
    assert found[2] is None
    assert found[3] in {"a b", "b c"}


def test_crops_near_their_sentence_have_a_margin() -> None:
    """Crops beside their sentence lie standard deviations ahead; crops that are noise do not."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 20))
    assert margin(vectors, vectors + 0.2 * rng.normal(size=(50, 20))) > 3
    assert abs(margin(vectors, rng.normal(size=(50, 20)))) < 0.5
    assert np.isnan(margin(np.ones((50, 20)), np.ones((50, 20))))
    assert np.isnan(margin(vectors[:2], vectors[:2]))
    assert np.isnan(margin(vectors * 0, vectors))


def test_the_shortlist_is_the_upper_half() -> None:
    """Half of the defined margins stay; nothing stays of nothing."""
    assert shortlist([3.0, 1.0, 2.0, np.nan, 4.0]).tolist() == [True, False, False, False, True]
    assert not shortlist([np.nan]).any()
