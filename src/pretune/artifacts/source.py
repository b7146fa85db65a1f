"""Where a model's files come from: a folder here, or a name on the model hub. Knows no formats."""

import re
import stat
from dataclasses import replace
from os import scandir
from pathlib import Path
from typing import Protocol

from pretune.artifacts.folder import MODEL_FILES, MOST_NAMES, FolderSource, entries, inside, is_folder, place
from pretune.core.errors import UserError, nearest
from pretune.core.files import SMALL

__all__ = ["MODEL_FILES", "MOST_NAMES", "FolderSource", "Source", "inside", "locate", "looks_like_path", "place"]

_MODEL_SUFFIXES = frozenset({".json", ".safetensors", ".bin", ".txt", ".model", ".spiece", ".jinja", ".pt", ".pth"})
_HUB_NAME = re.compile(r"(?:[A-Za-z0-9_][\w.-]*/)?[A-Za-z0-9_][\w.-]*(?:@[\w./-]+)?", re.ASCII)
_PAGE = re.compile(r"(?:https?://|hf://)(?:huggingface\.co/|hf\.co/)?(?:models/)?([\w.-]+/[\w.-]+).*")


class Source(Protocol):
    """A model's files, wherever they are. Every method that reads a file raises UserError when it cannot be had."""

    @property
    def label(self) -> str:
        """The model as the user named it."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about how the files came here (`the hub did not answer, read from its cache`)."""
        ...

    @property
    def complete(self) -> bool:
        """Whether a file that is missing here is missing altogether; False for what a cache happens to hold."""
        ...

    def names(self) -> frozenset[str]:
        """Relative posix names, sub-folders one level deep included (`1_Pooling/config.json`); at most MOST_NAMES."""
        ...

    def has(self, name: str) -> bool:
        """Whether the file can be asked for."""
        ...

    def size(self, name: str) -> int:
        """Bytes of the file."""
        ...

    def read(self, name: str, *, limit: int = SMALL) -> bytes:
        """The whole file, which must not be longer than `limit` bytes."""
        ...

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on: fewer, or none, where the file ends."""
        ...

    def path(self, name: str) -> Path | None:
        """The file on this machine, or None when it is not on this machine."""
        ...

    def at(self, name: str, pointer: str = "") -> str:
        """The place as reports name it: `label/config.json:/vocab_size`."""
        ...


def locate(name: str, *, revision: str | None = None) -> Source:
    """The files of a model, from what the user typed.

    Args:
        name: a folder, a file in it (`some/model/config.json` means its folder), or a hub name (`klue/bert-base`,
            `klue/bert-base@main`). What exists here is meant before what the hub may have, as in transformers.
        revision: branch, tag or commit of a hub name; a folder has none.

    Raises:
        UserError: there is no such folder, and the name is no hub name or neither hub nor cache has it.
    """
    if not name.strip():
        raise UserError("the model's name is empty", hint="give a folder or a hub name such as klue/bert-base")
    page = _PAGE.fullmatch(name)
    if page:
        raise UserError(f"{name} is an address, not a model's name", hint=f'write "{page[1]}"')
    try:
        path = Path(name).expanduser()
        mode = path.stat().st_mode
    except PermissionError:
        raise UserError(f"{name} cannot be read: permission denied", hint="check the rights of its folders") from None
    except (OSError, ValueError, RuntimeError):
        return _elsewhere(name, revision)
    if stat.S_ISDIR(mode):
        return _folder(name, path)
    if not stat.S_ISREG(mode):
        raise UserError(f"{name} is neither a folder nor a file", hint="give the folder that holds config.json")
    return _folder_of_file(name, path)


def looks_like_path(name: str) -> bool:
    """Whether the user meant a place on this machine, not a hub name (`name`, `org/name`, either with `@revision`)."""
    plain = name.partition("@")[0]
    return (
        name.startswith((".", "/", "~"))
        or "\\" in name
        or plain.count("/") > 1
        or Path(plain).suffix in _MODEL_SUFFIXES
        or _HUB_NAME.fullmatch(name) is None
    )


def _folder(label: str, path: Path) -> FolderSource:
    try:
        with scandir(path) as found:
            next(found, None)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{label} cannot be read: {reason}", hint="check the rights of the folder") from None
    label = label.rstrip("/") or "/"
    snapshot = _snapshot(path)
    if snapshot is not None:
        return FolderSource(place(label, snapshot.relative_to(path).as_posix()), snapshot, complete=False)
    in_cache = path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--")
    return FolderSource(label, path, complete=not in_cache)


def _snapshot(path: Path) -> Path | None:
    """The snapshot that `main` names, when `path` is a model's folder in the hub's cache (`models--org--name`)."""
    if not path.name.startswith("models--"):
        return None
    try:
        commit = (path / "refs" / "main").read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    snapshot = path / "snapshots" / commit
    return snapshot if inside(commit) and is_folder(snapshot) else None


def _folder_of_file(name: str, path: Path) -> FolderSource:
    """The folder of a file that was named in its place."""
    parent = name.rpartition("/")[0] or ("/" if name.startswith("/") else ".")
    source = replace(_folder(parent, path.parent), label=parent)
    known = path.suffix in _MODEL_SUFFIXES and any(source.has(file) for file in MODEL_FILES)
    if known or path.suffix == ".safetensors":
        return source
    raise UserError(
        f"{name} is a file, not a model's folder",
        hint="give the folder that holds config.json, or a hub name such as klue/bert-base",
    )


def _elsewhere(name: str, revision: str | None) -> Source:
    """A model of the hub, or the reason why the name is none."""
    path = Path(name)
    try:
        path = path.expanduser()
        link = path.readlink() if path.is_symlink() else None
    except (OSError, ValueError, RuntimeError):
        raise UserError(f"{name!r} is no name that a folder can have", hint="give a folder or a hub name") from None
    near = _near(name, path)
    if link is not None:
        raise UserError(f"{name} is a link to {link}, which does not exist", hint=near)
    if looks_like_path(name):
        raise UserError(f"there is no folder {name}", hint=near or _where_it_ends(path))
    from pretune.artifacts.hub import find

    try:
        return find(name, revision=revision)
    except UserError as error:
        raise UserError(error.message, hint=near or error.hint, exit_code=error.exit_code) from None


def _near(name: str, path: Path) -> str:
    """`did you mean …?` when a folder of nearly that name lies beside where it was looked for."""
    close = nearest(path.name, [entry for entry, folder in entries(path.parent) if folder])
    before = name.rstrip("/")[: -len(path.name)] if path.name else ""
    return f'did you mean "{before}{close}"?' if close else ""


def _where_it_ends(path: Path) -> str:
    """How far the path leads before it stops existing."""
    whole = Path.cwd() / path
    exists = next((parent for parent in whole.parents if is_folder(parent)), whole.parent)
    return f"{exists} has no {whole.relative_to(exists).parts[0]}; give a folder, or a hub name such as klue/bert-base"
