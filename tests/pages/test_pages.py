"""Every HTML page in a real browser: fits, reads in light and dark, by keyboard, on paper, without the network.

KEEP_PAGES=DIR leaves the pages there, and a picture of each in every width and theme, to be looked at.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pages import browser, made

SOURCES = Path(__file__).parents[2] / "src" / "pretune"


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    """A browser; tests are skipped where there is none."""
    if why := browser.missing():
        pytest.skip(why)
    with browser.browser() as started:
        yield started


@pytest.fixture(scope="module")
def folder(opened: Any, minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, made anew."""
    assert opened is not None
    assert minilm.is_dir()
    kept = os.environ.get("KEEP_PAGES")
    place = Path(kept).resolve() if kept else tmp_path_factory.mktemp("pages")
    made.make(place)
    return place


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", made.PAGES)
@pytest.mark.parametrize("lang", made.LANGUAGES)
def test_a_page_is_read_by_everybody(opened: Any, folder: Path, lang: str, name: str) -> None:
    """Nothing is wrong with it in any width and theme."""
    pictures = folder if os.environ.get("KEEP_PAGES") else None
    said = lang if name != "notebook" else "en"  # what stands around the displays is somebody else's
    assert browser.looked_at(opened, folder / f"{lang}-{name}.html", said, pictures=pictures) == []


def test_every_writer_is_here() -> None:
    """Whatever calls render of draw.page, or displays itself in a notebook, is among the pages that are looked at."""
    pattern = re.compile(r"from pretune\.draw\.page import .*\brender\b|def _repr_html_")
    writers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if pattern.search(path.read_text("utf-8"))
    }
    assert writers == {
        "check/engine.py",
        "check/report/html.py",
        "demo/cli.py",
        "draw/display.py",
        "pool/analysis.py",
        "pool/page.py",
        "train/page.py",
    }
