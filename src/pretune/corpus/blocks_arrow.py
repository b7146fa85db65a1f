"""Record batches of Arrow to blocks, without a copy of their texts.

Batches are put together, or cut, to blocks of about `block_bytes` of the wanted columns. Knows no files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
from pyarrow import types

from pretune.corpus.blocks_rows import ROWS
from pretune.corpus.pieces import STRUCTURED, Piece, joined, labels_of, piece_of
from pretune.corpus.row import Row
from pretune.corpus.shape import refuse_unknown_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pretune.corpus.block import Block
    from pretune.corpus.pieces import Wanted


def batch_blocks(
    batches: Iterable[Any],
    label: str,
    wanted: Wanted,
    *,
    block_bytes: int,
    numbers: Callable[[int], bool] | None = None,
    position: Callable[[int], int] = lambda _: 0,
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks of record batches, each with the pieces it was made of.

    Args:
        batches: `pa.RecordBatch`es with all columns.
        label: what the places of the rows begin with.
        wanted: of the rows.
        block_bytes: bytes of the wanted columns of a block, about.
        numbers: which blocks are made.
        position: rows read so far -> stored bytes that they take.

    Raises:
        pa.ArrowException: a batch is damaged.
        UserError: a wanted column is not there.
    """
    first = read = 0
    for number, part in enumerate(_parts(batches, label, wanted, block_bytes)):
        rows = sum(batch.num_rows for batch in part)
        size, read = position(first + rows) - read, position(first + rows)
        if numbers is None or numbers(number):
            for batch in part:
                batch.validate(full=True)  # a damaged offset would be read past its buffer
            pieces = [table_piece(pa.Table.from_batches(part), label, first, wanted)]
            yield joined(pieces, label=label, number=number, size=size, first=first), pieces
        first += rows


def _parts(batches: Iterable[Any], label: str, wanted: Wanted, block_bytes: int) -> Iterator[list[Any]]:
    """Batches that make a block each; a large one is cut."""
    part: list[Any] = []
    held = rows = 0
    looked = False
    for batch in batches:
        if not looked:
            refuse_unknown_columns(label, batch.schema.names, outer(wanted, batch.schema.names))
            looked = True
        batch.validate()
        size = batch.select(outer(wanted, batch.schema.names)).nbytes
        if part and (held + size > block_bytes or rows + batch.num_rows > ROWS):
            yield part
            part, held, rows = [], 0, 0
        step = rows_of_block(size, batch.num_rows, block_bytes)
        if batch.num_rows > step:
            yield from ([batch.slice(at, step)] for at in range(0, batch.num_rows, step))
        elif batch.num_rows:
            part.append(batch)
            held += size
            rows += batch.num_rows
    if part:
        yield part


def rows_of_block(size: int, rows: int, block_bytes: int) -> int:
    """How many rows a block has when so many rows have `size` bytes."""
    return max(1, min(ROWS, rows * block_bytes // max(size, 1)))


def outer(wanted: Wanted, names: Sequence[str]) -> list[str]:
    """The columns to read; `a.b` is in a, unless there is a column of that name. All of them for shapes of lists."""
    if wanted.shape in STRUCTURED and not (wanted.shape == "tagging" and wanted.lists):
        return list(names)
    columns = [*wanted.lists, *wanted.columns]
    return list(dict.fromkeys(name if name in names else name.partition(".")[0] for name in columns))


def table_piece(table: Any, label: str, first: int, wanted: Wanted, rows: Callable[[], Any] | None = None) -> Piece:
    """The piece that these rows make.

    Args:
        table: a `pa.Table` with the wanted columns.
        label: what the places of the rows begin with.
        first: rows before it.
        wanted: of the rows.
        rows: gives the table with all columns, where `table` has not all of them.
    """
    held: list[Any] = [] if rows else [table]

    def row(index: int) -> Row:
        if not held:
            assert rows is not None
            held.append(rows())
        return Row(held[0].slice(index, 1).to_pylist()[0], f"{label}:row {first + index + 1}")

    labels = None if wanted.label is None else _labels(_column(table, wanted.label))
    tokens = _column(table, wanted.lists[0]) if wanted.shape == "tagging" and wanted.lists else None
    if wanted.texts:
        texts = {role: _strings(_column(table, column)) for role, column in wanted.texts.items()}
    elif tokens is not None and _holds_strings(tokens.type):
        words = _from_arrow(tokens).cast(pl.List(pl.String))
        joint = words.list.join(" ", ignore_nulls=True)
        texts = {"tokens": joint.set(words.list.len() == 0, None)}
    elif wanted.shape in STRUCTURED:
        whole = rows() if rows else table
        made = [Row(values, "") for values in whole.to_pylist()]
        texts = dict(piece_of(made, wanted).texts)
    else:
        texts = {}
    return Piece(table.num_rows, texts, labels, row, odd=())


def _column(table: Any, name: str) -> Any:
    """A column as one chunked array; `a.b` is the field b of the structs in a."""
    if name in table.column_names:
        return _plain(table.column(name))
    outer_name, _, inner = name.partition(".")
    if outer_name not in table.column_names:
        return pa.nulls(table.num_rows)
    column = _plain(table.column(outer_name))
    if not types.is_struct(column.type) or column.type.get_field_index(inner) < 0:
        return pa.nulls(table.num_rows)
    from pyarrow import compute

    return _plain(compute.struct_field(column, inner))


def _plain(column: Any) -> Any:
    """Without a dictionary and without an extension's type."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _strings(column: Any) -> pl.Series:
    if _is_string(column.type):
        return _from_arrow(column)
    return pl.Series([None] * len(column), dtype=pl.String)


def _labels(column: Any) -> pl.Series | None:
    kind = column.type
    if types.is_null(kind):
        return pl.Series([None] * len(column), dtype=pl.Null)
    if _is_string(kind):
        return _from_arrow(column)
    if types.is_boolean(kind):
        return _from_arrow(column)
    if types.is_floating(kind):
        return _from_arrow(column).cast(pl.Float64).fill_nan(None)
    if types.is_integer(kind):
        series = _from_arrow(column)
        return labels_of(series.to_list()) if kind == pa.uint64() else series.cast(pl.Int64)
    return None


def _is_string(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _holds_strings(kind: Any) -> bool:
    listed = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(listed and _is_string(kind.value_type))


def _from_arrow(column: Any) -> pl.Series:
    found = pl.from_arrow(column)
    assert isinstance(found, pl.Series)
    return found
