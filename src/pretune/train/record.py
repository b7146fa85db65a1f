"""What a run was made with and on: record_of. Versions, device, git commit, command. No names of machines or people."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGES = ("pretune", "torch", "transformers", "accelerate", "tokenizers", "safetensors", "numpy")


def record_of(
    *,
    command: Sequence[str],
    forced: Sequence[str] = (),
    findings: Sequence[Mapping[str, str]] = (),
    engine: str,
) -> dict[str, Any]:
    """The environment of this process.

    Args:
        command: as it was typed, or would be.
        forced: errors of the preflight check that were overridden, a line each.
        findings: of the preflight check, as plain values.
        engine: `loop` or `trainer`.
    """
    import os

    found: dict[str, Any] = {
        "command": list(command),
        "engine": engine,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in PACKAGES},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        **_devices(),
    }
    commit = _commit()
    if commit:
        found["commit"] = commit
    if forced:
        found["forced"] = list(forced)
    found["findings"] = list(findings)
    return found


def command_line() -> list[str]:
    """The command of this process, its program by name only and secrets left out."""
    words = ["pretune"]
    for word in sys.argv[1:]:
        flag, equals, _ = word.partition("=")
        if _is_secret(words[-1]):
            words.append("***")
        else:
            words.append(f"{flag}=***" if equals and _is_secret(flag) else word)
    return words


def _is_secret(flag: str) -> bool:
    if flag == "--knock":  # who knows the address of a webhook may write to it
        return True
    return flag.startswith("-") and flag.replace("_", "-").endswith(("-token", "-secret", "-password", "-key"))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _devices() -> dict[str, Any]:
    import torch

    found: dict[str, Any] = {"threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        found["device"] = torch.cuda.get_device_name()
        found["cuda"] = torch.version.cuda
    else:
        found["device"] = "cpu"
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        found["processes"] = distributed.get_world_size()
    return found


def _commit() -> str | None:
    """The commit of the repository that the run was started in, `+` behind it when files were changed; None: none."""
    import subprocess

    def asked(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603, S607
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = asked("rev-parse", "HEAD")
    if not commit:
        return None
    return commit + ("+" if asked("status", "--porcelain", "--untracked-files=no") else "")
