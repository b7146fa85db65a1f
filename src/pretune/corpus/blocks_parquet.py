"""Parquet and arrow files to blocks: only the wanted columns are read, the others when a row is asked for.

A block of a parquet file is some row groups, or a part of a large one; the file's footer alone decides which.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import ipc, parquet

from pretune.corpus.blocks_arrow import batch_blocks, outer, rows_of_block, table_piece
from pretune.corpus.blocks_rows import ROWS
from pretune.corpus.columnar import unreadable
from pretune.corpus.pieces import joined
from pretune.corpus.shape import refuse_unknown_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pretune.corpus.block import Block
    from pretune.corpus.pieces import Piece, Wanted

_BUFFER = 1 << 20
"""Bytes of a column that are read at a time, so that a row group of gigabytes is never in memory as a whole."""


class _Part(NamedTuple):
    """Rows of a parquet file that make a block: whole row groups, or `rows` of one from `skip` on."""

    groups: tuple[int, ...]
    skip: int
    rows: int


def parquet_blocks(
    path: Path, label: str, wanted: Wanted, *, block_bytes: int, numbers: Callable[[int], bool] | None = None
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks of a parquet file, each with the pieces it was made of.

    Raises:
        UserError: not a parquet file, a damaged one, or one without a wanted column.
    """
    with _told(path, "parquet"), parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
        names = file.schema_arrow.names
        columns = outer(wanted, names) or names[:1]
        refuse_unknown_columns(label, names, columns)
        parts = _parts(file.metadata, columns, block_bytes)
        size, total = path.stat().st_size, max(file.metadata.num_rows, 1)
        first = 0
        for number, (part, read) in enumerate(_tables(file, parts, columns, numbers)):
            if read is not None:
                read.validate(full=True)
                pieces = [table_piece(read, label, first, wanted, partial(_whole, path, part))]
                stored = size * (first + part.rows) // total - size * first // total
                yield joined(pieces, label=label, number=number, size=stored, first=first), pieces
            first += part.rows


def arrow_blocks(
    path: Path, label: str, wanted: Wanted, *, block_bytes: int, numbers: Callable[[int], bool] | None = None
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks of an arrow file, be it the stream format or the file format.

    Raises:
        UserError: not an arrow file, a damaged one, or one without a wanted column.
    """
    with _told(path, "arrow"), pa.memory_map(str(path)) as source:
        read = 0

        def batches() -> Iterator[Any]:
            nonlocal read
            try:
                stream = ipc.open_stream(source)
            except pa.ArrowInvalid:
                file = ipc.open_file(source)
                for at in range(file.num_record_batches):
                    read = source.size() * (at + 1) // file.num_record_batches
                    yield file.get_batch(at)
                return
            for batch in stream:
                read = source.tell()
                yield batch

        yield from batch_blocks(
            batches(), label, wanted, block_bytes=block_bytes, numbers=numbers, position=lambda _: read
        )


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, kind, error) from None


def _parts(metadata: Any, columns: Sequence[str], block_bytes: int) -> list[_Part]:
    """The blocks, by the sizes in the footer."""
    parts: list[_Part] = []
    groups: list[int] = []
    held = rows = 0
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        size = sum(
            chunk.total_uncompressed_size
            for chunk in map(group.column, range(group.num_columns))
            if chunk.path_in_schema in columns or chunk.path_in_schema.partition(".")[0] in columns
        )
        if groups and (held + size > block_bytes or rows + group.num_rows > ROWS):
            parts.append(_Part(tuple(groups), 0, rows))
            groups, held, rows = [], 0, 0
        step = rows_of_block(size, group.num_rows, block_bytes)
        if group.num_rows > step:
            starts = range(0, group.num_rows, step)
            parts += [_Part((at,), start, min(step, group.num_rows - start)) for start in starts]
        elif group.num_rows:
            groups.append(at)
            held += size
            rows += group.num_rows
    return [*parts, _Part(tuple(groups), 0, rows)] if groups else parts


def _tables(
    file: Any, parts: Sequence[_Part], columns: Sequence[str], numbers: Callable[[int], bool] | None
) -> Iterator[tuple[_Part, Any]]:
    """Each part with its table, None when it is not asked for."""
    chosen = [numbers is None or numbers(number) for number in range(len(parts))]
    at = 0
    while at < len(parts):
        end = at + 1
        while end < len(parts) and parts[end].skip:
            end += 1
        if end == at + 1:
            yield parts[at], file.read_row_groups(list(parts[at].groups), columns=columns) if chosen[at] else None
        elif not any(chosen[at:end]):
            yield from ((part, None) for part in parts[at:end])
        else:
            cut = _cut(
                file.iter_batches(parts[at].rows, row_groups=list(parts[at].groups), columns=columns), parts[at:end]
            )
            yield from ((part, table if chosen[at + n] else None) for n, (part, table) in enumerate(cut))
        at = end


def _cut(batches: Iterator[Any], parts: Sequence[_Part]) -> Iterator[tuple[_Part, Any]]:
    """The rows of a row group, part by part."""
    held: Any = None
    for part in parts:
        while held is None or held.num_rows < part.rows:
            more = pa.Table.from_batches([next(batches)])
            held = more if held is None else pa.concat_tables([held, more])
        yield part, held.slice(0, part.rows)
        held = held.slice(part.rows)


def _whole(path: Path, part: _Part) -> Any:
    """The rows of a part with all columns."""
    with _told(path, "parquet"), parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
        names = file.schema_arrow.names
        if not part.skip and part.rows >= sum(file.metadata.row_group(at).num_rows for at in part.groups):
            table = file.read_row_groups(list(part.groups), columns=names)
        else:
            before = [_Part(part.groups, 0, part.skip)] if part.skip else []
            batches = file.iter_batches(part.rows, row_groups=list(part.groups))
            *_, (_, table) = _cut(batches, [*before, part])
        table.validate(full=True)
        return table
