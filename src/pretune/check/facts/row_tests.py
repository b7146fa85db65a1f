"""Tests of rows as a whole: text that is null, fields of a table, rows inside a quote; and all tests of a row at once.

Knows one row at a time, what its file is, and no tokenizer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pretune.check.facts.answer_tests import ANSWER_TESTS
from pretune.check.facts.hits import Found, tally_of
from pretune.check.facts.tag_tests import TAG_TESTS
from pretune.check.facts.text_tests import BLANKING, TEXT_TESTS, blank
from pretune.corpus.shape import value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pretune.check.facts.hits import Tally
    from pretune.check.facts.plan import FilePlan
    from pretune.corpus.example import Example
    from pretune.corpus.shape import Shape

_SHARED = 20_000
"""Characters of a text that may be one of the last 1,024 whose findings are kept."""


def null(row: Example, role: str, columns: Iterable[str]) -> Found | None:
    """Nothing, or no text, where text is expected; says what, which is the kind as well."""
    if getattr(row, role) is not None:
        return None
    value = next((value for column in columns if (value := value_of(row.values, column)) is not None), None)
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        kind = "null"
    else:
        names = {bool: "a truth value", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
        kind = names.get(type(value), type(value).__name__)
    return Found((kind,), ((kind, 1),))


def ragged(row: Example, file: FilePlan) -> tuple[str, Found] | None:
    """More or fewer fields than there are columns; says how many."""
    if row.fields == file.columns:
        return None
    return "more-fields" if row.fields > file.columns else "fewer-fields", Found((str(row.fields),))


def swallowed(row: Example, file: FilePlan) -> Found | None:
    """A line inside a quoted field has the fields of a row and ends as other rows do; the size: its further lines."""
    need = file.columns - 1
    for value in row.values.values() if row.lines > 1 and need > 0 else ():
        inner = value.split("\n")[1:] if isinstance(value, str) and "\n" in value else []
        for line in inner:
            if line.count(file.delimiter) >= need:
                last = line.rstrip("\r").rpartition(file.delimiter)[2].strip('" ')
                if file.delimiter == "\t" or last in file.endings:
                    return Found(size=row.lines - 1)
    return None


def look_at_fields(tallies: dict[str, Tally], row: Example, file: FilePlan, *, at: int, order: int) -> None:
    """Put the tests of tables to a row; `at`: the file's number in its split."""
    found = ragged(row, file)
    if found is not None:
        tally_of(tallies, f"{found[0]}:{at}").add(order, lambda: row.where, found[1])
    inside = swallowed(row, file)
    if inside is not None:
        tally_of(tallies, f"swallowed:{at}").add(order, lambda: row.where, inside)


def look_at_text(tallies: dict[str, Tally], row: Example, file: FilePlan, *, beginning: str = "", order: int) -> None:
    """Put the tests of texts to a row."""
    if beginning and row.text is not None and row.text.lstrip().startswith(beginning):
        tally_of(tallies, "beginning").add(order, lambda: row.where, Found())
    together: dict[str, Found] = {}
    for role, text in row.texts:
        for name, found in _findings(text) if len(text) <= _SHARED else _findings.__wrapped__(text):
            if name == "blank" and role in BLANKING:
                together[f"blank:{role}"] = found
            elif name != "blank" and (file.table or not TEXT_TESTS[name].tables):
                together[name] = together[name].and_also(found) if name in together else found
    for name, found in together.items():
        tally_of(tallies, name).add(order, lambda: row.where, found)


def look_for_null(tallies: dict[str, Tally], row: Example, file: FilePlan, *, order: int) -> None:
    """Tell of the texts that a row has not."""
    for role, columns in file.expected.items():
        found = null(row, role, columns)
        if found is not None:
            tally_of(tallies, f"null:{role}").add(order, lambda: row.where, found)


@lru_cache(maxsize=1024)
def _findings(text: str) -> tuple[tuple[str, Found], ...]:
    """What the tests find in a text; a context that many questions share is tested once."""
    tests = {"blank": blank, **{name: test.find for name, test in TEXT_TESTS.items()}}
    return tuple((name, found) for name, find in tests.items() if (found := find(text)) is not None)


def tests_of(shape: Shape) -> Mapping[str, Callable[[Example], Found | None]]:
    """The tests that only rows of this shape are put to."""
    return {"squad": ANSWER_TESTS, "tagging": TAG_TESTS}.get(shape, {})


def look_at_shape(tallies: dict[str, Tally], row: Example, shape: Shape, *, order: int) -> None:
    """Put the tests of a shape to a row."""
    for name, test in tests_of(shape).items():
        found = test(row)
        if found is not None:
            tally_of(tallies, name).add(order, lambda: row.where, found)
