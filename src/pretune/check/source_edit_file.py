"""Opens a script or notebook for editing and writes it back: only the edited characters change. Knows no rule.

A script keeps its encoding, byte order mark and line ends; of a notebook only the lines of the edited cells are written
anew, so that outputs, metadata and the JSON's own form stay to the byte. What no longer parses is refused.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
import warnings
from typing import TYPE_CHECKING, Any

from pretune.check.json_edit import CannotEditError, set_value
from pretune.check.source_edit import Source, spliced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pretune.check.finding import SourceEdit
    from pretune.check.source_edit import Splice


class SourceFile:
    """A file of Python source.

    Args:
        file: its name, for messages; one that ends in .ipynb is a notebook.
        data: its bytes.

    Raises:
        CannotEditError: it cannot be decoded, or is a notebook that is not JSON.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.notebook = file.lower().endswith(".ipynb")
        self._opened: dict[int | None, Source] = {}
        if self.notebook:
            self.encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
        else:
            self.encoding = _encoding(file, data)
        try:
            self._text = data.decode(self.encoding)
            self._cells: Any = json.loads(self._text)["cells"] if self.notebook else []
        except UnicodeDecodeError:
            raise CannotEditError(f"{file} is not {self.encoding.upper().removesuffix('-SIG')}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CannotEditError(f"{file} is no notebook of version 4") from None

    def splices(self, edit: SourceEdit) -> tuple[tuple[int | None, Splice], ...]:
        """What an edit comes to, each with its cell (from 1; None: no notebook).

        Raises:
            CannotEditError: what the edit names does not stand there.
            UserError: libcst is missing.
        """
        cell = edit.place.cell
        return tuple((cell, splice) for splice in self._source(cell).splices(edit))

    def cell_source(self, cell: int | None) -> str:
        """The source of a cell, or of the script."""
        if cell is None and not self.notebook:
            return self._text
        try:
            assert cell is not None
            lines = self._cells[cell - 1]["source"]
            return lines if isinstance(lines, str) else "".join(lines)
        except (AssertionError, IndexError, KeyError, TypeError):
            raise CannotEditError(f"{self.file} has no cell {cell}") from None

    def edited(self, splices: Mapping[int | None, Sequence[Splice]]) -> bytes:
        """The file's bytes after the splices of each cell.

        Raises:
            CannotEditError: two overlap, or what they give is not Python or not in the file's encoding.
        """
        text = self._text
        for cell, wanted in splices.items():
            before = self.cell_source(cell)
            after = spliced(before, wanted)
            self._must_parse(after, cell)
            text = self._in_notebook(text, cell, after) if cell is not None else after
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            raise CannotEditError(f"{self.file} is {self.encoding}, which lacks a character of the fix") from None

    def _source(self, cell: int | None) -> Source:
        if cell not in self._opened:
            text = self.cell_source(cell)
            self._opened[cell] = Source(text, readable(text) if self.notebook else text)
        return self._opened[cell]

    def _must_parse(self, text: str, cell: int | None) -> None:
        if not _parses(readable(text) if self.notebook else text):
            at = f", cell {cell}," if cell is not None else ""
            raise CannotEditError(f"{self.file}{at} would not parse afterwards")

    def _in_notebook(self, text: str, cell: int, after: str) -> str:
        """The notebook's JSON with one cell's source changed: line by line where it has as many lines as before."""
        pointer = f"/cells/{cell - 1}/source"
        source = self._cells[cell - 1]["source"]
        if isinstance(source, str):
            return set_value(text, pointer, after)
        lines = after.splitlines(keepends=True)
        if len(lines) != len(source):
            return set_value(text, pointer, lines)
        for number, (old, new) in enumerate(zip(source, lines, strict=True)):
            if old != new:
                text = set_value(text, f"{pointer}/{number}", new)
        return text


def readable(source: str) -> str:
    """A cell's source with its magics written over by Python of as many lines; unchanged where it is Python."""
    if _parses(source):
        return source
    from pretune.script.cells import blanked

    return blanked(source)


def _parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in somebody's regular expression
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _encoding(file: str, data: bytes) -> str:
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        raise CannotEditError(f"{file} is not UTF-8, and does not say its encoding") from None
