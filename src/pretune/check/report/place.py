"""Takes `where` apart into file, cell, line, column and JSON pointer. Opens no file."""

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
        cell: of a notebook, 1 for the first; None: no notebook. The line is then one of the cell.
        pointer: a JSON pointer; empty: not said.
        text: the whole `where`.
    """

    file: str
    line: int | None
    column: int | None
    pointer: str
    text: str
    cell: int | None = None


_LINE = re.compile(
    r"(?P<file>.+?)(?::cell (?P<cell>[1-9][0-9]{0,8}))?:(?P<line>[1-9][0-9]{0,8})(?::(?P<column>[1-9][0-9]{0,8}))?"
    r"(?P<pointer>/.*)?"
)
_POINTER = re.compile(r"(?P<file>[A-Za-z]:[\\/].*?|.+?):(?P<pointer>/.*)")


def place(where: str) -> Place:
    """Take `config.json:/vocab_size`, `train.py:42:8`, `note.ipynb:cell 3:2:1` or `--config num_labels` apart."""
    if where.startswith("-"):
        return Place("", None, None, "", where)
    line = _LINE.fullmatch(where)
    if line:
        column, cell = (int(line[name]) if line[name] else None for name in ("column", "cell"))
        return Place(line["file"], int(line["line"]), column, line["pointer"] or "", where, cell)
    pointer = _POINTER.fullmatch(where)
    if pointer:
        file = "" if pointer["file"] == "setup" else pointer["file"]  # `setup:/config/x`: said nowhere in a file
        return Place(file, None, None, pointer["pointer"], where)
    return Place(where, None, None, "", where)
