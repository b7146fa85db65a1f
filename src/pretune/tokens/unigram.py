"""Places a word in a Unigram vocabulary: an entry a little more likely than the pieces it was, so that it just wins.

With the lowest score of the vocabulary, as other tools give it, most new entries are never chosen; with a high one they
cut into words that have nothing to do with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.tokens.placement import New, Placement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MORE_LIKELY = 1e-3
"""What a new entry is more likely by than the best way to cut it: more than float32 loses, less than any two
segmentations differ by in earnest."""

UNKNOWN_PENALTY = 10.0
"""What sentencepiece and tokenizers take from the lowest score for an unknown character."""


def place(
    word: str, forms: Sequence[str], scores: Mapping[str, float], pieces: Mapping[str, Sequence[str]]
) -> Placement:
    """The entries of a word.

    Args:
        word: as it was asked for.
        forms: as the model meets it.
        scores: entry -> log probability, of the words placed before too.
        pieces: form -> what it is cut into now: the best segmentation; what is no entry is unknown.
    """
    lowest = min(scores.values(), default=0.0) - UNKNOWN_PENALTY
    longest = max(map(len, scores), default=1)
    new = []
    for form in forms:
        if form in scores and list(pieces[form]) == [form]:
            continue
        score = best_score(form, scores, lowest=lowest, longest=longest) + MORE_LIKELY
        new.append(New(form, tuple(pieces[form]), score=min(score, 0.0)))
    return Placement(word, tuple(forms), tuple(new))


def best_score(form: str, scores: Mapping[str, float], *, lowest: float, longest: int) -> float:
    """The log probability of the best way to cut a form (Viterbi), with the words that were placed before it.

    Args:
        form: as the model meets it.
        scores: entry -> log probability.
        lowest: of a character without an entry.
        longest: characters of the longest entry.
    """
    best = [0.0]
    for end in range(1, len(form) + 1):
        ways = [best[end - 1] + lowest]
        for start in range(max(0, end - longest), end):
            score = scores.get(form[start:end])
            if score is not None:
                ways.append(best[start] + score)
        best.append(max(ways))
    return best[-1]
