"""`pretune check` of real scripts with the real rules: what people type, from the first look to the mended file."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pretune import check, cli
from pretune.core.errors import UserError

Run = Callable[..., tuple[int, str, str]]

SCRIPT = """# 학습
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained("{model}")
model = AutoModelForSequenceClassification.from_pretrained("{model}", num_labels=3)
tokenizer.add_tokens(["<ent>"])  # 개체

args = TrainingArguments("out", report_to="none", evaluation_strategy="epoch")
trainer = Trainer(model, args, processing_class=tokenizer, train_dataset=rows, eval_dataset=rows)
trainer.train()
"""
NOW = ("--target", "transformers==5.23")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("NO_COLOR", "FORCE_COLOR", "PRETUNE_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call `pretune check ...`: exit code, stdout, stderr."""

    def called(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(["check", *arguments])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


@pytest.fixture
def script(make_model: Callable[..., Path]) -> Path:
    """A script that trains a model of a folder, with two mistakes."""
    path = Path("train.py")
    path.write_text(SCRIPT.replace("{model}", str(make_model("bert"))), encoding="utf-8")
    return path


def test_a_script_is_mended(run: Run, script: Path) -> None:
    """Both mistakes are found at their lines, shown as a diff, mended, and then they are gone; twice changes nothing."""
    code, out, err = run("train.py", *NOW, "--format", "json")
    assert (code, err) == (1, "")
    found = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert found["added-but-not-resized"]["line"] == 6
    assert found["argument-gone"]["line"] == 8
    assert "evaluation_strategy" in found["argument-gone"]["source"]
    assert run("train.py", *NOW, "--diff")[1].count("\n+") == 3
    assert "fixed train.py" in run("train.py", *NOW, "--fix")[2]
    after = script.read_text(encoding="utf-8")
    assert '["<ent>"])  # 개체\nmodel.resize_token_embeddings(len(tokenizer))\n' in after
    assert ', eval_strategy="epoch")' in after
    names = {finding["name"] for finding in json.loads(run("train.py", *NOW, "--format", "json")[1])["findings"]}
    assert not names & {"added-but-not-resized", "argument-gone", "added-never-resized"}
    assert run("train.py", *NOW, "--fix")[2] == "nothing to fix\n"
    assert script.read_text(encoding="utf-8") == after


def test_a_notebook_with_magics(run: Run, script: Path) -> None:
    """The same in a notebook: the cell's place, and a mended notebook keeps its outputs."""
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 제목"]},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["결과\n"]}],
            "source": [
                "%matplotlib inline\n",
                "!pip install transformers\n",
                *script.read_text("utf-8").splitlines(keepends=True),
            ],
        },
    ]
    note = Path("note.ipynb")
    note.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False),
        "utf-8",
    )
    before = note.read_text("utf-8")
    assert "note.ipynb:cell 2:10:8: error argument-gone" in run("note.ipynb", *NOW, "--format", "concise")[1]
    run("note.ipynb", *NOW, "--fix")
    after = note.read_text("utf-8")
    added = '    "model.resize_token_embeddings(len(tokenizer))\\n",\n'
    assert after.replace(added, "") == before.replace("evaluation_strategy", "eval_strategy")


def test_the_range_of_versions(run: Run, script: Path) -> None:
    """The report says with which versions of transformers the script can run; under one of them the argument is fine."""
    assert "train.py: runs with transformers 4.46 to 4.50 (" in run(str(script), *NOW)[1]
    out = run("train.py", "--target", "transformers==4.46", "--format", "concise")[1]
    assert "argument-gone" not in out


def test_flags_win_over_the_script(run: Run, make_model: Callable[..., Path]) -> None:
    """What the script leaves to its command line can be given: then the files are checked to the bottom."""
    Path("train.py").write_text(
        "import sys\nfrom transformers import AutoModel, AutoTokenizer\n"
        "tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])\nmodel = AutoModel.from_pretrained(sys.argv[1])\n"
        "tokenizer.add_tokens(['<ent>'])\n"
    )
    asked = [
        json.loads(run("train.py", "--format", "json", *more)[1])["summary"]["asked"]
        for more in ([], ["--model", str(make_model("bert"))])
    ]
    assert asked[1] > asked[0]


def test_an_allowed_finding(run: Run, script: Path) -> None:
    """A comment on the line with a reason: it is counted as allowed, and no longer fails."""
    text = script.read_text("utf-8").replace("# 개체", "# pretune: allow VOC101 -- resized in lib")
    script.write_text(text.replace("evaluation_strategy", "eval_strategy"), encoding="utf-8")
    code, out, _ = run("train.py", *NOW)
    assert code == 0
    assert "allowed: 1 finding: added-but-not-resized" in out


def test_broken_files_beside_a_good_one(run: Run, script: Path) -> None:
    """Python 2, broken syntax, broken JSON, other encodings, null bytes: a line each, and the good one is checked."""
    bad = {
        "py2.py": b'print "x"\n',
        "syntax.py": b"def f(:\n",
        "euckr.py": b'x = "\xb0\xa1"\n',
        "null.py": b"x = 1\0",
        "utf16.py": "x = 1".encode("utf-16"),
        "broken.ipynb": b'{"cells": [',
        "none.ipynb": b"{}",
        "empty.ipynb": b"",
        "r.ipynb": b'{"cells": [], "metadata": {"language_info": {"name": "R"}}}',
    }
    for name, data in bad.items():
        Path(name).write_bytes(data)
    Path("empty.py").write_bytes(b"")
    code, out, err = run(".", *NOW, "--format", "concise")
    assert code == 2
    assert "train.py:8:8: error argument-gone" in out
    assert sorted(line.split(" ")[1].split(":")[0] for line in err.splitlines()) == sorted(bad)


def test_no_framework_is_imported(script: Path) -> None:
    """A whole check of a script imports neither torch nor transformers, nor numpy, nor libcst."""
    code = f"import sys\nfrom pretune import cli\ntry: cli.main(['check', {str(script)!r}])\nexcept SystemExit: pass\n"
    code += "print('MODULES', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("MODULES")[2].split())
    assert not loaded & {"torch", "transformers", "numpy", "libcst", "polars", "rich"}


def test_in_python(script: Path) -> None:
    """`check.run("train.py")` gives the same report; a target and keys of a setup by name; a broken file is an error."""
    report = check.run(script, target="transformers==5.23", select="API005,VOC101")
    assert [finding.name for finding in report.findings] == ["added-but-not-resized", "argument-gone"]
    assert report.runs[0].last == "4.50"
    assert check.run("train.py", target=["transformers==4.46"], select="API005", resize=True).ok
    Path("broken.py").write_text("def f(:")
    with pytest.raises(UserError, match=r"broken\.py:1:7 cannot be parsed"):
        check.run("broken.py")
    with pytest.raises(UserError, match="expected PACKAGE==VERSION"):
        check.run("train.py", target="transformers")
    with pytest.raises(UserError, match="unknown key"):
        check.run("train.py", colour="red")
