"""The folder in which the pages' commands are run."""

from contextlib import chdir
from pathlib import Path

import pytest

from pretune.demo import pooling, story


@pytest.fixture(scope="module")  # a setup.toml of one page would be read for the next
def folder(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `demo` is what `pretune demo --keep demo --no-train` leaves, but for its results."""
    assert minilm.is_dir()
    there = tmp_path_factory.mktemp("pages")
    (there / "demo").mkdir()
    with chdir(there / "demo"):
        story.scenes()
        story.english()
        pooling.pairs()
    return there


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show what is said in English, whatever the locale."""
    monkeypatch.setenv("PRETUNE_LANG", "en")
