"""Whether rows and ids fit: rows for all ids, vocab_size, new biases and rows that say something. Reads few rows.

Pitfalls 1 to 5. What the rows were before is verify_old_rows.py's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_view import counted, is_word, some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pretune.tokens.tables import IdTable, IdTables
    from pretune.tokens.verify_view import Case, View

SAMPLE = 2048
"""Rows that stand for all rows of a table."""

MOST = 512
"""New rows that are compared."""

ALIKE = 0.01
"""New rows are one and the same when they differ by less than this share of what rows differ from their mean by."""

NEAR_MEAN = 0.05
"""A row says nothing when it is nearer to the mean than this share: a mean of k pieces is 1/sqrt(k) away, that of
SAMPLE rows 0.02, and what pretune gives a word of unknown pieces 0.1."""

LOW = -0.1
"""A median of the old biases below which a new bias of 0 is out of line."""

UNTRAINED = 0.1
"""A table of biases with a larger share of zeros was never trained."""


def judge_rows(case: Case) -> Iterator[Fault | str]:
    """Faults and proofs of the rows."""
    view = case.new
    if view.trouble:
        yield Fault("tables-disagree", view.trouble, view.at("config.json"), "error", 2)
    yield from _ids_have_rows(view)
    yield from _size_is_stated(view)
    if case.old is not None and view.tables is not None and case.old.tables is not None:
        before, after = case.old.tables.rows, view.tables.rows
        if after < before:
            yield _shrunk(view, before, after, case.old.source.label)
        else:
            yield f"the embedding was not cut: {before:,} rows before, {after:,} now"
    elif view.tables is not None and view.record:
        told = view.record.get("plan", {}).get("rows", {})
        before = told.get("before", 0) if isinstance(told, dict) else 0
        if isinstance(before, int) and view.tables.rows < before:
            yield _shrunk(view, before, view.tables.rows, "the record")
    if view.tables is not None:
        yield from _biases(case, view.tables)
        yield from _rows_that_say_nothing(case, view.tables)


def _shrunk(view: View, before: int, after: int, by: str) -> Fault:
    message = (
        f"the embedding has {after:,} rows, {by} has {before:,}: rows were cut off, as resize_token_embeddings("
        "len(tokenizer)) does to a padded table; never resize to less than there is"
    )
    return Fault("table-shrunk", message, view.at("config.json", "/vocab_size"), "error", 2)


def _ids_have_rows(view: View) -> Iterator[Fault | str]:
    rows, largest = view.rows, view.tokenizer.largest_id
    if rows is None:
        return
    if largest < rows:
        yield f"every id has a row: the largest is {largest:,}, the embedding has {rows:,} rows"
        return
    beyond = {token for token, at in view.tokenizer.ids.items() if at >= rows}
    where = view.tables.input.name if view.tables is not None else "config.json's vocab_size"
    message = (
        f"{counted(len(beyond), 'token')} without a row ({some(beyond)}): the largest id is {largest:,} and {where} "
        f"has {rows:,} rows; text that holds them raises an IndexError until resize_token_embeddings is called"
    )
    yield Fault("id-without-row", message, view.at(), "error", 1)


def _size_is_stated(view: View) -> Iterator[Fault | str]:
    if view.tables is None or view.stated_rows is None:
        return
    if view.stated_rows == view.tables.rows:
        yield f"config.json and the weights agree: {view.tables.rows:,} rows"
        return
    message = (
        f"config.json says vocab_size {view.stated_rows:,} and {view.tables.input.name} has {view.tables.rows:,} rows: "
        "loading fails, and with ignore_mismatched_sizes the whole table is made anew"
    )
    yield Fault("size-misstated", message, view.at("config.json", view.tables.size_pointer), "error", 3)


def read(tables: IdTables, table: IdTable, ids: list[int]) -> NDArray[Any] | None:
    """Rows as float32 (ids, width); None where they cannot be read here (pickles, quantised, not on this machine)."""
    from pretune.tokens.write_weights import read_rows

    try:
        return read_rows(tables, table.name, ids)
    except (UserError, OSError, ValueError):
        return None


def _biases(case: Case, tables: IdTables) -> Iterator[Fault | str]:
    """New biases that are exactly 0 while the old ones are low: transformers pads a tied bias with zeros."""
    import numpy as np

    for table in tables.biases:
        found = read(tables, table, list(range(table.rows))) if table.rows else None
        if found is None:
            continue
        values = found.reshape(-1)
        fresh = {at for at in case.fresh.values() if at < len(values)} or _zeros_at_the_end(values)
        zero = sorted(at for at in fresh if values[at] == 0)
        rest: NDArray[Any] = np.delete(values, sorted(fresh))
        if not fresh or not len(rest):
            continue
        middle = float(np.median(rest))
        if not zero or middle > LOW or float(np.mean(rest == 0)) > UNTRAINED:
            if not zero:
                yield f"{len(fresh):,} new biases in {table.name} were set"
            continue
        high = float(np.mean(rest < 0))
        message = (
            f"{counted(len(zero), 'new bias')} of {table.name} exactly 0 and the median of the others is {middle:.2f}, "
            f"so {high:.0%} of the old tokens are less likely than tokens that were never trained; set them to the "
            "mean of the old ones or lower"
        )
        place = view_at(tables, table)
        yield Fault("output-bias-zero", message, place, "error" if middle <= -1 or high > 0.98 else "warning", 4)


def _zeros_at_the_end(values: NDArray[Any]) -> set[int]:
    """Ids at the end whose biases are 0, where they are few."""
    import numpy as np

    others = np.flatnonzero(values)
    first = int(others[-1]) + 1 if len(others) else len(values)
    return set(range(first, len(values))) if len(values) - first <= len(values) // 5 else set()


def view_at(tables: IdTables, table: IdTable) -> str:
    """`folder/model.safetensors: name`."""
    return f"{tables.source.at(table.tensor.file)}: {table.name}"


def _rows_that_say_nothing(case: Case, tables: IdTables) -> Iterator[Fault | str]:
    """New rows of words that are all one row, or the mean of the table."""
    import numpy as np

    special = {token.content for token in case.new.tokenizer.added if token.special}
    words = {at: token for token, at in case.fresh.items() if at < tables.rows and token not in special}
    words = {at: token for at, token in words.items() if is_word(token)}
    fresh = set(case.fresh.values())
    step = max(tables.rows // SAMPLE, 1)
    live = [at for at in range(0, tables.rows, step) if at not in fresh]
    ids = sorted(words)[:MOST]
    rows = read(tables, tables.input, ids) if ids else None
    sample = read(tables, tables.input, live) if rows is not None else None
    if rows is None or sample is None or len(sample) < 8:
        return
    middle = sample.mean(0)
    spread = float(np.median(np.linalg.norm(sample - middle, axis=1)))
    if spread <= 0:
        return
    place = view_at(tables, tables.input)
    centre = rows.mean(0)
    if len(ids) > 1 and float(np.linalg.norm(rows - centre, axis=1).max()) < ALIKE * spread:
        message = (
            f"the {len(ids):,} rows of new words ({some(list(words.values()))}) are all the same: they say nothing of "
            "the words, as resize_token_embeddings leaves them"
        )
        yield Fault("rows-say-nothing", message, place, "warning", 5)
        return
    mean = [words[at] for at, row in zip(ids, rows, strict=True) if np.linalg.norm(row - middle) < NEAR_MEAN * spread]
    if mean:
        message = (
            f"{counted(len(mean), 'row')} of new words ({some(mean)}) the mean of all rows: nothing of a word is in "
            "it, as resize_token_embeddings leaves them"
        )
        yield Fault("rows-say-nothing", message, place, "warning", 5)
    else:
        yield f"the rows of {len(ids):,} new words differ from each other and from the mean of the table"
