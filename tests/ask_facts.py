"""Reads the facts of one model folder, for tests of facts."""

import json
from pathlib import Path
from typing import Any

from pretune.check.facts import Facts
from pretune.check.facts.loading import LoadingFacts
from pretune.check.sources.setup import Setup


def facts(folder: Path | str, **said: Any) -> Facts:
    """The facts of a Setup that names this model."""
    return Facts(Setup(model=str(folder), **said))


def write_config(folder: Path, **raw: Any) -> Path:
    """A folder with nothing but a config.json."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(raw), "utf-8")
    return folder


def names(loading: LoadingFacts) -> dict[str, set[str]]:
    """What is missing, unexpected and mismatched, by name."""
    return {
        "missing": {tensor.name for tensor in loading.missing},
        "unexpected": {stray.tensor.name for stray in loading.unexpected},
        "mismatched": {mismatch.expected.name for mismatch in loading.mismatched},
    }
