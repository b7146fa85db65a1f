"""Added tokens: ids and sizes, as add_tokens and resize_token_embeddings of transformers make them."""

from typing import Any

import pytest

from conftest import MakeModel
from pretune.check.facts import Facts
from pretune.check.facts.adding import AddingFacts
from pretune.check.finding import Unavailable
from pretune.check.sources.setup import Setup
from tokenizer_samples import COUNT, HOLED, WORDS, spec

SIZE = len(set(WORDS))


def adding(folder: Any, **said: Any) -> AddingFacts:
    """What a setup adds to a folder's tokenizer."""
    return Facts(Setup(model=str(folder), **said)).adding


def test_nothing_added(make_model: MakeModel) -> None:
    """A setup that adds nothing has no such facts."""
    with pytest.raises(Unavailable, match="adds no tokens"):
        adding(make_model())
    with pytest.raises(Unavailable, match="adds no tokens"):
        adding(make_model(name="empty"), add_tokens=("",))


def test_new_and_old(make_model: MakeModel) -> None:
    """New words go behind the vocabulary in their order, old ones keep their id, a repeated one is one."""
    found = adding(make_model(), add_tokens=("코로나", "한국", "코로나"), add_special_tokens=("[E1]",), resize=True)
    assert [(word.word, word.existed) for word in found.words if word.word != "코로나"] == [
        ("한국", True),
        ("[E1]", False),
    ]
    assert {word.word: word.id for word in found.new} == {"코로나": SIZE, "[E1]": SIZE + 1}
    assert (found.size_after, found.resize_to) == (SIZE + 2, SIZE + 2)
    assert next(word for word in found.words if word.word == "[E1]").where == "setup:/add_special_tokens/0"


@pytest.mark.parametrize(
    ("resize", "rows"),
    [
        (None, None),
        (False, None),
        (True, SIZE + 1),
        (500, 500),
        ({"pad_to_multiple_of": 64}, 192),
        ({"new_num_tokens": 200, "pad_to_multiple_of": 64}, 256),
        ({"pad_to_multiple_of": 0}, SIZE + 1),
    ],
)
def test_resize(make_model: MakeModel, resize: Any, rows: int | None) -> None:
    """Each way to ask for a resize."""
    assert adding(make_model(), add_tokens=("코로나",), resize=resize).resize_to == rows


def test_new_pad_token(make_model: MakeModel) -> None:
    """A pad token that the vocabulary lacks is added; one that it has is not."""
    assert [word.word for word in adding(make_model(), pad_token="<pad>").new] == ["<pad>"]
    with pytest.raises(Unavailable):
        adding(make_model(name="old"), pad_token="[UNK]")


def test_as_transformers_adds(make_model: MakeModel) -> None:
    """Ids in a vocabulary with holes are those that add_tokens gives, which are taken."""
    transformers = pytest.importorskip("transformers", reason="compares with add_tokens of the installed transformers")
    folder = make_model(tokenizer_json=spec(HOLED))
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder))
    theirs.add_tokens(["코로나", "한국"])
    theirs.add_special_tokens({"additional_special_tokens": ["[E1]"]})
    ours = adding(folder, add_tokens=("코로나", "한국"), add_special_tokens=("[E1]",))
    assert {word.word: word.id for word in ours.words} == {
        word: theirs.convert_tokens_to_ids(word) for word in ("코로나", "한국", "[E1]")
    }
    assert ours.size_after == len(theirs)
    assert ours.largest_id == COUNT - 1
