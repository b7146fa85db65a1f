"""Files: reading with a bound, writing whole or not at all."""

import os
import threading

import pytest

from pretune.core.errors import UserError
from pretune.core.files import read_bounded, read_range, size_of, write_atomically


def test_reading(tmp_path):
    """A file is read whole or in part, never more than it has."""
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    assert read_bounded(path) == b"0123456789"
    assert read_bounded(path, limit=10) == b"0123456789"
    assert size_of(path) == 10
    for offset, length, part in (
        (0, 3, b"012"),
        (8, 5, b"89"),
        (10, 1, b""),
        (99, 1, b""),
        (-5, 2, b"01"),
        (3, 0, b""),
        (3, -1, b""),
    ):
        assert read_range(path, offset, length) == part


def test_an_empty_file(tmp_path):
    """An empty file has no bytes."""
    (tmp_path / "x").touch()
    assert read_bounded(tmp_path / "x", limit=0) == b""
    assert read_range(tmp_path / "x", 0, 8) == b""


@pytest.mark.parametrize("read", [read_bounded, size_of, lambda path, **label: read_range(path, 0, 1, **label)])
def test_what_cannot_be_read(tmp_path, read):
    """Missing files, folders and fifos are one line that names them as asked."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    for name, words in (
        ("none", "does not exist"),
        ("file/x", "does not exist"),
        (".", "is not a regular file"),
        ("fifo", "is not a regular file"),
    ):
        with pytest.raises(UserError, match=f"^the file {words}$"):
            read(tmp_path / name, label="the file")
    with pytest.raises(UserError, match="cannot be read: file name too long"):
        read(tmp_path / ("x" * 300), label="the file")


def test_over_the_limit(tmp_path):
    """The message says how long the file is and how much is read."""
    (tmp_path / "x").write_bytes(b"12345")
    with pytest.raises(UserError, match=r"x has 5 bytes, more than the 4 that are read of such a file"):
        read_bounded(tmp_path / "x", limit=4)


def test_writing(tmp_path):
    """A file is replaced, its rights kept, a link followed, and nothing is left beside it."""
    path = tmp_path / "x"
    write_atomically(path, b"one")
    path.chmod(0o640)
    (tmp_path / "link").symlink_to("x")
    write_atomically(tmp_path / "link", b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "link", path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    """When the disk refuses, the old file stays and the new one's beginning goes."""
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_never_see_half(tmp_path):
    """A reader during writing sees the old or the new content, never a mixture."""
    path = tmp_path / "x"
    contents = (b"a" * 200_000, b"b" * 100_000)
    write_atomically(path, contents[0])

    def write() -> None:
        for number in range(20):
            write_atomically(path, contents[number % 2])

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert read_bounded(path) in contents
    writer.join()
