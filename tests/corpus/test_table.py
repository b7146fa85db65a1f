"""Tables: delimiter, quotes that quote and quotes that do not, headers, and rows that a default reader would lose."""

from pathlib import Path

import pytest

from pretune.corpus.rows import format_of, read_rows
from pretune.corpus.table import dialect_of, swallowed_lines


def write(path: Path, text: str) -> Path:
    """Write a file and give its path."""
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_quoted_csv_knows_the_line_a_row_begins_at(tmp_path):
    """A quoted field may hold commas, quotes and line ends; the next row's place counts them."""
    path = write(tmp_path / "a.csv", 'text,label\r\n"가, ""나""\r\n다",1\r\n라,0\r\n')
    rows = list(read_rows(path))
    assert [(row.values["text"], row.where[-2:], row.lines) for row in rows] == [
        ('가, "나"\n다', ":2", 2),
        ("라", ":4", 1),
    ]


def test_quotes_of_a_tsv_are_characters(tmp_path):
    """KorSTS's quotes open no field: no row is swallowed, and how many a default reader would lose is known."""
    lines = ["id\tscore\tsentence1\tsentence2"] + [f"{n}\t1.5\t문장 {n}\t다른 문장" for n in range(20)]
    lines[5] = '4\t2.0\t"그는 갔다.\t그는 왔다.'
    lines[9] = '8\t2.0\t그는\t"왔다'
    path = write(tmp_path / "a.tsv", "\n".join(lines) + "\n")
    dialect = dialect_of(path)
    assert (dialect.delimiter, dialect.quoted) == ("\t", False)
    assert [row.values["sentence1"] for row in read_rows(path)][4] == '"그는 갔다.'
    assert len(list(read_rows(path))) == 20
    assert swallowed_lines(path, dialect, limit=2000) == (4, 6)


def test_quotes_of_a_tsv_that_quote(tmp_path):
    """A tsv whose quoted fields hold tabs is read with quotes."""
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + '"가\t나"\t1\n' * 5)
    assert [row.values["text"] for row in read_rows(path)] == ["가\t나"] * 5


def test_csv_that_is_tab_separated_and_has_no_header(tmp_path):
    """STS-B's .csv: tabs, no header, seven columns and sometimes nine; columns are called by their number."""
    row = "main-captions\tMSRvid\t2012test\t0001\t5.000\tA plane, taking off.\tAn air plane.\n"
    path = write(tmp_path / "sts.csv", row * 3 + row.rstrip("\n") + "\textra\tlicence\n")
    rows = list(read_rows(path))
    assert [row.fields for row in rows] == [7, 7, 7, 9]
    assert rows[0].values["5"] == "A plane, taking off."
    assert not dialect_of(path).header


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("text,label\na,1\n", True),
        ("내용,결과\n재미있다,1\n재미없다,0\n", True),
        ("재미있다,1\n재미없다,0\n", False),
        ("좋아요,긍정\n싫어요,부정\n멋져요,긍정\n", False),
        ("\ufeff텍스트,값\n가,나\n", True),
    ],
)
def test_header(tmp_path, text, header):
    """A first line of names is a header; one with a number, or a value that comes again below, is a row."""
    path = write(tmp_path / "a.csv", text)
    assert dialect_of(path).header is header
    assert len(list(read_rows(path))) == text.count("\n") - header


def test_named_columns_tell_a_header(tmp_path):
    """A column the user names makes the first line a header; a number names a column without one."""
    path = write(tmp_path / "a.csv", "1,zz\n1,b\n")
    assert dialect_of(path, named=["zz"]).header
    assert not dialect_of(path, named=["1"]).header


def test_nsmc_as_txt(tmp_path):
    """A .txt with tabs and usual names is a table; one without is text."""
    assert format_of(write(tmp_path / "a.txt", "document\tlabel\n아 신난다~\t0\n굿\t1\n")) == "table"
    assert format_of(write(tmp_path / "b.txt", "아 신난다~\n\ttab\n")) == "text"


def test_a_quote_that_never_closes_is_bounded(tmp_path):
    """A csv with an open quote gives the rows before it and one long last row."""
    path = write(tmp_path / "a.csv", "text,label\n가,1\n" + '"나,0\n' + "다,1\n" * 300_000)
    rows = list(read_rows(path, limit=10))
    assert rows[0].values == {"text": "가", "label": "1"}
    assert len(rows) <= 10


def test_header_only_and_blank_lines(tmp_path):
    """A table of a header alone has no rows; blank lines are none either."""
    assert list(read_rows(write(tmp_path / "a.csv", "text,label\n"))) == []
    assert list(read_rows(write(tmp_path / "b.csv", "\n\n"))) == []
    assert [row.where[-1] for row in read_rows(write(tmp_path / "c.csv", "text,label\n\na,1\n\n"))] == ["3"]
