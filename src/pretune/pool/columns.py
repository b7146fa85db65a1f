"""Which columns of rows hold sentences and what they come with: columns_of, Columns. By name, or by what they hold.

STS-B's own files have no header, so a table of numbered columns is looked at: the two columns of words are the pair,
the column of numbers with a fraction is the score. Knows neither files nor what is done with the sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.example import number_of
from pretune.corpus.shape import columns_for, has_column, recognise, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.pool.analysis import Kind

ROLES = {"sentence1": "text", "sentence2": "text_pair", "text": "text", "text_pair": "text_pair"} | {
    name: name for name in ("score", "label")
}
"""What the user may call a column's role -> the role."""
FEW_CLASSES = 50
"""Distinct values of a column without a name that may be classes."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand.

    Attributes:
        kind: what the sentences come with.
        text: column of the sentence, or of the first of two.
        pair: column of the second sentence; empty: there is none.
        value: column of the score or class; empty: there is none.
        guessed: whether they were told by what they hold.
    """

    kind: Kind
    text: str
    pair: str = ""
    value: str = ""
    guessed: bool = False


def columns_of(
    rows: Sequence[Mapping[str, Any]], named: Mapping[str, str], *, label: str, scored_elsewhere: bool = False
) -> Columns:
    """The columns of a file.

    Args:
        rows: its first rows, at least one.
        named: role of ROLES -> column, as the user says.
        label: the file, for messages.
        scored_elsewhere: whether scores come in a file of their own.

    Raises:
        UserError: an unknown role, a column that is not there, or no sentences to be found.
    """
    asked = _asked(rows[0], named, label)
    if not asked and rows[0] and all(name.isdecimal() for name in rows[0]):
        return _guessed(rows, label, scored_elsewhere=scored_elsewhere)
    shape = recognise(rows[0], rows[0])
    if shape in {"squad", "chat", "tagging"} and "text" not in asked:
        raise UserError(
            f"{label} holds rows of another task; its columns are {_names(rows[0])}",
            hint="name the column of the sentences: --column text=NAME, or sentence1=, sentence2= and score=",
        )
    usual = {**columns_for("pair", rows[0]), **columns_for("sts", rows[0])}
    if shape in {"pair", "sts"} or "text_pair" in asked:
        return _pair(rows, {**usual, **asked}, asked, label, scored_elsewhere=scored_elsewhere)
    if "score" in asked:
        raise UserError(
            f"{label} has a score but no second sentence; its columns are {_names(rows[0])}",
            hint="name it: --column sentence2=NAME",
        )
    single = {**columns_for("classification", rows[0]), **asked}
    if "text" not in single:
        raise UserError(
            f"{label} has the columns {_names(rows[0])}, none of which is known to hold sentences",
            hint="--column text=NAME, or sentence1=, sentence2= and score=; if the first row is no header, add one",
        )
    value = "" if scored_elsewhere else single.get("label", "")
    return Columns("classes" if value else "text", single["text"], value=value)


def _asked(first: Mapping[str, Any], named: Mapping[str, str], label: str) -> dict[str, str]:
    """The user's columns by role, checked."""
    found = {}
    for role, column in named.items():
        if role not in ROLES:
            raise UserError(f'no role "{role}" of a column', hint=f"one of {', '.join(ROLES)}")
        if not has_column(first, column):
            raise UserError(f'{label} has no column "{column}"; its columns are {_names(first)}')
        found[ROLES[role]] = column
    return found


def _pair(
    rows: Sequence[Mapping[str, Any]],
    roles: Mapping[str, str],
    asked: Mapping[str, str],
    label: str,
    *,
    scored_elsewhere: bool,
) -> Columns:
    """Two sentences; a score, or a label that can be taken for one."""
    text, pair = roles.get("text", ""), roles.get("text_pair", "")
    if not text or not pair:
        lacking = "sentence2" if text else "sentence1"
        raise UserError(
            f"{label} has the columns {_names(rows[0])}, none of which is known to hold the {lacking}",
            hint=f"--column {lacking}=NAME",
        )
    value = asked.get("score") or asked.get("label") or roles.get("score") or roles.get("label") or ""
    if scored_elsewhere:
        value = ""
    if not value:
        return Columns("text", text, pair)
    if not asked.get("score") and _classes(rows, value):
        raise UserError(
            f'{label}: "{value}" holds classes of pairs ({_some(rows, value)}), not how alike they are',
            hint="pool needs scores of pairs, or single sentences with a class"
            if number_of(str(value_of(rows[0], value))) is None
            else f"--column score={value} if larger means more alike",
        )
    return Columns("pairs", text, pair, value)


def _classes(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    """Whether a column of pairs holds words, or a few whole numbers beyond 0 and 1: no similarity by its looks."""
    if column in {"score", "similarity", "similarity_score", "relatedness_score"}:
        return False
    values = [value_of(row, column) for row in rows]
    numbers = [number_of(str(value)) for value in values if value is not None]
    if not all(number is not None for number in numbers):
        return not any(number is not None for number in numbers)
    different = {float(number) for number in numbers if number is not None}
    return all(one.is_integer() for one in different) and not different <= {0.0, 1.0} and len(different) <= 4


def _guessed(rows: Sequence[Mapping[str, Any]], label: str, *, scored_elsewhere: bool) -> Columns:
    """The columns of a table without a header."""
    names = list(rows[0])
    values = {name: [str(row[name]) for row in rows if row.get(name) not in (None, "")] for name in names}
    numeric = [name for name in names if values[name] and all(number_of(one) is not None for one in values[name])]
    words = [name for name in names if values[name] and name not in numeric]
    if not words:
        raise UserError(f"{label} holds numbers only, expected sentences", hint="--column text=NAME")
    # of several columns of words those of most words are the sentences, in their order
    longest = sorted(words, key=lambda name: (-_words(values[name]), -_length(values[name])))
    chosen = sorted(longest[:2], key=names.index)
    if numeric and len(chosen) > 1 and not scored_elsewhere:
        score = min(numeric, key=lambda name: (not _fractions(values[name]), _away(names, name, chosen)))
        if _fractions(values[score]) or len(numeric) == 1:
            return Columns("pairs", chosen[0], chosen[1], score, guessed=True)
    if len(chosen) == 1:
        value = numeric[0] if numeric and not scored_elsewhere else ""
        if value and len(set(values[value])) > FEW_CLASSES:
            value = ""
        return Columns("classes" if value else "text", chosen[0], value=value, guessed=True)
    short, long = sorted(chosen, key=lambda name: _length(values[name]))
    if not scored_elsewhere and len(set(values[short])) <= min(FEW_CLASSES, len(rows) // 2):
        return Columns("classes", long, value=short, guessed=True)
    return Columns("text", chosen[0], chosen[1], guessed=True)


def _length(values: Sequence[str]) -> float:
    return sum(map(len, values)) / len(values)


def _words(values: Sequence[str]) -> float:
    return sum(len(one.split()) for one in values) / len(values)


def _fractions(values: Sequence[str]) -> bool:
    """Whether the numbers are written with a point."""
    return any("." in one for one in values)


def _away(names: Sequence[str], name: str, chosen: Sequence[str]) -> int:
    """How many columns lie between a column and the nearest sentence."""
    return min(abs(names.index(name) - names.index(one)) for one in chosen)


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(list(map(str, row))[:20]) or "none"


def _some(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    """Some of the values there."""
    different = list(dict.fromkeys(str(value_of(row, column)) for row in rows))
    return ", ".join(different[:3]) + (", ..." if len(different) > 3 else "")
