"""The report as JSON, versioned: within version 1, keys are only ever added. For programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from pretune import __version__
from pretune.check.finding import REMOVE, Level, Patch
from pretune.check.report.place import place

if TYPE_CHECKING:
    from pretune.check.engine import Report
    from pretune.check.finding import Finding, SourceEdit
    from pretune.corpus.figures import Profile

VERSION = 1


def render(report: Report, *, verbose: bool = False) -> str:
    """The report as one JSON object, indented by two, keys in a fixed order."""
    del verbose
    return json.dumps(as_dict(report), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """The report as plain data.

    Returns:
        `version` 1; `pretune` its version; `subject`; `remarks` on where the files came from; `findings`, each with
        code, name, severity, message, where, fix and, where there are such, `file`, `line`, `column`, `cell`, `source`
        (the line of code), `also` (further places) and, where files can be mended, `patches` (file, pointer, and value
        or remove; of source file, line, column, cell and the edit) with `safe` and `title`; `allowed`, the same with
        `reason`; `skipped`, each with code, name and reason; `summary`, the counts; of scripts `runs_with`, each with
        file, package, first, last, specifier, sentence and bounded; `failed`, why files could not be read; `profile`,
        where a corpus was read: all its figures (profile_json.py).
    """
    profile: Profile | None = getattr(report, "profile", None)
    told: dict[str, Any] = {
        "version": VERSION,
        "pretune": __version__,
        "subject": report.subject,
        "remarks": list(report.remarks),
        "findings": [_finding(finding, report) for finding in report.findings],
        "allowed": [{**_finding(finding, report), "reason": reason} for finding, reason in report.allowed],
        "skipped": [{"code": rule.code, "name": rule.name, "reason": rule.reason} for rule in report.skipped],
        "summary": {
            "errors": report.count(Level.ERROR),
            "warnings": report.count(Level.WARNING),
            "notes": report.count(Level.NOTE),
            "allowed": len(report.allowed),
            "asked": len(report.asked),
            "skipped": len(report.skipped),
        },
    }
    if report.runs:
        told["runs_with"] = [asdict(runs) for runs in report.runs]
    if report.failed:
        told["failed"] = list(report.failed)
    if profile is not None:
        from pretune.check.report import profile_json

        told["profile"] = profile_json.as_dict(profile)
    return told


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    at = place(finding.where)
    told: dict[str, Any] = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.level.value,
        "message": finding.message,
        "where": finding.where,
        "fix": finding.help,
    }
    if at.line:
        known = {"file": at.file, "line": at.line, "column": at.column, "cell": at.cell}
        told |= {key: value for key, value in known.items() if value is not None}
    if finding.where in report.code:
        told["source"] = report.code[finding.where]
    if finding.also:
        told["also"] = list(finding.also)
    if finding.fix is not None:
        told["title"] = finding.fix.title
        told["safe"] = finding.fix.safe
        told["patches"] = [_patch(patch) for patch in finding.fix.patches]
    return told


def _patch(patch: Patch | SourceEdit) -> dict[str, Any]:
    if isinstance(patch, Patch):
        what = {"remove": True} if patch.value is REMOVE else {"value": _plain(patch.value)}
        return {"file": patch.file, "pointer": patch.pointer, **what}
    at = patch.place
    cell = {} if at.cell is None else {"cell": at.cell}
    words = {field.name: getattr(patch, field.name) for field in fields(patch) if field.name != "place"}
    return {"file": at.file, "line": at.line, "column": at.column, **cell, "edit": type(patch).__name__, **words}


def _plain(value: object) -> Any:
    """The value as JSON can say it; NaN, infinities and foreign types as words."""
    if isinstance(value, Mapping):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
