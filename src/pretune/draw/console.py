"""Lines of styled pieces to a stream: in colour where it is a terminal, plain in a pipe. Knows no words.

rich honours NO_COLOR, FORCE_COLOR and TERM=dumb, and takes the nearest of the colours that a terminal has.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from pretune.draw.heat import INK, SHADES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from pretune.draw.terminal import Piece

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "good": "bold green",
    "warn": "bold yellow",
    "ok": "bold green",
    "name": "bold",
    "where": "cyan",
    "bar": "blue",
    "fix": "green",
    "heading": "bold",
    "best": "bold",
    "bad": "red",
    "dim": "dim",
    "": "",
}
FEW = ("standard", "windows")
"""Colour systems of 16 colours, in which no shades can be told apart."""


def is_wanted(stream: TextIO) -> bool:
    """Whether the stream is a terminal, or FORCE_COLOR asks to treat it as one."""
    forced = os.environ.get("FORCE_COLOR", "")
    return stream.isatty() or forced not in ("", "0")


def width_for(stream: TextIO) -> int | None:
    """Columns of a terminal; None for a pipe, which has no width."""
    if not is_wanted(stream):
        return None
    return _console(stream).width


def write(found: Iterable[Sequence[Piece]], stream: TextIO) -> None:
    """Write lines that fit already (terminal.lines, heat.lines)."""
    if not is_wanted(stream):
        stream.writelines("".join(piece for piece, _ in line).rstrip() + "\n" for line in found)
        return
    from rich.text import Text

    console = _console(stream)
    shaded = console.color_system not in (None, *FEW) and not console.no_color
    for line in found:
        pieces = [(piece, _style(style, shaded=shaded)) for piece, style in line]
        console.print(Text.assemble(*pieces), soft_wrap=True)


def write_folded(found: Iterable[tuple[int, Sequence[Piece]]], stream: TextIO, *, width: int) -> None:
    """Write lines of any length to a terminal, folded behind their indents.

    Args:
        found: of each line the blanks before it and its pieces.
        stream: where to.
        width: columns that there are.
    """
    from rich.text import Text

    console = _console(stream, width)
    for indent, pieces in found:
        text = Text.assemble(*((piece, _style(style, shaded=False)) for piece, style in pieces))
        for part in text.wrap(console, max(width - indent, 8), overflow="fold") or [Text()]:
            part.rstrip()
            console.print(Text(" " * indent) + part, soft_wrap=True)


def _console(stream: TextIO, width: int | None = None) -> Console:
    """Rich's console, which takes words as they are; of the terminal's width unless one is given."""
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def _style(name: str, *, shaded: bool) -> str:
    """What rich calls a style; a cell's ground and its letters together."""
    if name.startswith("heat"):
        return f"{INK} on {SHADES[int(name[4:])]}" if shaded else ""
    return STYLES.get(name, "")
