"""An input to blocks of texts as columns: read_blocks. The rows are those of `read_rows`, read many at a time.

Knows no format itself: the blocks_ files do. Needs polars, pyarrow and numpy (the extra `data`).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.in_memory import memory_rows
from pretune.corpus.rows import read_rows
from pretune.corpus.shape import has_column, refuse_unknown_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pretune.corpus.block import Block
    from pretune.corpus.inputs import Input
    from pretune.corpus.pieces import Piece, Wanted
    from pretune.corpus.row import Row
    from pretune.corpus.shape import Shape

BLOCK_BYTES = 4 << 20
"""Bytes of text in a block, about."""

_LOOK = 1000
"""Rows that tell which columns there are, when one is missing."""


def read_blocks(
    source: Input,
    *,
    shape: Shape,
    roles: Mapping[str, str],
    named: Sequence[str] = (),
    block_bytes: int = BLOCK_BYTES,
    limit: int | None = None,
    numbers: Callable[[int], bool] | None = None,
) -> Iterator[Block]:
    """The rows of an input, in its order, with their texts as columns; what `read_rows` gives, faster.

    Args:
        source: what is read (`inputs.expand`).
        shape: what its rows are.
        roles: role -> column. A wanted value that is no string is null in the texts.
        named: names of columns that tell a table's header, as for `read_rows`.
        block_bytes: bytes of text in a block, about; a row is never cut, so that a longer one is a block by itself.
        limit: at most so many rows that can be read, and the broken ones among them.
        numbers: which blocks are wanted, by their number; the others are passed over as cheaply as places allow.

    Raises:
        UserError: what `read_rows` raises; a column of `roles` is in no row of the first block; an extra is missing.
    """
    for module in ("numpy", "polars", "pyarrow"):
        need(module, extra="data")
    from pretune.corpus.pieces import Wanted, head, joined

    if limit is not None and limit <= 0:
        return
    looked = False
    wanted = Wanted(shape, roles)
    with _told(source):
        for block, pieces in _blocks(
            source, wanted, named=named, block_bytes=min(block_bytes, 1 << 30), numbers=numbers
        ):
            if not looked and block.rows:
                if source.format in {"jsonl", "json", "memory"} and (numbers is None or not block.number):
                    _refuse_missing(block, (*wanted.columns, *wanted.lists))
                looked = True
            if limit is not None and block.rows >= limit:
                kept: list[Piece] = []
                for piece in pieces:
                    kept.append(head(piece, limit))
                    limit -= kept[-1].rows
                    if not limit:
                        break
                yield joined(kept, label=block.label, number=block.number, size=block.size, first=block.first)
                return
            limit = None if limit is None else limit - block.rows
            yield block
            del block, pieces  # before the next one is read


def read_input(source: Input, *, limit: int | None = None, named: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of an input one by one, be it a file or in memory; `read_rows` says more.

    Raises:
        UserError: what `read_rows` raises.
    """
    with _told(source):
        if isinstance(source.source, Path):
            yield from read_rows(source.source, limit=limit, label=source.label, named=named)
        else:
            yield from islice(memory_rows(source.source, source.label), limit)


def _blocks(
    source: Input, wanted: Wanted, *, named: Sequence[str], block_bytes: int, numbers: Callable[[int], bool] | None
) -> Iterator[tuple[Block, list[Piece]]]:
    path, label = source.source, source.label
    if not isinstance(path, Path):
        from pretune.corpus.in_memory import memory_blocks

        return memory_blocks(path, label, wanted, block_bytes=block_bytes, numbers=numbers)
    if source.format == "parquet":
        from pretune.corpus.blocks_parquet import parquet_blocks

        return parquet_blocks(path, label, wanted, block_bytes=block_bytes, numbers=numbers)
    if source.format == "arrow":
        from pretune.corpus.blocks_parquet import arrow_blocks

        return arrow_blocks(path, label, wanted, block_bytes=block_bytes, numbers=numbers)
    if source.format in {"tagged", "json"}:
        return _streamed(path, source.format, label, wanted, block_bytes=block_bytes, numbers=numbers)
    from pretune.corpus.blocks_lines import LineFile

    reader, fields = _reader(source, wanted, named)
    return LineFile(path, label, reader, replace(wanted, fields=fields)).blocks(block_bytes, numbers)


def _reader(source: Input, wanted: Wanted, named: Sequence[str]) -> tuple[Any, int]:
    """What reads the lines, and how many fields a row of a table should have."""
    if source.format == "jsonl":
        from pretune.corpus.blocks_jsonl import JsonlReader

        return JsonlReader(), 0
    if source.format == "table":
        from pretune.corpus.blocks_table import TableReader
        from pretune.corpus.table import dialect_of

        dialect = dialect_of(source.source, named=(*wanted.roles.values(), *named))
        refuse_unknown_columns(source.label, list(dialect.columns), wanted.roles.values())
        return TableReader(source.source, dialect), len(dialect.columns)
    from pretune.corpus.blocks_text import TextReader

    refuse_unknown_columns(source.label, ["text"], wanted.roles.values())
    return TextReader(), 0


def _streamed(path: Path, kind: str, label: str, wanted: Wanted, **asked: Any) -> Iterator[tuple[Block, list[Piece]]]:
    """Blocks of rows that only the careful reader makes."""
    from pretune.corpus.blocks_rows import row_blocks
    from pretune.corpus.packed import unpacked
    from pretune.corpus.tagged import rows_of
    from pretune.corpus.text import lines_of, text_head

    if kind == "json":  # a document is read as a whole before its first row
        size = path.stat().st_size
        yield from row_blocks(read_rows(path, label=label), label, wanted, position=lambda: size, **asked)
        return
    text_head(path)
    with unpacked(path) as file:
        rows = rows_of(lines_of(file.readline, path), label)
        yield from row_blocks(rows, label, wanted, position=lambda: file.position, **asked)


def _refuse_missing(block: Block, wanted: Sequence[str]) -> None:
    """Raise when a column is in none of the first rows.

    Raises:
        UserError: it names the columns there are.
    """
    missing = [column for column in wanted if not has_column(block.row(0).values, column)]
    columns: dict[str, None] = {}
    for row in islice(block, _LOOK if missing else 0):
        columns |= dict.fromkeys(row.values)
        missing = [column for column in missing if not has_column(row.values, column)]
        if not missing:
            return
    refuse_unknown_columns(block.label, list(map(str, columns)), missing)


@contextmanager
def _told(source: Input) -> Iterator[None]:
    """Messages name an input as the user did, not the path it is read from."""
    try:
        yield
    except UserError as error:
        message = error.message.replace(str(source.source), source.label) if isinstance(source.source, Path) else ""
        raise UserError(message or error.message, hint=error.hint, exit_code=error.exit_code) from None
