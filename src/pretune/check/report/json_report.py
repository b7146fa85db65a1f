"""The report as JSON, versioned: within version 1, keys are only ever added. For programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pretune import __version__
from pretune.check.finding import REMOVE, Level

if TYPE_CHECKING:
    from pretune.check.engine import Report
    from pretune.check.finding import Finding
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
        code, name, severity, message, where, fix and, where files can be mended, `patches` (file, pointer, and value
        or remove) with `safe` and `title`; `allowed`, the same with `reason`; `skipped`, each with code, name and
        reason; `summary`, the counts; `profile`, where a corpus was read: all its figures (profile_json.py).
    """
    profile: Profile | None = getattr(report, "profile", None)
    told: dict[str, Any] = {
        "version": VERSION,
        "pretune": __version__,
        "subject": report.subject,
        "remarks": list(report.remarks),
        "findings": [_finding(finding) for finding in report.findings],
        "allowed": [{**_finding(finding), "reason": reason} for finding, reason in report.allowed],
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
    if profile is not None:
        from pretune.check.report import profile_json

        told["profile"] = profile_json.as_dict(profile)
    return told


def _finding(finding: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.level.value,
        "message": finding.message,
        "where": finding.where,
        "fix": finding.help,
    }
    if finding.fix is not None:
        told["title"] = finding.fix.title
        told["safe"] = finding.fix.safe
        told["patches"] = [
            {
                "file": patch.file,
                "pointer": patch.pointer,
                **({"remove": True} if patch.value is REMOVE else {"value": _plain(patch.value)}),
            }
            for patch in finding.fix.patches
        ]
    return told


def _plain(value: object) -> Any:
    """The value as JSON can say it; NaN, infinities and foreign types as words."""
    if isinstance(value, Mapping):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float) else str(value)
