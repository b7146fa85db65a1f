"""Whether the rows that were there are what they were, bit for bit: changed_rows, judge_old_rows. Compares bytes.

Knows ids and tables, not what tokens mean; rows of slots that were given away may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.artifacts.spare_names import is_spare_name
from pretune.artifacts.tensor_table import BITS
from pretune.tokens.verify_result import Fault
from pretune.tokens.verify_rows import read, view_at
from pretune.tokens.verify_view import some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pretune.tokens.tables import IdTable, IdTables
    from pretune.tokens.verify_view import Case

CHUNK = 1 << 24
SAMPLE = 256


def judge_old_rows(case: Case) -> Iterator[Fault | str]:
    """Faults and proofs of the rows that were there."""
    old, new = case.old, case.new
    if old is None or old.tables is None or new.tables is None:
        return
    same: list[str] = []
    rows = 0
    for before, after in _pairs(old.tables, new.tables):
        changed = _changed(old.tables, before, new.tables, after)
        if changed is None:
            continue
        mine = sorted(at for at in changed if not _given_away(case, at))
        if not mine:
            same.append(after.name)
            rows = min(before.rows, after.rows) - len(changed)
            continue
        place = view_at(new.tables, after)
        many = len(mine) > min(before.rows, after.rows) // 2
        names = [new.tokenizer.tokens.get(at, str(at)) for at in mine]
        if many and _unlike(old.tables, before, new.tables, after, mine):
            message = (
                f"{len(mine):,} of {after.rows:,} old rows have nothing in common with what they were: the table was "
                "made anew, as ignore_mismatched_sizes=True does when vocab_size and rows differ"
            )
            yield Fault("table-reinitialised", message, place, "error", 3)
        elif many:
            message = f"{len(mine):,} old rows changed: the model was trained since the tokens were added"
            yield Fault("rows-changed", message, place, "note", 3)
        else:
            message = (
                f"{len(mine):,} old rows changed, of {some(names)}: adding tokens changes no row that text reaches"
            )
            yield Fault("rows-changed", message, place, "error", 3)
    if same:
        yield f"{rows:,} old rows of {', '.join(same)} are bit for bit what they were"


def _given_away(case: Case, at: int) -> bool:
    """Whether a row is a new token's, or a free slot's (its use as a marker is another fault)."""
    assert case.old is not None
    name = case.new.tokenizer.tokens.get(at)
    return name is None or name in case.fresh or is_spare_name(name) or case.old.tokenizer.tokens.get(at) != name


def changed_rows(case: Case) -> frozenset[int] | None:
    """Ids whose rows of the word embedding differ from AGAINST's; None when that cannot be told."""
    old, new = case.old, case.new
    if old is None or old.tables is None or new.tables is None:
        return None
    return _changed(old.tables, old.tables.input, new.tables, new.tables.input)


def _pairs(old: IdTables, new: IdTables) -> Iterator[tuple[IdTable, IdTable]]:
    """Tables of both that are the same; the word embedding is whatever its name."""
    yield old.input, new.input
    names = {table.name: table for table in old.tables}
    yield from ((names[table.name], table) for table in new.tables[1:] if table.name in names)


def _changed(old: IdTables, before: IdTable, new: IdTables, after: IdTable) -> frozenset[int] | None:
    """Rows whose bytes differ; None: not to be compared (dtype, width, layout, not on this machine)."""
    import numpy as np

    paths = [_path(old, before), _path(new, after)]
    if None in paths or before.tensor.dtype != after.tensor.dtype or before.width != after.width:
        return None
    if not before.contiguous or not after.contiguous or before.width == 0:
        return None
    one, two = (path for path in paths if path is not None)
    starts = (before.tensor.start or 0, after.tensor.start or 0)
    if one.samefile(two) and starts[0] == starts[1]:
        return frozenset()
    size = before.width * BITS[before.tensor.dtype] // 8
    count, step = min(before.rows, after.rows), max(CHUNK // max(size, 1), 1)
    found: set[int] = set()
    with one.open("rb") as first, two.open("rb") as second:
        for at in range(0, count, step):
            parts = []
            for file, start in ((first, starts[0]), (second, starts[1])):
                file.seek(start + at * size)
                parts.append(file.read(min(step, count - at) * size))
            if parts[0] == parts[1] or len(parts[0]) != len(parts[1]):
                continue
            left, right = (np.frombuffer(part, np.uint8).reshape(-1, size) for part in parts)
            found.update((np.flatnonzero((left != right).any(1)) + at).tolist())
    return frozenset(found)


def _path(tables: IdTables, table: IdTable) -> Path | None:
    """The file of a safetensors table on this machine."""
    if tables.weights.format != "safetensors" or table.tensor.start is None:
        return None
    return tables.source.path(table.tensor.file)


def _unlike(old: IdTables, before: IdTable, new: IdTables, after: IdTable, changed: list[int]) -> bool:
    """Whether changed rows have nothing in common with what they were: their cosines are about 0."""
    import numpy as np

    ids = changed[:: max(len(changed) // SAMPLE, 1)]
    one, two = read(old, before, ids), read(new, after, ids)
    if one is None or two is None or before.width < 4:
        return False
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosines = np.where(lengths > 0, (one * two).sum(1) / np.maximum(lengths, 1e-30), 1.0)
    return float(np.median(cosines)) < 0.5
