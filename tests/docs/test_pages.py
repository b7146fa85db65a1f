"""Pages whose commands are run, and print what the pages show; the mission tells the same in both languages."""

import os
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from played_pages import played
from pretune.demo import story

DOCS = Path(__file__).resolve().parents[2] / "docs"
MISSION = ("mission.md", "mission.ko.md")
PAGES = (*MISSION, "from-add_tokens.md")


@pytest.fixture(scope="module")
def folder(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `demo` is what `pretune demo --keep demo --no-train` leaves, but for its results."""
    assert minilm.is_dir()
    there = tmp_path_factory.mktemp("mission")
    (there / "demo").mkdir()
    with chdir(there / "demo"):
        story.scenes()
        story.english()
    return there


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """What commands printed for one page, for the other."""
    return {}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_is_printed(name: str, folder: Path, printed: dict[str, str]) -> None:
    """Every console block is true."""
    page = DOCS / name
    text = page.read_text("utf-8")
    fresh = played(text, folder, left_out=("pretune demo", "pip "), printed=printed)
    if os.environ.get("UPDATE_README"):
        page.write_text(fresh, "utf-8")
    assert fresh == page.read_text("utf-8")


def test_both_languages_tell_the_same() -> None:
    """The same sections, commands, files and tables, in the same order."""

    def skeleton(name: str) -> list[str]:
        text = (DOCS / name).read_text("utf-8")
        return re.findall(r"^(#+ [\d.]*|\$ .*|\| .*?\||# \w+\.py|```\w*)", text, re.MULTILINE)

    english, korean = ([re.sub(r"\|.*", "|", line) for line in skeleton(name)] for name in MISSION)
    assert english == korean


@pytest.mark.parametrize("page", [*DOCS.glob("*.md"), DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.slow
def test_the_script_on_live_objects(folder: Path) -> None:
    """It prints what its comment says."""
    page = (DOCS / "from-add_tokens.md").read_text("utf-8")
    code = re.search(r"```python\n# live.py\n(.*?)```", page, re.DOTALL)[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code.rpartition("  # ")[2].strip()
