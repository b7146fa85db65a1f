"""Metrics give the values worked out by hand from the official scripts, faults included."""

import math

import pytest

from pretune.core.errors import UserError
from pretune.train import metrics_labels as labels
from pretune.train.metrics_reading import klue_mrc, korquad1, squad1, squad2


def _one(variant: object, prediction: str, *answers: str) -> tuple[float, float]:
    scores = variant({"q": prediction}, {"q": answers})
    return scores.exact["q"], scores.f1["q"]


@pytest.mark.parametrize(
    ("prediction", "answer", "exact", "f1"),
    [
        ("서울", "서울", 1, 1),
        ("서울은", "서울", 0, 0.8),  # 2 of 3 and 2 of 2 characters
        ("《삼국 사기》", "삼국 사기", 1, 1),
        ("삼국사기", "삼국 사기", 0, 1),  # characters without spaces, but the exact match keeps them
        ("‘A’(B)", "a b", 1, 1),
        ("A-B", "ab", 1, 1),  # punctuation goes without a space
        ("the A", "a", 0, 0.4),  # English articles stay: 1 of 4 and 1 of 1
        ("", "서울", 0, 0),
        ("...", "!", 1, 0),  # nothing is left of either: equal, but no character is shared
    ],
)
def test_korquad1(prediction: str, answer: str, exact: float, f1: float) -> None:
    """KorQuAD 1.0 counts characters."""
    assert _one(korquad1, prediction, answer) == (exact, pytest.approx(f1))


def test_squad1_of_korean_is_another_number() -> None:
    """SQuAD counts words, so a particle costs everything; articles go; the best of several answers counts."""
    assert _one(squad1, "서울은", "서울") == (0, 0)
    assert _one(squad1, "The Cat!", "a cat") == (1, 1)
    assert _one(squad1, "big cat", "dog", "cat") == (0, pytest.approx(2 / 3))
    assert _one(squad1, "the", "a") == (1, 0)


def test_what_is_missing_counts_nothing_in_version_one() -> None:
    """A question without a prediction is 0 of the whole; one without answers is refused."""
    answers = {"a": ["x"], "b": ["y"]}
    assert korquad1({"a": "x"}, answers).figures == {"exact_match": 50.0, "f1": 50.0}
    assert squad1({"a": "x"}, answers).figures == {"exact_match": 50.0, "f1": 50.0}
    with pytest.raises(UserError, match='korquad1 is given question "a" without answers'):
        korquad1({"a": "x"}, {"a": []})
    with pytest.raises(UserError, match="squad1 is given no questions"):
        squad1({}, {})


def test_squad2() -> None:
    """Exact and F1, with and without an answer, and the thresholds that would have been best."""
    answers = {"a": ["the cat"], "b": [], "c": ["dog"], "d": []}
    predictions = {"a": "cat", "b": "", "c": "big dog", "d": "mouse"}
    figures = squad2(predictions, answers).figures
    assert figures == pytest.approx(
        {
            "exact": 50.0,
            "f1": 100 * (1 + 1 + 2 / 3) / 4,
            "total": 4,
            "HasAns_exact": 50.0,
            "HasAns_f1": 100 * (1 + 2 / 3) / 2,
            "HasAns_total": 2,
            "NoAns_exact": 50.0,
            "NoAns_f1": 50.0,
            "NoAns_total": 2,
        }
    )
    odds = {"a": -3.0, "b": 5.0, "c": -1.0, "d": 2.0}
    figures = squad2(predictions, answers, no_answer=odds, threshold=0.0).figures
    assert figures["exact"] == 75.0
    # both without an answer, then a (+1), c (+0 or +2/3), d (-1)
    assert (figures["best_exact"], figures["best_exact_thresh"]) == (75.0, -3.0)
    assert (figures["best_f1"], figures["best_f1_thresh"]) == (pytest.approx(100 * (2 + 1 + 2 / 3) / 4), -1.0)
    assert _one(squad2, "", "the") == (1, 1)  # an answer of nothing but an article is no answer
    with pytest.raises(UserError, match='squad2 is given 1 questions without a prediction, the first "q"'):
        squad2({}, {"q": []})


