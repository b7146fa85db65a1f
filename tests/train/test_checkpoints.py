"""Checkpoints are complete or absent: what a crash, a full disk, a damaged file or another recipe leave of them."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.train import checkpoints, manifest
from pretune.train.fingerprint import differences, fingerprint

FILES = {"a.txt": b"one", "inner/b.bin": b"\x00" * 5000, "한글.json": b"{}"}
RECIPE = {"model": "bert", "learning_rate": 5e-5, "seed": 1}


def save(folder: Path, step: int, files=FILES, **more) -> Path:
    """A small checkpoint."""
    return checkpoints.save(folder, step=step, files=files, recipe=RECIPE, **more)


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden things included."""
    return sorted(path.name for path in folder.iterdir())


def test_round_trip(tmp_path):
    """A checkpoint has the files as given, a manifest of them, and is found with its step and recipe."""
    path = save(tmp_path / "run", 120)
    assert path == tmp_path / "run" / "checkpoint-120"
    assert {name: (path / name).read_bytes() for name in FILES} == FILES
    found = checkpoints.newest(tmp_path / "run")
    assert found is not None
    assert (found.path, found.step, found.recipe, found.passed_over) == (path, 120, RECIPE, ())
    said = json.loads((path / "manifest.json").read_bytes())
    assert set(said["files"]) == set(FILES)
    assert said["fingerprint"] == fingerprint(RECIPE)
    assert names(tmp_path / "run") == ["checkpoint-120"]


def test_permissions(tmp_path):
    """Others may read a checkpoint as far as the umask lets them, though it began as a private folder."""
    old = os.umask(0o022)
    try:
        assert save(tmp_path, 1).stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(old)


def test_writers(tmp_path):
    """A callable writes its own file, and `.` is the checkpoint's folder itself."""
    path = save(
        tmp_path,
        1,
        {".": lambda folder: (folder / "many.txt").write_text("x"), "deep/one": lambda path: path.write_bytes(b"y")},
    )
    assert (path / "many.txt").read_text() == "x"
    assert (path / "deep" / "one").read_bytes() == b"y"
    assert set(manifest.read(path)["files"]) == {"many.txt", "deep/one"}


def test_newest_is_by_number(tmp_path):
    """Step 1000 is later than step 999, whatever the alphabet says; an empty folder has none."""
    assert checkpoints.newest(tmp_path) is None
    assert checkpoints.newest(tmp_path / "nowhere") is None
    for step in (1000, 999):
        save(tmp_path, step)
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert found.step == 1000


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: (path / "a.txt").unlink(), "a.txt is missing"),
        (lambda path: (path / "a.txt").write_bytes(b"longer"), "a.txt has 6 bytes where 3 were written"),
        (lambda path: (path / "a.txt").write_bytes(b"two"), "a.txt is not what was written (its sha256 differs)"),
        (lambda path: (path / "manifest.json").unlink(), "it has no manifest.json"),
        (lambda path: (path / "manifest.json").write_bytes(b'{"format": 1'), "its manifest.json is damaged"),
        (lambda path: (path / "manifest.json").write_bytes(b"[]"), "its manifest.json is damaged"),
        (lambda path: (path / "manifest.json").write_bytes(b'{"format": 99}'), "its manifest.json is damaged"),
    ],
)
def test_damaged_ones_are_passed_over(tmp_path, damage, reason):
    """The newest complete checkpoint is taken, and it is said why a later one is not."""
    save(tmp_path, 10)
    damage(save(tmp_path, 20))
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert (found.step, found.passed_over) == (10, (f"checkpoint-20: {reason}",))


def test_find_says_why_there_is_none(tmp_path):
    """One line for a folder that is absent, empty, or has damaged checkpoints only; also for one that is named itself."""
    with pytest.raises(UserError, match=r"does not exist, where a checkpoint to resume from is expected"):
        checkpoints.find(tmp_path / "no")
    with pytest.raises(UserError) as none:
        checkpoints.find(tmp_path)
    assert none.value.message.endswith("holds no complete checkpoint")
    path = save(tmp_path, 3)
    assert checkpoints.find(path).step == checkpoints.find(tmp_path).step == 3
    (path / "a.txt").unlink()
    with pytest.raises(UserError, match=r"holds no complete checkpoint; checkpoint-3: a.txt is missing"):
        checkpoints.find(tmp_path)
    with pytest.raises(UserError, match=r"checkpoint-3 is not a complete checkpoint: a.txt is missing"):
        checkpoints.find(path)


