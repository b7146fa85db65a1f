"""Files as they are: what cannot be parsed, encodings, sizes."""

from pathlib import Path

import pytest

from pretune.core.errors import UserError
from pretune.script.read import read_script, read_source
from read_code import became, plain, read


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print 'x'\n", ("train.py:1:", "Python 2", "`print`")),
        ("try:\n    pass\nexcept A, e:\n    pass\n", ("train.py:3:", "Python 2")),
        ("x = 0777\n", ("train.py:1:", "Python 2")),
        ("raise A, 'x'\n", ("train.py:1:", "Python 2")),
        ("if x <> 1: pass\n", ("train.py:1:", "Python 2")),
        ("def f(:\n", ("train.py:1:7 cannot be parsed",)),
        ("x = 'a\n", ("train.py:1:5 cannot be parsed",)),
        ("a = 1\n  b = 2\n", ("train.py:2:", "cannot be parsed", "indent")),
        ("x = 1\0\n", ("train.py:1:", "cannot be parsed", "null")),
    ],
)
def test_not_python_3(code: str, words: tuple[str, ...]) -> None:
    """What cannot be parsed is one line with its place; Python 2 is named."""
    with pytest.raises(UserError) as caught:
        read(code)
    assert all(word in caught.value.message for word in words), caught.value.message
    assert "\n" not in caught.value.message


def test_nested_too_deep() -> None:
    """An expression that Python's own parser gives up on is one line."""
    with pytest.raises(UserError, match="cannot be parsed"):
        read_source("(" * 5000 + ")" * 5000)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is one line."""
    for path in (tmp_path / "no.py", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            read_script(str(path))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xef\xbb\xbfx = '\xea\xb0\x80'\n", "가"),
        ("# -*- coding: cp949 -*-\nx = '가'\n".encode("cp949"), "가"),
        (b"# coding: latin-1\nx = '\xe9'\n", "é"),
        ("x = '가'\r\n".encode(), "가"),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, value: str) -> None:
    """A byte order mark and a coding line say the encoding; else it is UTF-8."""
    path = tmp_path / "train.py"
    path.write_bytes(data)
    assert plain(became(read_script(str(path)), "x")) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a = 1\nx = '가'\n".encode("cp949"), ":2:1 is not UTF-8"),
        ("x = 1".encode("utf-16"), "is UTF-16"),
        (b"# coding: nonsense\n", "cannot be decoded"),
    ],
)
def test_wrong_encodings(tmp_path: Path, data: bytes, words: str) -> None:
    """Bytes that are not in the encoding are one line that says where, with the way out."""
    path = tmp_path / "train.py"
    path.write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        read_script(str(path))
    assert "UTF-8" in caught.value.hint


def test_too_large(tmp_path: Path) -> None:
    """A script of many megabytes is refused in one line."""
    path = tmp_path / "train.py"
    with path.open("wb") as file:
        file.truncate(9 << 20)
    with pytest.raises(UserError, match=r"9,437,184 bytes, more than the 8,388,608"):
        read_script(str(path))
