"""Predicted tokens back to tags of words or characters, and their scores: score_tags. KLUE-NER's and seqeval's figures.

KLUE-baseline leaves spaces out, scores a sentence's two special tokens along with it, and cuts off what a long
sentence loses; here special tokens count as right (O, which keeps sentences apart) and lost characters as O.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from pretune.train.metrics_labels import accuracy, character_macro_f1, entity_f1, f1
from pretune.train.tasks import Scores
from pretune.train.tasks.tag_places import tokens_asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pretune.corpus.example import Example
    from pretune.train.tasks.encode import Encoded
    from pretune.train.tasks.tag_places import Places
    from pretune.train.tasks.tag_schemes import Scheme


def score_tags(
    examples: Sequence[Example],
    places: Places,
    encoded: Encoded,
    logits: Any,
    *,
    true: Sequence[str],
    names: Sequence[str],
    scheme: Scheme,
    characters: bool,
) -> Scores:
    """Scores of logits (tokens, tags).

    Args:
        examples: the tagged sentences.
        places: where their units stand.
        encoded: their tokens.
        logits: one row a token.
        true: the tag of each unit.
        names: tags by id.
        scheme: what tags say of entities; one without a name: nothing, so that they are scored as classes.
        characters: units are characters, scored as KLUE-NER's are.
    """
    found = units_tagged(places, encoded, logits.argmax(-1), names, scheme=scheme if characters else None)
    kept = [not token.isspace() if characters else True for one in examples for token in one.tokens]
    predictions: list[str] = []
    labels: list[str] = []
    bounds = places.bounds.tolist()
    for start, end in itertools.pairwise(bounds):
        units = [i for i in range(start, end) if kept[i]]
        predictions += ["O", *(found[i] for i in units), "O"]
        labels += ["O", *(true[i] for i in units), "O"]
    seen = [(a, b) for a, b, k in zip(found, true, kept, strict=True) if k]
    right = accuracy([a for a, _ in seen], [b for _, b in seen])
    figures = {"accuracy": right, "macro_f1": f1([a for a, _ in seen], [b for _, b in seen])}
    if scheme.name:
        said, there = scheme.iob2(predictions), scheme.iob2(labels)
        figures = {
            "entity_macro_f1": entity_f1(said, there, average="macro"),
            "entity_micro_f1": entity_f1(said, there, average="micro"),
        }
        if characters:
            figures["character_macro_f1"] = character_macro_f1(predictions, labels, tags=names)
        figures["accuracy"] = right
    rows = list(_wrong(examples, bounds, found, true))
    files = {"predictions.tsv": _conll(examples, bounds, found, true)}
    variant = "tags" if not scheme.name else "klue_ner" if characters and scheme.name == "IOB2" else "entities"
    return Scores(variant, figures, main_of(scheme), files, tuple(rows))


def main_of(scheme: Scheme) -> str:
    """The figure by which the best model is chosen: of entities, or of tags that mark none."""
    return "entity_macro_f1" if scheme.name else "accuracy"


def units_tagged(
    places: Places, encoded: Encoded, tags: Any, names: Sequence[str], *, scheme: Scheme | None = None
) -> list[str]:
    """The tag of each unit from the predicted id of each token; O where no token begins.

    Args:
        places: where the units stand.
        encoded: their tokens.
        tags: (tokens,), ids.
        names: tags by id.
        scheme: units are characters, of which a token may have several; None: they are words.
    """
    import numpy as np

    unit, first = tokens_asked(places, encoded)
    rows = np.flatnonzero(first)
    outside = scheme.outside if scheme is not None and scheme.outside else "O" if "O" in names else names[0]
    at: Any = np.full(len(places.starts), -1, np.int64)
    at[unit[rows]] = tags[rows]
    made = [outside if i < 0 else names[i] for i in at.tolist()]
    if scheme is None:
        return made
    begun = np.flatnonzero(at >= 0).tolist()
    ends = _end_of_tokens(places, encoded, unit, rows).tolist()
    for (start, end), after in zip(zip(begun, ends, strict=True), [*begun[1:], len(made)], strict=True):
        stop = min(end, after)
        if stop > start + 1:
            made[start:stop] = scheme.over(made[start], stop - start)
    return made


def _end_of_tokens(places: Places, encoded: Encoded, unit: Any, rows: Any) -> Any:
    """(rows,) int64: the unit after the last one that begins within each of these tokens, in the order of units."""
    import numpy as np

    sentence: Any = np.searchsorted(places.bounds, unit[rows], "right") - 1
    apart = 1 << 32
    keys = places.starts + np.repeat(np.arange(len(places.texts)) * apart, np.diff(places.bounds))
    ends: Any = np.searchsorted(keys, sentence * apart + encoded.offsets[rows, 1].astype(np.int64), "left")
    return ends[np.argsort(unit[rows], kind="stable")]


def _wrong(
    examples: Sequence[Example], bounds: Sequence[int], found: Sequence[str], true: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The sentences with a wrong tag, most wrong tags first."""
    counted = []
    for nth, (start, end) in enumerate(itertools.pairwise(bounds)):
        count = sum(a != b for a, b in zip(found[start:end], true[start:end], strict=True))
        if count:
            counted.append((-count, nth))
    for count, nth in sorted(counted):
        start, end = bounds[nth], bounds[nth + 1]
        yield {
            "where": examples[nth].where,
            "wrong": -count,
            "tokens": list(examples[nth].tokens),
            "tags": list(true[start:end]),
            "prediction": list(found[start:end]),
        }


def _conll(examples: Sequence[Example], bounds: Sequence[int], found: Sequence[str], true: Sequence[str]) -> bytes:
    """Token, true tag and predicted tag a line, a blank line between sentences."""
    lines: list[str] = []
    for one, start in zip(examples, bounds, strict=False):
        lines += [f"{token}\t{true[start + i]}\t{found[start + i]}" for i, token in enumerate(one.tokens)]
        lines.append("")
    return "\n".join(lines).encode("utf-8", "backslashreplace")
