"""A file's text: from bytes, by the encoding it names, and parsed. Knows nothing of what the code means.

Python 3 only; of Python 2 it says so where the syntax gives it away.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from pretune.core.errors import UserError

LARGEST_SCRIPT = 8 << 20
"""Bytes; people write nothing near it, and a tree takes some hundred times as much memory."""
LARGEST_NOTEBOOK = 64 << 20
"""Bytes; with pictures in its outputs a notebook may be large."""
_PYTHON_2 = (
    ("Missing parentheses in call to 'print'", "`print` without parentheses"),
    ("Missing parentheses in call to 'exec'", "`exec` without parentheses"),
    ("multiple exception types must be parenthesized", "`except X, name`"),
    ("leading zeros in decimal integer literals", "a number with leading zeros"),
)
_PYTHON_2_LINES = (
    (re.compile(r"^\s*print\s+(>>|[\"'\w])"), "`print` without parentheses"),
    (re.compile(r"^\s*except\s+[\w.]+\s*,\s*\w+\s*:"), "`except X, name`"),
    (re.compile(r"^\s*raise\s+[\w.]+\s*,"), "`raise X, message`"),
)
_PYTHON_2_TOKENS = re.compile(r"\bur[\"']|\b\d+L\b|<>")


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A piece of source that is parsed at once: a script, a module or one cell of a notebook.

    Attributes:
        file: the path as the user named it or as it was found.
        lines: its lines, without their ends.
        body: its statements.
        cell: the notebook's cell, from 1; None: no notebook.
    """

    file: str
    lines: list[str] = field(repr=False)
    body: list[ast.stmt] = field(repr=False)
    cell: int | None = None

    def column(self, line: int, offset: int) -> int:
        """The column in characters, from 1, of an offset in bytes of UTF-8."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        if text.isascii():
            return offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1


def read_text(path: str, *, largest: int = LARGEST_SCRIPT) -> str:
    """The text of a file.

    Args:
        path: the file.
        largest: the most bytes it may have.

    Raises:
        UserError: it cannot be read, is too large, or its bytes are not in the encoding that it names.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > largest:
            raise UserError(f"{path} has {size:,} bytes, more than the {largest:,} that are read")
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a null character in the name
        raise UserError(f"{path!r} cannot be read: {error}") from None
    return decode(data, path)


def decode(data: bytes, path: str) -> str:
    """The text of a file's bytes, by its byte order mark, its coding line (PEP 263) or as UTF-8; ends are newlines.

    Raises:
        UserError: the bytes are not in that encoding.
    """
    import io
    import tokenize

    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(f"{path} is UTF-16, and Python reads none", hint="save it as UTF-8")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, LookupError) as error:
        raise UserError(
            f"{path} cannot be decoded: {getattr(error, 'msg', None) or error}", hint="save it as UTF-8"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}:1 is not {error.encoding.upper()}: byte 0x{data[error.start]:02x}"
        raise UserError(message, hint="save it as UTF-8, or name its encoding in its first line") from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str, file: str, cell: int | None = None) -> Unit:
    """The statements of a piece of source.

    Raises:
        UserError: it is no Python 3; one line that names the place.
    """
    lines = text.split("\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are the script's business
            tree = ast.parse(text)
    except SyntaxError as error:
        raise _syntax(error, file, cell, lines) from None
    except ValueError as error:  # a null character
        raise UserError(f"{_place(file, cell, 1, 1)} cannot be parsed: {error}") from None
    except (RecursionError, MemoryError):
        raise UserError(f"{_place(file, cell, 1, 1)} cannot be parsed: its expressions are nested too deep") from None
    return Unit(file, lines, tree.body, cell)


def _place(file: str, cell: int | None, line: int, column: int) -> str:
    return f"{file}:{'' if cell is None else f'cell {cell}:'}{line}:{column}"


def _syntax(error: SyntaxError, file: str, cell: int | None, lines: list[str]) -> UserError:
    """The user's mistake behind a syntax error; Python 2 is named as such."""
    line = error.lineno or 1
    place = _place(file, cell, line, max(error.offset or 1, 1))
    text = lines[line - 1] if line <= len(lines) else ""
    for message, what in _PYTHON_2:
        if (error.msg or "").startswith(message):
            return UserError(f"{place} is Python 2 ({what}), only Python 3 is read", hint="convert it with 2to3 first")
    for pattern, what in _PYTHON_2_LINES:
        if pattern.search(text):
            return UserError(f"{place} is Python 2 ({what}), only Python 3 is read", hint="convert it with 2to3 first")
    at = (error.offset or 1) - 1
    if any(found.start() <= at <= found.end() for found in _PYTHON_2_TOKENS.finditer(text)):
        return UserError(f"{place} is Python 2, only Python 3 is read", hint="convert it with 2to3 first")
    return UserError(f"{place} cannot be parsed: {error.msg or 'invalid syntax'}")
