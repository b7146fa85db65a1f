"""Mends files: the safe patches of the findings, planned first, shown as a diff or made. Knows no rule.

A fix is made whole or not at all. It is refused when it is not safe, when another fix wants something else at the same
place, when a file is not there or not JSON, and when the file lies in the hub's cache, which every project shares.
"""

from __future__ import annotations

import difflib
import json
import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pretune.check.finding import REMOVE
from pretune.check.json_edit import CannotEditError, pointer_parts, remove_value, set_value
from pretune.core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.check.finding import Finding, Fix, Patch

LARGEST = 64 << 20
"""Bytes a file to patch may have: 64 MiB, as for any JSON that is read whole."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one file is and what it becomes; `titles` are the fixes that change it."""

    file: str
    before: bytes
    after: bytes
    titles: tuple[str, ...]


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


def plan(findings: Iterable[Finding]) -> Plan:
    """The edits that the findings' fixes come to. Reads the files, writes nothing.

    A patch that would change nothing is left out, so that planning again after `make` gives an empty plan.
    """
    fixes = _distinct(finding.fix for finding in findings if finding.fix is not None)
    refused: list[Refusal] = []
    texts: dict[str, str] = {}
    before: dict[str, bytes] = {}
    titles: dict[str, list[str]] = {}
    for fix in fixes:
        title, patches = fix.title, fix.patches
        others = [patch for other in fixes if other.safe and other is not fix for patch in other.patches]
        reason = "" if fix.safe else f"not safe, so left to you: {'; '.join(map(_told, patches))}"
        reason = reason or _conflict(patches, others)
        if not reason:
            try:
                changed = _patched(patches, texts, before)
            except (CannotEditError, OSError) as error:
                reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            else:
                for file, text in changed.items():
                    if text != texts.get(file, _decoded(before[file])):
                        titles.setdefault(file, []).append(title)
                    texts[file] = text
        if reason:
            refused.append(Refusal(title, reason))
    edits = tuple(
        Edit(file, before[file], text.encode("utf-8"), tuple(titles[file]))
        for file, text in texts.items()
        if file in titles
    )
    return Plan(edits, tuple(refused))


def diff(edits: Sequence[Edit]) -> str:
    """The edits as one unified diff, which `patch -p0` understands."""
    lines: list[str] = []
    for edit in edits:
        old, new = (_decoded(data).splitlines(keepends=True) for data in (edit.before, edit.after))
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
        patches = tuple(replace(p, file=names.setdefault(os.path.realpath(p.file), p.file)) for p in fix.patches)
        same = f"{fix.title}\0{fix.safe}\0" + "\0".join(map(_told, patches))
        found.setdefault(same, replace(fix, patches=patches))
    return list(found.values())


def _told(patch: Patch) -> str:
    value = "removed" if patch.value is REMOVE else f"set to {json.dumps(patch.value, ensure_ascii=False, default=str)}"
    return f"{patch.file}:{patch.pointer} {value}"


def _conflict(patches: Sequence[Patch], others: Sequence[Patch]) -> str:
    """Why the patches cannot be made beside the others; empty when they can."""
    for index, mine in enumerate(patches):
        for theirs in (*patches[:index], *others):
            if mine.file != theirs.file:
                continue
            if mine.pointer == theirs.pointer and _told(mine) != _told(theirs):
                return f"two fixes disagree: {_told(mine)}, or {_told(theirs)}"
            if f"{mine.pointer}/".startswith(f"{theirs.pointer}/") != f"{theirs.pointer}/".startswith(
                f"{mine.pointer}/"
            ):
                return f"two fixes overlap: {mine.file}:{mine.pointer} and {theirs.pointer}"
    return ""


def _patched(patches: Sequence[Patch], texts: dict[str, str], before: dict[str, bytes]) -> dict[str, str]:
    """Each file's text after the patches; reads a file that nobody has read yet into `before`."""
    changed: dict[str, str] = {}
    for patch in patches:
        if patch.file not in before:
            before[patch.file] = _read(Path(patch.file))
        text = changed.get(patch.file) or texts.get(patch.file) or _decoded(before[patch.file])
        bom, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        try:
            parts = pointer_parts(patch.pointer)
            if patch.value is REMOVE:
                body = remove_value(body, patch.pointer)
            elif not _holds(body, parts, patch.value):
                body = set_value(body, patch.pointer, patch.value)
        except CannotEditError as error:
            raise CannotEditError(f"{patch.file}: {error}") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise CannotEditError(f"{patch.file} cannot be patched: {error}") from None
        changed[patch.file] = bom + body
    return changed


def _holds(text: str, parts: Sequence[str], value: object) -> bool:
    """Whether the value at the pointer is that value already; 1, 1.0 and true are three values."""
    here = json.loads(text)
    for part in parts:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return False
    return json.dumps(here, sort_keys=True) == json.dumps(value, sort_keys=True)


def _read(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        CannotEditError: it lies in the hub's cache, is no file, is too large, or is not UTF-8.
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
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise CannotEditError(f"{path} is not UTF-8") from None
    return data


def _decoded(data: bytes) -> str:
    return data.decode("utf-8")
