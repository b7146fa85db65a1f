"""The text of scripts and of notebooks' cells, for the lines that a report shows and for comments that allow.

What looks like a secret is masked: a report is kept in logs that others read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pretune.check.allow import allowances
from pretune.check.report.place import place
from pretune.check.source_edit_file import readable
from pretune.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.check.allow import Allowance

LONGEST = 500
"""Characters of a line that are kept around its place."""
_SECRETS = re.compile(
    r"(?P<kept>\b(?:hf_|api_org_|sk-|ghp_|gho_|github_pat_|glpat-|xox[abeoprs]-|AKIA|AIza)"
    r"|hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[\w/\-]{6,}"
    r"|(?P<secret>(?i:secret|passw(?:or)?d|webhook)\w*[\"']?\]?\s*[=:]\s*[rbf]?[\"'])[^\"']{4,}(?=[\"'])"
    r"|(?P<named>(?i:token|key)[\"']?\]?\s*[=:]\s*[rbf]?[\"'])(?=[^\"']*[0-9])[\w\-./+]{12,}=*(?=[\"'])"
    r"|\b[0-9a-f]{32,}\b"
)
"""A `token` or `key` is one where its value has digits, and nothing of a special token such as `<|endoftext|>`."""
_QUOTED = re.compile(r"([\"'])(?:(?!\1).){6,}\1")


class Texts:
    """The source of files, each read once; a file that cannot be read has none."""

    def __init__(self) -> None:
        self._read: dict[str, Mapping[int | None, str]] = {}

    def of(self, file: str) -> Mapping[int | None, str]:
        """Cell (None: no notebook) -> its source."""
        if file not in self._read:
            try:
                self._read[file] = dict(_texts(file))
            except (UserError, ValueError, KeyError, TypeError, RecursionError):
                self._read[file] = {}
        return self._read[file]

    def allowances(self, files: Iterable[str]) -> list[Allowance]:
        """The allowances in the comments of all the files."""
        return [
            allowance
            for file in files
            for cell, text in self.of(file).items()
            if "pretune:" in text
            for allowance in allowances(text if cell is None else readable(text), file, cell)
        ]

    def line(self, where: str, *, secret: bool = False) -> str:
        """The line of source at a place, with its secrets masked; empty where there is none.

        Args:
            where: the place.
            secret: a secret is known to stand there, so that no text in quotes is shown.
        """
        at = place(where)
        if not at.line or not at.file.lower().endswith((".py", ".ipynb")):
            return ""
        lines = self.of(at.file).get(at.cell, "").split("\n")
        line = lines[at.line - 1] if at.line <= len(lines) else ""
        if len(line) > LONGEST:
            return ""
        return masked(_QUOTED.sub(r"\1***\1", line) if secret else line)


def masked(line: str) -> str:
    """The line without what looks like a secret: `hf_***`, `token="***"`."""
    return _SECRETS.sub(lambda found: f"{found['kept'] or found['secret'] or found['named'] or ''}***", line)


def _texts(file: str) -> Iterable[tuple[int | None, str]]:
    from pretune.script.source import LARGEST_NOTEBOOK, read_text

    if not file.lower().endswith(".ipynb"):
        return [(None, read_text(file))]
    notebook: dict[str, Any] = json.loads(read_text(file, largest=LARGEST_NOTEBOOK))
    sheets = notebook.get("worksheets") or ()  # format 3
    cells = notebook["cells"] if "cells" in notebook else [cell for sheet in sheets for cell in sheet["cells"]]
    found = []
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source", cell.get("input", ""))
        if cell.get("cell_type") == "code":
            found.append((number, source if isinstance(source, str) else "".join(source)))
    return found
