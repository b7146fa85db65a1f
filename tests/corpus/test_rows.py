"""Rows of every format know their place; broken ones are told, not raised."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretune.core.errors import UserError
from pretune.corpus.rows import format_of, read_rows

SQUAD = {
    "version": "1",
    "data": [
        {
            "title": "가",
            "paragraphs": [
                {
                    "context": "서울은 수도다.",
                    "qas": [{"id": "1", "question": "수도는?", "answers": [{"text": "서울", "answer_start": 0}]}],
                },
                {
                    "context": "둘",
                    "qas": [
                        {"id": "2", "question": "몇?", "answers": []},
                        {"id": "3", "question": "뭐?", "answers": []},
                    ],
                },
            ],
        }
    ],
}


def write(path: Path, text: str | bytes) -> Path:
    """Write a file and give its path."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return path


def where(path: Path) -> list[str]:
    """The places of the rows, without the folder."""
    return [row.where.removeprefix(str(path.parent))[1:] for row in read_rows(path)]


def test_jsonl_lines_are_numbered_and_blank_ones_passed_over(tmp_path):
    """The place of a jsonl row is its line, counted with the blank ones."""
    path = write(tmp_path / "a.jsonl", '{"text": "하나"}\n\n{"text": "둘"}')
    assert where(path) == ["a.jsonl:1", "a.jsonl:3"]
    assert [row.values["text"] for row in read_rows(path)] == ["하나", "둘"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": ', "not JSON: expecting value at column 10"),
        ("[1, 2]", "a list, expected an object with columns"),
        ("3", "a number, expected an object with columns"),
        ('{"n": ' + "9" * 5000 + "}", "not JSON that can be read"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_broken_line_is_a_row_with_its_reason(tmp_path, line, reason):
    """A line that cannot be read is yielded with the reason, and the ones after it are read."""
    path = write(tmp_path / "a.jsonl", '{"text": "x"}\n' + line + '\n{"text": "y"}\n')
    rows = list(read_rows(path))
    assert [bool(row.broken) for row in rows] == [False, True, False]
    assert rows[1].broken is not None
    assert rows[1].broken.startswith(reason)
    assert not rows[1].values


def test_json_that_is_jsonl(tmp_path):
    """A .json file of one object a line is read line by line, as load_dataset does."""
    path = write(tmp_path / "a.json", '{"text": "x"}\n{"text": "y"}\n')
    assert format_of(path) == "jsonl"
    assert where(path) == ["a.json:1", "a.json:2"]


def test_jsonl_that_is_a_document(tmp_path):
    """A .jsonl file that holds a laid-out list is read as the document it is."""
    path = write(tmp_path / "a.jsonl", json.dumps([{"text": "x"}, {"text": "y"}], indent=2))
    assert where(path) == ["a.jsonl:/0", "a.jsonl:/1"]


def test_squad_is_unfolded_to_questions(tmp_path):
    """Each question is a row with its context and title; its place is a JSON pointer."""
    path = write(tmp_path / "dev.json", json.dumps(SQUAD, ensure_ascii=False))
    rows = list(read_rows(path))
    assert where(path) == [
        "dev.json:/data/0/paragraphs/0/qas/0",
        "dev.json:/data/0/paragraphs/1/qas/0",
        "dev.json:/data/0/paragraphs/1/qas/1",
    ]
    assert rows[0].values["context"] == "서울은 수도다."
    assert rows[0].values["title"] == "가"


@pytest.mark.parametrize(
    "value",
    [
        {"data": [{"title": "a", "paragraphs": [None, {"context": "c"}, {"context": "c", "qas": [1]}]}]},
        {"data": [None, 3]},
        [None, [1], "x"],
    ],
)
def test_odd_nesting_is_broken_rows(tmp_path, value):
    """What stands in the place of a paragraph or a question is told as a broken row."""
    rows = list(read_rows(write(tmp_path / "a.json", json.dumps(value))))
    assert rows
    assert all(row.broken for row in rows)


def test_json_of_columns(tmp_path):
    """{"text": [...], "label": [...]} is read as rows."""
    path = write(tmp_path / "a.json", '{"text": ["x", "y"], "label": [0, 1]}')
    assert [dict(row.values) for row in read_rows(path)] == [{"text": "x", "label": 0}, {"text": "y", "label": 1}]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", "", "is empty"),
        ("a.json", "{} ", "holds an object, expected a list of objects"),
        ("a.json", "3", "holds a number"),
        ("a.json", '[{"text": "x"', "is not JSON"),
        ("a.json", "[" * 200_000, "JSON that cannot be read"),
        ("a.json", "<!DOCTYPE html><html>", "is an HTML page, not the data"),
        ("a.jsonl", "version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer"),
        ("a.csv", b"PK\x03\x04" + bytes(100), "a zip archive or an Excel workbook"),
        ("a.csv", b"\x80\x04\x95abc", "is a pickle"),
        ("a.txt", bytes(range(256)) * 20, "is a binary file"),
        ("a.xyz", "text\n", "has an extension that no data file has"),
    ],
)
def test_what_is_no_data_is_one_sentence(tmp_path, name, data, message):
    """A file that is something else is a UserError that says what it is, with exit code 2."""
    with pytest.raises(UserError) as raised:
        list(read_rows(write(tmp_path / name, data)))
    assert message in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.exit_code == 2


