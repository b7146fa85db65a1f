"""Pages whose commands are run, and print what the pages show; the mission tells the same in both languages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from page_blocks import left_out as without_test
from played_pages import masked, played

DOCS = Path(__file__).resolve().parents[2] / "docs"
MISSION = ("mission.md", "mission.ko.md")
LONG = ("pretune pool",)
PAGES = (*MISSION, "from-add_tokens.md")
SHOWN: dict[str, str] = {"mission.ko.md": "ko"}
"""Page -> the language its commands answer in, where it is not English."""


@pytest.fixture(scope="module")
def printed() -> dict[str, dict[str, str]]:
    """Language -> what commands printed in it for one page, for the others."""
    return {}


def fresh(name: str, folder: Path, printed: dict[str, dict[str, str]], left_out: tuple[str, ...] = ()) -> str:
    """A page with the true output of its commands; with UPDATE_README it is written."""
    language = SHOWN.get(name, "en")
    os.environ["PRETUNE_LANG"] = language  # put back by the fixture of every test here
    known = printed.setdefault(language, {})
    beginnings = (*without_test(DOCS / name), *left_out)
    found = played((DOCS / name).read_text("utf-8"), folder, left_out=beginnings, printed=known)
    if os.environ.get("UPDATE_README"):
        (DOCS / name).write_text(found, "utf-8")
    return found


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_is_printed(name: str, folder: Path, printed: dict[str, dict[str, str]]) -> None:
    """Every console block is true; what computes is left to the next test."""
    assert fresh(name, folder, printed, LONG) == (DOCS / name).read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", MISSION)
def test_the_page_with_what_computes(name: str, folder: Path, printed: dict[str, dict[str, str]]) -> None:
    """The same with the table of pool, whose figures may differ in their last digits."""
    assert masked(fresh(name, folder, printed)) == masked((DOCS / name).read_text("utf-8"))


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


def test_every_page_is_found() -> None:
    """Each page and each decision is named in the index of docs, or in README."""
    index = "".join((DOCS / name).read_text("utf-8") for name in ("README.md", "../README.md"))
    pages = [path.relative_to(DOCS).as_posix() for path in (*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md"))]
    assert [page for page in pages if f"({page})" not in index and f"(docs/{page})" not in index] == []


def test_the_page_of_doctor() -> None:
    """Its extras are those of doctor with what they are for; its faults are those that doctor's source knows."""
    from pretune.doctor import faults, installed
    from pretune.doctor.extras import USES

    text = (DOCS / "doctor.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `(\w+)` \| ([a-z].*) \|$", text, re.MULTILINE)) == USES
    source = "".join(Path(module.__file__).read_text("utf-8") for module in (faults, installed))
    told = set(re.findall(r'Trouble\(\s*"([a-z-]+)"', source)) | {fault.name for fault in faults.KNOWN}
    table = {
        name
        for row in re.findall(r"^\| (`[a-z-]+`.*?) \| (?:error|warning|note)", text, re.MULTILINE)
        for name in re.findall(r"`([a-z-]+)`", row)
    }
    assert table == told
