"""Which files are taken for scripts, and which folders for models, setups or neither."""

import os
from pathlib import Path

import pytest

from pretune.check import script_files as files
from pretune.core.errors import UserError


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(*names: str) -> None:
    """Empty files, with their folders."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")


def test_files() -> None:
    """By extension, whether they are there or not; a hub name with a slash is none."""
    made("train.py", "a.txt")
    assert [files.is_script(name) for name in ("train.py", "no.ipynb", "A.PY", "a.txt", "klue/bert-base", "py")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]


def test_folders() -> None:
    """A folder with scripts is taken for them, unless it is a model's or holds a setup file; an empty one is not."""
    made("src/a/train.py", "model/config.json", "model/modeling.py", "run/setup.toml", "run/train.py", "data/a.txt")
    Path("empty").mkdir()
    told = {name: files.is_script(name) for name in ("src", "model", "run", "data", "empty")}
    assert told == {"src": True, "model": False, "run": False, "data": False, "empty": False}


def test_what_belongs_to_others_is_passed_over() -> None:
    """Virtual environments under any name, packages, builds, hidden folders and checkpoints of notebooks."""
    made("p/b.py", "p/a.ipynb", "p/한글/훈련.py", "p/.git/x.py", "p/.venv/x.py", "p/venv/x.py", "p/node_modules/x.py")
    made("p/lib/site-packages/x.py", "p/__pycache__/x.py", "p/build/x.py", "p/dist/x.py", "p/.hidden.py")
    made("p/.ipynb_checkpoints/a-checkpoint.ipynb", "p/myenv/pyvenv.cfg", "p/myenv/x.py", "p/c.txt")
    os.mkfifo("p/pipe.py")
    Path("p/broken.py").symlink_to("nowhere")
    assert files.script_files(["p"]) == ("p/a.ipynb", "p/b.py", "p/한글/훈련.py")


def test_gitignore() -> None:
    """Names, paths and patterns of the folder's own .gitignore; not where it has exceptions."""
    made("p/a.py", "p/old/a.py", "p/x/old/a.py", "p/x/gen_a.py", "p/only/here.py", "p/x/only/here.py")
    Path("p/.gitignore").write_text("# comment\nold/\ngen_*\n/only\n", encoding="utf-8")
    assert files.script_files(["p"]) == ("p/a.py", "p/x/only/here.py")
    Path("p/.gitignore").write_text("old/\n!old/a.py\n", encoding="utf-8")
    assert len(files.script_files(["p"])) == 6


def test_each_once() -> None:
    """A script that is named and lies in a folder, or is linked, is checked once, as it was named first."""
    made("p/a.py", "p/b.py")
    Path("link.py").symlink_to("p/b.py")
    assert files.script_files(["link.py", "p", "p/a.py", "./p/a.py"]) == ("link.py", "p/a.py")


@pytest.mark.parametrize(
    ("other", "message", "hint"),
    [
        ("klue/bert-base", "is no script, and stands beside one: a.py", "--model klue/bert-base"),
        ("data.csv", "is no script, and stands beside one: a.py", "--data data.csv"),
        ("setup.toml", "is a setup file", "one after the other"),
        ("empty", "holds no .py and no .ipynb", "pretune check a.py"),
    ],
)
def test_what_is_no_script_beside_one(other: str, message: str, hint: str) -> None:
    """It is said what it is, and what was probably meant."""
    made("a.py", "data.csv")
    Path("empty").mkdir()
    with pytest.raises(UserError, match=message) as error:
        files.script_files(["a.py", other])
    assert hint in error.value.hint


def test_somebodys_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """More scripts than anybody writes are a mistake in the call."""
    made("p/a.py", "p/b.py")
    monkeypatch.setattr(files, "MOST", 1)
    with pytest.raises(UserError, match="more than 1 scripts"):
        files.script_files(["p"])
