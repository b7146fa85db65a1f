"""The words of data files and how often they occur, all rows in one pass: count_words. Knows no tokenizer and no task.

What the rows are is told by the columns of their beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.extras import need
from pretune.corpus.inputs import expand
from pretune.corpus.shape import columns_for, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pretune.corpus.corpus_tally import CorpusTally
    from pretune.corpus.inputs import Input
    from pretune.corpus.scan import ToRead

HEAD = 100
"""Rows whose columns tell what a file holds."""


def count_words(
    named: Sequence[Any],
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> CorpusTally:
    """Count the words of all texts.

    Args:
        named: files, patterns, folders, `-`, or objects in memory.
        progress: told (bytes read since the last time, bytes of all files).
        stop: asked after each block whether to stop.

    Raises:
        UserError: a file cannot be read, or holds no text; polars is missing.
    """
    need("polars", extra="data")
    from pretune.corpus.memory import prepare

    prepare()  # before polars is imported
    from pretune.corpus.scan import scan

    files = [_to_read(one) for one in expand(named)]
    total = sum(file.input.size for file in files)
    found, _ = scan(files, (), progress=lambda read: progress(read, total), stop=stop)
    if not found.corpus.counts["words"]:
        labels = ", ".join(file.input.label for file in files[:3])
        raise UserError(
            f"{labels}: no text found", hint="columns that hold text are called text, question, context, ..."
        )
    return found.corpus


def _to_read(source: Input) -> ToRead:
    """A file with the columns of its texts."""
    from pretune.corpus.blocks import read_input
    from pretune.corpus.scan import ToRead

    columns: dict[str, Any] = {}
    for row in read_input(source, limit=HEAD):
        for name, value in row.values.items():
            if columns.get(name) is None:
                columns[name] = value
    shape = recognise(columns, columns)
    return ToRead(source, "train", shape, columns_for(shape, columns))


def texts_in(named: Sequence[Any], *, most: int = 200_000) -> list[str]:
    """The texts of data files, in their order, each once; at most so many.

    Raises:
        UserError: a file cannot be read.
    """
    need("polars", extra="data")
    from pretune.corpus.blocks import read_blocks

    found: dict[str, None] = {}
    for one in expand(named):
        file = _to_read(one)
        for block in read_blocks(file.input, shape=file.shape, roles=file.roles):
            for _, series in block.roles():
                found.update(dict.fromkeys(series.drop_nulls().to_list()))
            if len(found) >= most:
                return list(found)[:most]
    return list(found)
