"""A model on the hub: small files come into hub's usual cache, of weights only the ranges asked for. Knows no formats.

The cache is used as huggingface_hub lays it out; no branch that it holds is moved, so a model that is complete there
stays usable offline whatever is checked.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.artifacts.folder import MOST_NAMES, FolderSource, inside, is_folder, place
from pretune.artifacts.hub_requests import fetch, told
from pretune.core.errors import UserError
from pretune.core.files import SMALL

if TYPE_CHECKING:
    from collections.abc import Mapping

AHEAD = 32 * 2**10
"""A range read takes this much at once (never more than 1/400 of the file): most safetensors headers in one request."""

_WEIGHTS = frozenset(
    {
        ".safetensors",
        ".bin",
        ".pt",
        ".pth",
        ".ckpt",
        ".h5",
        ".msgpack",
        ".ot",
        ".onnx",
        ".gguf",
        ".pkl",
        ".npz",
        ".data",
        ".mlmodel",
    }
)
_NAME = re.compile(r"(?:[A-Za-z0-9_][\w.-]*/)?[A-Za-z0-9_][\w.-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubSource:
    """A model of the hub at one commit.

    Attributes:
        label: the model as the user named it.
        repo: `org/name`.
        commit: the 40 hexadecimal digits that all files are read at.
        sizes: file name -> bytes, None where the hub does not say.
    """

    label: str
    repo: str
    commit: str
    sizes: Mapping[str, int | None]
    remarks: tuple[str, ...] = ()
    complete: bool = True
    _ranges: dict[str, tuple[int, bytes]] = field(default_factory=dict, repr=False, compare=False)

    def names(self) -> frozenset[str]:
        """The repository's files, sub-folders one level deep included; at most MOST_NAMES."""
        return self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(islice((name for name in self.sizes if name.count("/") <= 1), MOST_NAMES))

    def has(self, name: str) -> bool:
        """Whether the repository lists the file."""
        return name in self.sizes

    def size(self, name: str) -> int:
        """Bytes of the file, from the hub's listing."""
        self._must_exist(name)
        size = self.sizes[name]
        if size is not None:
            return size
        from huggingface_hub import get_hf_file_metadata

        with told(self.label):
            return get_hf_file_metadata(self._url(name)).size or 0

    def read(self, name: str, *, limit: int = SMALL) -> bytes:
        """The whole file; it comes into the hub's cache, unless it holds weights or the cache cannot be written.

        Raises:
            UserError: missing, longer than `limit` bytes, or the hub does not give it.
        """
        size = self.size(name)
        if size > limit:
            raise UserError(f"{self.at(name)} has {size:,} bytes, more than the {limit:,} that are read of such a file")
        local = self._snapshot()
        if local is None or not local.has(name):
            local = None if _is_weights(name) else self._download(name)
        if local is None:
            return fetch(self._url(name), 0, size, model=self.label, file=name)
        return local.read(name, limit=limit)

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on: from the cache where it has the file, else by a range request.

        Raises:
            UserError: missing, or the hub does not give it.
        """
        size = self.size(name)
        local = self._snapshot()
        if local is not None and local.has(name):
            return local.read_at(name, offset, length)
        offset = max(offset, 0)
        length = min(length, size - offset)
        if length <= 0:
            return b""
        start, held = self._ranges.get(name, (0, b""))
        if not start <= offset <= offset + length <= start + len(held):
            start = offset
            wanted = max(length, min(AHEAD, size // 400))
            held = fetch(self._url(name), offset, min(wanted, size - offset), model=self.label, file=name)
            self._ranges[name] = (start, held)
        return held[offset - start : offset - start + length]

    def path(self, name: str) -> Path | None:
        """The file in the cache, or None; nothing is fetched."""
        local = self._snapshot()
        return None if local is None else local.path(name)

    def at(self, name: str, pointer: str = "") -> str:
        """`org/name/config.json:/vocab_size`."""
        return place(self.label, name, pointer)

    def _must_exist(self, name: str) -> None:
        if name not in self.sizes:
            deeper = sorted(known.rpartition("/")[0] for known in self.names() if known.endswith(f"/{name}"))
            hint = f"its sub-folder {deeper[0]} has one" if deeper else f"expected a model's repository, with {name}"
            raise UserError(f"{self.label} has no {name} on the hub", hint=hint)

    def _snapshot(self) -> FolderSource | None:
        folder = _repository(self.repo) / "snapshots" / self.commit
        return FolderSource(self.label, folder) if is_folder(folder) else None

    def _download(self, name: str) -> FolderSource | None:
        """The cache's folder with the file in it, or None when the cache cannot be written."""
        from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download

        if not _writable(Path(constants.HF_HUB_CACHE)):
            return None
        with told(self.label):
            if self._snapshot() is None:  # the first file: a refusal is told at once, where the download would retry
                get_hf_file_metadata(self._url(name), timeout=constants.HF_HUB_ETAG_TIMEOUT)
            hf_hub_download(
                self.repo,
                name,
                revision=self.commit,
                cache_dir=constants.HF_HUB_CACHE,
                endpoint=constants.ENDPOINT,
                etag_timeout=constants.HF_HUB_ETAG_TIMEOUT,
            )
        return self._snapshot()

    def _url(self, name: str) -> str:
        from huggingface_hub import constants, hf_hub_url

        return hf_hub_url(self.repo, name, revision=self.commit, endpoint=constants.ENDPOINT)


