"""The hub's settings, the targets of knock, and names in the current folder that hide packages. Tells no secret."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pretune.doctor.diagnosis import Hub, Knock

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDEABLE = "torch transformers tokenizers accelerate datasets evaluate peft safetensors sentencepiece numpy".split()
"""Packages that people name a file or a folder of their own after."""
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def hub(environment: Mapping[str, str]) -> Hub | None:
    """Cache, offline switch, address and whether there is a token; None without huggingface_hub."""
    try:
        from huggingface_hub import constants
    except Exception:  # noqa: BLE001 - whatever a broken installation raises
        return None
    cache = Path(constants.HF_HUB_CACHE)
    offline = next((name for name in OFFLINE if environment.get(name)), "HF_HUB_OFFLINE")
    given = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN")
    token = "environment" if given else "file" if Path(constants.HF_TOKEN_PATH).is_file() else ""
    return Hub(
        shown(cache),
        _count(cache, "models--*"),
        _count(cache, "datasets--*"),
        offline if constants.HF_HUB_OFFLINE else "",
        _address(constants.ENDPOINT),
        token,
    )


def _count(folder: Path, pattern: str) -> int:
    try:
        return sum(1 for _ in folder.glob(pattern))
    except OSError:
        return 0


def _address(url: str) -> str:
    """The address without a user, a password or a query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def shown(path: Path) -> str:
    """A path, with ~ for the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


def knock(environment: Mapping[str, str]) -> Knock:
    """Who is told when nobody is named, by label; mistakes without the word that was mistaken, which may be a token."""
    from pretune.knock.spool import folder, waiting
    from pretune.knock.targets import resolve

    found, mistakes = resolve((), environment)
    told = tuple(re.sub(r'"[^"]*"', "a target", mistake, count=1) for mistake in mistakes)
    return Knock(tuple(target.label for target in found), told, len(waiting(folder(environment))))


def hiding(where: Path) -> list[str]:
    """Names in a folder that Python imports instead of the package, when a script runs there."""
    named = [path for name in HIDEABLE for path in (Path(f"{name}.py"), Path(name) / "__init__.py")]
    return [str(path) for path in named if os.path.isfile(where / path)]  # noqa: PTH113 - the method may raise
