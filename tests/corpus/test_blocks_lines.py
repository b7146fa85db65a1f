"""Text, jsonl and tables read at once give exactly the careful reader's rows, whatever they hold and however they are cut."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("polars", reason="needs polars (the extra data)")
pytest.importorskip("pyarrow", reason="needs pyarrow (the extra data)")

from pretune.corpus import blocks_lines
from pretune.corpus.blocks_jsonl import JsonlReader
from pretune.corpus.blocks_table import TableReader
from pretune.corpus.pieces import Wanted, piece_of
from pretune.corpus.rows import format_of
from pretune.corpus.table import dialect_of
from read_both_ways import CLASSES, dealt, same, write

TEXTS = {
    "plain": "하나\n둘\nthree\n",
    "no last newline": "하나\n둘",
    "one line": "a",
    "blank lines": "\n\n가\n \t\n\u3000\n\x1c\n\x85\n" + "나다라마\n" * 9 + "\n",
    "crlf": "가\r\n나\r\n\r\n다\r\n",
    "carriage returns": "가\r나\r\r\n다\r",
    "bom": "\ufeff가\n\ufeff나\n",
    "two boms": "\ufeff\ufeff가\n나\n",
    "nul": "가\0나\n" + "x" * 200,
    "long line": "짧다\n" + "긴 " * 50_000 + "\n짧다\n",
    "broken line": "좋은 영화\n".encode() * 3 + b"\xff bad\n" + "좋은 영화\n".encode(),
    "cut character": "좋은 영화\n".encode() + "가".encode()[:2],
    "blank": "\n \n",
    "every length": "".join("x" * n + "\n" for n in range(30)) + "".join("가" * n + "\n" for n in range(12)),
}


@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("name", list(TEXTS))
def test_text(tmp_path, name, block_bytes):
    """Lines of text, blank and broken ones among them."""
    same(write(tmp_path / "a.txt", TEXTS[name]), block_bytes=block_bytes)


JSONL = {
    "plain": '{"text": "가", "label": 1}\n{"text": "나", "label": 0}\n',
    "compact": '{"text":"가","label":"긍정"}\n{"text":"나","label":"부정"}\n',
    "odd spaces": '{ "text" : "가" , "label" :1}\n {"text":\t"나", "label": 2} \n',
    "crlf": '{"text": "가", "label": 1}\r\n\r\n{"text": "나", "label": 2}\r\n',
    "bom": '\ufeff{"text": "가", "label": true}\n{"text": "나", "label": false}\n',
    "bom within": '{"text": "가", "label": 1}\n\ufeff{"text": "나", "label": 1}\n',
    "blank lines": '\n{"text": "가", "label": 1}\n  \n\u3000\n{"text": "나", "label": 1}\n\n',
    "missing key": '{"text": "가", "label": 1}\n{"label": 1}\n{"text": "나"}\n',
    "null": '{"text": null, "label": null}\n{"text": "나", "label": 3}\n',
    "null last": '{"text": "나", "label": 3}\n{"text": null, "label": null}\n',
    "numbers as text": '{"text": "3", "label": 1}\n{"text": 3, "label": 1}\n{"text": 1.5, "label": 1}\n',
    "lists as text": '{"text": "3", "label": 1}\n{"text": ["3"], "label": 1}\n{"text": {"text": "b"}, "label": 1}\n',
    "key twice": '{"text": "first", "text": "last", "label": 1}\n{"text": "가", "label": 1, "label": 2}\n',
    "key twice, once escaped": '{"text": "first", "te\\u0078t": "last", "label": 1}\n{"text": "가", "label": 1}\n',
    "one twice, one escaped": '{"text": "a", "text": "b", "label": 1}\n{"te\\u0078t": "가", "label": 1}\n',
    "keys escaped": '{"\\ubb38": "가", "text": "a", "label": 1}\n{"\\uBB38": "나", "text": "b", "label": 2}\n' * 2,
    "key only escaped": '{"\\u0074ext": "가", "label": 1}\n' * 3,
    "key within": '{"text": "a", "meta": {"text": "b", "label": 2}, "label": 1}\n{"text": "가", "label": 1}\n',
    "key as value": '{"text": "text", "label": 1, "kind": "text"}\n{"text": "label", "label": 1, "kind": "label"}\n',
    "key at a key's end": '{"foo\\"text": "a", "text": "b", "label": 1}\n{"foo\\"text": "a", "label": 1}\n',
    "half a pair": '{"text": "a\\ud800", "label": 1}\n{"text": "b", "label": 1}\n',
    "half a pair before a letter": '{"text": "\\uD83Dx", "label": 1}\n{"text": "b", "label": 1}\n',
    "second half": '{"text": "\\ude00", "label": 1}\n{"text": "b", "label": 1}\n',
    "pairs": '{"text": "\\ud83d\\ude00 \\\\ud83d", "label": 1}\n{"text": "\\u00e9\\n\\t\\"", "label": 1}\n',
    "not a number": '{"text": "a", "label": NaN}\n{"text": "b", "label": 0.5}\n{"text": "b", "label": Infinity}\n',
    "numbers": '{"text": "a", "label": 0.1}\n{"text": "b", "label": 3}\n{"text": "c", "label": -1e-7}\n',
    "huge numbers": '{"text": "a", "label": 9223372036854775807}\n{"text": "b", "label": 9223372036854775808}\n',
    "huge digits": '{"text": "a", "n": ' + "9" * 5000 + '}\n{"text": "b", "label": 1}\n',
    "labels of several kinds": '{"text": "a", "label": 1}\n{"text": "b", "label": "1"}\n{"text": "c", "label": true}\n',
    "lists of labels": '{"text": "a", "label": [1]}\n{"text": "b", "label": [2]}\n',
    "broken": '{"text": "a", "label": 1}\n{"text": \n{"text": "b", "label": 1} x\n[1]\n3\n{"text": "c", "label": 1}\n',
    "two on a line": '{"text": "a", "label": 1} {"text": "b", "label": 1}\n{"text": "c", "label": 1}\n',
    "control character": '{"text": "a\x01", "label": 1}\n{"text": "b", "label": 1}\n',
    "nul": '{"text": "a\\u0000b", "label": 1}\n{"text": "b", "label": 1}\n',
    "not utf-8": '{"text": "좋은 영화", "label": 1}\n'.encode() * 3 + b'{"text": "\xff", "label": 1}\n',
    "deep": '{"text": "a", "label": 1}\n{"text": "b", "x": ' + "[" * 5000 + "]" * 5000 + "}\n",
    "long line": json.dumps({"text": "긴 " * 40_000, "label": 1}) + '\n{"text": "b", "label": 2}\n',
    "empty object": '{"text": "a", "label": 1}\n{}\n',
    "no last newline": '{"text": "a", "label": 1}\n{"text": "b", "label": 2}',
}


@pytest.mark.parametrize("block_bytes", [1, 50, 1 << 20])
@pytest.mark.parametrize("name", list(JSONL))
def test_jsonl(tmp_path, name, block_bytes):
    """Objects a line, and everything two JSON parsers could disagree on."""
    path = write(tmp_path / "a.jsonl", JSONL[name])
    same(path, "classification", CLASSES, block_bytes=block_bytes)
    if name == "keys escaped":
        same(path, "pair", {"text": "text", "text_pair": "문"}, block_bytes=block_bytes)


TABLES = {
    "plain": "id\ttext\tlabel\n1\t가\t0\n2\t나\t1\n",
    "comma": "id,text,label\n1,가,0\n2,나,1\n",
    "quotes": 'id,text,label\n1,"가, ""나""",0\n2,나,1\n3,"",1\n"4","""","0"\n',
    "line ends in quotes": 'id,text,label\r\n1,"가\r\n나\n\n다",0\r\n2,나,1\r\n3,"\r\n",1\r\n',
    "quotes that do not quote": 'text,label\n5" 화면,1\n"가"나,0\n나 "다",1\n' * 4,
    "quote that never closes": 'text,label\n가,1\n"나,0\n다,1\n라,1\n',
    "quotes of a tsv": "id\ttext\tlabel\n" + '1\t"가\t0\n2\t나"다\t1\n3\t라\t1\n' * 5,
    "quotes that quote in a tsv": "text\tlabel\n" + '"가\t나"\t1\n' * 5,
    "ragged": "id,text,label\n1,가\n2\n3,나,1,2,3\n4,다,1\n",
    "wide": "text,label\n가,1,x\n나,0,y\n",
    "blank lines": "\n\ntext,label\n\n가,1\n  \n\n나,0\n\n",
    "no header": "재미있다,1\n재미없다,0\n",
    "bom": "\ufefftext,label\n가,1\n",
    "bom and quotes": '\ufeff"text",label\n"가",1\n나,2\n',
    "crlf": "text,label\r\n가,1\r\n\r\n나,0\r\n",
    "carriage return": "text,label\n가\r나,1\n다,0\n라\r,1\n",
    "carriage return and quotes": 'text,label\n가\r나,"1"\n"다\r",0\n라,"1"\n',
    "one column": 'text\n"가, 나"\n""\n" "\n나\n\n',
    "empty fields": "id,text,label\n,,\n1,,\n,가,\n",
    "tabs alone": "text\tlabel\n\t\n가\t1\n \t \n",
    "header alone": "text,label\n",
    "column twice": "text,text,label\n가,나,1\n다,라,0\n",
    "not utf-8": "text,label\n좋은 영화,1\n".encode() + b"\xff,1\n" + "좋은 영화,1\n".encode(),
    "nul": "text,label\n" + "가" * 80 + "\0,1\n나,0\n",
    "no last newline": 'text,label\n가,1\n"나","0"',
    "long field": 'text,label\n"' + "긴\n" * 30_000 + '",1\n나,0\n',
    "many quoted": "text,label\n" + '"그, ""말"" ",1\n짧다,0\n' * 4000,
    "odd line among many": "text,label\n" + '"그, ""말"" ",1\n' * 6000 + "a,b,c\n" + "짧다,0\n" * 6000,
}


@pytest.mark.parametrize("block_bytes", [1, 9, 40, 1 << 20])
@pytest.mark.parametrize("name", list(TABLES))
def test_tables(tmp_path, name, block_bytes):
    """Tables with every habit of quoting; a record is never cut."""
    path = write(tmp_path / ("a.tsv" if "tsv" in name or name in {"plain", "tabs alone"} else "a.csv"), TABLES[name])
    columns = dialect_of(path, named=("text", "label")).columns
    roles = CLASSES if "text" in columns else {"text": "0", "label": "1"}
    if "label" not in columns and "1" not in columns:
        del (roles := dict(roles))["label"]
    if block_bytes < 40 and len(TABLES[name]) > 10_000:
        block_bytes *= 1000
    same(path, "classification", roles, block_bytes=block_bytes)


def test_usual_files_are_read_at_once(tmp_path):
    """No row of a healthy file is left to the careful reader: quotes, escapes and Korean column names are usual."""
    lines = "".join(json.dumps({"문장": f'{n} "가"\n😀', "text": "b", "label": n / 2}) + "\n" for n in range(50))
    wanted = Wanted("pair", {"text": "text", "text_pair": "문장", "label": "label"})
    assert JsonlReader().fast(lines.encode(), wanted)
    out = io.StringIO()
    csv.writer(out).writerows([["text", "문장", "label"], *([f'{n}, "가"\n', "나", n] for n in range(50))])
    path = write(tmp_path / "a.csv", out.getvalue())
    found = TableReader(path, dialect_of(path)).fast(out.getvalue().replace("\r\n", "\n").encode(), wanted)
    assert found
    assert found.texts["text"].to_list()[1:3] == ['0, "가"\n', '1, "가"\n']


def test_an_odd_line_costs_a_part_only(tmp_path, monkeypatch):
    """In a large block with one broken line nearly all rows are still read at once."""
    careful = []
    monkeypatch.setattr(
        blocks_lines, "piece_of", lambda rows, wanted: careful.append(len(rows)) or piece_of(rows, wanted)
    )
    line = '{"text": "문장이 하나 있다", "label": 1}\n'
    path = write(tmp_path / "a.jsonl", line * 20_000 + '{"text": 3}\nnot json\n' + line * 20_000)
    same(path, "classification", CLASSES)
    assert sum(careful) < 3000


PIECES = st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "\t", " ", "가", "나다", "x", '","', '"\n"', "\0", "\ufeff", "\u3000", "1"]
)


@given(st.lists(PIECES, max_size=30), st.integers(1, 40), st.sampled_from(["a.csv", "a.tsv"]))
def test_any_table(tmp_path, pieces, block_bytes, name):
    """Any mixture of quotes, delimiters and line ends gives the careful reader's rows."""
    text = ("text,label\n" if name == "a.csv" else "text\tlabel\n") + "".join(pieces)
    path = write(tmp_path / name, text + "\n" + "x" * 2000)  # so that a NUL makes no binary file of it
    if {"text", "label"} <= set(dialect_of(path, named=("text", "label")).columns):
        same(path, "classification", CLASSES, block_bytes=block_bytes)
        dealt(path, "classification", CLASSES, block_bytes=block_bytes)


