"""Pages of docs whose examples take no time: every one is run, and prints what the page shows."""

import json
import os
from pathlib import Path

import pytest

from page_blocks import DOCS, left_out
from played_pages import played

LONG = {
    "doctor.md": ("pretune doctor  ", "pretune doctor --json"),
    "corpus.md": ("pretune check demo/korean-bert --data 'demo/korean*.json' --scheduler",),
}
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


@pytest.mark.slow
def test_doctor(folder: Path) -> None:
    """With torch and its devices, and for programs; what it says is each machine's own."""
    page, printed = DOCS / "doctor.md", dict[str, str]()
    played(page.read_text("utf-8"), folder, printed=printed)
    assert len(printed) == 3
    assert all(printed.values())


@pytest.mark.slow
def test_a_cluster(folder: Path) -> None:
    """The command with the address of a cluster that is there: the report is that of the shards put together."""
    distributed = pytest.importorskip("distributed")
    page, printed = (DOCS / "corpus.md").read_text("utf-8"), dict[str, str]()
    block = page[page.index("## Several machines") :]
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        played(block, folder, stands={"tcp://10.0.0.1:8786": cluster.scheduler_address}, printed=printed)
    merged, clustered = list(printed.values())[-2:]
    assert merged == clustered


@pytest.mark.parametrize("name", ["corpus.md", "doctor.md", "scripts.md", "github-action.md"])
def test_the_page_shows_what_is_printed(name: str, project: Path) -> None:
    """Every console block is true."""
    assert renewed(name, project, LONG.get(name, ())) == (DOCS / name).read_text("utf-8")
