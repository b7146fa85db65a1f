"""Files or objects to distinct sentences and what they come with: read_sentences, Sentences. Knows no model.

Reads what the corpus readers read: tables with or without a header, JSON, parquet, datasets, lists in memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.example import score_of
from pretune.corpus.inputs import expand
from pretune.corpus.shape import value_of
from pretune.corpus.task_rows import rows_of
from pretune.pool.class_names import class_names, named_class
from pretune.pool.columns import columns_of
from pretune.pool.scores_file import scores_in
from pretune.pool.sources import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from pretune.corpus.inputs import Input
    from pretune.corpus.row import Row
    from pretune.pool.analysis import Kind
    from pretune.pool.columns import Columns

LOOKED_AT = 200
"""Rows by which the columns of a file are told."""
FEWEST_PAIRS = 3
NO_ROW = "a data file has at least one row"


@dataclass(frozen=True, slots=True)
class Sentences:
    """S distinct sentences, in the order in which they came.

    Attributes:
        texts: the sentences.
        kind: what they come with.
        source: as the user named it.
        pairs: shape (P, 2), int64, indices of sentences; None unless `pairs`.
        scores: shape (P,), float64; None unless `pairs`.
        classes: shape (S,), int64, indices into class_names; None unless `classes`.
        class_names: the classes, sorted; empty unless `classes`.
        skipped: (place, why) of rows that were left out.
        notes: what else there is to say of the rows, a sentence each.
    """

    texts: tuple[str, ...]
    kind: Kind
    source: str
    pairs: Any | None = None
    scores: Any | None = None
    classes: Any | None = None
    class_names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _One:
    """A row: its place, its texts, its score or class as it is written."""

    where: str
    texts: tuple[Any, ...]
    value: Any


def read_sentences(
    named: Any,
    *,
    columns: Mapping[str, str] | None = None,
    scores: str | PathLike[str] | None = None,
    limit: int | None = None,
) -> Sentences:
    """Read sentences: pairs with a score, sentences with a class, or bare text.

    Args:
        named: a file, a folder, a pattern, `-`, an object (a list of tuples, strings or mappings, a Dataset, a data
            frame), or several files.
        columns: role (`sentence1`, `sentence2`, `score`, `text`, `label`) -> column; of tuples the place, from 0.
        scores: a file with a number a line, one for each row of pairs.
        limit: rows that are read; None: all.

    Raises:
        UserError: nothing to read, no sentences in it, scores or classes that say nothing.
    """
    source = source_of(named, columns or {}, scored_elsewhere=scores is not None)
    given = None if scores is None else scores_in(scores)
    kind: Kind | None = None
    found: list[_One] = []
    broken: list[tuple[str, str]] = []
    guessed = False
    names: tuple[str, ...] = ()
    for one in expand(source.named, purpose="eval"):
        rows = iter(rows_of(one, tuple(source.columns.values())))
        where, chosen, head = _begin(one, rows, source.columns, broken, scored=given is not None)
        kind = kind or chosen.kind
        if chosen.kind != kind:
            raise UserError(
                f"{where} holds {_SAID[chosen.kind]}, the files before it {_SAID[kind]}", hint="read them one by one"
            )
        guessed |= chosen.guessed
        names = class_names(one, chosen.value)
        room = None if limit is None else limit - len(found)
        for row in islice(_with(head, rows), room):
            if row.broken:
                broken.append((row.where, row.broken))
            else:
                found.append(_one(row, chosen, names if kind == "classes" else ()))
    if not found:
        raise UserError(f"{source.called} has no row that can be read", hint=_first(broken) or NO_ROW)
    if given is not None:
        # of the first rows the first scores
        given = given[:limit] if limit is not None and len(found) + len(broken) >= limit else given
        found, kind = _scored(found, given, str(scores)), "pairs"
    notes = source.notes
    if guessed and kind != "text":
        notes += ("the columns have no names and were told by what they hold",)
    return _made(kind or "text", found, Sentences((), "text", source.called, class_names=names, notes=notes), broken)


_SAID = {"pairs": "pairs with a score", "classes": "sentences with a class", "text": "bare text"}


def _begin(
    one: Input, rows: Iterator[Row], named: Mapping[str, str], broken: list[tuple[str, str]], *, scored: bool
) -> tuple[str, Columns, list[Row]]:
    """The columns of an input, told by its first rows, which are given back."""
    head = list(islice(rows, LOOKED_AT))
    good = [row.values for row in head if not row.broken]
    if not good:
        broken += [(row.where, row.broken or "") for row in head]
        raise UserError(f"{one.label} has no row that can be read", hint=_first(broken) or NO_ROW)
    return one.label, columns_of(good, named, label=one.label, scored_elsewhere=scored), head


def _with(head: Iterable[Row], rows: Iterable[Row]) -> Iterator[Row]:
    yield from head
    yield from rows


def _one(row: Row, columns: Columns, names: Sequence[str]) -> _One:
    texts = tuple(value_of(row.values, name) for name in (columns.text, columns.pair) if name)
    value = value_of(row.values, columns.value) if columns.value else None
    return _One(row.where, texts, named_class(value, names))


def _scored(rows: Sequence[_One], given: Sequence[float], path: str) -> list[_One]:
    """The rows with the scores of a file of their own."""
    if any(len(one.texts) < 2 for one in rows):
        raise UserError(
            f"{rows[0].where}: scores belong to pairs, and there is one sentence a row",
            hint="two columns of sentences: --column sentence1=NAME --column sentence2=NAME",
        )
    if len(given) != len(rows):
        raise UserError(
            f"{path} has {'more' if len(given) > len(rows) else 'fewer'} scores than there are pairs: "
            f"{len(given):,} for {len(rows):,}"
        )
    return [_One(one.where, one.texts, score) for one, score in zip(rows, given, strict=True)]


def _made(kind: Kind, rows: Sequence[_One], begun: Sentences, broken: list[tuple[str, str]]) -> Sentences:
    """Distinct sentences of the rows that can be used; `begun` says where they are from and what numbers mean."""
    skipped = list(broken)
    places: dict[str, int] = {}
    kept: list[tuple[list[int], Any]] = []
    for one in rows:
        why = _unusable(one)
        if why:
            skipped.append((one.where, why))
            continue
        value = _value(kind, one)
        kept.append(([places.setdefault(text, len(places)) for text in one.texts], value))
    if not kept:
        raise UserError(f"{begun.source} has no sentence that can be used", hint=_first(skipped))
    made = replace(begun, texts=tuple(places), kind=kind, skipped=tuple(skipped))
    if kind == "pairs":
        return _pairs(made, kept)
    return _classes(made, kept) if kind == "classes" else made


def _unusable(one: _One) -> str:
    """Why a row is left out; empty: it is not."""
    for text in one.texts:
        if not isinstance(text, str):
            return "no sentence" if text is None else f"a {type(text).__name__} where a sentence was expected"
        if not text.strip():
            return "an empty sentence"
        if any("\ud800" <= character <= "\udfff" for character in text):
            return "half a character (a surrogate without its other half)"
    return ""


def _value(kind: Kind, one: _One) -> Any:
    """The score as a number, the class as a word.

    Raises:
        UserError: a score that is no number, a class that is missing.
    """
    if kind == "text":
        return None
    if kind == "pairs":
        score = score_of(one.value)
        if score is None or score in (float("inf"), float("-inf")):
            said = "nothing" if one.value is None else repr(one.value)[:40]
            raise UserError(f"{one.where}: expected a number as the score, found {said}", hint="--column score=NAME")
        return score
    if one.value is None or not str(one.value).strip():
        raise UserError(f"{one.where}: the sentence has no class", hint="--column label=NAME, or remove the row")
    return str(one.value)


def _pairs(made: Sentences, kept: Sequence[tuple[list[int], Any]]) -> Sentences:
    """With scores that can be ranked."""
    import numpy as np

    scores = np.array([score for _, score in kept], dtype=np.float64)
    if len(kept) < FEWEST_PAIRS:
        raise UserError(
            f"{made.source} has {len(kept)} pair{'' if len(kept) == 1 else 's'}, "
            f"expected at least {FEWEST_PAIRS}, better 200 or more"
        )
    if scores.min() == scores.max():
        raise UserError(f"all {len(scores):,} scores in {made.source} are {scores[0]:g}: there is nothing to rank")
    notes = made.notes
    if set(np.unique(scores).tolist()) == {0.0, 1.0}:
        if len(made.class_names) == 2:
            less, more = made.class_names
            notes += (f"the scores are 0 ({less}) and 1 ({more}): larger is taken for more alike",)
        else:
            notes += ("the scores are 0 and 1: larger is taken for more alike",)
    pairs = np.array([pair for pair, _ in kept], dtype=np.int64)
    return replace(made, pairs=pairs, scores=scores, class_names=(), notes=notes)


def _classes(made: Sentences, kept: Sequence[tuple[list[int], Any]]) -> Sentences:
    """With at least two classes of at least two sentences; a sentence with two classes keeps its first."""
    import numpy as np

    names: dict[int, str] = {}
    several = 0
    for (place,), name in kept:
        several += names.setdefault(place, name) != name
    counts = Counter(names.values())
    if len(counts) < 2:
        raise UserError(f"all sentences in {made.source} have the class {next(iter(counts))}, expected two or more")
    if len(counts) > len(names) / 2:
        raise UserError(
            f"{made.source} has {len(counts):,} classes for {len(names):,} sentences, expected a few classes",
            hint="--column label=NAME if another column holds them",
        )
    classes = tuple(sorted(counts))
    notes = made.notes
    if several:
        notes += (f"sentences that came again with another class: {several:,}; the first class counts",)
    alone = [name for name in classes if counts[name] == 1]
    if alone:
        notes += (f"classes with a single sentence, which no probe can tell: {len(alone):,}, the first {alone[0]}",)
    order = {name: place for place, name in enumerate(classes)}
    labels = np.array([order[names[place]] for place in range(len(made.texts))], dtype=np.int64)
    return replace(made, classes=labels, class_names=classes, notes=notes)


def _first(skipped: Sequence[tuple[str, str]]) -> str:
    """Where the first row that was left out stands, and why."""
    return f"the first of {len(skipped):,} left out: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
