"""Rows of any format to the examples of a task: read_rows_of, Rows. Knows columns, not labels and no tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.corpus.example import example_of, number_of
from pretune.corpus.in_memory import memory_rows
from pretune.corpus.inputs import expand
from pretune.corpus.rows import read_rows
from pretune.corpus.shape import columns_for, has_column, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pretune.corpus.example import Example
    from pretune.corpus.inputs import Input
    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape
    from pretune.corpus.splits import Purpose

Label = int | float | str


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a split.

    Attributes:
        examples: those that can be used.
        skipped: (place, why) of the others.
        shape: what the rows are.
        columns: role -> column, of the first file.
    """

    examples: tuple[Example, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    shape: Shape = "text"
    columns: Mapping[str, str] | None = None

    def labels(self) -> list[Label]:
        """The labels, one kind for all: numbers where all of them are or, in tables, spell whole numbers.

        Raises:
            UserError: some are numbers and some are words.
        """
        given = [one.label for one in self.examples]
        tables = [bool(one.fields) for one in self.examples]
        spelled = [number_of(label) if isinstance(label, str) else label for label in given]
        if any(tables) and all(number is not None for number in spelled):
            given = spelled
        given = [int(label) if isinstance(label, bool | int) or _whole(label) else label for label in given]
        kinds = {type(label) for label in given}
        if len(kinds - {float, int}) and kinds & {float, int}:
            odd = next(i for i, label in enumerate(given) if isinstance(label, str) != isinstance(given[0], str))
            raise UserError(
                f"{self.examples[odd].where}: the label {given[odd]!r} is no {_kind(given[0])} as those before it",
                hint="write all labels in one way",
            )
        return given


def read_rows_of(
    named: Sequence[Any],
    shapes: Sequence[Shape],
    columns: Mapping[str, str],
    *,
    purpose: Purpose,
    usable: Callable[[Example, Shape], str],
    limit: int | None = None,
    reader: Callable[[Input, Sequence[str]], Iterator[Row]] | None = None,
) -> Rows:
    """The rows of files, folders or objects in memory.

    Args:
        named: what `corpus.inputs.expand` takes.
        shapes: what the rows may be, the likeliest first.
        columns: role -> column, as the user named them; the others go by their usual names.
        purpose: which split of a folder is meant.
        usable: why a row cannot be used; empty: it can.
        limit: no more than so many that can be used; None: all.
        reader: what reads an input, given the columns that were named; None: what its format asks for.

    Raises:
        UserError: nothing to read, other rows than asked for, no row that can be used.
    """
    found: list[Example] = []
    skipped: list[tuple[str, str]] = []
    shape: Shape | None = None
    first: Mapping[str, str] | None = None
    for one in expand(named, purpose=purpose):
        roles: Mapping[str, str] | None = None
        for row in (reader or rows_of)(one, tuple(columns.values())):
            if limit is not None and len(found) >= limit:
                break
            if row.broken:
                skipped.append((row.where, row.broken))
                continue
            if roles is None:
                shape, roles = _roles(one, row, shapes if shape is None else (shape,), columns)
                first = first or roles
            assert shape is not None
            example = example_of(row, roles, shape)
            why = usable(example, shape)
            if why:
                skipped.append((example.where, why))
            else:
                found.append(example)
    if not found:
        said = f"{len(skipped)} rows cannot be used, the first {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise UserError(f"no row that can be used in {', '.join(map(str, named))}", hint=said)
    return Rows(tuple(found), tuple(skipped), shape or "text", first)


def rows_of(one: Input, named: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a file or of an object in memory; `named`: columns that it may have."""
    if one.format == "memory":
        return memory_rows(one.source, one.label)
    return read_rows(one.source, label=one.label, named=named)


def _roles(
    one: Input, row: Row, shapes: Sequence[Shape], columns: Mapping[str, str]
) -> tuple[Shape, Mapping[str, str]]:
    """What the rows are, and their columns."""
    lacking = next((name for name in columns.values() if not has_column(row.values, name)), None)
    there = ", ".join(list(map(str, row.values))[:20]) or "none"
    if lacking is not None:
        raise UserError(f'{one.label} has no column "{lacking}"; its columns are {there}')
    shape = _chosen(row, shapes, columns)
    wanted = {**columns_for(shape, row.values), **columns}
    needed = [role for role in _NEEDED[shape] if role not in wanted]
    if needed:
        raise UserError(
            f"{one.label} has the columns {there}, none of which is known to hold the {' and the '.join(needed)}",
            hint=" ".join(f"--column {role}=NAME" for role in needed),
        )
    return shape, wanted


def _chosen(row: Row, shapes: Sequence[Shape], columns: Mapping[str, str]) -> Shape:
    """The shape that the named columns ask for, else the one the row looks like."""
    if len(shapes) == 1:
        return shapes[0]
    if "score" in columns or "label" in columns:
        return "sts" if "score" in columns else "pair"
    found = recognise(row.values, row.values)
    return found if found in shapes else shapes[0]


_NEEDED: Mapping[str, tuple[str, ...]] = {
    "classification": ("text", "label"),
    "pair": ("text", "text_pair", "label"),
    "sts": ("text", "text_pair", "score"),
    "tagging": ("tokens", "tags"),
}


def _whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _kind(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"
