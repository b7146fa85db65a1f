"""Notebooks: cells and their places, magics, formats 3 and 4, what is no notebook."""

import json
from pathlib import Path
from typing import Any

import pytest

from pretune.core.errors import UserError
from pretune.script.cells import blanked
from pretune.script.read import read_script, read_source
from pretune.script.trace import Trace
from read_code import became, call, plain


def notebook(*sources: str | list[str], counts: tuple[int | None, ...] = (), **about: Any) -> str:
    """A notebook of format 4 with these code cells."""
    cells = [
        {"cell_type": "code", "source": source, "outputs": [], "execution_count": count}
        for source, count in zip(sources, counts or [None] * len(sources), strict=True)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **about})


def read(*sources: str | list[str], **about: Any) -> Trace:
    """The trace of a notebook with these code cells."""
    return read_source(notebook(*sources, **about), "qa.ipynb")


def test_cells_are_one_script() -> None:
    """A name of one cell is known in the next, and places name the cell and its own line."""
    trace = read(
        "name = 'klue/bert-base'",
        ["# 모델\n", "from transformers import AutoModel\n", "AutoModel.from_pretrained(name)"],
    )
    loaded = call(trace, "transformers.AutoModel.from_pretrained")
    assert loaded.constant(0, "") == "klue/bert-base"
    assert str(loaded.place) == "qa.ipynb:cell 2:3:1"


def test_all_cells_are_counted() -> None:
    """A cell's number counts the text between the code too."""
    text = {"cell_type": "markdown", "source": "# 제목"}
    code = {"cell_type": "code", "source": "f()", "outputs": []}
    trace = read_source(json.dumps({"nbformat": 4, "metadata": {}, "cells": [text, text, code]}), "qa.ipynb")
    assert call(trace, "").place.cell == 3


def test_function_of_an_earlier_cell() -> None:
    """A function stands in the cell that defines it, wherever it is called."""
    trace = read("def load():\n    return open('x')", "handle = load()")
    assert call(trace, "builtins.open").place.cell == 1
    assert call(trace, "builtins.open").calls[0].cell == 2


@pytest.mark.parametrize(
    "cell",
    [
        "!pip install transformers\nx = 3",
        "%matplotlib inline\nx = 3",
        "%%time\nx = 3",
        "%%capture out\nx = 3",
        "if True:\n    !pip install \\\n        transformers\n    x = 3",
        "files = !ls -la\nx = 3",
        "t = %timeit -o f()\nx = 3",
        "torch.nn.Linear?\nx = 3",
        "?print\nx = 3",
        "pip install -q transformers\nx = 3",
        "x = 3\nawait f()",
        "text = '''\n%d items\n!important\n'''\nx = 3",
        "  \n%%time\n\nx = 3",
    ],
)
def test_magics(cell: str) -> None:
    """Magics, shell lines and help are passed over; what is Python in the cell is read."""
    assert plain(became(read(cell), "x")) == 3


def test_lines_stay() -> None:
    """A magic does not move the lines after it."""
    assert call(read("%%time\n!ls\n\nf()"), "").place.line == 4


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile train.py", "%%html", "%%javascript", "%%R", "%%sh -e"])
def test_cells_of_other_languages(magic: str) -> None:
    """A cell of another language is left out."""
    assert read(f"{magic}\nx=1; do( y").events == ()


def test_text_that_looks_like_a_magic() -> None:
    """In a cell that is plain Python nothing is blanked."""
    assert plain(became(read("x = '''\n!pip\n%run\n'''"), "x")) == "\n!pip\n%run\n"


def test_blanked_keeps_lines() -> None:
    """Blanking keeps the number of lines and the columns of what is left."""
    source = "!a \\\n b\n  %c\nx = 1"
    assert blanked(source) == "pass\n\n  pass\nx = 1"


def test_run_is_noted() -> None:
    """`%run` is not followed, and says so."""
    assert read("%run other.py").notes == ("qa.ipynb: cell 1: %run other.py was not followed",)


def test_out_of_order() -> None:
    """Execution counts that go back are noted; in order, none are."""
    assert read("a = 1", "b = 2", counts=(1, 2)).notes == ()
    (note,) = read("a = 1", "b = 2", "c = 3", counts=(3, None, 2)).notes
    assert "out of order" in note
    assert "In [2]" in note


def test_broken_cell() -> None:
    """A cell that cannot be parsed is left out with a note; where no cell can, it is the user's mistake."""
    trace = read("x = 3", "def f(:")
    assert plain(became(trace, "x")) == 3
    assert trace.notes == ("a cell was left out: qa.ipynb:cell 2:1:7 cannot be parsed: invalid syntax",)
    with pytest.raises(UserError, match=r"qa\.ipynb:cell 1:1:7 cannot be parsed"):
        read("def f(:")


def test_cell_that_ends_the_run() -> None:
    """A cell that raises does not hide those after it."""
    assert plain(became(read("raise SystemExit", "x = 3"), "x")) == 3
    assert plain(became(read("exit()\ny = 1", "x = 3"), "x")) == 3


def test_format_3() -> None:
    """Notebooks of format 3 keep their cells in worksheets, and the source as `input`."""
    cells = [
        {"cell_type": "code", "input": ["x = 3\n", "f()"], "prompt_number": 1, "outputs": [], "language": "python"}
    ]
    text = json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})
    trace = read_source(text, "old.ipynb")
    assert plain(became(trace, "x")) == 3
    assert str(call(trace, "").place) == "old.ipynb:cell 1:2:1"


@pytest.mark.parametrize(
    "about", [{"language_info": {"name": "R"}}, {"kernelspec": {"language": "julia", "name": "x"}}]
)
def test_other_languages(about: dict[str, Any]) -> None:
    """A notebook in another language is one line."""
    with pytest.raises(UserError, match=r"qa\.ipynb is a notebook in (r|julia), only Python is read"):
        read("x <- 1", metadata=about)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"qa\.ipynb:1:2 is not JSON"),
        ("", r"qa\.ipynb:1:1 is not JSON"),
        ("[]", "found list"),
        ("{}", "neither `cells` nor `worksheets`"),
        ('{"cells": 3}', "neither `cells` nor `worksheets`"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_no_notebook(text: str, words: str) -> None:
    """What is no notebook is one line."""
    with pytest.raises(UserError, match=words):
        read_source(text, "qa.ipynb")


@pytest.mark.parametrize(
    "cell",
    [
        None,
        3,
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": None},
        {"cell_type": "code", "source": [1, "f()"]},
    ],
)
def test_odd_cells(cell: object) -> None:
    """Cells that are not as the format says are passed over."""
    text = json.dumps({"cells": [cell, {"cell_type": "code", "source": "x = 3"}]})
    assert plain(became(read_source(text, "qa.ipynb"), "x")) == 3


def test_no_code() -> None:
    """A notebook without code has no events."""
    assert read().events == ()
    assert read("", "  \n").events == ()


def test_file(tmp_path: Path) -> None:
    """A notebook is read from its file, and modules beside it are its project."""
    (tmp_path / "settings.py").write_text("NAME = '한국어'\n", encoding="utf-8")
    path = tmp_path / "노트.ipynb"
    path.write_text(notebook("from settings import NAME\nx = NAME"), encoding="utf-8")
    assert plain(became(read_script(str(path)), "x")) == "한국어"


def test_too_large(tmp_path: Path) -> None:
    """A notebook of more than 64 MiB is refused in one line."""
    path = tmp_path / "big.ipynb"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UserError, match="more than the 67,108,864"):
        read_script(str(path))