def find(name: str, *, revision: str | None = None) -> HubSource | FolderSource:
    """A model by its hub name: as the hub has it now, or, when the hub cannot be asked, as the cache has it.

    Args:
        name: `org/name`, or `name` alone for the old ones; `@revision` may follow.
        revision: branch, tag or commit; the default is main.

    Raises:
        UserError: neither the hub nor the cache gives it; the hint says what to do.
    """
    from huggingface_hub import constants

    repo, revision = _parts(name, revision)
    kept = cached(name, revision=revision)
    if constants.HF_HUB_OFFLINE:
        if kept is None:
            raise UserError(
                f"{name} is neither a folder here nor in the hub's cache, and HF_HUB_OFFLINE forbids to ask the hub",
                hint=f"unset HF_HUB_OFFLINE, or run `hf download {repo}` where there is a network, or give a folder",
            )
        return kept
    try:
        return _ask(name, repo, revision)
    except UserError as error:
        if kept is None:
            raise
        return FolderSource(kept.label, kept.folder, (error.message, *kept.remarks), complete=False)


def cached(name: str, *, revision: str | None = None) -> FolderSource | None:
    """What the hub's cache holds of a model, or None. Never asks the network, never raises for an odd name.

    What the cache knows as `revision` (default main) is meant; without that, its newest snapshot with a config.json.
    """
    repo, revision = _parts(name, revision)
    if _NAME.fullmatch(repo) is None or not inside(revision or "main"):
        return None
    repository = _repository(repo)
    commit = revision or "main"
    try:
        commit = (repository / "refs" / commit).read_text("ascii").strip()
    except (OSError, ValueError):
        commit = revision or _newest(repository)
    folder = repository / "snapshots" / commit
    if not commit or not inside(commit) or not is_folder(folder):
        return None
    remark = f"{name} is read from the hub's cache (commit {commit[:7]}); files that it does not hold are not seen"
    return FolderSource(name, folder, (remark,), complete=False)


def _ask(label: str, repo: str, revision: str | None) -> HubSource:
    """The model as the hub lists it now: one request."""
    from huggingface_hub import HfApi, constants

    api = HfApi(endpoint=constants.ENDPOINT)
    timeout = constants.HF_HUB_ETAG_TIMEOUT
    try:
        with told(label):
            info = api.model_info(repo, revision=revision, files_metadata=True, timeout=timeout)
            listed = {file.rfilename: file.size for file in info.siblings or ()}
            commit = info.sha or ""
    except UserError as error:
        if "nor a model" in error.message and _is_dataset(repo):
            raise UserError(
                f"{label} is a dataset on the hub, not a model", hint="give it as data, and a model as the model"
            ) from None
        raise
    if _COMMIT.fullmatch(commit) is None:
        raise UserError(
            f"{label}: what answers at {constants.ENDPOINT} is not a model hub", hint="check HF_ENDPOINT and the proxy"
        )
    return HubSource(label, repo, commit, {name: size for name, size in listed.items() if inside(name)})


def _is_dataset(repo: str) -> bool:
    from huggingface_hub import HfApi, constants

    try:
        with told(repo):
            HfApi(endpoint=constants.ENDPOINT).dataset_info(repo, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except UserError:
        return False
    return True


def _parts(name: str, revision: str | None) -> tuple[str, str | None]:
    repo, at, behind = name.partition("@")
    return repo, revision or (behind if at and behind else None)


def _repository(repo: str) -> Path:
    """The model's folder in the cache."""
    return _cache() / f"models--{repo.replace('/', '--')}"


def _cache() -> Path:
    """The cache's folder, by the rule of huggingface_hub.constants, whose import costs 0.1 s where nobody needed it."""
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        return Path(str(constants.HF_HUB_CACHE))
    said = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    general = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{general}/huggingface"
    return Path(os.path.expandvars(said or f"{home}/hub")).expanduser()


def _newest(repository: Path) -> str:
    """The youngest snapshot with a config.json; empty when there is none."""
    try:
        found = [config.parent for config in islice(repository.glob("snapshots/*/config.json"), 1000)]
        return max(found, key=lambda folder: folder.stat().st_mtime).name if found else ""
    except OSError:
        return ""


def _is_weights(name: str) -> bool:
    return Path(name).suffix.lower() in _WEIGHTS


def _writable(folder: Path) -> bool:
    """Whether files can be made in the folder, or in the nearest one above it that exists."""
    nearest = next((parent for parent in (folder, *folder.parents) if os.access(parent, os.F_OK)), folder)
    return is_folder(nearest) and os.access(nearest, os.W_OK | os.X_OK)
