"""The page on pooling: its example is true, its tables name what there is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from played_pages import played
from pretune.pool.choice import POOLINGS, SHAPINGS
from pretune.pool.flags import ROLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pool.md"


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


@pytest.mark.slow
def test_the_example_prints_what_the_page_shows(folder: Path) -> None:
    """Every command of the page runs; the last digits of what is computed are the machine's."""
    pytest.importorskip("torch")
    text = PAGE.read_text("utf-8")
    fresh = played(text, folder / "demo", left_out=("pretune pool MODEL", "pretune pool ONE"))
    if os.environ.get("UPDATE_README"):
        PAGE.write_text(fresh, "utf-8")
    assert masked(fresh) == masked(PAGE.read_text("utf-8"))
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=folder / "demo", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("all-MiniLM-L6-v2 on similarity.tsv: 205 pairs")
    assert (folder / "demo" / "chosen" / "modules.json").is_file()
