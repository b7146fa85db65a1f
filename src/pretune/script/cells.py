"""A notebook's code cells as pieces of Python: magics blanked without moving a line. Knows formats 3 and 4 of nbformat.

What a magic does is not followed; `%run` says so in a note.
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.script.source import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.source import Unit

_PYTHON_CELLS = {
    "time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "snakeviz", "wandb", "scalene", "heat", "skip",
    "debug", "px", "pypy", "python", "python3", "tb", "track", "spy", "notify", "monitor", "matplotlib",
}  # fmt: skip
"""Cell magics whose cell is Python all the same."""
_SHELL = re.compile(
    r"^\s*(pip3?|conda|cd|ls|mkdir|rm|cp|mv|cat|pwd|apt(-get)?|git|wget|curl|unzip|tar|nvidia-smi)(\s+[^=(.\s].*)?$"
)
_ASSIGNED = re.compile(r"^(\s*[\w.,\s\[\]'\"]+?=\s*)[!%](?!=).*$")
_HELP = re.compile(r"^\s*\??\??[\w.]+\?{1,2}\s*$|^\s*\?{1,2}[\w.]+\s*$")


def cells(text: str, file: str) -> tuple[list[Unit], list[str]]:
    """The code cells of a notebook, in the order they stand in, and what a reader should know.

    Args:
        text: the notebook's JSON.
        file: its path as the user named it.

    Raises:
        UserError: it is no JSON, no notebook, not in Python, or none of its cells can be parsed.
    """
    notebook = _load(text, file)
    language = _language(notebook)
    if language not in ("", "python", "python3", "ipython", "ipython3", "pyspark"):
        raise UserError(f"{file} is a notebook in {language}, only Python is read")
    if language in ("", "ipython") and not _listed(notebook):
        raise UserError(f"{file} is no notebook: it has neither `cells` nor `worksheets`")
    units: list[Unit] = []
    notes: list[str] = []
    failures: list[UserError] = []
    counts: list[int] = []
    for number, cell in enumerate(_all_cells(notebook), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        count = cell.get("execution_count", cell.get("prompt_number"))
        if isinstance(count, int) and not isinstance(count, bool):
            counts.append(count)
        source = _source(cell)
        if not source.strip():
            continue
        try:
            units.append(_parsed(source, file, number, notes))
        except UserError as error:
            failures.append(error)
    if failures and not units:
        raise failures[0]
    notes += [f"a cell was left out: {error.message}" for error in failures]
    later = next((after for before, after in pairwise(counts) if after < before), None)
    if later is not None:
        notes.append(
            f"cells were run out of order (In [{later}] stands after a later one): read in the order they stand in"
        )
    return units or [parse("", file)], notes


def _load(text: str, file: str) -> dict[str, Any]:
    """The notebook as a dict."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{file}:{error.lineno}:{error.colno} is not JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise UserError(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{file} is no notebook: a JSON object was expected, found {type(found).__name__}")
    return found


def _language(notebook: dict[str, Any]) -> str:
    """The language that the notebook says it is in; empty: it does not say."""
    about = notebook.get("metadata")
    if not isinstance(about, dict):
        return ""
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        entry = about.get(part)
        if isinstance(entry, dict) and isinstance(entry.get(key), str):
            return str(entry[key]).lower()
    return ""


def _listed(notebook: dict[str, Any]) -> bool:
    return isinstance(notebook.get("cells"), list) or isinstance(notebook.get("worksheets"), list)


def _all_cells(notebook: dict[str, Any]) -> Iterator[Any]:
    """The cells, of format 3 from its worksheets."""
    if isinstance(notebook.get("cells"), list):
        yield from notebook["cells"]
        return
    sheets = notebook.get("worksheets")
    for sheet in sheets if isinstance(sheets, list) else ():
        inner = sheet.get("cells") if isinstance(sheet, dict) else None
        yield from inner if isinstance(inner, list) else ()


def _source(cell: dict[str, Any]) -> str:
    """A cell's source, of format 3 its `input`; a list of lines is joined."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


def _parsed(source: str, file: str, number: int, notes: list[str]) -> Unit:
    """A cell, as it stands or with its magics blanked."""
    runs = re.findall(r"(?m)^\s*%run\s+(.*)$", source)
    notes.extend(f"{file}: cell {number}: %run {line.strip()} was not followed" for line in runs)
    try:
        return parse(source, file, number)
    except UserError as error:
        failure = error
    plain = blanked(source)
    if plain == source:
        raise failure
    try:
        return parse(plain, file, number)
    except UserError as error:
        raise error from None


def blanked(source: str) -> str:
    """A cell's source without magics and shell lines; every line keeps its number, what is left of it its column."""
    lines = source.split("\n")
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        name = re.match(r"\s*%%(\w+)", lines[first])
        if name is None or name[1] not in _PYTHON_CELLS:
            return "\n".join("" for _ in lines)
        lines[first] = ""
    result: list[str] = []
    continued = False
    for line in lines:
        stripped = line.lstrip()
        indent = line[: len(line) - len(stripped)]
        if continued:
            continued = line.rstrip().endswith("\\")
            result.append("")
        elif stripped.startswith(("%", "!")) or _HELP.match(line) or _SHELL.match(line):
            continued = line.rstrip().endswith("\\")
            result.append(f"{indent}pass")
        elif _ASSIGNED.match(line):
            continued = line.rstrip().endswith("\\")
            result.append(_ASSIGNED.sub(r"\1get_ipython()", line))
        else:
            result.append(line)
    return "\n".join(result)
