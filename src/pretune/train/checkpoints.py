"""Checkpoints that are complete or absent: written beside, brought to the disk, listed in a manifest, renamed.

`checkpoint-120` appears by one rename when all of its files are on the disk, with a manifest of their sizes and hashes,
the step and the recipe. What a crash or a full disk interrupts bears another name (`.checkpoint-120.tmp-…`) and is
cleaned away by the next run; the checkpoint before it is not touched. Knows neither torch nor what the files mean.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.tokens.byte_copy import sync_folder
from pretune.train import manifest
from pretune.train.disk import told
from pretune.train.fingerprint import differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_NAME = re.compile(r"checkpoint-(\d+)")
_BESIDE, _OLD = ".tmp-", ".old-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint whose files are all there, as they were written.

    Attributes:
        path: its folder, which loads in plain transformers by from_pretrained.
        step: optimizer steps done.
        recipe: what the run was asked for, flat; empty when nothing was said.
        passed_over: one line for each later checkpoint that is not complete, and why.
    """

    path: Path
    step: int
    recipe: Mapping[str, Any] = field(default_factory=dict)
    passed_over: tuple[str, ...] = ()


def save(
    folder: str | Path,
    *,
    step: int,
    files: Mapping[str, bytes | Callable[[Path], object]],
    recipe: Mapping[str, Any] | None = None,
    keep: int | None = None,
    best: int | None = None,
) -> Path:
    """Write `checkpoint-STEP` into the folder, whole or not at all; then take away what is too many.

    Args:
        folder: of the run; made when it is not there.
        step: optimizer steps done.
        files: name -> its bytes, or what writes it when given its path. The name `.` stands for the checkpoint's
            folder itself, for whatever writes several files (save_pretrained).
        recipe: what the run was asked for, flat: a checkpoint of another recipe is refused by `find`.
        keep: how many complete checkpoints stay, this and the best one among them; None: all.
        best: the step of the checkpoint that is never taken away.

    Raises:
        UserError: the disk is full or cannot be written. No trace of this checkpoint is left then, and no other is
            missing.
    """
    folder = Path(folder)
    name = f"checkpoint-{step}"
    before = _listed(folder)
    last = before[-1] if before else None
    with told(name, folder, needed=manifest.size(last) if last else 0, stands=last.name if last else "") as written:
        folder.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{name}{_BESIDE}", dir=folder))
        try:
            _fill(beside, files)
            manifest.seal(beside, step=step, recipe=recipe or {})
            _put(beside, folder / name)
        except BaseException:
            with suppress(OSError):
                written.bytes = sum(path.stat().st_size for path in beside.rglob("*") if path.is_file())
            shutil.rmtree(beside, ignore_errors=True)
            raise
    if keep is not None:
        _rotate(folder, keep=max(keep, 1), never={step, best})
    return folder / name


def newest(folder: str | Path) -> Checkpoint | None:
    """The highest complete checkpoint of a run's folder, every file compared with size and hash; None without one."""
    return _look(Path(folder))[0]


def find(place: str | Path, recipe: Mapping[str, Any] | None = None) -> Checkpoint:
    """The checkpoint to go on from. Asked before the model loads, inside `holding`.

    Args:
        place: a run's folder, whose newest complete checkpoint is meant, or one checkpoint.
        recipe: of the run that shall go on; None: whatever it was.

    Raises:
        UserError: there is none, it is not complete, or it is of another recipe, with what differs.
    """
    place = Path(place)
    if not place.is_dir():
        raise UserError(f"{place} does not exist, where a checkpoint to resume from is expected")
    if _NAME.fullmatch(place.name) or (place / manifest.MANIFEST).exists():
        reason = manifest.fault(place)
        if reason:
            raise UserError(
                f"{place} is not a complete checkpoint: {reason}",
                hint=f"resume from {place.parent}, which takes its newest complete one",
            )
        found: Checkpoint | None = _read(place)
        passed_over: tuple[str, ...] = ()
    else:
        found, passed_over = _look(place)
    if found is None:
        raise UserError(
            "; ".join((f"{place} holds no complete checkpoint", *passed_over)), hint="start the run without resuming"
        )
    if recipe is not None:
        require_recipe(found, recipe)
    return found