def test_another_recipe(tmp_path):
    """What differs is named before anything is loaded; options that change no number may differ."""
    save(tmp_path, 3)
    checkpoints.find(tmp_path, dict(reversed(RECIPE.items())) | {"save_steps": 7})
    with pytest.raises(UserError) as caught:
        checkpoints.find(tmp_path, RECIPE | {"learning_rate": 3e-5, "model": "roberta"})
    assert caught.value.message == (
        f'{tmp_path}/checkpoint-3 is of another recipe: model "bert" there, "roberta" here, '
        "learning_rate 5e-05 there, 3e-05 here"
    )


def test_differences():
    """Keys of one side only are named, long values cut; nothing is compared with a run that said nothing."""
    assert differences({"a": 1}, {"b": (1, 2)}) == ["a 1 there, not set here", "b not set there, [1, 2] here"]
    assert differences({"a": (1, Path("x"))}, {"a": [1, "x"]}) == []
    assert differences({}, {"a": 1}) == []
    (line,) = differences({"a": "x" * 500}, {"a": 1})
    assert len(line) < 100


def test_rotation(tmp_path):
    """The newest ones stay, the best one among as many as asked for, and what is no checkpoint of ours is left alone."""
    (tmp_path / "checkpoint-1").mkdir()
    (tmp_path / "checkpoint-final").mkdir()
    for step in (10, 20, 30, 40):
        save(tmp_path, step, keep=2, best=20)
    assert names(tmp_path) == ["checkpoint-1", "checkpoint-20", "checkpoint-40", "checkpoint-final"]
    save(tmp_path, 50, keep=1, best=20)
    assert names(tmp_path) == ["checkpoint-1", "checkpoint-20", "checkpoint-50", "checkpoint-final"]
    save(tmp_path, 60)
    assert "checkpoint-50" in names(tmp_path)


def test_same_step_again(tmp_path):
    """A second save at a step replaces the first one as a whole."""
    save(tmp_path, 5, {"old": b"1"})
    path = save(tmp_path, 5, {"new": b"2"})
    assert names(path) == ["manifest.json", "new"]
    assert names(tmp_path) == ["checkpoint-5"]


def test_clean(tmp_path):
    """What a crash left goes; a complete checkpoint that it caught between two renames comes back."""
    path = save(tmp_path, 5)
    shutil.copytree(path, tmp_path / ".checkpoint-5.old-x")
    path.rename(tmp_path / ".checkpoint-6.old-y")
    (tmp_path / ".checkpoint-7.old-z").mkdir()
    (tmp_path / ".checkpoint-8.tmp-q").mkdir()
    (tmp_path / ".checkpoint-8.tmp-q" / "half").write_bytes(b"1")
    (tmp_path / ".other").mkdir()
    with checkpoints.holding(tmp_path):
        assert names(tmp_path) == [".other", "checkpoint-5", "checkpoint-6"]
        assert checkpoints.newest(tmp_path).step == 5  # 6's manifest says 5: it was copied here by the test


def test_one_run_at_a_time(tmp_path):
    """A folder that another process trains into is refused, and free again after it."""
    pytest.importorskip("fcntl")
    folder = tmp_path / "run"
    with checkpoints.holding(folder), pytest.raises(UserError, match=r"another process trains into"):
        checkpoints.holding(folder).__enter__()
    with checkpoints.holding(folder):
        pass


def _calls(monkeypatch, name: str, fail_at: int, number: int) -> list[int]:
    """Let the n-th call of a function of os fail with an error of the system's."""
    real = getattr(os, name)
    made: list[int] = []

    def call(*arguments, **keywords):
        made.append(1)
        if len(made) == fail_at:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **keywords)

    monkeypatch.setattr(os, name, call)
    return made


def _refused(folder: Path) -> UserError | None:
    """What saving step 2 says, None when it works."""
    try:
        save(folder, 2, keep=1)
    except UserError as error:
        return error
    return None


