"""What the user names as data: files, patterns, folders, standard input, objects; and what is said when it is no data."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.corpus import standard_input
from pretune.corpus.inputs import Input, expand
from pretune.corpus.splits import split_in

pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow (the extra data)")
polars = pytest.importorskip("polars", reason="needs polars (the extra data)")

from pretune.corpus.blocks import read_blocks, read_input  # noqa: E402

ROWS = [{"text": f"{n}번째 문장", "label": n % 3} for n in range(50)]


def fill(folder: Path, *names: str) -> Path:
    """A folder of small files of these names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pyarrow.Table.from_pylist(ROWS)
        if path.suffix == ".parquet":
            from pyarrow import parquet

            parquet.write_table(table, path)
        elif path.suffix == ".arrow":
            with pyarrow.ipc.new_stream(path, table.schema) as stream:
                stream.write_table(table)
        else:
            path.write_text('{"text": "가"}\n' * 2 if "json" in name else "text,label\n가,1\n", encoding="utf-8")
    return folder


def labels(found: tuple[Input, ...], folder: Path) -> list[str]:
    """The labels, without the folder."""
    return [one.label.removeprefix(f"{folder}/") for one in found]


def rows_of(source: Input, **asked):
    """All rows of an input through its blocks, held against its rows one by one."""
    blocks = list(read_blocks(source, shape="classification", roles={"text": "text", "label": "label"}, **asked))
    rows = [row for block in blocks for row in block]
    assert rows == list(read_input(source))
    assert [text for block in blocks for text in block.texts["text"].to_list()] == [row.values["text"] for row in rows]
    assert [label for block in blocks for label in block.labels.to_list()] == [row.values["label"] for row in rows]
    assert [block.first for block in blocks] == [sum(b.rows for b in blocks[:at]) for at in range(len(blocks))]
    return rows


def test_a_file_is_itself(tmp_path):
    """A file is read under the name the user gave it, and its size is known."""
    fill(tmp_path, "a.jsonl")
    (found,) = expand([str(tmp_path / "a.jsonl")])
    assert found == Input(str(tmp_path / "a.jsonl"), tmp_path / "a.jsonl", "jsonl", 32)
    assert expand([tmp_path / "a.jsonl"]) == (found,)
    assert expand([found]) == (found,)
    assert expand([]) == ()


