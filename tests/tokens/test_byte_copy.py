"""Files that share their blocks: the kernel's call is stood in for by a copy, as few file systems here know it."""

import errno
import fcntl
import os
import subprocess

import pytest

from pretune.tokens import byte_copy
from pretune.tokens.byte_copy import copy_file, link_or_copy

FICLONE = 0x40049409
"""linux/fs.h: _IOW(0x94, 9, int)."""


@pytest.fixture
def clones(monkeypatch):
    """An ioctl that shares blocks as btrfs and XFS do, so far as bytes show it; what it was asked."""
    asked = []

    def ioctl(target, request, source):
        assert request == FICLONE
        assert os.fstat(target).st_size == 0
        asked.append((source, target))
        os.pwrite(target, os.pread(source, os.fstat(source).st_size, 0), 0)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return asked


@pytest.mark.parametrize("make", [copy_file, link_or_copy])
@pytest.mark.parametrize("mode", [0o644, 0o444])
def test_blocks_are_shared_where_the_file_system_can(tmp_path, clones, make, mode):
    """First of all ways: the same bytes in a file of its own that we may write, also of a read-only one."""
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"weights" * 1000)
    source.chmod(mode)
    assert make(source, target) == "reflink"
    assert len(clones) == 1
    assert target.read_bytes() == source.read_bytes()
    assert source.stat().st_nlink == 1
    assert target.stat().st_mode & 0o777 == mode | 0o200


@pytest.mark.parametrize("error", [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY])
def test_where_it_cannot_the_other_ways_are_taken(tmp_path, monkeypatch, error):
    """A hard link, or a copy; what the attempt left is gone."""

    def refused(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "ioctl", refused)
    (tmp_path / "a").write_bytes(b"weights")
    assert link_or_copy(tmp_path / "a", tmp_path / "b") == "link"
    assert copy_file(tmp_path / "a", tmp_path / "c") == "copy"
    assert (tmp_path / "c").read_bytes() == b"weights"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_file_that_is_there_is_left_alone(tmp_path, clones):
    """And refused, whatever the way."""
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")
    for make in (copy_file, link_or_copy):
        with pytest.raises(FileExistsError):
            make(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"old"
    assert clones == []


def test_the_number_is_the_kernels(tmp_path):
    """As the header of this machine's kernel says, where there is one and a compiler."""
    program = '#include <linux/fs.h>\n#include <stdio.h>\nint main(void){printf("%lu",(unsigned long)FICLONE);}\n'
    binary = tmp_path / "number"
    try:
        made = subprocess.run(
            ["cc", "-x", "c", "-", "-o", str(binary)], input=program, text=True, capture_output=True, check=False
        )
        if made.returncode:
            pytest.skip("no compiler, or no headers of the kernel")
        said = subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("no compiler")
    assert int(said) == byte_copy._FICLONE == FICLONE