@pytest.mark.parametrize("name", ["fsync", "rename", "open", "chmod"])
def test_every_failing_call_leaves_the_one_before(tmp_path, monkeypatch, name):
    """Whichever call fails, there is one complete checkpoint, and no trace of the new one, or all of it."""
    save(tmp_path, 1)
    number = 0
    while True:
        number += 1
        with monkeypatch.context() as patch:
            made = _calls(patch, name, number, errno.ENOSPC)
            error = _refused(tmp_path)
        if error is not None:
            assert error.exit_code == 1
            assert error.message.startswith(f"the disk of {tmp_path} is full: checkpoint-2 needs ")
            assert error.hint.startswith("checkpoint-1 is untouched; ")
        found = checkpoints.newest(tmp_path)
        assert found is not None
        assert found.passed_over == ()
        assert [name for name in names(tmp_path) if name.startswith(".")] in ([], [".checkpoint-1.tmp-gone"])
        checkpoints.clean(tmp_path)
        assert not [name for name in names(tmp_path) if name.startswith(".")]
        if len(made) < number:
            break
        if found.step == 2:  # only the last fsync, of the run's folder, comes after the rename
            shutil.rmtree(tmp_path / "checkpoint-2")
            if not (tmp_path / "checkpoint-1").exists():
                save(tmp_path, 1)
    assert found.step == 2


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk of {folder} is full: checkpoint-2 needs about "),
        (errno.EDQUOT, "the disk of {folder} is full: checkpoint-2 needs about "),
        (errno.EROFS, "checkpoint-2 cannot be written to {folder}: read-only file system"),
        (errno.EIO, "checkpoint-2 cannot be written to {folder}: input/output error"),
    ],
)
def test_what_the_disk_refuses(tmp_path, number, message):
    """A full disk, a quota, a read-only and a broken one are told in one line that says what still stands."""
    save(tmp_path, 1, {"big": b"x" * 2_500_000})

    def refuse(_path):
        raise OSError(number, os.strerror(number))

    with pytest.raises(UserError) as caught:
        save(tmp_path, 2, {"some": b"x" * 1000, "more": refuse})
    assert caught.value.message.startswith(message.format(folder=tmp_path))
    assert "checkpoint-1 is untouched" in caught.value.hint
    if number in {errno.ENOSPC, errno.EDQUOT}:
        assert "needs about 2.5 MB, " in caught.value.message
        assert " MB are free (" in caught.value.message
    assert names(tmp_path) == ["checkpoint-1"]


def test_a_full_disk_told_by_a_library_in_rust(tmp_path):
    """Safetensors raises its own error with the system's number in its text."""

    def refuse(_path):
        raise RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(UserError, match=r"is full: checkpoint-1 needs more than the 0.0 MB that were written"):
        save(tmp_path, 1, {"weights": refuse})
    assert names(tmp_path) == []


def test_an_error_of_the_program_is_not_the_disks(tmp_path):
    """What is no error of the system's passes as it is, and leaves nothing."""

    def broken(_path):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match=r"a bug"):
        save(tmp_path, 1, {"x": broken})
    assert names(tmp_path) == []


def test_weights_that_are_shorter_than_they_say(tmp_path):
    """A write that came up short without an error does not become a checkpoint."""
    whole = (
        b'\x40\x00\x00\x00\x00\x00\x00\x00{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(72) + b"\0" * 8
    )
    save(tmp_path, 1, {"model.safetensors": whole})
    with pytest.raises(UserError, match=r"model.safetensors was not written whole"):
        save(tmp_path, 2, {"model.safetensors": whole[:-4]})
    assert names(tmp_path) == ["checkpoint-1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of a process")
def test_a_real_limit(tmp_path):
    """With a real limit on the size of a file the run ends in one line; nothing of the checkpoint is left."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pretune.core.errors import UserError\n"
        "from pretune.train import checkpoints\n"
        "folder = Path(sys.argv[1])\n"
        "checkpoints.save(folder, step=1, files={'a': b'x' * 1000})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    checkpoints.save(folder, step=2, files={'a': b'x' * 1000, 'b': b'x' * 1_000_000})\n"
        "except UserError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"the disk of {tmp_path} is full: checkpoint-2 needs more than the 0.1 MB")
    assert done.stdout.endswith("(file too large)\n")
    assert names(tmp_path) == ["checkpoint-1"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights(tmp_path):
    """A folder that may not be written is told in one line."""
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(UserError, match=r"cannot be written to .*: permission denied"):
            save(tmp_path, 1)
    finally:
        tmp_path.chmod(0o755)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    """A run's folder that is a file is told in one line."""
    (tmp_path / "run").write_text("")
    with pytest.raises(UserError, match=r"cannot be written to .*run: file exists"):
        save(tmp_path / "run", 1)
