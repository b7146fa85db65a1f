"""The verdict in words says what the scores say, and no more."""

import re

import pytest

from pool import analysed
from pool.analysed import DEFAULT
from pretune.pool.choice import Choice
from pretune.pool.declared import Declared
from pretune.pool.words import short, statements, subject

BETTER = Choice((1,), "weighted_mean")


def said(found: object) -> str:
    """All sentences, a line each."""
    return "\n".join(f"{one.head}{one.tail}" for one in statements(found))  # type: ignore[arg-type]


def test_the_default_that_is_highest_is_kept() -> None:
    """Nothing scores higher: keep it, and say how high it is."""
    found = analysed.pairs()
    assert re.match(
        r"Keep layer 2 mean, the declared default: no other choice scores higher than its \.\d+ \(95 %", said(found)
    )
    assert statements(found)[0].tone == "good"


def test_a_tie_is_called_a_tie_and_the_default_kept() -> None:
    """A choice that is a hair higher is a tie; the pairs that would show the difference are told."""
    found = analysed.pairs(noise={BETTER: 0.44})
    assert found.verdict is not None
    assert found.verdict.best != found.verdict.default
    assert said(found).startswith("Keep layer 2 mean, the declared default: layer 1 weighted mean scores .")
    assert "which is a tie; 2 of 14 cannot be excluded" in said(found)
    assert re.search(
        r"To see a difference of \.\d+ takes about [\d,]+ pairs, of \.010 about [\d,]+ pairs; there are 300",
        said(found),
    )


def test_a_sure_difference_replaces_the_default() -> None:
    """The better choice is named first, with both scores and the interval of their difference."""
    found = analysed.pairs(noise={BETTER: 0.2, DEFAULT: 3.0})
    first = statements(found)[0]
    assert first.tone == "warn"
    assert first.head == "Take layer 1 weighted mean instead of layer 2 mean, the declared default"
    assert re.fullmatch(r": \.\d+ against \.\d+, a difference of \+\.\d+ \(95 % \+\.\d+ to \+\.\d+\)\.", first.tail)
    assert "worth" in said(found)


def test_few_pairs_are_warned_of() -> None:
    """Below 200 pairs the highest score is high by luck; from 200 on nothing is said of it."""
    assert "Only 80 pairs: the highest of 14 scores is high by luck; to choose takes 200 or more." in said(
        analysed.pairs(count=80)
    )
    assert "luck" not in said(analysed.pairs(count=200))


def test_a_default_below_random_vectors_is_said_plainly() -> None:
    """Surely below: that is bad; and a baseline above everything is named as well."""
    random = Choice((), "random word vectors, mean")
    every = dict.fromkeys(analysed.choices(), 8.0)
    found = analysed.pairs(noise={**every, random: 1.0})
    assert re.search(r"The default is below random word vectors, mean: \.\d+ against \.\d+, surely \(95 %", said(found))
    assert "No choice of this model reaches the baseline random word vectors, mean: ." in said(found)
    assert "below" not in said(analysed.pairs())


def test_an_undefined_default_says_so() -> None:
    """The embeddings' cls is one vector for all sentences: it ranks nothing."""
    found = analysed.pairs(default=Choice((0,), "cls"))
    assert "the default gives all sentences one vector" in said(found)


def test_classes_are_counted_in_sentences() -> None:
    """Accuracy of a probe; no pairs are spoken of."""
    found = analysed.classes()
    assert said(found).startswith("Take layer 1 mean instead of layer 2 mean")
    assert "pairs" not in said(found)
    assert subject(found) == "some/model on pairs.tsv: 240 sentences, 12 choices from one pass"


@pytest.mark.parametrize("default", [DEFAULT, Choice((0,), "cls")])
def test_bare_text_gets_no_best(default: Choice) -> None:
    """Nothing is decided, half can be left out, the default stays or is to be tested; no superlative anywhere."""
    found = analysed.bare(default=default)
    assert not re.search(r"\b(best|highest|winner|top)\b", said(found) + short(found))
    assert "Nothing is decided" in said(found)
    assert "6 of 12 choices can be left out" in said(found)
    assert ("not on the shortlist" in said(found)) == (default != DEFAULT)


def test_nothing_declared_is_said() -> None:
    """The last layer's mean is then the default, and called so."""
    assert "the default (nothing is declared)" in said(analysed.pairs(declared=Declared()))
