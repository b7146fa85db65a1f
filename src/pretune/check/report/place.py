"""Takes `where` apart into file, line, column and JSON pointer. Opens no file."""

import re
from dataclasses import dataclass

from pretune.draw.visible import one_line
from pretune.draw.visible import visible as shown

__all__ = ["Place", "one_line", "place", "shown"]


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
