"""`pretune check` over data: every way to name it, what is wrong with it, and which tokenizer the rules are asked about."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pretune import check, cli
from pretune.check.options import spread
from pretune.check.sources.flags import beside_of, setup_from_arguments
from pretune.check.sources.setup import Setup
from pretune.core.errors import UserError
from pretune.core.output import encodable
from pretune.corpus.standard_input import discard

pytest.importorskip("polars")

SOURCE = Path(__file__).resolve().parents[2] / "src"
ROWS = [{"text": f"한국어 모델 {number} the model", "label": number % 2} for number in range(30)]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch, make_model):
    """Two models and three files, of which the first has broken lines."""
    monkeypatch.chdir(tmp_path)
    make_model("bert", name="m")
    make_model("roberta", name="r")
    for name in "abc":
        lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
        if name == "a":
            lines[3:3] = ["{broken", "[1]"]
        Path(f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    yield
    discard()


@pytest.fixture
def run(capsys, monkeypatch):
    """Call `pretune check ...`, with standard input: exit code, stdout, stderr."""

    def called(*arguments, stdin=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            cli.main(["check", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


@pytest.fixture
def profile(run):
    """The profile that `pretune check ... --format json` tells."""

    def told(*arguments, stdin=b""):
        code, out, err = run(*arguments, "--format", "json", "--fail-on", "never", stdin=stdin)
        assert (code, err) == (0, "")
        return json.loads(out)["profile"]

    return told


def read(profile):
    """Split, name and rows of each file."""
    return [(file["split"], file["path"], file["rows"]) for file in profile["files"]]


@pytest.mark.parametrize(
    "named",
    [
        ["--data", "a.jsonl", "b.jsonl", "c.jsonl"],
        ["--data=a.jsonl", "b.jsonl", "c.jsonl"],
        ["--train", "a.jsonl", "b.jsonl", "--data", "c.jsonl"],
        ["--data", "?.jsonl"],
        ["--data", "[ab].jsonl", "c.json*"],
    ],
)
def test_several_files(profile, named):
    """As a shell writes a pattern out, as a quoted pattern, and as flags that are repeated."""
    assert read(profile("m", *named)) == [("train", f"{name}.jsonl", 30) for name in "abc"]
    assert read(profile(*named, "--eval", "a.jsonl", "m"))[-1] == ("eval", "a.jsonl", 30)


def test_what_stands_behind_a_flag_for_files():
    """Files and what is called like one belong to the flag; models, setup files and folders do not."""
    Path("setup.toml").touch()
    assert spread(["--data", "a.jsonl", "b.jsonl", "m"]) == ["--data", "a.jsonl", "--data", "b.jsonl", "m"]
    assert spread(["--data", "a.jsonl", "gone.csv.gz"]) == ["--data", "a.jsonl", "--data", "gone.csv.gz"]
    assert spread(["--eval", "a.jsonl", "-"]) == ["--eval", "a.jsonl", "--eval", "-"]
    assert spread(["--data", "a.jsonl", "setup.toml"]) == ["--data", "a.jsonl", "setup.toml"]
    assert spread(["--data", "a.jsonl", "klue/bert-base"]) == ["--data", "a.jsonl", "klue/bert-base"]
    assert spread(["--data", "a.jsonl", "--task", "b.jsonl"]) == ["--data", "a.jsonl", "--task", "b.jsonl"]
    assert spread(["m", "a.jsonl"]) == ["m", "a.jsonl"]


def test_standard_input(profile, run):
    """`cat x.jsonl | pretune check MODEL --data -`, alone and beside files; nothing there is a line."""
    data = Path("a.jsonl").read_bytes()
    told = profile("m", "--data", "-", stdin=data)
    assert read(told) == [("train", "standard input", 30)]
    assert told["files"][0]["broken_at"] == ["standard input:4", "standard input:5"]
    discard()
    assert [rows for _, _, rows in read(profile("m", "--data", "b.jsonl", "-", stdin=gzip.compress(data)))] == [30, 30]
    discard()
    code, out, err = run("m", "--data", "-")
    assert (code, out) == (2, "")
    assert err.startswith("pretune: standard input is empty\n")


def test_broken_lines_are_counted_and_named(run, profile):
    """By file and line, in the profile and in the finding; the others are read."""
    told = profile("m", "--data", "a.jsonl", "b.jsonl")
    assert [(file["rows"], file["broken"], file["broken_at"]) for file in told["files"]] == [
        (30, 2, ["a.jsonl:4", "a.jsonl:5"]),
        (30, 0, []),
    ]
    found = run("m", "--data", "a.jsonl", "--select", "broken-rows", "--format", "concise")[1]
    assert found.startswith("a.jsonl:4: ")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["--data", "gone.jsonl"], "gone.jsonl does not exist"),
        (["--data", "a.jsonl", "bb.jsonl"], "bb.jsonl does not exist"),
        (["--data", "x*.jsonl"], "no file matches x*.jsonl"),
        (["--data", "empty.jsonl"], "empty.jsonl is empty"),
        (["--data", "folder"], "folder is a folder without data files"),
        (["--data", "binary.txt"], "binary.txt is a binary file, expected text"),
        (["--data", "binary.parquet"], "binary.parquet cannot be read as parquet"),
        (["--data", "a.jsonl", "--column", "text=document"], 'a.jsonl has no column "document"'),
        (["--data", "a.jsonl", "--column", "text=document"], "its columns are text, label"),
        (["--data", "--task", "masked-lm"], "--data names no files, found --task"),
        (["--data", "a.jsonl", "--sample", "0"], "Invalid value for '--sample'"),
        (["--data", "a.jsonl", "--tokenizer", "r", "--tokenizer", "folder"], "folder has no tokenizer"),
        (["--data", "a.jsonl", "--tokenizer", "r", "--tokenizer", "bad"], "the tokenizer of bad cannot be used: "),
        (["--data", "a.jsonl", "folder"], "one model or setup file can be checked at a time, found 2: m folder"),
    ],
)
def test_mistakes_are_one_line(run, named, message):
    """What is wrong with the data, or with a tokenizer that is put beside: one line, exit code 2, nothing on stdout."""
    Path("empty.jsonl").touch()
    Path("folder").mkdir()
    Path("binary.txt").write_bytes(bytes(range(256)) * 20)
    Path("binary.parquet").write_bytes(bytes(range(256)) * 20)
    Path("bad").mkdir()
    parsed = json.loads(Path("r/tokenizer.json").read_text(encoding="utf-8"))
    parsed["model"] = {"type": "WordPiece", "vocab": {"a": "x"}}
    Path("bad/tokenizer.json").write_text(json.dumps(parsed), encoding="utf-8")
    code, out, err = run("m", *named)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[0]
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("asked", "main", "beside"),
    [
        (["m"], "m", []),
        (["m", "--tokenizer", "r"], "r", []),
        (["--tokenizer", "r"], "r", []),
        (["--tokenizer", "r", "--tokenizer", "m"], "r", ["m"]),
        (["m", "--tokenizer", "r", "--tokenizer", "b"], "m", ["r", "b"]),
        (["m", "--tokenizer", "r", "--tokenizer", "m"], "m", ["r"]),
        (["m", "--tokenizer", "r", "--tokenizer", "r/", "--tokenizer", "./m"], "m", ["r"]),
        (["--tokenizer", "r", "--tokenizer", "r"], "r", []),
        (["setup.toml"], "r", []),
        (["setup.toml", "--tokenizer", "m"], "m", []),
        (["setup.toml", "--tokenizer", "m", "--tokenizer", "b"], "r", ["m", "b"]),
        (["m", "--tokenizer", "m", "--tokenizer", "r", "--add-tokens", "새말"], "m", ["m", "r"]),
    ],
)
def test_which_tokenizer_the_rules_are_asked_about(run, make_model, asked, main, beside):
    """Several are put side by side: the setup's own comes first, and only it has findings; each is read once."""
    make_model("bert", name="b")
    Path("setup.toml").write_text('model = "m"\ntokenizer = "r"\n[data]\ntrain = "c.jsonl"\n')
    for name in "mrb":  # a limit that names the folder in whose file it stands
        path = Path(name, "tokenizer_config.json")
        path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": 10**6}))
    with_data = asked if "setup.toml" in asked else [*asked, "--data", "c.jsonl"]
    Path("setup.toml").rename("other.toml" if "setup.toml" not in asked else "setup.toml")
    out = json.loads(run(*with_data, "--format", "json")[1])
    assert [told["name"] for told in out["profile"]["tokenizers"]] == [main, *beside]
    places = {finding["where"].partition("/")[0] for finding in out["findings"]}
    assert not places & (set("mrb") - {main, "m"})