def test_missing_and_folder(tmp_path):
    """A missing path and a folder are told apart; the folder's data files are named."""
    with pytest.raises(UserError, match="does not exist"):
        list(read_rows(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="does not exist"):
        list(read_rows("a\0b.csv"))
    write(tmp_path / "data-00000.arrow", b"x")
    with pytest.raises(UserError) as raised:
        list(read_rows(tmp_path))
    assert "data-00000.arrow" in raised.value.hint


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("cp949", "CP949 (EUC-KR)"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16LE"), ("shift_jis", "SHIFT_JIS")],
)
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.txt"])
def test_another_encoding_is_named(tmp_path, name, encoding, named):
    """A file of another encoding is one line that names the probable encoding and how to convert it."""
    text = (
        "映画はとてもおもしろかったです。"
        if encoding == "shift_jis"
        else "영화가 정말 재미있었다. 배우들의 연기도 좋았다."
    )
    body = f"text,label\n{text},1\n" * 30 if name == "a.csv" else f'[{{"text": "{text}"}}]\n'
    with pytest.raises(UserError) as raised:
        list(read_rows(write(tmp_path / name, body.encode(encoding))))
    assert f"probably {named}" in raised.value.message
    assert raised.value.hint.startswith("iconv -f ")


def test_another_encoding_far_from_the_head(tmp_path):
    """CP949 that begins after 64 KB of ASCII is seen at the first line that shows it."""
    data = b'{"text": "plain"}\n' * 10_000 + '{"text": "한글이다"}\n'.encode("cp949")
    with pytest.raises(UserError, match="probably CP949"):
        list(read_rows(write(tmp_path / "a.jsonl", data)))


def test_one_damaged_line_is_a_broken_row(tmp_path):
    """A stray byte in a UTF-8 file breaks its line only."""
    good = '{"text": "좋은 영화"}\n'.encode()
    rows = list(read_rows(write(tmp_path / "a.jsonl", good * 3 + b'{"text": "\xff"}\n' + good)))
    assert [bool(row.broken) for row in rows] == [False, False, False, True, False]
    assert "0xff" in str(rows[3].broken)


def test_byte_order_mark_is_taken_off(tmp_path):
    """A UTF-8 byte order mark gets into no column name and no text."""
    csv = write(tmp_path / "a.csv", b"\xef\xbb\xbf" + "text,label\n영화,1\n".encode())
    assert [dict(row.values) for row in read_rows(csv)] == [{"text": "영화", "label": "1"}]
    jsonl = write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + '{"text": "영화"}\n'.encode())
    assert [row.broken for row in read_rows(jsonl)] == [None]
    document = write(tmp_path / "a.json", b"\xef\xbb\xbf" + b'[{"text": "x"}]')
    assert [row.broken for row in read_rows(document)] == [None]