def test_patterns(tmp_path, monkeypatch):
    """A pattern gives its files in order, any depth with `**`, relative as it was written, `~` as it was written."""
    fill(tmp_path, "data/b.jsonl", "data/a.jsonl", "data/deep/c.jsonl", "data/x.csv")
    assert labels(expand([f"{tmp_path}/data/*.jsonl"]), tmp_path) == ["data/a.jsonl", "data/b.jsonl"]
    assert labels(expand([f"{tmp_path}/**/*.jsonl"]), tmp_path) == ["data/a.jsonl", "data/b.jsonl", "data/deep/c.jsonl"]
    monkeypatch.chdir(tmp_path)
    assert [one.label for one in expand(["data/[ab].jsonl"])] == ["data/a.jsonl", "data/b.jsonl"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [one.label for one in expand(["~/data/*.csv"])] == ["~/data/x.csv"]
    assert [one.label for one in expand(["~/data/x.csv"])] == ["~/data/x.csv"]
    assert rows_of(expand(["~/data/x.csv"])[0])[0].where == "~/data/x.csv:2"


def test_a_file_whose_name_looks_like_a_pattern_wins(tmp_path):
    """A real file is never taken for a pattern."""
    fill(tmp_path, "a[1].jsonl", "a1.jsonl")
    assert labels(expand([str(tmp_path / "a[1].jsonl")]), tmp_path) == ["a[1].jsonl"]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("none/*.jsonl", "no file matches", "quote the pattern"),
        ("tarin.jsonl", "does not exist", 'did you mean "'),
        ("https://example.org/a.jsonl", "is an address, expected a file", "download it first"),
        ("empty", "is a folder without data files, it is empty", "parquet and arrow are read"),
        ("notes", "is a folder without data files; it holds README.md", ""),
        ("mixed", "holds data of several kinds: csv, jsonl", "name the files"),
        ("configs", "holds several datasets: mrc, ner", "configs/ner"),
        ("a.xyz", "has an extension that no data file has", ""),
        ("a\0b", "does not exist", ""),
        ("x" * 5000, "does not exist", ""),
    ],
)
def test_what_is_no_data(tmp_path, name, message, hint):
    """What cannot be read is one line that says what to do."""
    fill(tmp_path, "train.jsonl", "mixed/a.jsonl", "mixed/b.csv", "a.xyz", "notes/README.md", "notes/.hidden.jsonl")
    fill(tmp_path, "configs/mrc/train.jsonl", "configs/ner/train.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as raised:
        expand([name if "://" in name else f"{tmp_path}/{name}"])
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    ("names", "train", "evaluation"),
    [
        (["data/train-00001-of-00002.parquet", "data/train-00000-of-00002.parquet", "data/validation.parquet"], 2, 1),
        (["train.jsonl", "dev.jsonl", "test.jsonl"], 1, 1),
        (["train/a.jsonl", "train/b.jsonl", "test/a.jsonl"], 2, 1),
        (["a.jsonl", "b.jsonl"], 2, 2),
        (["part-0.jsonl", "README.md", "LICENSE.txt", "dataset_info.json", ".cache/x.jsonl"], 1, 1),
        (["test.jsonl"], 1, 1),
    ],
)
def test_folders_of_shards(tmp_path, names, train, evaluation):
    """The names of a dataset's files tell the splits; where none does, all are read."""
    fill(tmp_path, *names)
    found = expand([tmp_path])
    assert len(found) == train
    assert labels(found, tmp_path) == sorted(labels(found, tmp_path))
    assert len(expand([tmp_path], purpose="eval")) == evaluation
    if "dev.jsonl" in names:
        assert labels(expand([tmp_path], purpose="eval"), tmp_path) == ["dev.jsonl"]


def test_a_folder_without_the_split_that_is_wanted(tmp_path):
    """Two splits, none of them for training, are named."""
    fill(tmp_path, "test.jsonl", "validation.jsonl")
    with pytest.raises(UserError) as raised:
        expand([tmp_path])
    assert "none of which is a split to train on" in raised.value.message
    assert raised.value.hint == f"name the files: {tmp_path}/test.jsonl"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("KorQuAD_v1.0_dev.json", "validation"),
        ("klue-nli-v1.1_train.json", "train"),
        ("ratings_test.txt", "test"),
        ("train/test.csv", "test"),
        ("constrained.jsonl", None),
        ("latest.jsonl", None),
        ("a.jsonl", None),
    ],
)
def test_split_of_a_name(name, split):
    """A split is a word of the name, not a part of one."""
    assert split_in(name) == split


@pytest.fixture
def piped(monkeypatch):
    """Puts bytes on standard input; what was kept of them is removed after the test."""

    def put(data: bytes) -> None:
        standard_input.discard()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    yield put
    standard_input.discard()


@pytest.mark.parametrize(
    ("data", "kind", "rows"),
    [
        (b'{"text": "a", "label": 1}\n{"text": "b", "label": 2}\n', "jsonl", 2),
        (b'\xef\xbb\xbf{"text": "a", "label": 1}', "jsonl", 1),
        (gzip.compress(b'{"text": "a", "label": 1}\n' * 3, mtime=0), "jsonl", 3),
        (b'[{"text": "a", "label": 1}]', "json", 1),
        (b'{\n"data": [{"text": "a", "label": 1}]}', "json", 1),
        (b"document\tlabel\nx\t1\n", "table", 1),
        (b"one\n\ntwo\n", "text", 2),
    ],
)
def test_standard_input(piped, data, kind, rows):
    """What comes through a pipe is told by its first bytes, can be read twice, and is gone when it is discarded."""
    piped(data)
    (found,) = expand(["-"])
    assert (found.label, found.format) == ("standard input", kind)
    for _ in range(2):
        assert sum(block.rows for block in read_blocks(found, shape="text", roles={})) == rows
    assert [row.where.partition(":")[0] for row in read_input(found)] == ["standard input"] * rows
    assert expand(["-"]) == (found,)
    standard_input.discard()
    assert not found.source.parent.exists()


