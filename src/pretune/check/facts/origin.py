"""Finds what a saved model was itself loaded from, if that is on this machine, and whether its weights are the same.

Asks no network: a folder, or the hub's cache. Knows nothing of what a difference means.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.artifacts.config import CONFIG, read_config
from pretune.artifacts.source import FolderSource
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from pretune.artifacts.config import Config
    from pretune.artifacts.source import Source

_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?")
_SAMPLE = 4096


def origin_of(config: Config) -> tuple[Config | None, bool | None]:
    """The config that `_name_or_path` leads to, and whether both folders' weights are the same (None: cannot be told).

    (None, None) when the name leads nowhere on this machine, back to the same folder, or to an equal config.
    """
    name = config.name_or_path
    if name is None or "\0" in name:
        return None, None
    folder = _folder(name)
    if folder is None or _same_place(folder, config.source):
        return None, None
    try:
        origin = read_config(FolderSource(name, folder))
    except (UserError, OSError):
        return None, None
    if origin.raw == config.raw or origin.model_type != config.model_type:
        return None, None
    return origin, _same_weights(origin.source, config.source)


def _folder(name: str) -> Path | None:
    """A folder with a config.json: the path itself, or the hub cache's snapshot of that name."""
    try:
        path = Path(name).expanduser()
        if (path / CONFIG).is_file():
            return path
    except (OSError, ValueError, RuntimeError):
        return None
    if not _REPOSITORY.fullmatch(name) or ".." in name:
        return None
    from pretune.artifacts.hub import cached  # most configs name no origin

    kept = cached(name)
    return kept.folder if kept is not None and kept.has(CONFIG) else None


def _same_place(folder: Path, source: Source) -> bool:
    here = source.path(CONFIG)
    return here is not None and here.resolve().parent == folder.resolve()


def _same_weights(one: Source, other: Source) -> bool | None:
    """Whether the weights files have the same names, sizes and bytes at their start, middle and end."""
    files = [
        sorted(name for name in source.names() if "/" not in name and name.endswith((".safetensors", ".bin")))
        for source in (one, other)
    ]
    if not files[0] or not files[1]:
        return None
    if files[0] != files[1]:
        return False
    for name in files[0]:
        size = one.size(name)
        if size != other.size(name):
            return False
        for offset in (0, size // 3, size // 2, max(size - _SAMPLE, 0)):
            if one.read_at(name, offset, _SAMPLE) != other.read_at(name, offset, _SAMPLE):
                return False
    return True
