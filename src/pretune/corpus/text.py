"""Bytes of a data file to lines of text, in bounded memory; gzip and zstd are unpacked on the way.

Reads UTF-8 only. What is not text, or text of another encoding, is told in one sentence that names what it probably is;
a single damaged line of a UTF-8 file is handed on as such. Knows nothing of rows.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.core.errors import UserError
from pretune.corpus.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINE_LIMIT = 64 * 2**20
"""Bytes of the longest line that is read."""

WHOLE_LIMIT = 512 * 2**20
"""Bytes of the largest JSON document that is read whole."""

HEAD = 64 * 2**10
"""Bytes that are looked at to tell what a file is."""

_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "save it as CSV UTF-8, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV UTF-8"),
    (b"%PDF", "a PDF", "extract its text first"),
    (b"\x80\x02", "a pickle", "pickles are never opened here: save the rows as jsonl"),
    (b"\x80\x03", "a pickle", "pickles are never opened here: save the rows as jsonl"),
    (b"\x80\x04", "a pickle", "pickles are never opened here: save the rows as jsonl"),
    (b"\x80\x05", "a pickle", "pickles are never opened here: save the rows as jsonl"),
    (b"BZh", "compressed with bzip2", "unpack it, or pack it with zstd"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it, or pack it with zstd"),
    (b"SQLite format 3", "an SQLite database", "export the table as csv"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data", "git lfs pull"),
    (b"<!doctype html", "an HTML page, not the data", "download the file itself"),
    (b"<html", "an HTML page, not the data", "download the file itself"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `broken` says why it is not text."""

    number: int
    text: str
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The first bytes of a file, unpacked, without the byte order mark.

    Attributes:
        data: at most HEAD bytes.
        bom: the file begins with the UTF-8 byte order mark.
    """

    data: bytes
    bom: bool

    @property
    def text(self) -> str:
        """The head as text; what is not UTF-8, and a character cut in two at the end, become U+FFFD."""
        return self.data.decode("utf-8", "replace")


def raw_head(path: Path) -> bytes:
    """The first bytes, unpacked when gzipped or packed with zstd.

    Raises:
        UserError: missing, a folder, unreadable, empty, or not the gzip or zstd it begins as.
    """
    if path.is_dir():
        inside = sorted(
            p.name for p in path.iterdir() if p.suffix in {".arrow", ".parquet", ".jsonl", ".json", ".csv", ".tsv"}
        )
        raise UserError(
            f"{path} is a folder, expected a data file",
            hint=f"name a file in it: {', '.join(inside[:3])}" if inside else "",
        )
    with unpacked(path) as file:
        data = file.read(HEAD)
    if not data:
        raise UserError(f"{path} is empty", hint="a data file has at least one row")
    return data


def text_head(path: Path) -> Head:
    """The first bytes of a file that must be UTF-8 text.

    Raises:
        UserError: what `raw_head` raises; a binary file; another encoding.
    """
    data = raw_head(path)
    bom = data.startswith(codecs.BOM_UTF8)
    if bom:
        data = data[len(codecs.BOM_UTF8) :]
    _refuse_what_is_no_text(path, data)
    return Head(data, bom)


def lines(path: Path) -> Iterator[Line]:
    """The lines of a UTF-8 file, from 1. A damaged line is given with its reason.

    Raises:
        UserError: what `text_head` raises; a line of more than LINE_LIMIT bytes; another encoding.
    """
    text_head(path)
    with unpacked(path) as file:
        yield from lines_of(file.readline, path)


class Seen:
    """Whether a file has shown text that is UTF-8 and not just ASCII; what is damaged later is then a stray byte."""

    __slots__ = ("utf8",)

    def __init__(self) -> None:
        self.utf8 = False


def lines_of(
    readline: Callable[[int], bytes], path: Path, *, number: int = 0, seen: Seen | None = None
) -> Iterator[Line]:
    """The lines that `readline` gives, as `lines` gives those of a whole file.

    Args:
        readline: a line with its end, at most so many bytes of it; empty at the end of the file.
        path: the file, for messages.
        number: lines that stand before.
        seen: what the lines before have shown; it is kept up to date.

    Raises:
        UserError: a line of more than LINE_LIMIT bytes; another encoding.
    """
    seen = seen or Seen()
    while data := readline(LINE_LIMIT + 1):
        number += 1
        if len(data) > LINE_LIMIT:
            raise UserError(
                f"line {number} of {path} is longer than {LINE_LIMIT // 2**20} MB",
                hint="one row a line is expected; is this really a text file?",
            )
        if number == 1:
            data = data.removeprefix(codecs.BOM_UTF8)
        data = data.removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            if not seen.utf8 and _damaged(data):
                raise _foreign(path, data) from None
            yield Line(number, "", f"not UTF-8: byte 0x{data[error.start]:02x} at byte {error.start + 1} of the line")
            continue
        seen.utf8 = seen.utf8 or not text.isascii()
        yield Line(number, text)


def whole(path: Path) -> str:
    """The text of a whole UTF-8 file.

    Raises:
        UserError: what `text_head` raises; more than WHOLE_LIMIT bytes; not UTF-8 throughout.
    """
    text_head(path)
    with unpacked(path) as file:
        data = file.read(WHOLE_LIMIT + 1)
    if len(data) > WHOLE_LIMIT:
        raise UserError(
            f"{path} is larger than {WHOLE_LIMIT // 2**20} MB",
            hint="save it as jsonl, one row a line, which is read line by line",
        )
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        if _damaged(data[error.start : error.start + HEAD]):
            raise _foreign(path, data[error.start : error.start + HEAD]) from None
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} is not UTF-8 in line {line}: byte 0x{data[error.start]:02x}", hint="save it as UTF-8"
        ) from None


def probable_encoding(data: bytes) -> str:
    """What non-UTF-8 text probably is, in iconv's words: CP949, UTF-16 (LE, BE), SHIFT_JIS, GB18030, CP1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if data.count(0) > len(data) // 8:
        return "UTF-16LE" if data[1::2].count(0) >= data[::2].count(0) else "UTF-16BE"
    for name, low, high in (("cp949", "가", "힣"), ("shift_jis", "ぁ", "ヿ"), ("gb18030", "一", "鿿")):
        wide = [char for char in _decoded(data, name) if char >= "\x80"]
        if name == "cp949":  # its rarer syllables, which EUC-KR lacks, are what other encodings decode to
            wide = [char if len(char.encode("euc_kr", "ignore")) == 2 else "" for char in wide]
        if wide and 2 * sum(low <= char <= high for char in wide) > len(wide):
            return name.upper()
    return "CP1252"


