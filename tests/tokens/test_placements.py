"""Where words go, family by family: surfaces, merges, scores."""

import math

import pytest

from corpus.made_tokenizers import made as made_tokenizers
from pretune.tokens import bpe, unigram, wordpiece
from pretune.tokens.surfaces import surfaces_of


@pytest.mark.parametrize(
    ("name", "word", "forms"),
    [
        ("wordpiece", "COVID", ("COVID",)),
        ("wordpiece-uncased", "COVID", ("covid",)),
        ("wordpiece-uncased", "naïve", ("naive",)),
        ("unigram", "학교", ("▁학교",)),
        ("unigram-unsplit", "학교", ("▁학교",)),
        ("gpt2", "cat", ("cat", "Ġcat")),
        ("roberta", "cat", ("Ġcat",)),
        ("llama3", "cat", ("cat", "Ġcat")),
        ("llama2", "cat", ("▁cat",)),
    ],
)
def test_what_the_model_sees_of_a_word(name, word, forms):
    """At the beginning of a text and after a space."""
    assert surfaces_of(made_tokenizers()[name], word).forms == forms


@pytest.mark.parametrize(
    ("name", "word", "reason"),
    [
        ("wordpiece", "e-mail", "e | - | mail"),
        ("gpt2", "코로나19", "always cuts it"),
        ("llama3", "1234", "always cuts it"),
        ("wordpiece", "會議", "會 | 議"),
        ("wordpiece", "\u200b", "leaves nothing"),
        ("unigram", " a", "white space"),
        ("unigram", "", "white space"),
    ],
)
def test_what_is_never_shown_in_one_piece(name, word, reason):
    """With what cuts it."""
    found = surfaces_of(made_tokenizers()[name], word)
    assert found.forms == ()
    assert reason in found.reason


@pytest.mark.parametrize("name", ["gpt2", "llama3", "llama2", "nfc", "roberta"])
def test_the_merger_merges_as_the_library_does(name):
    """Over forms of words, known and strange, also repeated letters and bytes."""
    import json

    encoder = made_tokenizers()[name]
    merger = bpe.merger_of(json.loads(encoder.to_str())["model"])
    for word in ("the", "quick", "aaaaaaa", "학교에서", "naïve", "zzzyzzzy", "한국어", "1"):
        for form in surfaces_of(encoder, word).forms:
            assert merger.pieces(form) == [token.value for token in encoder.model.tokenize(form)]


def test_merges_need_few_steps():
    """Entries on the way that exist already are used; the children come before their parents."""
    merger = bpe.Merger([("a", "b")], ["a", "b", "c", "d", "ab", "cd"])
    placed = bpe.place("abcd", ["abcd"], merger)
    assert [(one.text, one.between) for one in placed.new] == [("abcd", False)]
    assert placed.merges == (("c", "d"), ("ab", "cd"))
    assert placed.new[0].pieces == ("ab", "c", "d")
    assert merger.pieces("abcd") == ["abcd"]
    assert merger.pieces("ab") == ["ab"]


def test_new_rules_come_after_all_others():
    """A word that an old rule cuts otherwise keeps its cut."""
    merger = bpe.Merger([("b", "c")], ["a", "b", "c", "bc"])
    bpe.place("ab", ["ab"], merger)
    assert merger.pieces("ab") == ["ab"]
    assert merger.pieces("abc") == ["a", "bc"]


def test_what_cannot_be_merged_leaves_no_trace():
    """A refused word takes its rules and entries with it."""
    merger = bpe.Merger([], ["a", "b"])
    before = (dict(merger.ranks), set(merger.vocabulary))
    refused = bpe.place("ab", ["ab", "a?"], merger)
    assert "cannot spell" in refused.reason
    assert (merger.ranks, merger.vocabulary) == before


@pytest.mark.parametrize("form", ["aaa", "aaaa", "abab", "aabaab"])
def test_repeated_pieces(form):
    """Either one token in the end, or refused."""
    merger = bpe.Merger([], ["a", "b"])
    placed = bpe.place(form, [form], merger)
    assert placed.reason or merger.pieces(form) == [form]


def test_rules_in_both_spellings():
    """tokenizer.json has them as texts or as pairs."""
    assert bpe.rules_of(["a b", ["c", "d"], "broken"]) == [("a", "b"), ("c", "d")]


def test_a_unigram_word_is_a_little_likelier_than_its_pieces():
    """Than the best way to cut it, with the words placed before."""
    scores = {"a": -1.0, "b": -2.0, "ab": -2.5}
    placed = unigram.place("abb", ["abb"], scores, {"abb": ["ab", "b"]})
    assert placed.new[0].score == pytest.approx(-4.5 + unigram.MORE_LIKELY)
    assert unigram.best_score("abx", scores, lowest=-12.0, longest=2) == pytest.approx(-14.5)
    assert unigram.best_score("", scores, lowest=-12.0, longest=2) == 0.0


def test_a_score_is_never_above_certainty():
    """A log probability is at most 0."""
    placed = unigram.place("a", ["▁a"], {"▁": 0.0, "a": 0.0}, {"▁a": ["▁", "a"]})
    assert placed.new[0].score == 0.0
    assert not math.isnan(placed.new[0].score)


def test_wordpiece_limits():
    """A word longer than the model looks at cannot be an entry; one that is there is not new."""
    model = {"type": "WordPiece", "max_input_chars_per_word": 5}
    assert "looks at 5" in wordpiece.place("abcdef", ["abcdef"], {}, model, {}).reason
    assert wordpiece.place("abc", ["abc"], {"abc"}, model, {}).new == ()
