"""The pages on added tokens: what they type is run, MODEL being the demo's, and their Python as well."""

import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from page_blocks import DOCS
from played_pages import exchanged, played

MODEL = "demo/all-MiniLM-L6-v2"
STANDS = {"MODEL": MODEL, "DIR": "with-words", "klue/bert-base": MODEL}
TEXT = "COVID patients were under hospitalization, and 코로나19 was everywhere.\n" * 4


@pytest.fixture(scope="module")
def written(folder: Path) -> Path:
    """The folder of the demo with a corpus, and with what the first page's commands leave."""
    (folder / "corpus.txt").write_text(TEXT, "utf-8")
    played((DOCS / "tokens.md").read_text("utf-8"), folder, stands=STANDS)
    return folder


def code(page: str) -> str:
    """The Python of a page, with the demo's model for the hub's."""
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    return exchanged(block, STANDS)


def test_commands_of_adding(written: Path) -> None:
    """They leave a folder with the words, in free slots."""
    found = (written / "with-words" / "vocab.txt").read_text("utf-8").split("\n")
    assert found[1:4] == ["<ent>", "covid", "hospitalization"]


def test_commands_of_proving(written: Path) -> None:
    """They find nothing wrong with it."""
    printed: dict[str, str] = {}
    played((DOCS / "tokens-verify.md").read_text("utf-8"), written, stands=STANDS, printed=printed)
    assert len(printed) == 2
    assert all("nothing is wrong" in said for said in printed.values())


@pytest.mark.slow
def test_python(written: Path) -> None:
    """By name and on live objects; then what is asked of an optimizer and of the folder."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    with chdir(written):
        there: dict[str, Any] = {
            "model": transformers.AutoModel.from_pretrained(MODEL),
            "tokenizer": transformers.AutoTokenizer.from_pretrained(MODEL),
        }
        exec(compile(code("tokens.md"), "tokens.md", "exec"), there)
        assert len(there["tokenizer"].tokenize("코로나19")) == 1
        assert there["adding"].plan.added
        there["optimizer"] = torch.optim.AdamW(there["model"].parameters())
        exec(compile(code("tokens-verify.md"), "tokens-verify.md", "exec"), there)