def test_tokenizers_beside_are_read_once():
    """Of one folder under several names the first stays; the own one only where words are added to it."""
    assert beside_of(Setup(model="m"), ["r", "b", "r", "./r", "m"]) == ("r", "b")
    assert beside_of(Setup(model="m", tokenizer="r"), ["r", "m"]) == ("m",)
    assert beside_of(Setup(tokenizer="m", add_tokens=("x",)), ["m", "m"]) == ("m",)
    assert beside_of(Setup(), ["klue/bert-base", "klue/bert-base"]) == ("klue/bert-base",)


def test_a_folder_that_datasets_saved(profile, capsys):
    """Training reads its train split; a place in it is a row of its file."""
    datasets = pytest.importorskip("datasets")
    saved = datasets.DatasetDict(
        {"train": datasets.Dataset.from_list(ROWS), "test": datasets.Dataset.from_list(ROWS[:3])}
    )
    saved.save_to_disk("saved")
    capsys.readouterr()  # its own bar
    assert [(split, rows) for split, _, rows in read(profile("m", "--data", "saved", "--eval", "saved"))] == [
        ("train", 30),
        ("eval", 3),
    ]


def test_objects_in_memory():
    """A Dataset, a dictionary of them, a table, a data frame and rows go through `check.run` as they are."""
    datasets = pytest.importorskip("datasets")
    import polars as pl
    import pyarrow as pa

    whole = datasets.Dataset.from_list(ROWS)
    both = datasets.DatasetDict({"train": whole, "validation": whole.select(range(4))})
    for data, expected in (
        (whole, [("dataset", 30)]),
        (whole.shuffle(seed=1).select(range(9)), [("dataset", 9)]),
        (whole.to_iterable_dataset(), [("dataset", 30)]),
        (both, [('dataset["train"]', 30)]),
        ({"train": both, "eval": both}, [('dataset["train"]', 30), ('dataset["validation"]', 4)]),
        ({"train": [whole, "b.jsonl"], "eval": ROWS}, [("dataset", 30), ("b.jsonl", 30), ("rows", 30)]),
        (pa.Table.from_pylist(ROWS), [("table", 30)]),
        (pl.DataFrame(ROWS), [("table", 30)]),
        (ROWS, [("rows", 30)]),
        ([ROWS, ROWS[:2]], [("rows", 30), ("rows 2", 2)]),
        (sorted(Path().glob("[bc].jsonl")), [("b.jsonl", 30), ("c.jsonl", 30)]),
        (Path().glob("b.jsonl"), [("b.jsonl", 30)]),
    ):
        report = check.run("m", data=data)
        assert [(file.path, file.rows) for file in report.profile.files] == expected
        assert report.profile.complete
        for form in ("text", "json", "sarif"):
            assert check.render(report, form)


