"""The report as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

Form: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions. What stands in a notebook is
shown at its file, with cell and line in words: a line number there would be one of the JSON.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from pretune.check.finding import Level
from pretune.check.report.place import one_line, place

if TYPE_CHECKING:
    from pretune.check.engine import Report
    from pretune.check.finding import Finding

COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report, *, verbose: bool = False) -> str:
    """One command a line for each finding, gravest first, and an error for each file that could not be read."""
    del verbose
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    commands = [_command(finding, root) for finding in report.findings]
    commands += [f"::error title={_property('pretune')}::{_data(one_line(line))}\n" for line in report.failed]
    return "".join(commands)


def _command(finding: Finding, root: Path) -> str:
    at = place(finding.where)
    known: dict[str, str] = {}
    words = [one_line(finding.message)]
    if at.file:
        known["file"] = _relative(at.file, root)
    if at.cell is not None:
        words.insert(0, f"cell {at.cell}, line {at.line}:")
    elif at.line:
        known["line"] = str(at.line)
        if at.column:
            known["col"] = str(at.column)
    else:
        words.insert(0, f"{at.pointer or finding.where}:" if at.pointer or not at.file else "")
    known["title"] = f"{finding.name} ({finding.code})"
    properties = ",".join(f"{name}={_property(one_line(value))}" for name, value in known.items())
    text = " ".join(word for word in words if word.strip(": "))
    if finding.help:
        text += f"\nfix: {one_line(finding.help)}"
    return f"::{COMMANDS[finding.level]} {properties}::{_data(text)}\n"


def _relative(file: str, root: Path) -> str:
    """The file as GitHub knows it: from the repository's root, with slashes."""
    path = Path(os.path.abspath(file))  # noqa: PTH100 - resolve() would follow links out of the repository
    return PurePath(path.relative_to(root)).as_posix() if path.is_relative_to(root) else PurePath(file).as_posix()


def _data(text: str) -> str:
    """Escape as the runner reads it back (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
