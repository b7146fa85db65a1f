"""Mending scripts and notebooks: bytes around the edit stay, and nothing is half done."""

import json
import subprocess
from pathlib import Path

import pytest

from pretune.check import fix
from pretune.check.finding import Finding, Fix, InsertAfter, Level, Patch, RenameArgument, ReplaceText, SourceEdit
from pretune.script.values import Place


def finding(*patches: Patch | SourceEdit, title: str = "mend it", safe: bool = True) -> Finding:
    """A finding with a fix."""
    return Finding("API001", "x", Level.ERROR, "m", "", "", Fix(title, patches, safe))


def rename(file: Path, line: int, cell: int | None = None) -> RenameArgument:
    """`evaluation_strategy` becomes `eval_strategy` in the call `T(...)` that begins a line."""
    return RenameArgument(Place(str(file), line, 1, cell), "evaluation_strategy", "eval_strategy")


def mended(file: Path, *findings: Finding) -> bytes:
    """The file's bytes after the fixes; a second time changes nothing."""
    planned = fix.make(fix.plan(findings))
    assert planned.refused == ()
    assert fix.plan(findings) == fix.Plan()
    return file.read_bytes()


@pytest.mark.parametrize(
    ("head", "encoding", "end"),
    [
        ("", "utf-8", "\n"),
        ("", "utf-8-sig", "\r\n"),
        ("# -*- coding: euc-kr -*-{end}", "euc-kr", "\n"),
        ("#!/usr/bin/env python{end}# coding: latin-1{end}", "latin-1", "\r\n"),
    ],
)
def test_encoding_and_line_ends_stay(tmp_path: Path, head: str, encoding: str, end: str) -> None:
    """A byte order mark, EUC-KR, latin-1 and CRLF are as they were, to the byte."""
    note = "\xe9" if encoding == "latin-1" else "한글"
    text = f"{head}# {note}{{end}}T(evaluation_strategy=1)  # {note}{{end}}".replace("{end}", end)
    file = tmp_path / "train.py"
    file.write_bytes(text.encode(encoding))
    line = text.count(end)
    assert mended(file, finding(rename(file, line))) == text.replace("evaluation", "eval").encode(encoding)


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    """A script that may be run may be run afterwards, and a link stays one."""
    file, link = tmp_path / "train.py", tmp_path / "link.py"
    file.write_text("T(evaluation_strategy=1)")
    file.chmod(0o755)
    link.symlink_to(file)
    mended(file, finding(rename(link, 1)), finding(rename(file, 1)))
    assert file.read_text() == "T(eval_strategy=1)"
    assert file.stat().st_mode & 0o777 == 0o755
    assert link.is_symlink()


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 제목\n", "T(evaluation_strategy=1)"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "metadata": {"tags": ["가"]},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["한글\n"]}],
            "source": [
                "%matplotlib inline\n",
                "!pip install transformers\n",
                "T(evaluation_strategy=1)\n",
                "x = !ls\n",
                "x?",
            ],
        },
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": "T(evaluation_strategy=1)",
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.parametrize("indent", [1, 4, None])
@pytest.mark.parametrize("ascii_", [True, False])
def test_a_notebook_changes_in_its_cells_source_only(tmp_path: Path, indent: int | None, ascii_: bool) -> None:
    """Lists of lines and texts, magics beside it, any indentation, escapes: all else stays to the byte."""
    file = tmp_path / "note.ipynb"
    text = json.dumps(NOTEBOOK, indent=indent, ensure_ascii=ascii_) + "\n"
    file.write_text(text, encoding="utf-8")
    markdown, *cells = text.split('"cell_type": "code"')
    expected = '"cell_type": "code"'.join([markdown, *(cell.replace("evaluation", "eval") for cell in cells)])
    both = [finding(rename(file, 3, 2)), finding(rename(file, 1, 3))]
    shown = fix.diff(fix.plan(both).edits)
    assert ("note.ipynb:cell 2" in shown) is (indent is None)
    assert "+T(eval_strategy=1)\n" in shown or '"T(eval_strategy=1)\\n"' in shown
    assert mended(file, *both) == expected.encode()


def test_a_statement_in_a_notebook(tmp_path: Path) -> None:
    """A line more in a cell: the other cells, the outputs and the indentation stay."""
    file = tmp_path / "note.ipynb"
    text = json.dumps(NOTEBOOK, indent=1, ensure_ascii=False)
    file.write_text(text, encoding="utf-8")
    after = mended(file, finding(InsertAfter(Place(str(file), 3, 1, 2), "U()"))).decode()
    assert after == text.replace('"x = !ls\\n"', '"U()\\n",\n    "x = !ls\\n"')


