"""Machine reading comprehension scored as four official scripts do it: korquad1, squad1, squad2, klue_mrc.

They differ in what they take out of a text and in what F1 counts, so a number says nothing without the name of its
variant. Each is a port with its script's faults, so that figures can be compared with published ones.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_KORQUAD_MARKS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_KLUE_MARKS = re.compile(r"['\"《》<>〈〉]\(\)‘’")
"""The bracket closes too early: only one mark followed by ()‘’ is taken out, which no text has. Kept as it is."""


@dataclass(frozen=True, slots=True)
class ReadingScores:
    """Scores of a set of predictions.

    Attributes:
        variant: whose script.
        figures: name -> value, percent where the script gives percent.
        exact: id -> 0 or 1.
        f1: id -> 0 to 1: whatever this variant has beside the exact match.
    """

    variant: str
    figures: Mapping[str, float]
    exact: Mapping[str, float]
    f1: Mapping[str, float]


def korquad1(predictions: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> ReadingScores:
    """KorQuAD 1.0: exact match, and F1 of *characters* without spaces.

    Quotes, 《》<>〈〉()‘’ become spaces, then lower case, ASCII punctuation out, spaces joined. A question without a
    prediction counts 0. Source: evaluate-v1.0.py of korquad.github.io.

    Raises:
        UserError: a question without answers, or no question.
    """
    return _best_of_each("korquad1", predictions, answers, _korquad_words, lambda text: list(text.replace(" ", "")))


def squad1(predictions: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> ReadingScores:
    """SQuAD 1.1: exact match, and F1 of words; lower case, without punctuation and English articles.

    A question without a prediction counts 0. Source: evaluate-v1.1.py of rajpurkar.github.io/SQuAD-explorer.

    Raises:
        UserError: a question without answers, or no question.
    """
    return _best_of_each("squad1", predictions, answers, _squad_words, str.split)


def squad2(
    predictions: Mapping[str, str],
    answers: Mapping[str, Sequence[str]],
    *,
    no_answer: Mapping[str, float] | None = None,
    threshold: float = 1.0,
) -> ReadingScores:
    """SQuAD 2.0: exact, f1, both also for questions with (HasAns) and without an answer (NoAns), and best thresholds.

    For best thresholds give the best answers that are text and the null odds, as `Answers.best` and `null_odds`.
    Source: evaluate-v2.0.py of rajpurkar.github.io/SQuAD-explorer.

    Args:
        predictions: id -> text; "": no answer.
        answers: id -> texts; none: it has no answer.
        no_answer: id -> how probable no answer is, or null odds; None: best thresholds are not looked for.
        threshold: above it a prediction is taken as no answer.

    Raises:
        UserError: a question without a prediction (the script stops there with a KeyError), or no question.
    """
    _complete("squad2", predictions, answers)
    exact_raw, f1_raw = {}, {}
    for name, texts in answers.items():
        golds = [gold for gold in map(_squad_words, texts) if gold] or [""]
        found = _squad_words(predictions[name])
        exact_raw[name] = max(float(gold == found) for gold in golds)
        f1_raw[name] = max(_squad2_f1(gold.split(), found.split()) for gold in golds)
    has = {name: bool(texts) for name, texts in answers.items()}
    chances = no_answer or dict.fromkeys(answers, 0.0)
    exact, f1 = (
        {name: float(not has[name]) if chances[name] > threshold else score for name, score in scores.items()}
        for scores in (exact_raw, f1_raw)
    )
    figures: dict[str, float] = {}
    for prefix, chosen in (
        ("", list(answers)),
        ("HasAns_", [name for name in answers if has[name]]),
        ("NoAns_", [name for name in answers if not has[name]]),
    ):
        if chosen:
            figures[prefix + "exact"] = 100.0 * sum(exact[name] for name in chosen) / len(chosen)
            figures[prefix + "f1"] = 100.0 * sum(f1[name] for name in chosen) / len(chosen)
            figures[prefix + "total"] = len(chosen)
    if no_answer is not None:
        for label, scores in (("best_exact", exact_raw), ("best_f1", f1_raw)):
            figures[label], figures[label + "_thresh"] = _best_threshold(predictions, scores, no_answer, has)
    return ReadingScores("squad2", figures, exact, f1)


def klue_mrc(predictions: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> ReadingScores:
    """KLUE-MRC: exact match, and what KLUE calls ROUGE-W.

    That is not ROUGE-W (a weighted longest common *subsequence*) but the F1 of the longest common *substring* of
    characters, spaces included, found by difflib, which passes over frequent characters of answers of 200 and more
    ones. A question without answers wants "". Source: klue_baseline/metrics/utils.py and functional.py of
    KLUE-baseline, whose pattern for quotes and brackets matches nothing (kept).

    Raises:
        UserError: a question without a prediction, or no question.
    """
    _complete("klue_mrc", predictions, answers)
    exact, f1 = {}, {}
    for name, texts in answers.items():
        found = _klue_words(predictions[name])
        golds = [_klue_words(text) for text in texts] or [""]
        exact[name] = max(float(gold == found) for gold in golds)
        f1[name] = max(_substring_f1(found, gold) for gold in golds)
    figures = {"exact_match": _percent(exact, len(answers)), "rouge_w": _percent(f1, len(answers))}
    return ReadingScores("klue_mrc", figures, exact, f1)


def _best_of_each(
    variant: str,
    predictions: Mapping[str, str],
    answers: Mapping[str, Sequence[str]],
    normal: Callable[[str], str],
    units: Callable[[str], list[str]],
) -> ReadingScores:
    """The best of each question's answers; without a prediction 0."""
    bare = [name for name, texts in answers.items() if not texts]
    if bare or not answers:
        said = f'question "{bare[0]}" without answers' if bare else "no questions"
        raise UserError(f"{variant} is given {said}, expected answers", hint="squad2 and klue_mrc score no answer, too")
    exact, f1 = {}, {}
    for name, texts in answers.items():
        found = normal(predictions[name]) if name in predictions else None
        golds = list(map(normal, texts))
        exact[name] = 0.0 if found is None else max(float(gold == found) for gold in golds)
        f1[name] = 0.0 if found is None else max(_f1(units(gold), units(found)) for gold in golds)
    figures = {"exact_match": _percent(exact, len(answers)), "f1": _percent(f1, len(answers))}
    return ReadingScores(variant, figures, exact, f1)


