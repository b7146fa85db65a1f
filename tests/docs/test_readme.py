"""Every example of README.md is run, in its order, in one folder; what it prints is what the page shows.

A block whose first line is a comment with a file's name is written to that file. `UPDATE_README=1` writes the true
output into the page. What is left out has a reason in page_blocks.py. README.ko.md has the same commands, files and sections.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from page_blocks import left_out
from played_pages import BLOCK, masked, played

ROOT = Path(__file__).resolve().parents[2]
README, KOREAN = ROOT / "README.md", ROOT / "README.ko.md"
LEFT_OUT = left_out(README)
LONG = ("pretune train", "pretune pool")
"""Parts that compute: left to the slow test. The last digits of what they compute are the machine's."""


def fresh(folder: Path, left_out: tuple[str, ...]) -> str:
    """README.md with the true output of its commands, but for the figures of those that compute."""
    text = README.read_text("utf-8")
    found = played(text, folder, left_out=left_out)
    if os.environ.get("UPDATE_README"):
        README.write_text(found, "utf-8")
        return found
    for old, new in zip(BLOCK.finditer(text), list(BLOCK.finditer(found)), strict=True):
        if any(f"$ {part}" in old[0] for part in LONG) and masked(old[0]) == masked(new[0]):
            found = found.replace(new[0], old[0], 1)
    return found


def test_readme_examples_print_what_the_page_shows(folder: Path) -> None:
    """Console blocks print what stands below their commands, the setup file is one."""
    assert fresh(folder, (*LEFT_OUT, *LONG)) == README.read_text("utf-8")


@pytest.mark.slow
def test_readme_with_what_computes(folder: Path) -> None:
    """The same with training, and the Python."""
    assert fresh(folder, LEFT_OUT) == README.read_text("utf-8")
    kinds = set()
    for kind, body in BLOCK.findall(README.read_text("utf-8")):
        kinds.add(kind)
        if kind == "python" and not body.startswith("# "):
            code = body.replace("report.raise_for_errors()", "")
            subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    assert {"console", "toml", "python"} <= kinds


def skeleton(page: Path) -> list[str]:
    """Levels of headings, commands, files, rows of tables with what stands in backticks first, in their order."""
    found = re.findall(r"^(#+) |^(\$ .*)|^(# \w+\.\w+)$|^(```\w*)|^(\|)", page.read_text("utf-8"), re.MULTILINE)
    return ["".join(parts) for parts in found]


def test_both_languages_show_the_same() -> None:
    """README.ko.md has the sections, commands, files, outputs and as many rows of tables as README.md, in its order."""
    english, korean = skeleton(README), skeleton(KOREAN)
    assert english == korean, "what one page got, the other needs, too"
    pages = [dict.fromkeys(re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))) for page in (README, KOREAN)]
    in_korean = {"README.ko.md", "docs/mission.md", "docs/rules/index.md"}
    assert set(pages[0]) - in_korean <= set(pages[1])
    assert {"docs/mission.ko.md", "docs/rules/ko/index.md"} <= set(pages[1])


def test_both_languages_print_the_same() -> None:
    """Blocks of commands, files and code are the same to the letter."""
    english, korean = ([body for _, body in BLOCK.findall(page.read_text("utf-8"))] for page in (README, KOREAN))
    assert english == korean
