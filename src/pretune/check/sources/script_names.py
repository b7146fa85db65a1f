"""The names of models in a script, and the files that they and paths in it mean here. Asks no hub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.script.kinds import alternatives, source_of
from pretune.script.values import Constant

if TYPE_CHECKING:
    from pretune.script.values import Value

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_FILES = (".bin", ".json", ".pt", ".pth", ".ckpt", ".safetensors", ".model", ".txt")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_OWN = re.compile(
    r"(outputs?|results?|models?|checkpoints?|saved?|ckpts?|data|logs?|runs?|weights?|exp\w*)([_/.-]|$)", re.IGNORECASE
)


def name_of(value: Value) -> str | None:
    """The name or path that a model, tokenizer or config was loaded by; None: not loaded so, or not known."""
    source = source_of(value)
    found = {one.value for one in alternatives(source) if isinstance(one, Constant)} if source is not None else set()
    name = found.pop() if source is not None and len(found) == 1 == len(alternatives(source)) else None
    return name.strip() if isinstance(name, str) and name.strip() else None


def is_hub_name(name: str) -> bool:
    """Whether a name looks like one of the hub's, not like a folder that the script or its user made."""
    return _HUB.fullmatch(name) is not None and not _OWN.match(name) and not name.endswith(_FILES)


def located(script: str, name: str) -> str:
    """A name or path as it is found from here: beside the script, where it is only there.

    Args:
        script: the script's path.
        name: as the script has it: a hub name or a path.
    """
    if not _is_there(name):
        beside = os.path.join(os.path.dirname(script), name)  # noqa: PTH118, PTH120 - a hub name must stay as it is
        if _is_there(beside):
            return beside
    return name


def holds_weights(script: str, name: str) -> bool:
    """Whether a name is a folder here that holds trained weights.

    Args:
        script: the script's path.
        name: as the script has it.
    """
    folder = located(script, name)
    return any(_is_there(os.path.join(folder, file)) for file in _WEIGHTS)  # noqa: PTH118 - it may be no path at all


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
