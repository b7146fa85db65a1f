"""From a path to a Trace: a script, or a notebook's cells. The entry to this part."""

from __future__ import annotations

from pathlib import PurePath

from pretune.script.evaluate import evaluate
from pretune.script.project import Project, parsed
from pretune.script.source import LARGEST_NOTEBOOK, parse, read_text
from pretune.script.trace import Trace

__all__ = ["Trace", "read_script", "read_source"]


def read_script(path: str) -> Trace:
    """What a script or notebook would do, without running it.

    Args:
        path: a `.py` or `.ipynb` file.

    Raises:
        UserError: the file cannot be read or parsed; one line that names the place.
    """
    if PurePath(path).suffix.lower() == ".ipynb":
        from pretune.script.cells import cells

        units, notes = cells(read_text(path, largest=LARGEST_NOTEBOOK), path)
        return evaluate(units, path, Project(path), notes=notes)
    return evaluate([parsed(path)], path, Project(path))


def read_source(text: str, file: str = "train.py") -> Trace:
    """What a script would do, from its text; modules of its project are not looked for.

    Args:
        text: its source.
        file: the path that places name.

    Raises:
        UserError: it cannot be parsed.
    """
    if PurePath(file).suffix.lower() == ".ipynb":
        from pretune.script.cells import cells

        units, notes = cells(text, file)
        return evaluate(units, file, Project(None), notes=notes)
    return evaluate([parse(text.replace("\r\n", "\n"), file)], file, Project(None))
