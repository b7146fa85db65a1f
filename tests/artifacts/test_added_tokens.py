"""Ids of added tokens, as the tokenizers library gives them."""

from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.added_tokens import assign_ids, extra_tokens, listed_in, token_text
from pretune.artifacts.vocabulary import Vocabulary

TOKENS = [f"t{number}" for number in range(8)]


@given(
    ids=st.dictionaries(st.sampled_from(TOKENS[:5]), st.integers(0, 12), min_size=1).filter(
        lambda ids: len(set(ids.values())) == len(ids)
    ),
    calls=st.lists(st.lists(st.sampled_from(TOKENS), max_size=5, unique=True), max_size=3),
)
def test_as_the_library_assigns(ids: dict[str, int], calls: list[list[str]]) -> None:
    """Any vocabulary, with holes or without, and any calls of add_tokens give the library's ids."""
    theirs = tokenizers.Tokenizer(tokenizers.models.WordPiece(ids, unk_token=next(iter(ids))))
    vocabulary = Vocabulary("WordPiece", ids, "vocab.txt")
    ours: list[Any] = []
    for call in calls:
        theirs.add_tokens(list(call))
        ours += assign_ids(vocabulary, {text: {} for text in call}, after=ours)
    for token in ours:
        assert token.id == theirs.token_to_id(token.content)


def test_empty_text_is_left_out() -> None:
    """An empty token is not added."""
    assert assign_ids(Vocabulary("BPE", {"a": 0}, "v"), {"": {}, "b": {}})[0].content == "b"


@pytest.mark.parametrize(
    ("arguments", "tokens"),
    [
        ({}, []),
        ({"additional_special_tokens": ["a", {"content": "b"}]}, ["a", "b"]),
        ({"extra_special_tokens": {"image_token": "c"}}, ["c"]),
        ({"extra_special_tokens": [], "additional_special_tokens": ["a"]}, ["a"]),
        ({"extra_special_tokens": ["b"], "additional_special_tokens": ["a"]}, ["b"]),
        ({"image_token": "i", "pad_token": "p", "add_bos_token": True}, ["i"]),
        ({"extra_special_tokens": "abc", "additional_special_tokens": 3}, []),
        ({"extra_special_tokens": [None, 3, ""]}, []),
    ],
)
def test_extra_tokens(arguments: dict[str, Any], tokens: list[str]) -> None:
    """Special tokens beyond the roles, from each of the keys; what is no token is left out."""
    assert extra_tokens(arguments) == tokens


def test_texts() -> None:
    """A token is a string or AddedToken's JSON."""
    assert [token_text(value) for value in ("a", {"content": "b"}, {"content": 3}, None, 3)] == [
        "a",
        "b",
        None,
        None,
        None,
    ]
    assert listed_in({"added_tokens": [{"content": "a"}, {}, "b", None]}) == ({"content": "a"},)
    assert listed_in({"added_tokens": {}}) == listed_in(None) == ()
