"""Data that is in memory already: `datasets` objects, Arrow tables, data frames, lists of mappings. Nothing is copied.

Tells what it is without importing `datasets`; only the rows of a block are gathered where a Dataset was shuffled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pretune.corpus.block import Block
    from pretune.corpus.pieces import Piece, Wanted

_BATCH = 1000


def kind_of(source: Any) -> str | None:
    """`table`, `rows`, or the name of a class of `datasets`; None: nothing that is read."""
    for base in type(source).__mro__:
        if base.__module__.partition(".")[0] == "datasets" and base.__name__ in {
            "Dataset",
            "DatasetDict",
            "IterableDataset",
            "IterableDatasetDict",
        }:
            return base.__name__
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        return "table"
    if isinstance(source, (list, tuple)) and all(isinstance(row, Mapping) for row in source[:100]):
        return "rows"
    return None


def size_of(source: Any) -> int:
    """Bytes of the data, about; 0 where only reading would tell."""
    kind = kind_of(source)
    if kind == "Dataset":
        whole, rows = source.data.table, len(source)
        return int(whole.nbytes * rows // max(whole.num_rows, 1))
    return int(_table(source).nbytes) if kind == "table" else 0


def memory_rows(source: Any, label: str) -> Iterator[Row]:
    """The rows, with places like `dataset:row 17`."""
    kind = kind_of(source)
    if kind in {"rows", "IterableDataset"}:
        for number, values in enumerate(source, 1):
            broken = None if isinstance(values, Mapping) else f"a {type(values).__name__}, expected a mapping"
            yield Row({} if broken else values, f"{label}:row {number}", broken=broken)
        return
    number = 0
    for table in _tables(source, _BATCH):
        for values in table.to_pylist():
            number += 1
            yield Row(values, f"{label}:row {number}")


def memory_blocks(
    source: Any,
    label: str,
    wanted: Wanted,
    *,
    block_bytes: int,
    numbers: Callable[[int], bool] | None = None,
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks, each with the pieces it was made of.

    Raises:
        UserError: a wanted column is not there.
    """
    from pretune.corpus.blocks_arrow import batch_blocks
    from pretune.corpus.blocks_rows import row_blocks

    kind = kind_of(source)
    if kind in {"rows", "IterableDataset"}:
        yield from row_blocks(memory_rows(source, label), label, wanted, block_bytes=block_bytes, numbers=numbers)
    elif kind == "Dataset" and source._indices is not None:  # noqa: SLF001 - no public name tells how rows are ordered
        yield from _gathered_blocks(source, label, wanted, block_bytes=block_bytes, numbers=numbers)
    else:
        table = source.data.table if kind == "Dataset" else _table(source)
        size, rows = table.nbytes, max(table.num_rows, 1)
        yield from batch_blocks(
            table.to_batches(),
            label,
            wanted,
            block_bytes=block_bytes,
            numbers=numbers,
            position=lambda read: size * read // rows,
        )


def _gathered_blocks(
    source: Any, label: str, wanted: Wanted, *, block_bytes: int, numbers: Callable[[int], bool] | None
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks of a Dataset whose rows stand in another order than its table's, or are some of them."""
    from pretune.corpus.blocks_arrow import outer, rows_of_block, table_piece
    from pretune.corpus.pieces import joined
    from pretune.corpus.shape import refuse_unknown_columns

    whole = source.data.table
    columns = outer(wanted, whole.column_names) or whole.column_names[:1]
    refuse_unknown_columns(label, whole.column_names, columns)
    chosen = whole.select(columns)
    rows, size = len(source), size_of(source)
    step = rows_of_block(chosen.nbytes, whole.num_rows, block_bytes)
    for number, first in enumerate(range(0, rows, step)):
        if numbers is not None and not numbers(number):
            continue
        end = min(first + step, rows)
        asked = _Gather(source, first, end)
        pieces = [table_piece(asked(chosen), label, first, wanted, asked)]
        stored = size * end // rows - size * first // rows
        yield joined(pieces, label=label, number=number, size=stored, first=first), pieces


class _Gather:
    """Rows of a Dataset from one to another, in its order."""

    def __init__(self, source: Any, first: int, end: int) -> None:
        self.source, self.first, self.end = source, first, end

    def __call__(self, table: Any = None) -> Any:
        """These rows of the table, by default of the one with all columns."""
        import numpy as np

        pyarrow = need("pyarrow", extra="data")
        table = self.source.data.table if table is None else table
        indices = self.source._indices  # noqa: SLF001 - as above
        wanted = indices.column(0).slice(self.first, self.end - self.first).to_numpy().astype(np.int64)
        order = np.argsort(wanted, kind="stable")
        ascending = wanted[order]
        parts, start = [table.schema.empty_table()], 0
        for batch in table.to_batches():
            low, high = (int(np.searchsorted(ascending, row)) for row in (start, start + batch.num_rows))
            if high > low:
                parts.append(pyarrow.Table.from_batches([batch.take(pyarrow.array(ascending[low:high] - start))]))
            start += batch.num_rows
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return pyarrow.concat_tables(parts).combine_chunks().take(pyarrow.array(back))


def _tables(source: Any, rows: int) -> Iterator[Any]:
    """Tables of at most so many rows, with all columns."""
    if kind_of(source) == "Dataset":
        if source._indices is not None:  # noqa: SLF001 - as above
            for first in range(0, len(source), rows):
                yield _Gather(source, first, min(first + rows, len(source)))()
            return
        source = source.data.table
    table = _table(source)
    for first in range(0, table.num_rows, rows):
        yield table.slice(first, rows)


def _table(source: Any) -> Any:
    """The data as a `pyarrow.Table` that shares its memory."""
    pyarrow = need("pyarrow", extra="data")
    if isinstance(source, pyarrow.Table):
        return source
    try:
        return pyarrow.table(source)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise UserError(
            f"the {type(source).__name__} cannot be read as an Arrow table: {str(error).partition(chr(10))[0][:120]}",
            hint="give a pyarrow.Table, a data frame of polars or pandas, or a datasets.Dataset",
        ) from None
