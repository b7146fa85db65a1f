"""Takes `where` apart into file, line, column and JSON pointer, and makes text from files safe to show. Opens none."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file.

    Attributes:
        file: the path as the user would write it; empty: the place is not in a file (`--config num_labels`).
        line: 1 for the first; None: not said.
        column: 1 for the first; None: not said.
        pointer: a JSON pointer; empty: not said.
        text: the whole `where`.
    """

    file: str
    line: int | None
    column: int | None
    pointer: str
    text: str


_LINE = re.compile(r"(?P<file>.+?):(?P<line>[1-9][0-9]{0,8})(?::(?P<column>[1-9][0-9]{0,8}))?")
_POINTER = re.compile(r"(?P<file>[A-Za-z]:[\\/].*?|.+?):(?P<pointer>/.*)")


def place(where: str) -> Place:
    """`config.json:/vocab_size`, `train.jsonl:17`, `train.py:42:8`, `config.json` or `--config num_labels` apart."""
    if where.startswith("-"):
        return Place("", None, None, "", where)
    line = _LINE.fullmatch(where)
    if line:
        column = line["column"]
        return Place(line["file"], int(line["line"]), int(column) if column else None, "", where)
    pointer = _POINTER.fullmatch(where)
    if pointer:
        file = "" if pointer["file"] == "setup" else pointer["file"]  # `setup:/config/x`: said nowhere in a file
        return Place(file, None, None, pointer["pointer"], where)
    return Place(where, None, None, "", where)


def shown(text: str) -> str:
    """`text` with what could move a terminal's cursor, or turn its writing round, written as an escape.

    Models and data come from strangers: an ESC in a token must not reach the terminal. Line ends are kept.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _unsafe(char) else char for char in text)


def one_line(text: str) -> str:
    """`shown(text)` with each run of white space as one space."""
    return shown(" ".join(text.split()))


def _unsafe(char: str) -> bool:
    category = unicodedata.category(char)
    turns = category == "Cf" and unicodedata.bidirectional(char) in _TURNING
    return turns or (category in ("Cc", "Cs", "Zl", "Zp") and char != "\n")


_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
