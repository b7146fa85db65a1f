"""An output folder: whole or not at all, and nobody's work replaced."""

import json
import os
import sys
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.tokens import swap
from pretune.tokens.swap import MARK, clean, whole_folder
from tokens.crashes import BY, dies_at, make
from tokens.interrupted import refusing


def text_of(out: Path) -> str | None:
    """What result stands there, checked to be whole; None: none."""
    if not out.exists():
        return None
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*")) == [MARK, "sub", "sub/x.txt", "weights"]
    text = (out / "sub" / "x.txt").read_text()
    assert (out / "weights").read_text() == text * 100
    return text


def beside(out: Path) -> list[str]:
    """What else lies in the folder's parent."""
    return sorted(path.name for path in out.parent.iterdir() if path != out)


def test_it_appears(tmp_path: Path) -> None:
    """The folder is there when the block is done, not before, with usual rights and a mark; parents are made."""
    out = tmp_path / "new" / "out"
    with whole_folder(out, made_by=BY) as folder:
        assert folder.parent == out.parent
        assert not out.exists()
        (folder / "x").write_text("1")
    assert (out / "x").read_text() == "1"
    assert json.loads((out / MARK).read_text()) == {"made_by": BY, "files": {"x": 1}}
    assert beside(out) == []
    mask = os.umask(0)
    os.umask(mask)
    assert out.stat().st_mode & 0o777 == 0o777 & ~mask


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    """A failure inside the block leaves neither folder nor leftovers; an earlier result stays."""
    out = tmp_path / "out"
    for before in (None, "old"):
        if before:
            make(out, before)
        with pytest.raises(ZeroDivisionError), whole_folder(out, made_by=BY) as folder:  # noqa: PT012
            (folder / "x").write_text("1")
            raise ZeroDivisionError
        assert text_of(out) == before
        assert beside(out) == []


def test_replacing(tmp_path: Path) -> None:
    """An empty folder and an earlier result give way; the caller's own mark is kept; the same again is the same."""
    out = tmp_path / "out"
    out.mkdir()
    make(out, "one")
    first = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    make(out, "one")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == first
    make(out, "two")
    assert text_of(out) == "two"
    with whole_folder(out, made_by=BY) as folder:
        (folder / MARK).write_text(json.dumps({"plan": [1]}))
    assert json.loads((out / MARK).read_text()) == {"plan": [1], "made_by": BY, "files": {}}
    assert beside(out) == []


def test_what_is_not_replaced(tmp_path: Path) -> None:
    """A file, a folder of somebody, another maker's result, one that was added to or changed: refused, unharmed."""
    out = tmp_path / "out"
    cases = {
        "is a file": lambda: out.write_text("mine"),
        "no earlier result": lambda: (out.mkdir(), (out / "thesis.txt").write_text("mine")),
        "made by pretune tokens import-kobert": lambda: make(out, "x", by="pretune tokens import-kobert"),
        "did not write": lambda: (make(out, "x"), (out / "trainer_state.json").write_text("{}")),
        "has changed since": lambda: (make(out, "x"), (out / "weights").write_text("trained")),
        "no earlier": lambda: (out.mkdir(), (out / MARK).write_text("[]")),
    }
    for number, (said, prepare) in enumerate(cases.items()):
        prepare()
        before = {path: path.read_bytes() for path in (out, *out.rglob("*")) if path.is_file()}
        with pytest.raises(UserError, match=said) as told:
            make(out, "new")
        assert told.value.hint
        assert {path: path.read_bytes() for path in (out, *out.rglob("*")) if path.is_file()} == before
        out.rename(tmp_path / f"done{number}")


def test_trained_in_place(tmp_path: Path) -> None:
    """A file of the same length that is newer than the mark was written by somebody else."""
    out = tmp_path / "out"
    make(out, "x")
    later = (out / MARK).stat().st_mtime + 60
    os.utime(out / "weights", (later, later))
    with pytest.raises(UserError, match="has changed since"):
        make(out, "new")


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("before", [None, "old"])
def test_a_crash_at_every_call(
    tmp_path: Path, before: str | None, exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the process ends, old or new is there (after the next run's cleaning, where folders cannot be exchanged)."""
    if not exchange:
        monkeypatch.setattr(swap, "_exchange", lambda _one, _other: False)
    for point in range(1, 200):
        parent = tmp_path / str(point)
        parent.mkdir()
        out = parent / "out"
        if before:
            make(out, before)
        came = dies_at(point, "make" if exchange else "make without exchange", out)
        if exchange:
            assert text_of(out) in (before, "new")
        clean(out)
        assert text_of(out) in (before, "new"), point
        assert beside(out) == []
        make(out, "new")
        assert text_of(out) == "new"
        assert beside(out) == []
        if not came:
            assert point > 8
            return
    raise AssertionError("it never came to an end")


def test_a_full_disk_at_every_call(tmp_path: Path) -> None:
    """Whatever is refused, old or new is there, and the old one when the user is told that it failed before the swap."""
    for point in range(1, 200):
        parent = tmp_path / str(point)
        parent.mkdir()
        out = parent / "out"
        make(out, "old")
        with refusing(point, forever=False) as refused:
            try:
                make(out, "new")
            except (UserError, OSError):
                assert refused
        assert text_of(out) in ("old", "new")
        if not refused:
            assert text_of(out) == "new"
            return
    raise AssertionError("it never came to an end")


def test_a_running_one_is_left_alone(tmp_path: Path) -> None:
    """Cleaning takes away what dead runs left, not what a running one writes, nor what others call their folders."""
    if sys.platform == "win32":
        pytest.skip("needs locks on folders")
    out = tmp_path / "out"
    dead, other = tmp_path / ".out.pretune-new-dead", tmp_path / ".outer.pretune-new-dead"
    dead.mkdir()
    other.mkdir()
    with whole_folder(out, made_by=BY) as folder:
        assert not dead.exists()
        clean(out)
        assert folder.exists()
    assert beside(out) == [other.name]


def test_odd_names(tmp_path: Path) -> None:
    """Names with pattern letters, spaces and Hangul."""
    for name in ("[a]*?", "a b", "모델"):
        make(tmp_path / name, "x")
        make(tmp_path / name, "y")
        assert text_of(tmp_path / name) == "y"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_parent_that_cannot_be(tmp_path: Path) -> None:
    """A parent that is a file is said in a sentence."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        make(tmp_path / "file" / "out", "x")
