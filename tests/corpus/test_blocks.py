"""Blocks of every format hold exactly the rows, texts and places that read_rows gives, dealt out or not."""

import gzip
import json
import random
from pathlib import Path

import pytest

from pretune.core.errors import UserError

pytest.importorskip("polars", reason="needs polars (the extra data)")
pytest.importorskip("pyarrow", reason="needs pyarrow (the extra data)")

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from read_both_ways import blocks_of, dealt, same, write


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.csv", "q.csv", "ner.tsv", "a.parquet", "a.arrow", "b.arrow"])
def test_numbers_deal_out_the_whole(tmp_path, name):
    """The blocks of two machines together are the blocks of one, with the same places."""
    path = formats(tmp_path)[name]
    shape, roles = ("tagging", {"tokens": "tokens"}) if name == "ner.tsv" else ("text", {"text": "text"})
    whole = dealt(path, shape, roles, of=3, block_bytes=100)
    assert len(whole) > 5
    assert sum(block.size for block in whole) <= path.stat().st_size


def formats(folder: Path) -> dict[str, Path]:
    """The same hundred rows in several formats."""
    rows = [{"text": f"{n}번째 문장" + " x" * (n % 7), "n": n} for n in range(100)]
    table = pa.Table.from_pylist(rows)
    lines = [json.dumps(row) + "\n" for row in rows]
    lines[40:42] = ["broken\n", "\n"]
    made = {
        "a.jsonl": "".join(lines),
        "a.txt": "".join(row["text"] + "\n" * (1 + row["n"] % 3) for row in rows),
        "a.csv": "text,n\n" + "".join(f"{row['text']},{row['n']}\n" for row in rows),
        "q.csv": "text,n\n"
        + "".join(f'"{row["text"]}\n",{row["n"]}\n"' + '5"\n' * (row["n"] == 50) + '",3\n' for row in rows),
        "ner.tsv": "".join(f"가\tB-X\n{row['n']}\tO\n\n" for row in rows),
    }
    paths = {name: write(folder / name, text) for name, text in made.items()}
    parquet.write_table(table, folder / "a.parquet", row_group_size=13)
    with pa.ipc.new_stream(folder / "a.arrow", table.schema) as stream:
        stream.write_table(table, max_chunksize=7)
    with pa.ipc.new_file(folder / "b.arrow", table.schema) as file:
        file.write_table(table, max_chunksize=60)
    return paths | {name: folder / name for name in ("a.parquet", "a.arrow", "b.arrow")}