def test_gzip_is_read_and_a_cut_off_one_told(tmp_path):
    """Packed text is read on the way; a truncated stream is a UserError."""
    packed = gzip.compress("\n".join(f'{{"text": "{n} 번째 줄 {n * n}"}}' for n in range(5000)).encode())
    assert len(list(read_rows(write(tmp_path / "a.jsonl.gz", packed)))) == 5000
    with pytest.raises(UserError, match="cut off"):
        list(read_rows(write(tmp_path / "b.jsonl.gz", packed[: len(packed) // 2])))
    with pytest.raises(UserError, match=r"cannot be read|cut off"):
        list(read_rows(write(tmp_path / "c.jsonl.gz", packed[:500] + b"\xff" * 200 + packed[700:])))


def test_enormous_line_and_document(tmp_path, monkeypatch):
    """A line or a document over the bound is refused with its size."""
    monkeypatch.setattr("pretune.corpus.text.LINE_LIMIT", 1 << 20)
    monkeypatch.setattr("pretune.corpus.text.WHOLE_LIMIT", 1 << 20)
    with pytest.raises(UserError, match=r"line 2 of .* is longer than 1 MB"):
        list(read_rows(write(tmp_path / "a.txt", "x\n" + "y" * (1 << 21))))
    with pytest.raises(UserError, match="larger than 1 MB"):
        list(read_rows(write(tmp_path / "a.json", "[" + " " * (1 << 21) + "]")))


def test_limit_and_columns(tmp_path):
    """A limit bounds the rows, columns picks some; a column that is not there is named with the nearest."""
    path = write(tmp_path / "a.jsonl", '{"text": "x", "label": 1}\n' * 5)
    assert [dict(row.values) for row in read_rows(path, limit=2, columns=["label"])] == [{"label": 1}] * 2
    with pytest.raises(UserError) as raised:
        list(read_rows(path, columns=["lable"]))
    assert "its columns are text, label" in raised.value.message
    assert raised.value.hint == 'did you mean "label"?'


def test_text_lines_without_blank_ones(tmp_path):
    """A txt file is a row a line; blank lines part paragraphs and are no rows."""
    path = write(tmp_path / "a.txt", "하나\r\n\r\n둘\r\n")
    assert [(row.values["text"], row.where[-1]) for row in read_rows(path)] == [("하나", "1"), ("둘", "3")]


KLUE = "## 컬럼명 : CHAR\tNE_TAG\n## klue-00-wiki\t<경찰:OG>은 또\n경\tB-OG\n찰\tI-OG\n은\tO\n \tO\n또\tO\n\n## klue-01\t나\n나\tO\n는\tO\n"


def test_klue_ner(tmp_path):
    """KLUE-NER's characters, spaces among them, make a row a sentence, at the line of its first character."""
    path = write(tmp_path / "ner.tsv", KLUE)
    rows = list(read_rows(path))
    assert format_of(path) == "tagged"
    assert rows[0].values == {
        "tokens": ["경", "찰", "은", " ", "또"],
        "tags": ["B-OG", "I-OG", "O", "O", "O"],
        "id": "klue-00-wiki",
    }
    assert where(path) == ["ner.tsv:3", "ner.tsv:10"]


def test_conll_with_spaces_and_a_line_without_tag(tmp_path):
    """CoNLL's four columns give the first as token and the last as tag; a line without a tag breaks its sentence only."""
    text = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nGerman\n\nPeter NNP B-NP B-PER\nB. N I-NP I-PER\n" * 5
    rows = list(read_rows(write(tmp_path / "a.conll", text)))
    assert rows[0].values == {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"]}
    assert rows[1].broken == "no tag after the token"
    assert rows[1].where.endswith(":4")


def test_parquet_and_arrow(tmp_path):
    """Columnar files are read in batches, rows counted from 1; a damaged one is a UserError."""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow (the extra data)")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow (the extra data)")
    table = pyarrow.table({"text": [f"영화 {n}" for n in range(2500)], "label": list(range(2500))})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=700)
    with pyarrow.ipc.new_stream(tmp_path / "a.arrow", table.schema) as stream:
        stream.write_table(table)
    with pyarrow.ipc.new_file(tmp_path / "b.arrow", table.schema) as file:
        file.write_table(table)
    for name in ("a.parquet", "a.arrow", "b.arrow"):
        rows = list(read_rows(tmp_path / name))
        assert len(rows) == 2500
        assert rows[16].where.endswith(f"{name}:row 17")
        assert rows[2400].values == {"text": "영화 2400", "label": 2400}
        assert next(read_rows(tmp_path / name, columns=["label"])).values == {"label": 0}
        with pytest.raises(UserError, match='no column "x"'):
            list(read_rows(tmp_path / name, columns=["x"]))
        data = (tmp_path / name).read_bytes()
        for cut in (9, len(data) // 2):
            with pytest.raises(UserError, match="cannot be read as"):
                list(read_rows(write(tmp_path / f"cut-{name}", data[:cut])))


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    """Without pyarrow a parquet file is one sentence that names the install command."""
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UserError) as raised:
        list(read_rows(write(tmp_path / "a.parquet", b"PAR1xxxx")))
    assert raised.value.hint == 'pip install "pretune[data]"'


SEEDS = {
    "a.jsonl": '{"text": "좋다", "label": 1}\n{"text": "싫다", "label": 0}\n',
    "a.json": json.dumps(SQUAD, ensure_ascii=False),
    "a.csv": 'text,label\n"좋다, ""정말""",1\n싫다,0\n',
    "a.tsv": "id\tdocument\tlabel\n1\t좋다\t1\n2\t싫다\t0\n",
    "ner.tsv": KLUE,
    "a.txt": "하나\n둘\n셋\n",
}


@given(data=st.data())
@pytest.mark.parametrize("name", list(SEEDS))
def test_mutated_files_crash_no_reader(tmp_path, name, data):
    """Bytes put in, taken out and changed at random give rows or a UserError, nothing else."""
    raw = bytearray(SEEDS[name].encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        with_ = data.draw(
            st.one_of(
                st.binary(max_size=8), st.sampled_from([b'"', b"\n", b"\t", b"\r", b"[", b"{", b"\0", b"\xef\xbb\xbf"])
            )
        )
        raw[at : at + data.draw(st.integers(0, 8))] = with_
    path = write(tmp_path / name, bytes(raw))
    try:
        rows = list(read_rows(path))
    except UserError as error:
        assert "\n" not in error.message  # noqa: PT017 - either outcome is fine
        return
    assert all(row.where.startswith(str(path)) for row in rows)


def test_an_article_that_has_its_context_itself(tmp_path):
    """KorQuAD 2 has no paragraphs: questions stand beside the context of their article."""
    questions = [{"id": "1", "question": "수도는?", "answer": {"text": "서울", "answer_start": 0}}, None]
    value = {"data": [{"title": "가", "url": "u", "context": "서울은 수도다.", "raw_html": "<p>", "qas": questions}]}
    rows = list(read_rows(write(tmp_path / "a.json", json.dumps(value))))
    assert where(tmp_path / "a.json") == ["a.json:/data/0/qas/0", "a.json:/data/0/qas/1"]
    assert rows[0].values["context"] == "서울은 수도다."
    assert rows[0].values["answer"]["text"] == "서울"
    assert "raw_html" not in rows[0].values
    assert rows[1].broken
