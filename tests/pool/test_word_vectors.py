"""Word vectors are read from the text files people have, and what is no such file is one line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from pretune.core.errors import UserError
from pretune.pool.word_vectors import read_word_vectors, stem

GLOVE = "the 0.1 0.2 0.3\ncat 1 2 3\nat name@domain.com 4 5 6\ndog -1 .5 1e-3\n. . . 7 8 9\nat 0 0 1\n고양이 3 2 1\n"


def _file(folder: Path, text: str | bytes, name: str = "vectors.txt") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        GLOVE,
        f"7 3\n{GLOVE}",
        GLOVE.removesuffix("\n"),
        GLOVE.replace("\n", " \n"),
        GLOVE.replace("\n", "\r\n"),
        f"\ufeff{GLOVE}\n\n",
        GLOVE.replace(" ", "\t"),
        GLOVE + "cat 9 9 9\n",
        GLOVE + "bird 1\n  5 5 5\nfish x y z\n",
    ],
    ids=["glove", "header", "no end", "spaces", "crlf", "bom", "tabs", "twice", "others"],
)
def test_every_way_to_write_them_is_read(tmp_path: Path, text: str) -> None:
    """With a header or not; the first of two lines counts; lines of other words are not looked into."""
    found = read_word_vectors(_file(tmp_path, text), ["Cat", "dog", "at", "고양이", "unicorn"])
    assert found.rows(["Cat", "dog", "at", "고양이", "unicorn", "cat"]).tolist() == [0, 1, 2, 3, -1, 0]
    np.testing.assert_allclose(found.table, [[1, 2, 3], [-1, 0.5, 1e-3], [0, 0, 1], [3, 2, 1]], rtol=1e-6)
    assert found.table.dtype == np.float32


def test_a_word_as_it_is_written_comes_before_its_lower_case(tmp_path: Path) -> None:
    """GloVe 840B has `Apple` and `apple`, 6B only the latter."""
    found = read_word_vectors(_file(tmp_path, "apple 1 0\nApple 2 0\npear 3 0\n"), ["Apple", "PEAR"])
    assert [found.words[row] for row in found.rows(["Apple", "PEAR", "apple"])] == ["Apple", "pear", "apple"]


def test_packed_files_are_read_as_they_stream(tmp_path: Path) -> None:
    """Gzip is told by its bytes, lines are cut anywhere, and progress ends at the file's size."""
    text = "".join(f"w{number} {number} {-number}\n" for number in range(1000))
    path = _file(tmp_path, gzip.compress(text.encode()), "cc.en.2.vec.gz")
    told: list[int] = []
    found = read_word_vectors(path, [f"w{number}" for number in range(999, 0, -7)], progress=told.append)
    assert len(found.words) == 143
    assert found.table[found.words.index("w999")].tolist() == [999, -999]
    assert told[-1] == path.stat().st_size


def test_lines_may_be_cut_by_a_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five bytes at a time give the same."""
    monkeypatch.setattr("pretune.pool.word_vectors.CHUNK", 5)
    found = read_word_vectors(_file(tmp_path, f"\ufeff{GLOVE}"), ["the", "고양이"])
    assert found.words == ("the", "고양이")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("the 1 2 3\ncat 1 2\n", ":2: expected 3 numbers for cat, found 2"),
        ("the 1 2 3\ncat 1 2 3 4\ndog 1 2 3\n", ":2: expected 3 numbers for cat, found 4"),
        ("2 300\nthe 1 2 3\ncat 1 2 3\n", ":3: expected 300 numbers for cat, found 3"),
        ("the 1 2 3\ncat 1 nan 3\n", ":2: expected numbers for cat, found 'cat 1 nan 3'"),
        ("the 1 2 3\ncat 1 x 3\n", ":2: expected numbers for cat"),
        ("sentence1\tsentence2\tscore\na cat\ta dog\t1\n", ":1: expected a word and its numbers"),
        ("cat\ndog\n", ":1: expected a word and its numbers"),
        ("the 1 2 3\n강아지 1 2 3\n", "has a vector for none of the 1 words"),
        (b"PK\x03\x04 123", "is a zip archive"),
        (b"3 2\ncat \x00\x00\x80\x3f\x00\x01\x02\x03\x00\x00", "is a binary file"),
    ],
)
def test_what_is_no_such_file_is_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    """The file, the line, what was expected, and a way out."""
    with pytest.raises(UserError) as caught:
        read_word_vectors(_file(tmp_path, text), ["cat"])
    assert said in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_missing_file_and_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are said before memory is spent."""
    with pytest.raises(UserError, match="does not exist"):
        read_word_vectors(tmp_path / "none.vec", ["cat"])
    monkeypatch.setattr("pretune.pool.word_vectors.LINE_LIMIT", 10)
    monkeypatch.setattr("pretune.pool.word_vectors.CHUNK", 8)
    with pytest.raises(UserError, match="txt:1: a line of more than"):
        read_word_vectors(_file(tmp_path, "cat " + "1 " * 50), ["cat"])


def test_names_are_what_stands_before_the_endings() -> None:
    """Dots within a name stay."""
    names = ["glove.6B.300d.txt", "cc.ko.300.vec.gz", "glove.6B.300d", "a.txt.zst", ".vec"]
    assert [stem(Path(name)) for name in names] == ["glove.6B.300d", "cc.ko.300", "glove.6B.300d", "a", ".vec"]