def test_nothing_on_standard_input(piped):
    """An empty pipe is an error of the user, named as such."""
    piped(b"")
    with pytest.raises(UserError, match="standard input is empty"):
        expand(["-"])
    piped(b'{"text": 1}\n')
    with pytest.raises(UserError, match=r'standard input has no column "txt"; its columns are text'):
        list(read_blocks(expand(["-"])[0], shape="text", roles={"text": "txt"}))


def test_standard_input_is_removed_when_the_process_ends(tmp_path):
    """Nothing is left in the temporary folder, even after an exception."""
    code = (
        "import sys; from pretune.corpus.inputs import expand\n"
        "print(expand(['-'])[0].source); sys.stdout.flush(); raise SystemExit(3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=b"a\nb\n",
        capture_output=True,
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert Path(done.stdout.decode().strip()).parent.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def datasets():
    """The package, or the test is skipped."""
    found = pytest.importorskip("datasets", reason="needs datasets (the extra train)")
    found.disable_progress_bars()
    return found


def test_what_datasets_saved(tmp_path):
    """A saved Dataset is its arrow files in order; of a saved DatasetDict the split is chosen."""
    package = datasets()
    whole = package.Dataset.from_list(ROWS)
    package.DatasetDict({"validation": whole.select(range(7)), "train": whole.shuffle(seed=3)}).save_to_disk(
        tmp_path / "dict", num_shards={"train": 3, "validation": 1}
    )
    found = expand([str(tmp_path / "dict")])
    assert labels(found, tmp_path) == [f"dict/train/data-0000{n}-of-00003.arrow" for n in range(3)]
    texts = [row.values["text"] for one in found for row in rows_of(one)]
    assert texts == whole.shuffle(seed=3)["text"][:]
    assert labels(expand([tmp_path / "dict"], purpose="eval"), tmp_path) == [
        "dict/validation/data-00000-of-00001.arrow"
    ]
    assert len(expand([tmp_path / "dict" / "validation"])) == 1
    (tmp_path / "dict/train/data-00001-of-00003.arrow").unlink()
    with pytest.raises(UserError, match=r"lacks data-00001-of-00003\.arrow"):
        expand([tmp_path / "dict"])
    (tmp_path / "dict/train/state.json").write_text("[]")
    with pytest.raises(UserError, match=r"state\.json is not what datasets writes"):
        expand([tmp_path / "dict"])
    (tmp_path / "dict/dataset_dict.json").write_text('{"splits": ["a", "b"]}')
    with pytest.raises(UserError, match="has the splits a, b, none of which"):
        expand([tmp_path / "dict"])


@pytest.mark.parametrize("block_bytes", [1, 200, 1 << 20])
def test_a_dataset_object(block_bytes):
    """A Dataset is read in its own order after shuffle, select, filter and concatenation, without being written."""
    package = datasets()
    whole = package.Dataset.from_list(ROWS)
    made = [
        whole,
        whole.shuffle(seed=1),
        whole.select([3, 3, 1]),
        whole.select(range(10, 20)),
        whole.filter(lambda row: row["label"] == 1),
        package.concatenate_datasets([whole.shuffle(seed=1), whole]).shuffle(seed=2),
        whole.select([]),
    ]
    for number, (one, source) in enumerate(zip(made, expand(made), strict=True)):
        assert source.label == ("dataset" if not number else f"dataset {number + 1}")
        rows = rows_of(source, block_bytes=block_bytes)
        assert [row.values for row in rows] == one.to_list()
        assert [row.where for row in rows] == [f"{source.label}:row {n}" for n in range(1, len(rows) + 1)]
    parts = [
        block.number
        for at in range(2)
        for block in read_blocks(
            expand([made[1]])[0],
            shape="text",
            roles={"text": "text"},
            block_bytes=200,
            numbers=lambda n, at=at: n % 2 == at,
        )
    ]
    assert sorted(parts) == list(range(len(parts)))


def test_a_dataset_is_not_copied():
    """The texts of a block are the very bytes of the Dataset's table."""
    table = datasets().Dataset.from_list([{"text": "가" * 100, "label": 0}] * 1000).data.table
    (block,) = read_blocks(expand([table])[0], shape="text", roles={"text": "text"})
    data = table.column("text").chunk(0).buffers()[2]
    shared = block.texts["text"].to_arrow(compat_level=polars.CompatLevel.newest()).buffers()[2]
    assert data.address <= shared.address < data.address + data.size


def test_dictionaries_and_streams_of_datasets():
    """Of a DatasetDict the split is chosen and named; an IterableDataset is read as it comes, twice if need be."""
    package = datasets()
    whole = package.Dataset.from_list(ROWS)
    (found,) = expand([package.DatasetDict({"test": whole.select([1]), "train": whole})])
    assert found.label == 'dataset["train"]'
    assert rows_of(found)[16].where == 'dataset["train"]:row 17'
    assert expand([package.DatasetDict({"test": whole, "train": whole})], purpose="eval")[0].label == 'dataset["test"]'
    with pytest.raises(UserError, match="has no splits"):
        expand([package.DatasetDict()])
    assert len(rows_of(expand([whole.to_iterable_dataset()])[0], block_bytes=100)) == 50
    assert len(rows_of(expand([package.IterableDatasetDict({"train": whole.to_iterable_dataset()})])[0])) == 50


def test_tables_frames_and_lists():
    """Arrow tables, frames of polars and lists of mappings give the same rows."""
    table = pyarrow.Table.from_pylist(ROWS)
    sources = [table, polars.DataFrame(ROWS), ROWS, tuple(ROWS), table.to_batches()[0]]
    found = expand(sources)
    assert [one.label for one in found] == ["table", "table 2", "rows", "rows 2", "table 3"]
    for source in found:
        rows = rows_of(source, block_bytes=300)
        assert [row.values for row in rows] == ROWS
        assert rows[16].where == f"{source.label}:row 17"
    with pytest.raises(UserError, match=r'table has no column "txt"; its columns are text, label'):
        list(read_blocks(found[0], shape="text", roles={"text": "txt"}))


@pytest.mark.parametrize("source", [3, None, ["text", "text"], {"text": ["a"]}, object()])
def test_what_is_no_data_object(source):
    """An object that holds no rows is told with its type."""
    with pytest.raises(UserError, match="expected a path, a Dataset, a table or a list of mappings"):
        expand([source])


def test_an_odd_row_of_a_list_is_broken():
    """What is no mapping among many is a broken row with its place."""
    rows = [*ROWS * 3, "text"]
    (block,) = read_blocks(expand([rows])[0], shape="text", roles={"text": "text"})
    assert block.rows == 150
    assert [(row.where, row.broken) for row in block.broken] == [("rows:row 151", "a str, expected a mapping")]


def test_nothing_of_datasets_is_imported():
    """Telling what is read loads neither datasets nor polars."""
    code = "import sys; from pretune.corpus.inputs import expand; expand([[{'a': 1}]]); print([m for m in ('polars', 'pyarrow', 'datasets', 'numpy') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout == "[]\n"


def test_saved_json_is_bounded(tmp_path):
    """A dataset_dict.json that names no splits is told."""
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": None}))
    with pytest.raises(UserError, match="has no splits"):
        expand([tmp_path])
