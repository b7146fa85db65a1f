"""Rows that come one by one to blocks: tagged sentences, a json document, a list of mappings, an IterableDataset.

A block ends when its texts have `block_bytes` bytes, or it has ROWS rows. Knows no formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.corpus.pieces import joined, piece_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pretune.corpus.block import Block
    from pretune.corpus.pieces import Piece, Wanted
    from pretune.corpus.row import Row

ROWS = 65_536
"""Rows of a block at most."""


def row_blocks(
    rows: Iterable[Row],
    label: str,
    wanted: Wanted,
    *,
    block_bytes: int,
    numbers: Callable[[int], bool] | None = None,
    position: Callable[[], int] = lambda: 0,
) -> Iterator[tuple[Block, list[Piece]]]:
    """The blocks of a stream of rows, each with the pieces it was made of.

    Args:
        rows: in the order of their file.
        label: the file.
        wanted: of the rows.
        block_bytes: bytes of the texts of a block, about.
        numbers: which blocks are made.
        position: stored bytes that were read so far.
    """
    first = read = 0
    for number, part in enumerate(_parts(rows, block_bytes)):
        size, read = position() - read, position()
        if numbers is None or numbers(number):
            pieces = [piece_of(part, wanted)]
            yield joined(pieces, label=label, number=number, size=size, first=first), pieces
        first += len(part)


def _parts(rows: Iterable[Row], block_bytes: int) -> Iterator[list[Row]]:
    part: list[Row] = []
    held = 0
    for row in rows:
        part.append(row)
        held += sum(_bytes(value) for value in row.values.values())
        if held >= block_bytes or len(part) == ROWS:
            yield part
            part, held = [], 0
    if part:
        yield part


def _bytes(value: object) -> int:
    """Bytes of text in a value, about: a character of Hangul has three."""
    if isinstance(value, str):
        return len(value) if value.isascii() else 3 * len(value)
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    return sum(map(_bytes, value)) if isinstance(value, (list, tuple)) else 8