def _complete(variant: str, predictions: Mapping[str, str], answers: Mapping[str, Sequence[str]]) -> None:
    missing = [name for name in answers if name not in predictions]
    if missing or not answers:
        said = f'{len(missing)} questions without a prediction, the first "{missing[0]}"' if missing else "no questions"
        raise UserError(f"{variant} is given {said}, expected a prediction for each")


def _percent(scores: Mapping[str, float], total: int) -> float:
    return 100.0 * sum(scores.values()) / total


def _korquad_words(text: str) -> str:
    return " ".join(text.translate(_KORQUAD_MARKS).lower().translate(_PUNCTUATION).split())


def _squad_words(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _klue_words(text: str) -> str:
    return " ".join(_KLUE_MARKS.sub(" ", text.lower()).translate(_PUNCTUATION).split())


def _f1(gold: Sequence[str], found: Sequence[str]) -> float:
    same = sum((Counter(gold) & Counter(found)).values())
    if not same:
        return 0.0
    precision, recall = same / len(found), same / len(gold)
    return 2 * precision * recall / (precision + recall)


def _squad2_f1(gold: Sequence[str], found: Sequence[str]) -> float:
    return _f1(gold, found) if gold and found else float(gold == found)


def _substring_f1(found: str, gold: str) -> float:
    if not gold:
        return float(found == gold)
    size = SequenceMatcher(None, found, gold).find_longest_match(0, len(found), 0, len(gold)).size
    if not size:
        return 0.0
    precision, recall = size / len(found), size / len(gold)
    return 2 * precision * recall / (precision + recall)


def _best_threshold(
    predictions: Mapping[str, str], scores: Mapping[str, float], no_answer: Mapping[str, float], has: Mapping[str, bool]
) -> tuple[float, float]:
    """The best score in percent, and the threshold it is reached at; ties keep the smaller one."""
    current = best = float(sum(not one for one in has.values()))
    threshold = 0.0
    for name in sorted((name for name in no_answer if name in scores), key=lambda name: no_answer[name]):
        current += scores[name] if has[name] else -float(bool(predictions[name]))
        if current > best:
            best, threshold = current, no_answer[name]
    return 100.0 * best / len(scores), threshold
