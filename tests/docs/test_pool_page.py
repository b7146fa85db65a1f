"""The page on pooling: its example is true, its tables name what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from played_pages import played
from pretune.demo import sample
from pretune.pool.choice import POOLINGS, SHAPINGS
from pretune.pool.flags import ROLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pool.md"
FIRST = ("pretune pool MODEL", "pretune pool ONE")
"""What the page begins with, on files that are yours."""


def masked(text: str) -> str:
    """Words without figures."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.,]*", "#", text))


def test_every_pooling_is_explained() -> None:
    """Names of the table are those of the command, in the same order; shapings and roles are named as well."""
    text = PAGE.read_text("utf-8")
    named = [name for row in re.findall(r"^\| ([a-z ,]+) \| ", text, re.MULTILINE) for name in row.split(", ")]
    assert named[named.index("cls") :] == [name.replace("_", " ") for name in POOLINGS]
    assert all(f"--shape {name}" in text for name in SHAPINGS[1:])
    assert all(f"`{role}`" in text for role in ROLES)
    assert not re.search("first-last(?! average)", text)


def given(folder: Path) -> None:
    """The files that the page speaks of as yours, short, and another model."""
    from train import tiny_runs

    pairs = (folder / "similarity.tsv").read_text("utf-8").splitlines(keepends=True)
    (folder / "pairs.tsv").write_text("".join(pairs[:40]), "utf-8")
    reviews = sample.classify().read_text("utf-8").splitlines(keepends=True)
    (folder / "reviews.tsv").write_text("".join(reviews[:40]), "utf-8")
    (folder / "sentences.txt").write_text("".join(line.split("\t")[0] + "\n" for line in pairs[1:40]), "utf-8")
    tiny_runs.model(folder / "tiny")


@pytest.mark.slow
def test_the_first_commands(folder: Path) -> None:
    """Pairs, classes, bare text and two models are measured; the page of the last is written."""
    pytest.importorskip("torch")
    given(folder / "demo")
    (block,) = [one for one in re.findall(r"```console\n.*?```", PAGE.read_text("utf-8"), re.DOTALL) if FIRST[0] in one]
    stands = {"MODEL": "all-MiniLM-L6-v2", "ONE": "all-MiniLM-L6-v2", "OTHER": "tiny"}
    printed: dict[str, str] = {}
    played(block, folder / "demo", stands=stands, printed=printed)
    assert len(printed) == 4
    assert (folder / "demo" / "pool.html").is_file()


@pytest.mark.slow
def test_the_example_prints_what_the_page_shows(folder: Path) -> None:
    """Every command of the page runs; the last digits of what is computed are the machine's."""
    pytest.importorskip("torch")
    text = PAGE.read_text("utf-8")
    fresh = played(text, folder / "demo", left_out=FIRST)
    if os.environ.get("UPDATE_README"):
        PAGE.write_text(fresh, "utf-8")
    assert masked(fresh) == masked(PAGE.read_text("utf-8"))
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder / "demo", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("all-MiniLM-L6-v2 on similarity.tsv: 205 pairs")
    assert (folder / "demo" / "chosen" / "modules.json").is_file()
