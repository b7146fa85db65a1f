"""Mends files: the safe fixes of the findings, planned first, shown as a diff or made. Knows no rule.

JSON files are changed by patches (patching.py), scripts and notebooks by edits of their source (source_edit.py). A fix
is made whole or not at all. It is refused when it is not safe, when another fix wants something else at the same place,
when a file is not what the fix takes it for, and when the file lies in the hub's cache, which every project shares.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.check.finding import Patch
from pretune.check.json_edit import CannotEditError
from pretune.check.patching import conflict, patched, told
from pretune.check.source_edit import overlap, spliced
from pretune.check.source_edit_file import SourceFile
from pretune.core.errors import UserError
from pretune.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.check.finding import Finding, Fix, SourceEdit
    from pretune.check.source_edit import Splice

LARGEST = 64 << 20
"""Bytes a file to mend may have: 64 MiB, as for any JSON that is read whole."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one file is and what it becomes.

    Attributes:
        file: its path.
        before: its bytes as they are.
        after: as they become.
        titles: the fixes that change it.
        encoding: of its text.
        cells: of a notebook, the number of each cell that changes, its source and what that becomes.
    """

    file: str
    before: bytes
    after: bytes
    titles: tuple[str, ...]
    encoding: str = "utf-8"
    cells: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fix that is not made, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What `--fix` would do: the edits, and what it leaves alone."""

    edits: tuple[Edit, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class _Files:
    """The files that fixes change: read once, changed in memory."""

    before: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, SourceFile] = field(default_factory=dict)
    splices: dict[str, dict[int | None, list[Splice]]] = field(default_factory=dict)
    titles: dict[str, list[str]] = field(default_factory=dict)

    def read(self, file: str) -> bytes:
        if file not in self.before:
            self.before[file] = _read(Path(file))
        return self.before[file]

    def source(self, file: str) -> SourceFile:
        if file not in self.sources:
            self.sources[file] = SourceFile(file, self.read(file))
        return self.sources[file]

    def text(self, file: str) -> str:
        data = self.read(file)
        try:
            return self.texts.get(file) or data.decode("utf-8")
        except UnicodeDecodeError:
            raise CannotEditError(f"{file} is not UTF-8") from None


def plan(findings: Iterable[Finding]) -> Plan:
    """The edits that the findings' fixes come to. Reads the files, writes nothing.

    A fix that would change nothing is left out, so that planning again after `make` gives an empty plan.
    """
    fixes = _distinct(finding.fix for finding in findings if finding.fix is not None)
    files = _Files()
    refused: list[Refusal] = []
    wanted: dict[int, list[tuple[str, int | None, Splice]]] = {}
    reasons: dict[int, str] = {}
    for number, fix in enumerate(fixes):
        try:
            wanted[number] = _splices(fix, files)
        except (CannotEditError, UserError, OSError) as error:
            reasons[number] = _reason(error)
    for number, fix in enumerate(fixes):
        patches = _patches(fix)
        others = [patch for other in fixes if other.safe and other is not fix for patch in _patches(other)]
        reason = reasons.get(number, "") or conflict(patches, others)
        others_splices = [one for other, theirs in wanted.items() if other != number for one in theirs]
        reason = reason or _overlap(wanted[number], others_splices)
        if not reason:
            try:
                _make_in_memory(fix.title, patches, wanted[number], files)
            except (CannotEditError, OSError) as error:
                reason = _reason(error)
        if reason:
            refused.append(Refusal(fix.title, reason))
    edits: list[Edit] = []
    for file, titles in files.titles.items():
        try:
            edits.append(_edit(file, tuple(titles), files))
        except CannotEditError as error:
            refused += [Refusal(title, str(error)) for title in titles]
    return Plan(tuple(edits), tuple(refused))


def diff(edits: Sequence[Edit]) -> str:
    """The edits as one unified diff, which `patch -p0` understands; of a notebook in one line, of its cells' source."""
    lines: list[str] = []
    for edit in edits:
        old, new = (data.decode(edit.encoding).splitlines(keepends=True) for data in (edit.before, edit.after))
        if edit.cells and len(old) == 1:
            for number, before, after in edit.cells:
                name = f"{edit.file}:cell {number}"
                lines += difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name)
        else:
            lines += difflib.unified_diff(old, new, edit.file, edit.file)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def make(plan: Plan) -> Plan:
    """Write the edits, each file whole or not at all; what could not be written comes back among the refused."""
    made: list[Edit] = []
    refused = list(plan.refused)
    for edit in plan.edits:
        try:
            write_atomically(Path(edit.file), edit.after)
            made.append(edit)
        except OSError as error:
            reason = f"{edit.file} cannot be written: {error.strerror}"
            refused += [Refusal(title, reason) for title in edit.titles]
    return Plan(tuple(made), tuple(refused))


