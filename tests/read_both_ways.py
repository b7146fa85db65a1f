"""A data file read as blocks and row by row, and the two held against each other."""

from pathlib import Path

import polars as pl

from pretune.core.errors import UserError
from pretune.corpus.blocks import read_blocks
from pretune.corpus.example import example_of
from pretune.corpus.inputs import Input
from pretune.corpus.rows import format_of, read_rows
from pretune.corpus.shape import value_of
from pretune.corpus.table import dialect_of

CLASSES = {"text": "text", "label": "label"}


def write(path: Path, data: str | bytes) -> Path:
    """Write a file and give its path."""
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    return path


def said(text: object) -> str | None:
    """A value as a series has it."""
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text) if isinstance(text, str) else None


def blocks_of(path: Path, shape="text", roles=None, **asked):
    """The blocks of a file."""
    source = Input(path.name, path, format_of(path), path.stat().st_size)
    return list(read_blocks(source, shape=shape, roles={"text": "text"} if roles is None else roles, **asked))


def outcome(read, path: Path):
    """What `read` gives, or the message with which it refuses the file."""
    try:
        return read()
    except UserError as error:
        return error.message.replace(str(path), path.name)


def same(path: Path, shape="text", roles=None, **asked):
    """Read the file both ways, hold them against each other, and give the blocks."""
    roles = {"text": "text"} if roles is None else roles
    careful = outcome(lambda: list(read_rows(path, label=path.name, named=tuple(roles.values()))), path)
    blocks = outcome(lambda: blocks_of(path, shape, roles, **asked), path)
    if isinstance(careful, str) or isinstance(blocks, str):
        assert blocks == careful
        return []
    rows = careful
    good = [row for row in rows if not row.broken]
    assert [repr(row) for block in blocks for row in block] == [repr(row) for row in good]  # NaN is not NaN
    assert [row for block in blocks for row in block.broken] == [row for row in rows if row.broken]
    assert [block.number for block in blocks] == list(range(len(blocks)))
    if format_of(path) in {"table", "jsonl", "text", "parquet", "arrow"}:
        fields = len(dialect_of(path, named=tuple(roles.values())).columns) if format_of(path) == "table" else 0
        for block in blocks:
            expected = [at for at, row in enumerate(block) if row.lines > 1 or row.fields != fields]
            assert list(block.odd) == expected
    assert [block.first for block in blocks] == [
        sum(block.rows + len(block.broken) for block in blocks[:at]) for at in range(len(blocks))
    ]
    if shape in {"chat", "tagging"}:
        expected = {shape: [texts_in(row, roles, shape) for row in good]}
        names = {"chat": "messages", "tagging": "tokens"}
        assert [text for block in blocks for text in block.texts[names[shape]].to_list()] == expected[shape]
    else:
        for role in {"text", "text_pair", "question", "context"} & set(roles):
            texts = [text for block in blocks for text in block.texts[role].to_list()]
            assert texts == [said(value_of(row.values, roles[role])) for row in good]
    for block in blocks:
        assert all(len(series) == block.rows and series.dtype == pl.String for series in block.texts.values())
        if block.labels is not None and "label" in roles:
            labels = [value_of(block.row(at).values, roles["label"]) for at in range(block.rows)]
            assert block.labels.to_list() == [None if value != value else value for value in labels]
    return blocks


def dealt(path: Path, shape="text", roles=None, *, of=2, **asked):
    """Deal the blocks of a file out, and hold the parts against the whole; the blocks."""
    whole = blocks_of(path, shape, roles, **asked)
    parts = [blocks_of(path, shape, roles, numbers=lambda n, at=at: n % of == at, **asked) for at in range(of)]
    assert sorted(block.number for part in parts for block in part) == list(range(len(whole)))
    for part in parts:
        for block in part:
            one = whole[block.number]
            assert (block.first, block.rows, block.broken) == (one.first, one.rows, one.broken)
            assert repr(list(block)) == repr(list(one))
            assert all(block.texts[role].equals(one.texts[role]) for role in one.texts)
    return whole


def texts_in(row, roles, shape):
    """The text of a row whose texts are lists, as an Example has it."""
    example = example_of(row, roles, shape)
    if shape == "tagging":
        return " ".join(token for token in example.tokens if isinstance(token, str)) if example.tokens else None
    return "\n".join(message["content"] for message in example.messages) if example.messages else None
