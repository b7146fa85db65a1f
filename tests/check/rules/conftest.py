"""What tests of rules may ask for."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def config_folder(tmp_path: Path) -> Callable[[Mapping[str, Any]], str]:
    """Writes a folder with nothing but a config.json."""

    def write(raw: Mapping[str, Any]) -> str:
        folder = tmp_path / "bare"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(raw), "utf-8")
        return str(folder)

    return write
