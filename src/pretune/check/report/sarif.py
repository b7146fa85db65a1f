"""The report as SARIF 2.1.0, which code hosts show beside the lines. Every rule is declared, found or not.

Standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pretune import __version__
from pretune.check.engine import OF_THE_ENGINE
from pretune.check.report.place import place
from pretune.check.report.rule_page import page
from pretune.check.rules import FAMILIES, all_rules

if TYPE_CHECKING:
    from pretune.check.engine import Report
    from pretune.check.finding import Finding, Level, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report, *, verbose: bool = False) -> str:
    """The report as one SARIF log with one run."""
    del verbose
    return json.dumps(log(report, all_rules(), Path.cwd()), ensure_ascii=False, indent=2) + "\n"


def log(report: Report, rules: tuple[Rule, ...], root: Path) -> dict[str, Any]:
    """The SARIF log as plain data.

    Args:
        report: what the engine found.
        rules: every rule; what a report's rules add to them is declared as well.
        root: absolute paths below it become relative to it.
    """
    known = {rule.code: rule for rule in (*rules, *report.asked)}
    described = [_described(rule) for rule in known.values()] + [_of_the_engine(*each) for each in OF_THE_ENGINE]
    index = {rule["id"]: number for number, rule in enumerate(described)}
    results = [_result(finding, index, root) for finding in report.findings]
    for finding, reason in report.allowed:
        suppressed = {"suppressions": [{"kind": "external", "justification": reason}]}
        results.append({**_result(finding, index, root), **suppressed})
    skipped = [
        {
            "level": "note",
            "message": {"text": f"{rule.name} was not checked: {rule.reason}"},
            "associatedRule": {"id": rule.code, **({"index": index[rule.code]} if rule.code in index else {})},
        }
        for rule in report.skipped
    ]
    skipped += [{"level": "error", "message": {"text": line}} for line in report.failed]
    run = {
        "tool": {
            "driver": {"name": "pretune", "version": __version__, "semanticVersion": __version__, "rules": described}
        },
        "invocations": [{"executionSuccessful": not report.failed, "toolExecutionNotifications": skipped}],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {"subject": report.subject},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.claim or rule.name},
        "fullDescription": {"text": rule.why or rule.claim or rule.name},
        "help": {"text": rule.fix or rule.claim or rule.name, "markdown": page(rule, str)},
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {"tags": [FAMILIES.get(rule.code[:3], rule.code[:3])]},
    }


def _of_the_engine(code: str, name: str, claim: str, level: Level) -> dict[str, Any]:
    told = {"text": claim}
    return {
        "id": code,
        "name": name,
        "shortDescription": told,
        "help": told,
        "defaultConfiguration": {"level": level.value},
    }


def _result(finding: Finding, index: dict[str, int], root: Path) -> dict[str, Any]:
    at = place(finding.where)
    uri = _uri(at.file, root)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.level.value,
        "message": {"text": f"{finding.message}\nfix: {finding.help}" if finding.help else finding.message},
        "partialFingerprints": {"pretune/v1": _fingerprint(finding.code, uri, at.pointer, finding.message)},
    }
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    location = _location(finding.where, root)
    if location:
        result["locations"] = [location]
    related = [found for found in (_location(where, root) for where in finding.also) if found]
    if related:
        result["relatedLocations"] = [{"id": number, **found} for number, found in enumerate(related, start=1)]
    return result


def _location(where: str, root: Path) -> dict[str, Any]:
    """A place as a location. A cell's lines are no lines of the notebook's file, so they are said in words."""
    at = place(where)
    uri = _uri(at.file, root)
    location: dict[str, Any] = {}
    if uri:
        location["physicalLocation"] = {"artifactLocation": {"uri": uri}}
        if at.line and at.cell is None:
            column = {"startColumn": at.column} if at.column else {}
            location["physicalLocation"]["region"] = {"startLine": at.line, **column}
    if at.cell is not None:
        name = f"cell {at.cell}, line {at.line}" + (f", column {at.column}" if at.column else "")
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "module"}]
    elif at.pointer or (where and not uri):
        location["logicalLocations"] = [{"fullyQualifiedName": at.pointer or where, "kind": "member"}]
    return location


def _uri(file: str, root: Path) -> str:
    """The file as a URI reference: relative where it is relative or below `root`, percent-encoded."""
    if not file:
        return ""
    windows = PureWindowsPath(file)
    if windows.drive and windows.is_absolute():
        return "file:///" + quote(windows.as_posix(), safe="/:", errors="replace")
    path = PurePath(file)
    if path.is_absolute():
        if not path.is_relative_to(root):
            return "file://" + quote(path.as_posix(), errors="replace")
        path = path.relative_to(root)
    return quote(path.as_posix(), errors="replace")


def _fingerprint(*parts: str) -> str:
    """The same for the same finding, wherever its line has moved to."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
