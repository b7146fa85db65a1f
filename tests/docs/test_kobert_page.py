"""The page on KoBERT: its commands and its Python are run on the real file, on fewer lines than the page's."""

import doctest
import gzip
import re
import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from page_blocks import DOCS
from played_pages import played

PAGE = (DOCS / "kobert.md").read_text("utf-8")
COUNTED = re.compile(r"^[\d,]+(?= lines compared)", re.MULTILINE)


@pytest.mark.slow
def test_the_page_shows_what_is_printed(shared_assets: Path, tmp_path: Path) -> None:
    """But for the number of lines compared, each output is the page's."""
    pytest.importorskip("sentencepiece")
    pytest.importorskip("transformers")
    (tmp_path / "kobert").mkdir()
    for name in ("spiece.model", "config.json"):
        shutil.copyfile(shared_assets / "tokenizers/kobert" / name, tmp_path / "kobert" / name)
    with gzip.open(shared_assets / "corpora/ko/nsmc_reviews.txt.gz", "rt", encoding="utf-8") as lines:
        few = "".join(line for _, line in zip(range(2000), lines, strict=False))
    with gzip.open(tmp_path / "nsmc_reviews.txt.gz", "wt", encoding="utf-8") as file:
        file.write(few)
    assert COUNTED.sub("#", played(PAGE, tmp_path)) == COUNTED.sub("#", PAGE)
    (typed,) = re.findall(r"```pycon\n(.*?)```", PAGE, re.DOTALL)
    with chdir(tmp_path):
        test = doctest.DocTestParser().get_doctest(typed, {}, "kobert.md", "kobert.md", 0)
        assert test.examples
        assert doctest.DocTestRunner().run(test).failed == 0