def _decoded(data: bytes, encoding: str) -> str:
    """The text in that encoding; a character cut in two at the end is left out; empty when it is another one."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return ""


def _refuse_what_is_no_text(path: Path, data: bytes) -> None:
    for magic, what, hint in _MAGIC:
        if data[:64].lstrip().lower().startswith(magic.lower()) and not (
            magic.startswith(b"<") and ".txt" in path.suffixes
        ):
            raise UserError(f"{path} is {what}", hint=hint)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _foreign(path, data)
    controls = sum(data.count(byte) for byte in range(32) if byte not in b"\t\n\r\f")
    if controls * 50 > len(data):
        if data.count(0) * 8 > len(data) and _decoded(data, probable_encoding(data)).isprintable() is False:
            text = _decoded(data, probable_encoding(data))
            if text and sum(char.isprintable() or char.isspace() for char in text) * 10 > len(text) * 9:
                raise _foreign(path, data)
        raise UserError(
            f"{path} is a binary file, expected text", hint="txt, jsonl, json, csv, tsv, parquet and arrow are read"
        )
    if _damaged(data):
        raise _foreign(path, data)


def _damaged(data: bytes) -> bool:
    """True when more than a quarter of what is not ASCII is not UTF-8: another encoding, not a stray byte."""
    wide = [char for char in codecs.getincrementaldecoder("utf-8")("replace").decode(data) if char >= "\x80"]
    return wide.count("\ufffd") * 4 > len(wide)


def _foreign(path: Path, data: bytes) -> UserError:
    name = probable_encoding(data)
    said = "CP949 (EUC-KR)" if name == "CP949" else name
    return UserError(
        f"{path} is not UTF-8 but probably {said}", hint=f"iconv -f {name} -t UTF-8 {path.name} > utf8-{path.name}"
    )