@pytest.mark.parametrize("block_bytes", [1, 100, 1 << 20])
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "b.arrow"])
def test_columns_and_their_kinds(tmp_path, name, block_bytes):
    """Every kind of Arrow column is the text, the label, or nothing, as the careful reader has it."""
    count = 40
    columns = {
        "text": pa.array([None if n % 5 == 0 else f"영화 {n}" for n in range(count)]),
        "large": pa.array([f"큰 {n}" for n in range(count)], pa.large_string()),
        "same": pa.array(["가", "나"] * (count // 2)).dictionary_encode(),
        "number": pa.array(range(count), pa.int32()),
        "half": pa.array([n / 2 if n % 3 else float("nan") for n in range(count)], pa.float32()),
        "truth": pa.array([n % 2 == 0 for n in range(count)]),
        "nothing": pa.nulls(count),
        "bytes": pa.array([b"x"] * count),
        "labels": pa.array([{"label": n / 4, "real": n} for n in range(count)]),
        "many": pa.array([[n] for n in range(count)]),
    }
    table = pa.table(columns)
    path = tmp_path / name
    if name == "a.parquet":
        parquet.write_table(table, path, row_group_size=17)
    else:
        with (pa.ipc.new_stream if name == "a.arrow" else pa.ipc.new_file)(path, table.schema) as out:
            out.write_table(table, max_chunksize=11)
    for text, label in (("text", "number"), ("large", "half"), ("same", "same"), ("nothing", "nothing")):
        same(path, "classification", {"text": text, "label": label}, block_bytes=block_bytes)
    for text, label in (("bytes", "truth"), ("number", "labels.label"), ("many", "many"), ("labels.real", "text")):
        same(path, "classification", {"text": text, "label": label}, block_bytes=block_bytes)
    kinds = {label: blocks_of(path, "classification", {"text": "text", "label": label})[0].labels for label in columns}
    assert kinds["many"] is None
    assert kinds["labels"] is None
    assert kinds["number"].dtype == pl.Int64
    assert kinds["half"].dtype == pl.Float64
    with pytest.raises(UserError) as raised:
        blocks_of(path, "text", {"text": "txt"})
    assert 'has no column "txt"' in raised.value.message
    data = path.read_bytes()
    for cut in (9, len(data) // 2):
        with pytest.raises(UserError, match="cannot be read as"):
            blocks_of(write(tmp_path / f"cut-{name}", data[:cut]))


def test_a_row_group_is_cut(tmp_path):
    """A large row group is several blocks, and a row is read with all its columns from its place in it."""
    table = pa.table({"text": [f"{n} " * 50 for n in range(500)], "n": list(range(500))})
    parquet.write_table(table, tmp_path / "a.parquet", use_dictionary=False)
    blocks = same(tmp_path / "a.parquet", block_bytes=10_000)
    assert len(blocks) > 5
    assert blocks[3].row(2).values["n"] == blocks[3].first + 2
    assert sum(block.size for block in blocks) == (tmp_path / "a.parquet").stat().st_size


CONVERSATIONS = [
    {"messages": [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "네"}]},
    {"messages": [{"from": "human", "value": "뭐?"}]},
    {"messages": []},
    {"messages": None},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "그림"}]}, {"role": "user", "content": None}]},
]
TAGGED = [
    {"tokens": ["서울", "은"], "ner_tags": [1, 0]},
    {"tokens": [], "ner_tags": []},
    {"tokens": None, "ner_tags": None},
    {"tokens": ["가", None], "ner_tags": [0, 0]},
]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet"])
def test_lists_become_texts(tmp_path, name):
    """Messages are joined by line ends, words by spaces, as an Example has them."""
    for shape, values, roles in (
        ("chat", CONVERSATIONS, {"messages": "messages"}),
        ("chat", [{"prompt": "가", "completion": "나"}, {"prompt": "다", "completion": None}], {}),
        ("tagging", TAGGED, {"tokens": "tokens", "tags": "ner_tags"}),
    ):
        path = tmp_path / f"{shape}-{name}"
        if name == "a.parquet":
            plain = [row for row in values if row is not CONVERSATIONS[-1]]  # a column holds messages of one kind
            parquet.write_table(pa.Table.from_pylist(plain), path)
        else:
            write(path, json.dumps(values) if name == "a.json" else "".join(json.dumps(row) + "\n" for row in values))
        same(path, shape, roles)
        same(path, shape, roles, block_bytes=1)


def test_squad_shares_its_contexts(tmp_path):
    """Questions of a SQuAD file are rows; the context they share is one string in memory."""
    paragraph = {"context": "서울은 수도다.", "qas": [{"id": str(n), "question": f"{n}?"} for n in range(9)]}
    path = write(tmp_path / "dev.json", json.dumps({"data": [{"title": "가", "paragraphs": [paragraph] * 3}]}))
    roles = {"question": "question", "context": "context", "id": "id"}
    blocks = same(path, "squad", roles, block_bytes=100)
    assert len(blocks) > 1
    assert blocks[0].row(0).values["context"] is blocks[0].row(1).values["context"]
    assert list(dict(blocks[0].roles())) == ["question", "context"]


def test_tagged_sentences(tmp_path):
    """CoNLL files are sentences, blank lines and broken ones between them, in blocks of any size."""
    text = "EU NNP B-ORG\nrejects VBZ O\n\nGerman\n\nPeter NNP B-PER\nB. N I-PER\n\n" * 5
    path = write(tmp_path / "a.conll", text)
    for block_bytes in (1, 40, 1 << 20):
        same(path, "tagging", {"tokens": "tokens", "tags": "tags"}, block_bytes=block_bytes)


