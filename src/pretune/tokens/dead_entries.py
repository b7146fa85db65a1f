"""Which entries of a vocabulary the tokenizer's algorithm can never produce: each is proven, none is guessed.

WordPiece: a piece of text that reaches the model is one that the pre-tokenizer does not split. BertPreTokenizer and its
like split between two characters by what the two are, so a pair that is split is split everywhere; and what a
normaliser writes it leaves as it is when it reads it (tests/tokens/test_dead_entries.py tries all characters), so an
entry that it would change is never written.

BPE: an entry of several characters that no rule makes. (If the model cuts a text so that an entry covers a part of it,
it makes that entry of the part alone, by the same rules in the same order: nothing inside depends on what is outside.)

Unigram: an entry that two others spell with a higher score together. Wherever it could stand, they win.

Entries that these proofs do not reach may be dead too. Knows neither added nor special tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MARGIN = 0.05
"""Nats by which two pieces must beat an entry: sentencepiece adds scores up in float32, which errs by far less."""

_LOCAL = frozenset({"BertPreTokenizer", "WhitespaceSplit", "Whitespace", "Digits"})
"""Pre-tokenizers that split between two characters, or do not, by looking at these two alone."""

_STABLE = frozenset({"BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"})
"""Normalisers that change no part of what they wrote, but for BertNormalizer's spaces around ideographs."""

_BEFORE = ("a", "1", "가", "!", "$", "_", "é", "½", "\u0e33", "🎉", "漢", "\u0903", "\u200d")
"""Characters to stand before another one: every class that those pre-tokenizers tell apart, some that compose."""


def dead_entries(spec: Mapping[str, Any], among: Iterable[str] | None = None) -> frozenset[str]:
    """The entries that no text can produce.

    Args:
        spec: a tokenizer in tokenizer.json's words (artifacts/pipeline.py, class_spec or file_spec).
        among: the entries to be looked at; None: all.
    """
    model = spec.get("model")
    if not isinstance(model, Mapping):
        return frozenset()
    kind = model.get("type") or _kind(model)
    if kind == "Unigram":
        return frozenset(_dead_unigram(model, among))
    known = model.get("vocab") or {}
    asked = known if among is None else [entry for entry in among if entry in known]
    if kind == "WordPiece":
        return frozenset(_dead_wordpiece(spec, model, asked))
    return frozenset(_dead_bpe(model, asked)) if kind == "BPE" else frozenset()


def _kind(model: Mapping[str, Any]) -> str:
    """Of a file from before the type was written."""
    if "merges" in model:
        return "BPE"
    return (
        "Unigram"
        if isinstance(model.get("vocab"), list)
        else "WordPiece"
        if "max_input_chars_per_word" in model
        else ""
    )


def _dead_wordpiece(spec: Mapping[str, Any], model: Mapping[str, Any], asked: Iterable[str]) -> Iterator[str]:
    prefix = str(model.get("continuing_subword_prefix") or "")
    longest = model.get("max_input_chars_per_word", 100)
    whole = _survival(spec)

    @cache
    def alone(character: str) -> bool:
        return whole is None or whole(character)

    @cache
    def together(pair: tuple[str, str]) -> bool:
        return whole is None or whole("".join(pair))

    @cache
    def goes_on(character: str) -> bool:
        return whole is None or any(whole(before + character) for before in _BEFORE)

    def possible(text: str) -> bool:
        return all(map(alone, set(text))) and all(map(together, pairwise(text)))

    for entry in asked:
        begins = 0 < len(entry) <= longest and possible(entry)
        rest = entry.removeprefix(prefix)
        continues = entry.startswith(prefix) and 0 < len(rest) < longest and goes_on(rest[0]) and possible(rest)
        if not begins and not continues:
            yield entry


def _survival(spec: Mapping[str, Any]) -> Callable[[str], bool] | None:
    """Says of a text whether it can stand inside a piece that reaches the model; None: no proof for this pipeline."""
    splitters = _steps(spec.get("pre_tokenizer"), "pretokenizers")
    if not splitters or any(step.get("type") not in _LOCAL for step in splitters):
        return None
    import tokenizers

    writers = _steps(spec.get("normalizer"), "normalizers")
    last = (
        writers[-1] if writers and writers[-1].get("type") in _STABLE else None
    )  # what follows could undo an earlier one
    made = tokenizers.Tokenizer.from_str(
        json.dumps({
            "version": "1.0",
            "added_tokens": [],
            "normalizer": last,
            "pre_tokenizer": spec["pre_tokenizer"],
            "model": {"type": "WordLevel", "vocab": {}, "unk_token": ""},
        })
    )  # fmt: skip
    normalizer, splitter = made.normalizer, made.pre_tokenizer

    def whole(text: str) -> bool:
        written = normalizer.normalize_str(text) if normalizer is not None else text
        return [piece for piece, _ in splitter.pre_tokenize_str(written)] == [text]

    return whole


def _steps(part: Any, inner: str) -> list[Mapping[str, Any]]:
    """The components of a normaliser or pre-tokenizer in their order, sequences unfolded."""
    if not isinstance(part, Mapping):
        return []
    if part.get("type") == "Sequence":
        return [step for each in part.get(inner) or () for step in _steps(each, inner)]
    return [part]


def _dead_bpe(model: Mapping[str, Any], asked: Iterable[str]) -> Iterator[str]:
    if any(model.get(key) for key in ("ignore_merges", "continuing_subword_prefix", "end_of_word_suffix")):
        return  # a whole word is taken as it is, or entries are spelled otherwise than in the rules
    made: set[str] = set()
    for rule in model.get("merges") or ():
        if isinstance(rule, str):  # `a b`; where a part holds a space itself, every reading counts
            made.update(rule[:at] + rule[at + 1 :] for at, letter in enumerate(rule) if letter == " ")
        else:
            made.add("".join(map(str, rule)))
    yield from (entry for entry in asked if len(entry) > 1 and entry not in made)


def _dead_unigram(model: Mapping[str, Any], among: Iterable[str] | None) -> Iterator[str]:
    scores = _scores(model.get("vocab") or ())
    lowest = min(scores.values(), default=0.0)  # the unknown token's score is reckoned from it: that entry stays
    known = scores.get
    for entry in scores if among is None else among:
        score = known(entry, lowest)
        if score == lowest:
            continue
        beaten = score + MARGIN
        for at in range(1, len(entry)):
            left = known(entry[:at])
            if left is not None and left > beaten:  # scores are logarithms: no sum exceeds a part
                right = known(entry[at:])
                if right is not None and left + right > beaten:
                    yield entry
                    break


def _scores(rows: Iterable[Any]) -> dict[str, float]:
    """Entry -> score; of one that occurs twice the higher, so that nothing is called beaten that is not."""
    scores: dict[str, float] = {}
    for text, score in rows:
        scores[text] = max(score, scores.get(text, score))
    return scores
