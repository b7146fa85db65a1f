"""Bytes changed in place: old or new after any crash, never half."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.tokens.journal import NAME, Edit, recover, write_in_place
from tokens.crashes import EDITS, dies_at
from tokens.interrupted import refusing

OLD = {"a.bin": (8).to_bytes(8, "little") + b"headhead" + b"a" * 100, "b.bin": b"\0" * 8 + b"b" * 50}
NEW = {
    "a.bin": OLD["a.bin"][:20] + b"12345" + OLD["a.bin"][25:110] + b"999" + OLD["a.bin"][113:],
    "b.bin": OLD["b.bin"][:8] + b"67" + OLD["b.bin"][10:],
}


def made(tmp_path: Path, name: str = "m") -> Path:
    """A folder with two files."""
    folder = tmp_path / name
    folder.mkdir()
    for file, data in OLD.items():
        (folder / file).write_bytes(data)
    return folder


def state(folder: Path) -> dict[str, bytes]:
    """What the folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_writes(tmp_path: Path) -> None:
    """The bytes stand there, nothing is left over, and again is a no-op."""
    folder = made(tmp_path)
    assert write_in_place(folder, EDITS) == ("a.bin", "b.bin")
    assert state(folder) == NEW
    assert write_in_place(folder, EDITS) == ()
    assert not recover(folder)


@pytest.mark.parametrize("linked", [False, True], ids=["own", "linked"])
def test_a_crash_at_every_call(tmp_path: Path, linked: bool) -> None:
    """Whenever the process ends, the next call finds old or new, and leaves nothing behind; other names keep the old."""
    for point in range(1, 200):
        folder = made(tmp_path, f"m{point}")
        if linked:
            (tmp_path / f"other{point}").mkdir()
            for file in OLD:
                os.link(folder / file, tmp_path / f"other{point}" / file)
        came = dies_at(point, "edit", folder)
        recover(folder)
        assert state(folder) in (OLD, NEW), point
        write_in_place(folder, EDITS)
        assert state(folder) == NEW
        if linked:
            assert state(tmp_path / f"other{point}") == OLD
        if not came:
            assert point > 12
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("forever", [False, True], ids=["once", "from then on"])
def test_a_full_disk_at_every_call(tmp_path: Path, forever: bool) -> None:
    """Whatever is refused, the user is told; old or new stands there, by the next call at the latest."""
    for point in range(1, 200):
        folder = made(tmp_path, f"m{point}")
        with refusing(point, forever=forever) as refused:
            try:
                write_in_place(folder, EDITS)
            except UserError as error:
                assert "cannot be written: no space left" in error.message  # noqa: PT017 - some points only
                assert error.hint  # noqa: PT017
            else:
                assert not refused
        recover(folder)
        assert state(folder) in (OLD, NEW), (point, refused)
        if not refused:
            return
    raise AssertionError("it never came to an end")


def test_killed_at_random(tmp_path: Path) -> None:
    """A process that is killed while it writes again and again leaves old or new."""
    folder = made(tmp_path)
    big = {"a.bin": OLD["a.bin"] + b"x" * (1 << 20)}
    (folder / "a.bin").write_bytes(big["a.bin"])
    code = (
        "import sys\nfrom pathlib import Path\nfrom pretune.tokens.journal import Edit, write_in_place\n"
        "print('ready', flush=True)\n"
        "while True:\n for letter in (b'o', b'n'):\n  write_in_place(Path(sys.argv[1]), [Edit('a.bin', 30, letter * 900000)])"
    )
    chance = random.Random(0)
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.random() * 0.1)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        recover(folder)
        rows = (folder / "a.bin").read_bytes()[30 : 30 + 900000]
        assert rows in (b"o" * 900000, b"n" * 900000, big["a.bin"][30 : 30 + 900000])
        assert {path.name for path in folder.iterdir()} == {"a.bin", "b.bin"}


def crashed(tmp_path: Path) -> Path:
    """A folder whose writer ended while it wrote."""
    for point in range(1, 99):
        folder = made(tmp_path, f"crashed{point}")
        dies_at(point, "edit", folder)
        if (folder / NAME).exists() and state(folder)["a.bin"] != OLD["a.bin"]:
            return folder
    raise AssertionError("there is no such moment")


def test_half_written_is_put_back(tmp_path: Path) -> None:
    """A journal beside half-written rows puts the old ones back."""
    folder = crashed(tmp_path)
    assert state(folder)["a.bin"] not in (OLD["a.bin"], NEW["a.bin"])
    assert recover(folder)
    assert state(folder) == OLD


def test_a_journal_of_another_file(tmp_path: Path) -> None:
    """When a file was replaced since, its new bytes are left alone, and a sentence says what to do."""
    folder = crashed(tmp_path)
    (folder / "a.bin").write_bytes(b"downloaded again")
    with pytest.raises(UserError, match="but that is another file now") as told:
        write_in_place(folder, EDITS)
    assert "delete" in told.value.hint
    assert (folder / "a.bin").read_bytes() == b"downloaded again"


def test_a_damaged_journal(tmp_path: Path) -> None:
    """A journal that is damaged is not believed."""
    folder = crashed(tmp_path)
    data = bytearray((folder / NAME).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / NAME).write_bytes(data)
    with pytest.raises(UserError, match="is damaged"):
        recover(folder)


def test_one_at_a_time(tmp_path: Path) -> None:
    """While one process writes to a folder another is told to wait."""
    fcntl = pytest.importorskip("fcntl")
    folder = made(tmp_path)
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="another process writes"):
        write_in_place(folder, EDITS)
    os.close(handle)
    assert write_in_place(folder, EDITS)


def test_rows_behind_the_end(tmp_path: Path) -> None:
    """A file that is too short is not made longer; one that is missing is said."""
    folder = made(tmp_path)
    with pytest.raises(UserError, match="ends inside the rows"):
        write_in_place(folder, [Edit("a.bin", 115, b"too long")])
    with pytest.raises(UserError, match="cannot be written"):
        write_in_place(folder, [Edit("absent.bin", 0, b"x")])
    assert state(folder) == OLD