@given(st.lists(PIECES, min_size=1, max_size=30), st.integers(1, 40))
def test_any_text(tmp_path, pieces, block_bytes):
    """Any mixture of line ends and blanks gives the careful reader's rows."""
    path = write(tmp_path / "a.txt", "".join(pieces) + "\n" + "x" * 2000)
    if format_of(path) == "text":
        same(path, block_bytes=block_bytes)
        dealt(path, block_bytes=block_bytes)


VALUES = st.one_of(
    st.text(max_size=5), st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.text(max_size=2), max_size=2)
)
OBJECTS = st.dictionaries(st.sampled_from(["text", "label", "x", '"text', "te", "문"]), VALUES, max_size=4)
LINES = st.one_of(
    OBJECTS.map(json.dumps),
    OBJECTS.map(lambda row: json.dumps(row, ensure_ascii=False, separators=(",", ":"))),
    st.fixed_dictionaries({"text": st.text(max_size=9), "label": st.integers(-9, 9)}).map(json.dumps),
    st.sampled_from(
        [
            "",
            " ",
            "x",
            "[1]",
            '{"text": "a", "text": "b"}',
            '{"te\\u0078t": "c"}',
            '{"\\u0074\\u0065xt": "c", "label": 1}',
            '{"text": "\\ud800"}',
        ]
    ),
)


@given(st.lists(LINES, max_size=8), st.integers(1, 200), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_any_jsonl(tmp_path, lines, block_bytes, end):
    """Any objects, broken lines among them, give the careful reader's rows."""
    good = '{"text": "처음", "label": 1}'
    path = write(tmp_path / "a.jsonl", end.join([good, good, *lines]))
    if format_of(path) == "jsonl":
        same(path, "classification", CLASSES, block_bytes=block_bytes)
        dealt(path, "classification", CLASSES, block_bytes=block_bytes)