def test_what_a_dataset_cannot_be():
    """Wrong columns, no rows, no data at all, and what is no data: told as for files."""
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset.from_list(ROWS)
    with pytest.raises(UserError, match=r'dataset has no column "document" .*; its columns are text, label'):
        check.run("m", data={"train": whole, "columns": {"text": "document"}})
    for data in (5, [5], {"train": 5}, object(), {"train": [[1, 2]]}, {"trian": whole}, [""]):
        with pytest.raises(UserError):
            check.run("m", data=data)
    assert check.run("m", data=whole.select([])).profile.files[0].rows == 0
    assert check.run("m", data=[]).profile is None


def test_a_setup_with_objects_shows_itself_briefly():
    """Its repr names their class, and other arguments can be laid over it."""
    datasets = pytest.importorskip("datasets")
    whole = datasets.Dataset.from_list(ROWS)
    both = datasets.DatasetDict({"train": whole})
    setup, _ = setup_from_arguments({"model": "m", "data": {"train": [both, "b.jsonl"]}}, {"data": {"eval": ROWS}})
    assert repr(setup.data) == "Data(train=(<DatasetDict>, 'b.jsonl', ), eval=(<list>, ), columns={})"
    assert setup.data.train[0] is both
    assert setup.data.eval[0] is ROWS
    again, _ = setup_from_arguments(setup, {"data": {"train": whole}})
    assert again.data.train == (whole,)
    assert again.data.eval[0] is ROWS


