"""JSON as it is found in model folders, and what is found in its place."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.artifacts.json_file import mistaken, parse_json, read_json, read_object
from pretune.artifacts.source import FolderSource
from pretune.core.errors import UserError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


def said(data: bytes) -> str:
    """The message for a config.json with these bytes; always one line."""
    with pytest.raises(UserError) as error:
        parse_json(data, "m/config.json")
    assert "\n" not in error.value.message + error.value.hint
    return error.value.message


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' [1, 2.5, "\xed\x95\x9c", null, true] \n', [1, 2.5, "한", None, True]),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (
            b'{"model_max_length": 1000000000000000019884624838656}',
            {"model_max_length": 1000000000000000019884624838656},
        ),
        (b'{"a": -Infinity}', {"a": -math.inf}),
        (b'"x"', "x"),
    ],
)
def test_what_python_reads_is_read(data, value):
    """Whatever Python's json reads is read the same, and a UTF-8 mark is passed over."""
    assert parse_json(data, "x") == value


def test_nan_passes():
    """NaN passes, as with Python's json."""
    assert math.isnan(parse_json(b"NaN", "x"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "m/config.json is empty"),
        (b"\xef\xbb\xbf", "m/config.json is empty"),
        (b" \n\t", "m/config.json holds nothing but white space"),
        (
            b"\n<!DOCTYPE html>\n<html>",
            "m/config.json holds an HTML page, not JSON: the download was an error page or a login wall",
        ),
        (b"<html><head>", "m/config.json holds an HTML page, not JSON: the download was an error page or a login wall"),
        (
            b'<?xml version="1.0"?><Error><Code>AccessDenied',
            "m/config.json holds an HTML page, not JSON: the download was an error page",
        ),
        (POINTER, "m/config.json is a git-LFS pointer, not the file itself"),
        ('{"a": "한"}'.encode("utf-16"), "m/config.json is UTF-16, not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "m/config.json is UTF-16, not UTF-8"),
        ('{"a": 1}'.encode("utf-16-be"), "m/config.json is UTF-16, not UTF-8"),
        ('{"a": "한국어"}'.encode("cp949"), "m/config.json is not UTF-8: byte 0xc7 at 7"),
        (b"PK\x03\x04\x14\0", "m/config.json is a binary file, not JSON"),
        (b"\x80\x02}q\0.", "m/config.json is a binary file, not JSON"),
        (b'{"a": 1', "m/config.json:1:8 is cut off: expecting ',' delimiter"),
        (b'{"a":\n "b', "m/config.json:2:2 is cut off: unterminated string starting at"),
        (b'{"a": 1,}', "m/config.json:1:"),
        (b"{'a': 1}", "m/config.json:1:2 is not JSON: expecting property name enclosed in double quotes"),
        (b'{"a": 1} x', "m/config.json:1:10 is not JSON: extra data"),
        (b"// a comment\n{}", "m/config.json:1:1 is not JSON: expecting value"),
        (b"9" * 5000, "m/config.json holds a number that cannot be read"),
        (b"[" * 100_000, "m/config.json is nested too deeply"),
        (b'{"a":' * 100_000, "m/config.json is nested too deeply"),
        (b"[" * 101 + b"]" * 101, "m/config.json is nested too deeply to be read (more than 100 levels)"),
    ],
)
def test_what_is_no_json_is_named(data, words):
    """Each thing that lies in place of JSON is named in one line, with the line and column where JSON breaks off."""
    assert said(data).startswith(words)


def test_depth_is_measured_not_guessed():
    """A hundred levels pass, and thousands of containers side by side too."""
    assert parse_json(b"[" * 100 + b"]" * 100, "x")
    assert len(parse_json(b"[" + b"[1]," * 5000 + b"{}]", "x")) == 5001


def test_objects(tmp_path):
    """Where an object is expected, a list, a string, a number, true and null are named as such."""
    source = FolderSource("m", tmp_path)
    for text, kind in (
        ("[]", "a list"),
        ('"x"', "a string"),
        ("1", "a number"),
        ("true", "true or false"),
        ("null", "null"),
    ):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UserError, match=rf"m/config.json holds {kind} where an object {{…}} is expected"):
            read_object(source, "config.json")
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert read_object(source, "config.json") == {"a": 1} == read_json(source, "config.json")


def test_missing_and_enormous(tmp_path):
    """A missing file and one over the limit are the source's one line."""
    source = FolderSource("m", tmp_path)
    with pytest.raises(UserError, match=r"m has no config.json"):
        read_json(source, "config.json")
    (tmp_path / "config.json").write_text("[1, 2, 3]")
    with pytest.raises(UserError, match=r"m/config.json has 9 bytes, more than the 5 "):
        read_json(source, "config.json", limit=5)


def test_mistaken_lets_text_pass():
    """Ordinary text and JSON are nobody's mistake."""
    for data in (b"{}", b"[PAD]\n[UNK]", "한국어".encode(), b"<s> </s>", b"<pad>\n<unk>"):
        assert mistaken(data) is None


@given(st.binary(max_size=60))
def test_any_bytes(data):
    """Any bytes are a value or a UserError."""
    with suppress(UserError):
        parse_json(data, "x")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
        max_leaves=8,
    ),
    st.data(),
)
def test_cut_json(value, data):
    """JSON that is cut off anywhere is a UserError or still a value, and whole it is what Python reads."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    cut = data.draw(st.integers(0, len(text)))
    with suppress(UserError):
        parse_json(text[:cut], "x")