@pytest.mark.parametrize(
    ("prediction", "answers", "exact", "rouge"),
    [
        ("서울특별시", ("서울",), 0, 2 * (2 / 5) * 1 / (2 / 5 + 1)),
        ("서 울", ("서울",), 0, 2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2)),  # consecutive, spaces count
        ("《서울》", ("서울",), 0, 2 * (2 / 4) * 1 / (2 / 4 + 1)),  # the brackets stay, unlike in KorQuAD
        ("", (), 1, 1),
        ("서울", (), 0, 0),
        ("", ("서울",), 0, 0),
        ("abcd", ("bcda", "xabcd"), 0, 2 * 1 * (4 / 5) / (1 + 4 / 5)),
    ],
)
def test_klue_mrc(prediction: str, answers: tuple[str, ...], exact: float, rouge: float) -> None:
    """KLUE-MRC's ROUGE-W is F1 of the longest common substring."""
    assert _one(klue_mrc, prediction, *answers) == (exact, pytest.approx(rouge))


def test_klue_mrc_passes_over_frequent_characters_of_long_answers() -> None:
    """In answers of 200 characters and more difflib finds no match that begins with a frequent one, but at the start."""
    assert _one(klue_mrc, "나" + "가" * 200, "가" * 200) == (0, 0)
    assert _one(klue_mrc, "나" + "가" * 199, "가" * 199) == (0, pytest.approx(2 * (199 / 200) / (199 / 200 + 1)))


def test_classes() -> None:
    """Accuracy, macro and micro F1 are scikit-learn's."""
    found, there = [0, 1, 1, 2], [0, 1, 0, 1]
    assert labels.accuracy(found, there) == 50.0
    assert labels.f1(found, there) == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)
    assert labels.f1(found, there, average="micro") == 50.0
    assert labels.f1(found, there, average="micro", among=[1, 2]) == pytest.approx(100 * 2 / 5)
    assert labels.f1([0], [0], among=[1]) == 0
    metrics = pytest.importorskip("sklearn.metrics")
    assert labels.f1(found, there) == pytest.approx(100 * metrics.f1_score(there, found, average="macro"))
    with pytest.raises(UserError, match="1 predictions and 2 labels"):
        labels.accuracy([1], [1, 2])
    with pytest.raises(UserError, match="0 predictions and 0 labels"):
        labels.f1([], [])


def test_similarities() -> None:
    """Pearson's correlation and F1 at 3.0."""
    assert labels.pearson([1, 2, 3], [2, 4, 6.0]) == pytest.approx(100)
    assert labels.pearson([1, 2, 3], [1, 3, 2]) == pytest.approx(50)
    assert math.isnan(labels.pearson([1, 1], [1, 2]))
    assert labels.similar_f1([3.0, 2.9, 5, 0], [3.5, 3.0, 1, 0]) == pytest.approx(50)


def test_entities() -> None:
    """Strict IOB2 over types; the character score takes O and absent tags along."""
    there = ["B-PS", "I-PS", "O", "B-LC", "I-LC", "O"]
    found = ["B-PS", "I-PS", "O", "B-LC", "O", "I-LC"]
    assert labels.entity_macro_f1(found, there) == 50.0
    assert labels.entity_macro_f1(there, there) == 100.0
    assert labels.entity_macro_f1(["I-PS", "I-PS"], ["B-PS", "I-PS"]) == 0  # an I- alone begins nothing
    assert labels.entity_macro_f1(["B-PS", "B-PS"], ["B-PS", "I-PS"]) == 0
    assert labels.entity_macro_f1(["O"], ["O"]) == 0
    tags = ["B-PS", "I-PS", "B-LC", "I-LC", "O", "B-DT"]
    assert labels.character_macro_f1(found, there, tags=tags) == pytest.approx(100 * (1 + 1 + 1 + 0 + 1 / 2 + 1) / 6)
