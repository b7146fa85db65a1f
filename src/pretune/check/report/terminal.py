"""The text report in a terminal: the same lines, folded to its width and coloured. Knows nothing of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from pretune.check.report.text import lines
from pretune.draw.console import is_wanted, width_for, write_folded
from pretune.draw.terminal import can_draw

if TYPE_CHECKING:
    from pretune.check.engine import Report

__all__ = ["is_wanted", "write"]

USUAL = 80
"""Columns of a stream that is no terminal."""


def write(report: Report, stream: TextIO, *, verbose: bool = False, width: int | None = None) -> None:
    """Write the report to a terminal.

    Args:
        report: what the engine found.
        stream: where to.
        verbose: as `text.lines`.
        width: columns; None: the terminal's.
    """
    room = width or width_for(stream) or USUAL
    found = lines(report, verbose=verbose, width=room, plain=not can_draw(stream))
    write_folded(((line.indent, line.pieces) for line in found), stream, width=room)
