"""What `pretune check` writes: the report to stdout or a file, words to stderr, and fixes shown or made.

stdout carries data.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from pretune.core.language import say as said
from pretune.core.output import put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pretune.check.engine import Report


def mend(report: Report, given: dict[str, Any], again: Callable[[], Report]) -> Report:
    """Make the safe fixes, or show them.

    Args:
        report: what was found.
        given: the flags `fix`, `diff` and `output`.
        again: checks once more.

    Returns:
        The report afterwards.
    """
    from pretune.check import fix

    planned = fix.plan(report.findings)
    if given["fix"] and not given["diff"]:
        planned = fix.make(planned)
    say(_told(planned, made=not given["diff"]))
    if given["diff"]:
        put(fix.diff(planned.edits), given["output"])
        return report
    return again() if planned.edits else report


def show(report: Report, form: str, output: str | None, *, verbose: bool) -> None:
    """The report to the file, the terminal or the pipe."""
    from pretune.check.report import render

    if form == "text" and output in (None, "-"):
        from pretune.check.report import terminal, text
        from pretune.draw.terminal import can_draw

        stream: TextIO = sys.stdout
        if terminal.is_wanted(stream):
            terminal.write(report, stream, verbose=verbose)
        else:
            put(text.render(report, verbose=verbose, plain=not can_draw(stream)), output)
        return
    put(render(report, form, verbose=verbose), output, escaped=form in {"json", "sarif"})


def _told(planned: Any, *, made: bool) -> Iterator[str]:
    """What was mended and what was not, a line each."""
    for edit in planned.edits if made else ():
        yield f"fixed {edit.file}: {'; '.join(edit.titles)}"
    if not planned.edits:
        yield "nothing to fix" if not planned.refused else "nothing that can be fixed safely"
    for refusal in planned.refused:
        yield f"not fixed: {refusal.title}: {refusal.reason}"


def say(lines: Iterable[str]) -> None:
    """Words go to stderr; stdout carries data."""
    from pretune.check.report.place import one_line

    for line in lines:
        click.echo(said(one_line(line)), err=True)
