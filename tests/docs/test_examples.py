"""Pages of docs whose examples take no time: every one is run, and prints what the page shows."""

import json
import os
from pathlib import Path

import pytest

from page_blocks import DOCS, left_out
from played_pages import played

LONG = {"doctor.md": ("pretune doctor  ", "pretune doctor --json"), "corpus.md": ("pretune check demo/korean-bert --data 'demo/korean*.json' --scheduler",)}
"""Page -> beginnings of commands that are left to the slow tests."""
SCRIPT = 'from transformers import TrainingArguments\n\nargs = TrainingArguments("out", evaluation_strategy="epoch")\n'


@pytest.fixture
def project(folder: Path) -> Path:
    """The folder with what pages speak of as yours: a script, a notebook, a folder of sources, data."""
    for name in ("src", "notebooks"):
        (folder / name).mkdir(exist_ok=True)
    for name in ("train.py", "src/model.py"):
        (folder / name).write_text(SCRIPT, "utf-8")
    cell = {"cell_type": "code", "source": SCRIPT, "metadata": {}, "outputs": [], "execution_count": None}
    for name in ("notebook.ipynb", "notebooks/first.ipynb"):
        book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / name).write_text(json.dumps(book), "utf-8")
    (folder / "train.csv").write_text("text,label\n좋아요,1\n싫어요,0\n", "utf-8")
    return folder


def renewed(name: str, folder: Path, further: tuple[str, ...] = ()) -> str:
    """The page with what its commands print; with UPDATE_README it is written."""
    page, printed = DOCS / name, dict[str, str]()
    found = played(page.read_text("utf-8"), folder, left_out=(*left_out(page), *further), printed=printed)
    assert not any(printed[command] for command in printed if command.endswith("# prints nothing"))
    if os.environ.get("UPDATE_README"):
        page.write_text(found, "utf-8")
    return found


@pytest.mark.parametrize("name", ["corpus.md", "doctor.md", "scripts.md", "github-action.md"])
def test_the_page_shows_what_is_printed(name: str, project: Path) -> None:
    """Every console block is true."""
    assert renewed(name, project, LONG.get(name, ())) == (DOCS / name).read_text("utf-8")
