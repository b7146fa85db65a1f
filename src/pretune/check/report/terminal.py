"""The text report in a terminal: the same lines, wrapped to its width and coloured, by rich. Knows nothing of rules.

rich honours NO_COLOR, FORCE_COLOR and TERM=dumb, and counts Hangul as two columns.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from pretune.check.report.text import lines
from pretune.draw.terminal import can_draw

if TYPE_CHECKING:
    from pretune.check.engine import Report

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "name": "bold",
    "where": "cyan",
    "fix": "green",
    "ok": "bold green",
    "heading": "bold",
    "best": "bold",
    "bad": "red",
    "bar": "blue",
    "dim": "dim",
    "": "",
}


def is_wanted(stream: TextIO) -> bool:
    """Whether `stream` is a terminal, or FORCE_COLOR asks to treat it as one."""
    forced = os.environ.get("FORCE_COLOR", "")
    return stream.isatty() or forced not in ("", "0")


def write(report: Report, stream: TextIO, *, verbose: bool = False, width: int | None = None) -> None:
    """Write the report to a terminal.

    Args:
        report: what the engine found.
        stream: where to.
        verbose: as `text.lines`.
        width: columns; None: the terminal's.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, markup=False, emoji=False, width=width)
    for line in lines(report, verbose=verbose, width=console.width, plain=not can_draw(stream)):
        text = Text.assemble(*((piece, STYLES[style]) for piece, style in line.pieces))
        room = max(console.width - line.indent, 8)
        for part in text.wrap(console, room, overflow="fold") or [Text()]:
            part.rstrip()
            console.print(Text(" " * line.indent) + part, soft_wrap=True)
