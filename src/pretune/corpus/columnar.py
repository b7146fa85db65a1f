"""Rows of parquet and arrow files, a batch at a time. Needs pyarrow, the extra `data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.row import Row
from pretune.corpus.shape import refuse_unknown_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BATCH = 1000


def read_parquet(path: Path, label: str, *, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a parquet file, read batch by batch.

    Raises:
        UserError: pyarrow is missing; not a parquet file; a damaged one.
    """
    parquet = need("pyarrow.parquet", extra="data")
    pyarrow = need("pyarrow", extra="data")
    try:
        with parquet.ParquetFile(path) as file:
            refuse_unknown_columns(str(path), file.schema_arrow.names, columns or ())
            batches = file.iter_batches(batch_size=_BATCH, columns=list(columns) if columns else None)
            yield from _rows(batches, label)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, "parquet", error) from None


def read_arrow(path: Path, label: str, *, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of an arrow file, be it the stream format (the cache of `datasets`) or the file format.

    Raises:
        UserError: pyarrow is missing; not an arrow file; a damaged one.
    """
    ipc = need("pyarrow.ipc", extra="data")
    pyarrow = need("pyarrow", extra="data")
    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                batches: Any = ipc.open_stream(source)
            except pyarrow.ArrowInvalid:
                file = ipc.open_file(source)
                batches = (file.get_batch(at) for at in range(file.num_record_batches))
            chosen = (_select(batch, columns, path) for batch in batches)
            yield from _rows(chosen, label)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise unreadable(path, "arrow", error) from None


def _select(batch: Any, columns: Sequence[str] | None, path: Path) -> Any:
    refuse_unknown_columns(str(path), batch.schema.names, columns or ())
    return batch.select(list(columns)) if columns else batch


def _rows(batches: Any, label: str) -> Iterator[Row]:
    """The rows of record batches. Each is validated first: a damaged offset would otherwise be read past its buffer."""
    number = 0
    for batch in batches:
        batch.validate(full=True)
        for start in range(0, batch.num_rows, _BATCH):
            for values in batch.slice(start, _BATCH).to_pylist():
                number += 1
                yield Row(values, f"{label}:row {number}")


def unreadable(path: Path, kind: str, error: Exception) -> UserError:
    """What pyarrow said of a damaged file, in one line."""
    reason = str(error).partition("\n")[0].rstrip(".")[:120]
    return UserError(
        f"{path} cannot be read as {kind}: {reason[:1].lower()}{reason[1:]}", hint="write it again, or save it as jsonl"
    )
