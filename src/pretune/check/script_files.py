"""Which files `pretune check` takes for scripts: a .py, a .ipynb, the ones below a folder. Reads .gitignore, no source.

Of .gitignore only the folder's own is read, and of its lines those that are a plain name, a path or a pattern without
`!`: enough to pass over what people leave out, without git.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.check.sources.setup_file import MODEL_FILES, SUFFIXES, setup_file_in
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SCRIPTS = (".py", ".ipynb")
# fmt: off
PASSED_OVER = {
    "venv", "env", "node_modules", "site-packages", "dist-packages", "__pycache__", "build", "dist", "wandb",
    "lightning_logs",
}
# fmt: on
"""Folders whose scripts are nobody's own; hidden ones are passed over as well."""
MOST = 20_000
"""Scripts in a folder; more are a mistake (somebody's home)."""


def is_script(subject: str) -> bool:
    """Whether the command's argument means scripts: by its extension, or a folder that holds some and is no model's.

    Raises:
        UserError: the folder holds two setup files.
    """
    path = Path(subject)
    if not path.is_dir():
        return path.suffix.lower() in SCRIPTS
    if any((path / name).is_file() for name in MODEL_FILES) or setup_file_in(path) is not None:
        return False
    return next(_below(path), None) is not None


def script_files(subjects: Sequence[str]) -> tuple[str, ...]:
    """The scripts that the arguments mean, each once, in order; those of a folder by their path.

    Raises:
        UserError: among them is something else; or a folder holds more than MOST.
    """
    found: dict[str, str] = {}
    for subject in subjects:
        if not is_script(subject):
            raise _no_script(subject, subjects)
        for file in _below(Path(subject)) if Path(subject).is_dir() else (subject,):
            found.setdefault(os.path.realpath(file), file)
            if len(found) > MOST:
                raise UserError(f"{subject} holds more than {MOST:,} scripts", hint="name a folder of your own code")
    return tuple(found.values())


def _no_script(subject: str, subjects: Sequence[str]) -> UserError:
    scripts = [one for one in subjects if is_script(one)]
    path = Path(subject)
    if path.is_dir() and not any((path / name).is_file() for name in MODEL_FILES) and setup_file_in(path) is None:
        return UserError(f"{subject} holds no .py and no .ipynb", hint=f"pretune check {scripts[0]}")
    if path.suffix.lower() in SUFFIXES:
        return UserError(f"{subject} is a setup file, and stands beside a script", hint="check one after the other")
    meant = "--data {}: data, {}" if path.is_file() else "--model {}: the model, {}"
    return UserError(
        f"{subject} is no script, and stands beside one: {scripts[0]}",
        hint=f"pretune check {scripts[0]} {meant.format(subject, 'over what the script says')}",
    )


def _below(folder: Path) -> Iterator[str]:
    """The scripts below a folder, sorted, without what belongs to others."""
    ignored = tuple(_ignored(folder))
    for at, folders, files in os.walk(folder):
        inside = Path(at)
        folders[:] = sorted(
            name for name in folders if not _is_passed_over(inside / name, folder, ignored, folder_=True)
        )
        for name in sorted(files):
            path = inside / name
            if path.suffix.lower() in SCRIPTS and not _is_passed_over(path, folder, ignored, folder_=False):
                yield str(path)


def _is_passed_over(path: Path, root: Path, ignored: Iterable[tuple[str, bool]], *, folder_: bool) -> bool:
    if path.name.startswith(".") or (folder_ and (path.name in PASSED_OVER or (path / "pyvenv.cfg").is_file())):
        return True
    if not folder_ and not path.is_file():  # a broken link, a fifo
        return True
    inside = path.relative_to(root).as_posix()
    return any(
        (folder_ or not only_folders) and fnmatch(inside if "/" in pattern else path.name, pattern.lstrip("/"))
        for pattern, only_folders in ignored
    )


def _ignored(folder: Path) -> Iterator[tuple[str, bool]]:
    """The patterns of the folder's own .gitignore, and whether each is about folders only."""
    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    lines = [line.strip() for line in text.splitlines()]
    if any(line.startswith("!") for line in lines):  # exceptions need all of git's rules
        return
    for line in lines:
        if line and not line.startswith("#") and "**" not in line:
            yield line.rstrip("/"), line.endswith("/")
