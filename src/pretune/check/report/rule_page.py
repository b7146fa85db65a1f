"""A rule's page, made from its docstring, for `--explain`, docs/rules and SARIF. Knows no particular rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.rules import FAMILIES
from pretune.core.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pretune.check.finding import Rule


def page(rule: Rule) -> str:
    """The page in Markdown: name, code and level, the claim, why it matters, the fix, and how to allow it."""
    looks_at = ", ".join(name.replace("_", " ") for name in rule.needs) or "nothing"
    parts = [
        f"# {rule.name}",
        f"`{rule.code}`, {rule.level}, {FAMILIES.get(rule.code[:3], 'of no family')}. Looks at: {looks_at}.",
    ]
    paragraph: list[str] = []
    for line in [*rule.doc.split("\n"), ""]:
        opening = line.partition(":")[0]
        if opening in ("Why", "Fix") and line.startswith(f"{opening}:"):
            parts += ["\n".join(paragraph), f"## {opening}"]
            paragraph = [line.removeprefix(f"{opening}:").strip()]
        elif line.strip():
            paragraph.append(line.rstrip())
        else:
            parts.append("\n".join(paragraph))
            paragraph = []
    parts += [
        "## Allow it",
        "In `pretune.toml`, or in `[tool.pretune]` of pyproject.toml:",
        f'    allow.{rule.name} = "why it is fine here"',
    ]
    if "script" in rule.needs:
        parts += ["or behind the line of code:", f"    # pretune: allow {rule.name} -- why it is fine here"]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def index_page(rules: Iterable[Rule]) -> str:
    """The table of all rules in Markdown, a section a family."""
    rules = tuple(rules)
    parts = [
        "# Rules",
        f"{len(rules)} rules. `scripts/document_rules.py` makes these pages from the rules' docstrings.",
        "`pretune check --explain NAME` shows the same in a terminal.",
    ]
    for prefix in dict.fromkeys(rule.code[:3] for rule in rules):
        parts.append(f"## {prefix}: {FAMILIES.get(prefix, prefix)}")
        family = sorted((rule for rule in rules if rule.code.startswith(prefix)), key=lambda rule: rule.code)
        rows = [
            f"| `{rule.code}` | [{rule.name}]({rule.name}.md) | {rule.level} | {_cell(rule.claim)} |" for rule in family
        ]
        parts.append("\n".join(["| code | name | level | claim |", "| --- | --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def table(rules: Iterable[Rule]) -> str:
    """Code, name, level and claim of each rule, in columns, one rule a line."""
    rules = tuple(rules)
    widest = max((len(rule.name) for rule in rules), default=0)
    return "".join(f"{rule.code:<7} {rule.name:<{widest}}  {rule.level:<8} {say(rule.claim)}\n" for rule in rules)


def _cell(text: str) -> str:
    """The text as a table's cell takes it."""
    return text.replace("|", "\\|")