def require_recipe(found: Checkpoint, recipe: Mapping[str, Any]) -> None:
    """Stop before a run goes on from a checkpoint of another one.

    Raises:
        UserError: it is of another recipe, with what differs.
    """
    changed = differences(found.recipe, recipe)
    if changed:
        raise UserError(
            f"{found.path} is of another recipe: {', '.join(changed)}",
            hint="resume with the options it was written with, or train into another folder",
        )


@contextmanager
def holding(folder: str | Path) -> Iterator[None]:
    """Own a run's folder: what a crash left in it is cleaned away, and no other process trains into it meanwhile.

    Raises:
        UserError: one does, or the folder cannot be written.
    """
    folder = Path(folder)
    with told("a run", folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = _lock(folder)
    try:
        with told("a run", folder):
            clean(folder)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def clean(folder: str | Path) -> None:
    """Take away what a crash left half-written, and put back a checkpoint that it caught between two renames."""
    folder = Path(folder)
    for path in sorted(folder.glob(f".checkpoint-*{_OLD}*")):
        name = folder / path.name[1:].partition(_OLD)[0]
        if not name.exists() and not manifest.fault(path):
            path.rename(name)
    for path in (*folder.glob(f".checkpoint-*{_BESIDE}*"), *folder.glob(f".checkpoint-*{_OLD}*")):
        shutil.rmtree(path, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    """A handle that keeps other runs out of a folder while it is open; None where the system has no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UserError(f"another process trains into {folder}", hint="wait for it, or give another folder") from None
    except OSError:  # a network file system without locks
        os.close(handle)
        return None
    return handle


def _fill(beside: Path, files: Mapping[str, bytes | Callable[[Path], object]]) -> None:
    """Write the files of a checkpoint."""
    for name, content in files.items():
        path = beside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
            continue
        with path.open("wb") as out:
            out.write(content)
        if path.stat().st_size != len(content):
            raise OSError(f"{name} has {path.stat().st_size:,} bytes after {len(content):,} were written")


def _put(beside: Path, path: Path) -> None:
    """Give a sealed folder its name; a checkpoint that has it already makes room by a rename, and goes after that."""
    old = None
    if path.exists():
        old = path.with_name(beside.name.replace(_BESIDE, _OLD, 1))
        path.rename(old)
    try:
        beside.rename(path)
    except BaseException:
        if old is not None:
            old.rename(path)
        raise
    sync_folder(path.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _rotate(folder: Path, *, keep: int, never: set[int | None]) -> None:
    """Take away the lowest checkpoints; each loses its name first, so that no crash leaves half of one under it."""
    found = _listed(folder)
    many = [path for path in found if _step(path) not in never]
    for path in many[: max(len(found) - keep, 0)]:
        aside = path.with_name(f".{path.name}{_BESIDE}gone")
        with suppress(OSError):
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)


def _look(folder: Path) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """The newest complete checkpoint, and what was passed over to find it."""
    passed_over: list[str] = []
    for path in reversed(_named(folder)):
        reason = manifest.fault(path)
        if not reason:
            return _read(path, tuple(passed_over)), tuple(passed_over)
        passed_over.append(f"{path.name}: {reason}")
    return None, tuple(passed_over)


def _read(path: Path, passed_over: tuple[str, ...] = ()) -> Checkpoint:
    said = manifest.read(path)
    return Checkpoint(path, said["step"], said["recipe"], passed_over)


def _named(folder: Path) -> list[Path]:
    """What bears the name of a checkpoint, the lowest first."""
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_step)


def _listed(folder: Path) -> list[Path]:
    """Checkpoints that were complete once, the lowest first; their files are not read."""
    return [path for path in _named(folder) if (path / manifest.MANIFEST).is_file()]


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
