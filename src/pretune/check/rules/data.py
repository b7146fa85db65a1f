"""Family DAT, files and their rows: none, broken, merged, of unknown columns, given twice.

Knows nothing of characters (data_text.py) and of rows that repeat (data_repeats.py).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, shown
from pretune.corpus.shape import NAMES, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.check.facts.split import DataFacts, FileFacts, Split
    from pretune.check.finding import Rule

MANY = 0.1
"""Rows that a reader would lose, as a share: fewer cost little."""


@rule("DAT001", Level.ERROR)
def split_without_rows(data: DataFacts) -> Iterator[Problem]:
    """A data file holds no rows.

    Why: training on it does nothing or raises; evaluating on it divides by zero after the epoch.
    Fix: give the file that holds the rows.
    """
    for split in data.splits:
        for file in split.files:
            if not file.rows:
                yield Problem(f"{file.path} holds no rows for {split.name}, expected at least one", file.path)


@rule("DAT002", Level.ERROR)
def broken_rows(data: DataFacts) -> Iterator[Problem]:
    """Rows cannot be read.

    Why: a loader stops at the first one, or skips them in silence.
    Fix: mend or remove the lines that are named.
    """
    for split in data.splits:
        if split.broken:
            first = split.broken[0]
            said = split.found(split.broken, of=split.total + len(split.broken))
            yield Problem(f"{said} cannot be read; the first: {first.said[0]}", first.where)


@rule("DAT003", Level.WARNING)
def ragged_rows(data: DataFacts) -> Iterator[Problem]:
    """Rows of a table have more or fewer fields than there are columns.

    Why: fields beyond the header make pandas and load_dataset("csv") raise; missing ones become NaN, often the label.
    Fix: quote fields that hold the delimiter, or use jsonl.
    """
    for split, file, at in _tables(data):
        expected = len(file.columns)
        for kind in ("more", "fewer"):
            hits = split.hit(f"{kind}-fields:{at}")
            if hits:
                found = (
                    f"{split.found(hits)} have {'more' if kind == 'more' else 'fewer'} fields than the {expected} "
                    f"columns, the first {hits[0].said[0]}"
                )
                yield Problem(found, hits[0].where, level=None if file.header else Level.NOTE)


@rule("DAT004", Level.WARNING)
def rows_swallowed_by_a_quote(data: DataFacts) -> Iterator[Problem]:
    """A quoted field spans several lines that look like rows of their own.

    Why: a quote that was never closed makes one row of many; their labels become text.
    Fix: double the quotes inside fields, or read the file with quoting=csv.QUOTE_NONE.
    """
    for split, _, at in _tables(data):
        hits = split.hit(f"swallowed:{at}")
        if hits:
            yield Problem(
                f"{split.found(hits)} hold {number(hits.total)} further lines that look like rows, inside one quote",
                hits[0].where,
            )


@rule("DAT005", Level.NOTE)
def quotes_that_merge_rows(data: DataFacts) -> Iterator[Problem]:
    """Quotes that are mere characters may merge rows, depending on how the file is read.

    Why: pandas.read_csv and load_dataset("csv") take `"` at the start of a field for a quote and read on to
    the next one.
    Fix: read the file with quoting=csv.QUOTE_NONE (3).
    """
    for split in data.splits:
        for file in split.files:
            if file.swallowed:
                yield Problem(
                    f"quotes are characters in {file.path}: read with default quoting, {number(file.swallowed)} of its "
                    f"first {number(file.head)} {split.name} rows may vanish into others",
                    f"{file.path}:{file.swallowed_at}",
                    level=Level.WARNING if file.swallowed >= MANY * file.head else None,
                )


@rule("DAT006", Level.NOTE)
def byte_order_mark(data: DataFacts) -> Iterator[Problem]:
    """A file begins with a byte order mark, or a column's name holds one.

    Why: read as utf-8, it becomes part of the first column's name (a KeyError later), and json.loads raises.
    Fix: save the file as UTF-8 without BOM, or open it with encoding="utf-8-sig".
    """
    for split in data.splits:
        for file in split.files:
            marked = [column for column in file.columns if "\ufeff" in column]
            if marked:
                message = f"the column {shown(marked[0])} of {file.path} holds a byte order mark in its name"
                yield Problem(message, f"{file.path}:1", level=Level.WARNING)
            elif file.bom:
                message = f"{file.path} begins with a byte order mark, which may become part of its first column's name"
                yield Problem(message, f"{file.path}:1")


@rule("DAT007", Level.WARNING)
def columns_not_recognised(data: DataFacts) -> Iterator[Problem]:
    """The data lack a column that the task needs, or call it something unusual.

    Why: the Trainer drops columns that the model does not know, so that a label called otherwise is lost; nothing about
    an unknown column can be checked.
    Fix: name the columns: `data.columns.text = "..."` in the setup, or --column text=....
    """
    for split in data.splits:
        for file in split.files:
            needed = [role for role in ROLES[data.shape] if role != "id"]
            if data.shape == "chat" and ({"prompt", "instruction"} & set(file.columns)):
                continue
            missing = [role for role in needed if role not in file.roles]
            if missing and file.columns:
                usual = ", ".join(NAMES[missing[0]][:3])
                message = (
                    f"{split.name}: none of the columns {_list(file.columns)} of {file.path} is known as "
                    f"{' or '.join(missing)} (usual names: {usual})"
                )
                yield Problem(message, file.path, level=None if data.task else Level.NOTE)


def _list(columns: Iterable[str]) -> str:
    names = [shown(column, 20).strip("`") for column in columns]
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


@rule("DAT008", Level.ERROR)
def evaluating_on_the_training_file(data: DataFacts) -> Iterator[Problem]:
    """One file is given twice.

    Why: a model evaluated on its training rows looks perfect; a training file given twice doubles its weight.
    Fix: give each file once.
    """
    train = [(file.path, real_path(file.path)) for file in data.train.files]
    for file in data.eval.files:
        if any(real == real_path(file.path) for _, real in train):
            yield Problem(f"{file.path} is given for training and for evaluation", file.path)
    for split in data.splits:
        twice = [path for path, n in Counter(real_path(file.path) for file in split.files).items() if n > 1]
        for path in twice:
            yield Problem(f"{Path(path).name} is given more than once for {split.name}", path, level=Level.WARNING)


def real_path(path: str) -> str:
    """The file that a path leads to; the path itself where that cannot be told."""
    try:
        return str(Path(path).expanduser().resolve())
    except (OSError, RuntimeError, ValueError):
        return path


def _tables(data: DataFacts) -> Iterator[tuple[Split, FileFacts, int]]:
    """Each table with its number in its split."""
    for split in data.splits:
        for at, file in enumerate(split.files):
            if file.format == "table":
                yield split, file, at


RULES: tuple[Rule, ...] = (
    split_without_rows,
    broken_rows,
    ragged_rows,
    rows_swallowed_by_a_quote,
    quotes_that_merge_rows,
    byte_order_mark,
    columns_not_recognised,
    evaluating_on_the_training_file,
)