@pytest.mark.parametrize(
    ("name", "data", "place", "word"),
    [
        ("a.py", b"T(evaluation_strategy=1)\xff", (1, 1, None), "not UTF-8"),
        ("a.py", b"# coding: nothing\n", (1, 1, None), "does not say its encoding"),
        ("a.py", b"T(1)", (7, 1, None), "behind its end"),
        ("a.ipynb", b"{", (1, 1, 1), "no notebook"),
        ("a.ipynb", b"[1]", (1, 1, 1), "no notebook"),
        ("a.ipynb", b'{"cells": [{}]}', (1, 1, 1), "no cell 1"),
        ("a.ipynb", b'{"cells": []}', (1, 1, None), "no cell None"),
    ],
)
def test_what_is_not_what_the_fix_takes_it_for(tmp_path: Path, name: str, data: bytes, place: tuple, word: str) -> None:
    """Broken bytes, unknown encodings, no notebook, no such place: refused in a sentence, the file untouched."""
    file = tmp_path / name
    file.write_bytes(data)
    edit = RenameArgument(Place(str(file), *place), "evaluation_strategy", "eval_strategy")
    planned = fix.plan([finding(edit)])
    assert planned.edits == ()
    assert word in planned.refused[0].reason
    assert file.read_bytes() == data


def test_what_would_not_parse_is_refused(tmp_path: Path) -> None:
    """A fix that breaks the syntax, or needs a character the encoding lacks, is refused; the others are made."""
    file = tmp_path / "a.py"
    file.write_text("# coding: latin-1\nT(evaluation_strategy=1)\nx = 1\n")
    broken = finding(ReplaceText(Place(str(file), 3, 1), "x", "x x"), title="a")
    lacking = finding(ReplaceText(Place(str(file), 3, 5), "1", "'가'"), title="b")
    planned = fix.make(fix.plan([broken, finding(rename(file, 2)), lacking]))
    assert [refusal.title for refusal in planned.refused] == ["a", "b"]
    assert "would not parse" in planned.refused[0].reason
    assert "latin-1" in planned.refused[1].reason or "iso-8859-1" in planned.refused[1].reason
    assert file.read_text() == "# coding: latin-1\nT(eval_strategy=1)\nx = 1\n"


def test_edits_that_disagree_are_both_refused(tmp_path: Path) -> None:
    """Two names for one argument: neither is made, whatever their order; the same name twice is made once."""
    file = tmp_path / "a.py"
    file.write_text("T(x=1)")
    one, two = (finding(RenameArgument(Place(str(file), 1), "x", new), title=new) for new in "yz")
    for pair in ([one, two], [two, one]):
        planned = fix.plan(pair)
        assert planned.edits == ()
        assert len(planned.refused) == 2
        assert "same place" in planned.refused[0].reason
    same = finding(RenameArgument(Place(str(file), 1), "x", "y"), title="other")
    assert fix.plan([one, same]).edits[0].after == b"T(y=1)"


def test_a_fix_of_a_script_and_a_config(tmp_path: Path) -> None:
    """Both files change, or neither: here the script is not what the fix takes it for."""
    script, config = tmp_path / "a.py", tmp_path / "config.json"
    script.write_text("T(x=1)")
    config.write_text('{"a": 1}')
    patch = Patch(str(config), "/a", 2)
    assert fix.plan([finding(patch, rename(script, 1))]).edits == ()
    good = finding(patch, RenameArgument(Place(str(script), 1), "x", "y"))
    assert {edit.file for edit in fix.plan([good]).edits} == {str(script), str(config)}


def test_unsafe_edits_say_where(tmp_path: Path) -> None:
    """An edit that is not safe is left to the user, with its place."""
    planned = fix.plan([finding(rename(tmp_path / "a.py", 3), safe=False)])
    assert planned.refused[0].reason == f"not safe, so left to you: {tmp_path / 'a.py'}:3:1"


def test_the_diff_is_what_patch_understands(tmp_path: Path) -> None:
    """`patch -p0` makes of the diff what --fix makes, with CRLF as well."""
    file = tmp_path / "a.py"
    file.write_bytes(b"# 1\r\nT(evaluation_strategy=1)\r\n# 2")
    planned = fix.plan([finding(rename(file, 2))])
    shown = fix.diff(planned.edits).replace(str(file), "a.py")
    try:
        subprocess.run(
            ["patch", "-p0", "--binary"], input=shown.encode(), cwd=tmp_path, check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("the program patch is not installed")
    assert file.read_bytes() == planned.edits[0].after