@pytest.mark.parametrize("extension", ["gz", "zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.csv", "ner.tsv", "a.json"])
def test_packed_files(tmp_path, name, extension):
    """Packed text is unpacked on the way; a cut-off or damaged one is a UserError."""
    zstandard = pytest.importorskip("zstandard", reason="needs zstandard to write what is read")
    paths = formats(tmp_path) | {"a.json": write(tmp_path / "a.json", json.dumps([{"text": "가"}] * 500))}
    pack = gzip.compress if extension == "gz" else zstandard.ZstdCompressor(write_checksum=True).compress
    data = paths[name].read_bytes()
    path = write(tmp_path / f"{name}.{extension}", pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :]))
    shape, roles = ("tagging", {"tokens": "tokens"}) if name == "ner.tsv" else ("text", {"text": "text"})
    for block_bytes in (64, 1 << 20):
        blocks = same(path, shape, roles, block_bytes=block_bytes)
        assert 0 < sum(block.size for block in blocks) <= path.stat().st_size
    noise = random.Random(1).randbytes(3000).hex()
    packed = pack(f'{{"text": "{noise}"}}\n'.encode() * 2 if name == "a.jsonl" else noise.encode())
    suffix = f"{'jsonl' if name == 'a.jsonl' else 'txt'}.{extension}"
    with pytest.raises(UserError, match="cut off"):
        blocks_of(write(tmp_path / f"cut.{suffix}", packed[:-9]))
    with pytest.raises(UserError, match=r"cannot be read|cut off|binary|not UTF-8"):
        blocks_of(write(tmp_path / f"bad.{suffix}", packed[:900] + b"\xff" * 50 + packed[950:]))


def test_limit(tmp_path):
    """A limit bounds the rows that can be read; broken rows behind the last of them are not given."""
    path = formats(tmp_path)["a.jsonl"]
    for block_bytes in (100, 1 << 20):
        for limit, broken in ((0, 0), (1, 0), (40, 0), (41, 1), (1000, 1)):
            blocks = blocks_of(path, limit=limit, block_bytes=block_bytes)
            assert sum(block.rows for block in blocks) == min(limit, 98)
            assert sum(len(block.broken) for block in blocks) == broken
            assert all(len(series) == block.rows for block in blocks for series in block.texts.values())


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.json", "a.parquet"])
def test_a_missing_column_is_told(tmp_path, name):
    """A wanted column that is not there is an error that lists those that are."""
    paths = formats(tmp_path) | {"a.json": write(tmp_path / "a.json", json.dumps([{"text": "가", "n": 1}]))}
    with pytest.raises(UserError) as raised:
        blocks_of(paths[name], "classification", {"text": "txet", "label": "n"})
    assert f'{name} has no column "txet"; its columns are text' in raised.value.message
    assert str(tmp_path) not in raised.value.message


def test_a_column_that_only_the_first_row_lacks(tmp_path):
    """A key that some objects leave out is no missing column."""
    path = write(tmp_path / "a.jsonl", '{"id": 1}\n{"id": 2, "text": "가"}\n')
    assert same(path)[0].texts["text"].to_list() == [None, "가"]


def test_another_encoding_is_told_as_by_the_careful_reader(tmp_path):
    """CP949 behind a megabyte of ASCII is refused, on whichever machine reads it."""
    path = write(tmp_path / "a.txt", b"plain\n" * 200_000 + "한글이다\n".encode("cp949"))
    for numbers in (None, lambda number: number == 18):
        with pytest.raises(UserError, match="probably CP949"):
            blocks_of(path, block_bytes=1 << 16, numbers=numbers)


def test_an_enormous_line_is_refused(tmp_path, monkeypatch):
    """A line over the bound is told with its number, as the careful reader does."""
    monkeypatch.setattr("pretune.corpus.text.LINE_LIMIT", 1 << 20)
    with pytest.raises(UserError, match=r"line 2 of a\.txt is longer than 1 MB"):
        blocks_of(write(tmp_path / "a.txt", "x\n" + "y" * (1 << 21)))
