"""Tokens of a sentence are ranked by leaving out, the first ones by deleting."""

import numpy as np
import pytest

from pretune.pool.groups import group_tokens
from pretune.pool.importance import left_out, rank_tokens
from pretune.pool.shapley import GROUPS


def test_leaving_out_is_the_cosine_of_the_mean_without() -> None:
    """The closed form equals means that are computed anew."""
    states = np.random.default_rng(0).normal(size=(6, 5))
    found = left_out(states)
    for place in range(6):
        rest = np.delete(states, place, axis=0).mean(axis=0)
        whole = states.mean(axis=0)
        assert found[place] == pytest.approx(1 - rest @ whole / np.linalg.norm(rest) / np.linalg.norm(whole))
    assert np.isnan(left_out(states[:1])).all()


def test_the_first_few_are_really_deleted() -> None:
    """Three tokens go through the model without themselves, in one call, and lead the list by what that did."""
    states = np.eye(6) * np.array([9, 5, 4, 3, 2, 9])[:, None]
    calls = []

    def encode(batch: list[list[int]]) -> np.ndarray:
        """A model in which only id 12 matters."""
        calls.append(batch)
        return np.array([[1.0, float(12 in ids)] for ids in batch])

    found = rank_tokens(
        states, list("[abcd]"), [1, 10, 11, 12, 13, 2], special=[True, *[False] * 4, True], encode=encode
    )
    assert [one.token for one in found] == ["c", "a", "b", "d"]
    assert found[0].from_input == pytest.approx(1 - np.sqrt(0.5))
    assert found[3].from_input is None
    assert calls == [[[1, 10, 11, 12, 13, 2], [1, 11, 12, 13, 2], [1, 10, 12, 13, 2], [1, 10, 11, 13, 2]]]


def test_one_word_alone_is_not_deleted() -> None:
    """A sentence of one token has nothing left without it."""
    found = rank_tokens(
        np.ones((1, 3)), ["a"], [5], special=[False], encode=lambda batch: pytest.fail("nothing to encode")
    )
    assert found == []


@pytest.mark.parametrize(
    ("text", "pieces", "wanted"),
    [
        ("The cats sat.", ["The", "cat", "s", "sat", "."], "function word,word,subword,word,punctuation"),
        ("학교는 크다!", ["학교", "는", "크다", "!"], "word,function word,word,punctuation"),
        ("theory", ["the", "ory"], "word,subword"),
        ("그 집", ["그", "집"], "function word,word"),
    ],
)
def test_groups_follow_place_and_text(text: str, pieces: list[str], wanted: str) -> None:
    """Words, particles, pieces and signs are told apart; the template's tokens are CLS and separators."""
    offsets, place = [(0, 0)], 0
    for piece in pieces:
        place = text.index(piece, place)
        offsets.append((place, place + len(piece)))
        place += len(piece)
    special = [True, *[False] * len(pieces), True]
    found = [GROUPS[group] for group in group_tokens(text, [*offsets, (0, 0)], special)]
    assert found == ["cls", *wanted.split(","), "separator"]