def test_the_librarys_sample_and_beside():
    """`sample` reads the first rows only, and says so; `beside` adds columns to the profile."""
    report = check.run("m", data="b.jsonl", sample=10, beside=["r", Path("r"), "m"])
    assert [told.name for told in report.profile.tokenizers] == ["m", "r"]
    assert report.profile.corpus.rows == 10
    assert (report.profile.complete, report.profile.stopped) == (False, "the first 10 rows of each file")
    assert check.run("m", data="b.jsonl", sample=30).profile.complete
    assert check.run("m", data="b.jsonl", beside="r").profile.tokenizers[1].name == "r"
    with pytest.raises(UserError, match="sample is 0, expected a number of rows from 1"):
        check.run("m", data="b.jsonl", sample=0)
    Path("folder").mkdir()
    with pytest.raises(UserError, match="folder has no tokenizer"):
        check.run("m", data="b.jsonl", beside="folder")


def test_ctrl_c_in_the_library_is_pythons_own(monkeypatch):
    """`check.run` takes no signal over: in a notebook KeyboardInterrupt comes through."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr("pretune.corpus.scan.texts_of", lambda _: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            check.run("m", data="b.jsonl")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("encoding", ["ascii", "euc-kr", "latin-1", "utf-8"])
def test_a_stdout_that_lacks_characters(encoding):
    """Text is drawn with what there is, JSON stays JSON, nothing crashes."""
    for form in ("text", "json"):
        found = subprocess.run(
            [
                sys.executable,
                "-m",
                "pretune",
                "check",
                "m",
                "--data",
                "b.jsonl",
                "--format",
                form,
                "--fail-on",
                "never",
            ],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            capture_output=True,
            check=True,
        )
        assert found.stderr == b""
        said = found.stdout.decode(encoding)
        if form == "text":
            assert "lengths, in tokens" in said
            assert not any(f"\\u258{at:x}" in said for at in range(16))
        else:
            words = [word["name"] for word in json.loads(said)["profile"]["corpus"]["common_words"]]
            assert {"한국어", "모델"} <= set(words)


def test_escapes():
    """JSON gets its own escapes, beyond the first plane and for lone surrogates too; other text those of Python."""
    text = '{"a": "한 😀 é \ud800"}'
    for encoding in ("ascii", "euc-kr", "latin-1", "utf-8"):
        assert json.loads(encodable(text, encoding, escaped=True)) == json.loads(text)
    assert encodable("é 한", "latin-1", escaped=False) == "é \\ud55c"
    assert encodable("é 한", "utf-8", escaped=True) == "é 한"
