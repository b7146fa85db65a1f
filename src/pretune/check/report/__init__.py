"""The report as text, one line a finding, JSON, SARIF or for GitHub; html.py makes a page. Imported when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pretune.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from pretune.check.engine import Report

FORMATS = ("text", "concise", "json", "sarif", "github")
_HOMES = {"text": "text", "concise": "concise", "json": "json_report", "sarif": "sarif", "github": "github"}


def render(report: Report, form: str = "text", *, verbose: bool = False) -> str:
    """The report in one of FORMATS, ending in a line end, or empty when a format has nothing to say.

    Args:
        report: what the engine found.
        form: one of FORMATS.
        verbose: let the text name every rule that was not asked; the others always do or never do.

    Raises:
        UserError: no such format.
    """
    if form not in FORMATS:
        near = did_you_mean(form, FORMATS)
        raise UserError(f'unknown format "{form}"', hint=near or f"formats: {', '.join(FORMATS)}")
    written: str = import_module(f"{__name__}.{_HOMES[form]}").render(report, verbose=verbose)
    return written