def in_hub_cache(path: Path) -> bool:
    """Whether the file, or what it links to, lies in the hub's cache (`models--org--name/snapshots` or `/blobs`)."""
    parts = (*path.absolute().parts, *path.resolve().parts)
    return any(
        part.startswith(("models--", "datasets--", "spaces--")) and after in ("snapshots", "blobs")
        for part, after in pairwise(parts)
    )


def _distinct(fixes: Iterable[Fix]) -> list[Fix]:
    """Each fix once, and each file under one name, however the patches spell its path."""
    names: dict[str, str] = {}
    found: dict[str, Fix] = {}
    for fix in fixes:
        patches = tuple(_named(patch, names) for patch in fix.patches)
        same = f"{fix.title}\0{fix.safe}\0" + "\0".join(map(_told, patches))
        found.setdefault(same, replace(fix, patches=patches))
    return list(found.values())


def _named(patch: Any, names: dict[str, str]) -> Any:
    """The patch or edit, with the name by which its file was met first."""
    file = patch.file if isinstance(patch, Patch) else patch.place.file
    name = names.setdefault(os.path.realpath(file), file)
    if isinstance(patch, Patch):
        return replace(patch, file=name)
    return replace(patch, place=replace(patch.place, file=name))


def _told(patch: Patch | SourceEdit) -> str:
    return told(patch) if isinstance(patch, Patch) else repr(patch)


def _patches(fix: Fix) -> list[Patch]:
    return [patch for patch in fix.patches if isinstance(patch, Patch)]


def _splices(fix: Fix, files: _Files) -> list[tuple[str, int | None, Splice]]:
    """What the edits of a fix's source come to: file, cell and splice of each."""
    if not fix.safe:
        where = "; ".join(told(patch) if isinstance(patch, Patch) else str(patch.place) for patch in fix.patches)
        raise CannotEditError(f"not safe, so left to you: {where}")
    found: list[tuple[str, int | None, Splice]] = []
    for edit in fix.patches:
        if not isinstance(edit, Patch):
            file = edit.place.file
            found += [(file, cell, splice) for cell, splice in files.source(file).splices(edit)]
    for file in {file for file, _, _ in found}:
        files.source(file).edited(_by_cell((cell, splice) for name, cell, splice in found if name == file))
    return found


def _by_cell(splices: Iterable[tuple[int | None, Splice]]) -> dict[int | None, list[Splice]]:
    cells: dict[int | None, list[Splice]] = {}
    for cell, splice in splices:
        cells.setdefault(cell, []).append(splice)
    return cells


def _overlap(mine: Sequence[tuple[str, int | None, Splice]], others: Sequence[tuple[str, int | None, Splice]]) -> str:
    """Why the splices cannot be made beside the others; empty when they can."""
    for file, cell, splice in mine:
        for at_file, at_cell, other in others:
            if (file, cell) == (at_file, at_cell) and overlap(splice, other):
                return f"two fixes want to change the same place of {file}"
    return ""


def _make_in_memory(
    title: str, patches: Sequence[Patch], splices: Sequence[tuple[str, int | None, Splice]], files: _Files
) -> None:
    """Make the whole fix, or nothing of it."""
    changed: dict[str, str] = {}
    for patch in patches:
        changed[patch.file] = patched(changed.get(patch.file) or files.text(patch.file), patch)
    touched = [file for file, text in changed.items() if text != files.text(file)]
    files.texts.update(changed)
    for file, cell, splice in splices:
        files.splices.setdefault(file, {}).setdefault(cell, []).append(splice)
        touched.append(file)
    for file in dict.fromkeys(touched):
        files.titles.setdefault(file, []).append(title)


def _edit(file: str, titles: tuple[str, ...], files: _Files) -> Edit:
    before = files.before[file]
    splices = files.splices.get(file)
    if splices is None:
        return Edit(file, before, files.texts[file].encode("utf-8"), titles)
    source = files.source(file)
    sources = [(cell, source.cell_source(cell), wanted) for cell, wanted in splices.items() if cell is not None]
    cells = tuple((cell, text, spliced(text, wanted)) for cell, text, wanted in sources)
    return Edit(file, before, source.edited(splices), titles, source.encoding, cells)


def _reason(error: Exception) -> str:
    if isinstance(error, UserError):
        return f"{error.message}: {error.hint}" if error.hint else error.message
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _read(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        CannotEditError: it lies in the hub's cache, is no file, or is too large.
        OSError: it cannot be read.
    """
    if in_hub_cache(path):
        raise CannotEditError(
            f"{path} lies in the hub's cache, which every project shares: save the model to a folder first"
        )
    if not path.is_file():
        raise CannotEditError(f"{path} is no file")
    if path.stat().st_size > LARGEST:
        raise CannotEditError(f"{path} is larger than 64 MiB")
    return path.read_bytes()
