"""A rule's page, made from its docstring, for `--explain`, docs/rules and SARIF. Knows no particular rule."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from pretune.check.rules import FAMILIES
from pretune.core.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pretune.check.finding import Rule


WIDTH = 72
"""Characters of a translated line: those of Hangul are twice as wide."""

SUBJECTS = {
    "adapter": "the adapter's config and weights",
    "adding": "the words to add",
    "chat": "the chat template",
    "data": "the data files and their columns",
    "deep": "one step on a copy of the live model",
    "labels": "labels of the data and the model",
    "lengths": "lengths in tokens",
    "live": "live objects of a run",
    "loading": "what loading the weights would do",
    "markers": "the markers of a prompt",
    "model": "the model's config and tensors",
    "own_tokenizer": "the tokenizer published with the model",
    "reading": "a reading of the whole corpus",
    "rows": "the rows of the data",
    "script": "the training script",
    "sentence_vector": "how a sentence becomes a vector",
    "setup": "the setup's own words",
    "talks": "the conversations of the data",
    "tokenizer": "the tokenizer's files",
    "training": "the training arguments",
    "versions": "the installed versions",
    "weights": "the weights' files",
}
"""What a rule asks for -> how it is called on a rule's page."""


def page(rule: Rule, said: Callable[[str], str] = say) -> str:
    """The page in Markdown: name, code and level, the claim, why it matters, the fix, and how to allow it.

    Args:
        rule: the rule.
        said: puts a text into the reader's language; `str` leaves it English.
    """
    looks_at = ", ".join(said(SUBJECTS.get(name, name)) for name in rule.needs) or said("nothing at all")
    family = said(FAMILIES.get(rule.code[:3], "of no family"))
    parts = [
        f"# {rule.name}",
        f"`{rule.code}`, {said(str(rule.level))}, {family}. {said('Looks at')}: {looks_at}.",
    ]
    for paragraph in _paragraphs(rule.doc):
        opening, colon, rest = paragraph.partition(":")
        if opening in ("Why", "Fix") and colon:
            parts += [f"## {said('Why') if opening == 'Why' else said('Fix')}", _told(rest.strip(), said)]
        else:
            parts.append(_told(paragraph, said))
    reason = said("why it is fine here")
    parts += [
        f"## {said('Allow it')}",
        said("In `pretune.toml`, or in `[tool.pretune]` of pyproject.toml:"),
        f'    allow.{rule.name} = "{reason}"',
    ]
    if "script" in rule.needs:
        parts += [said("or behind the line of code:"), f"    # pretune: allow {rule.name} -- {reason}"]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def fitted(written: str, width: int | None) -> str:
    """A page in lines of a terminal's width; indented lines stay, as they are to be copied. None: as it is."""
    if width is None:
        return written
    from pretune.draw.terminal import folded

    parts = []
    for part in written.rstrip("\n").split("\n\n"):
        lines = part.split("\n")
        flowing = not any(line.startswith((" ", "-", "|")) for line in lines)
        for line in [" ".join(lines)] if flowing else lines:
            parts.append("\n".join(folded(line, width)) if not line.startswith("    ") else line)
            parts.append("\n" if not flowing and line is not lines[-1] else "\n\n")
    return "".join(parts).rstrip("\n") + "\n"


def _paragraphs(doc: str) -> list[str]:
    """The docstring's paragraphs; `Why:` and `Fix:` begin one, with or without an empty line before them."""
    parted = re.split(r"\n(?=(?:Why|Fix):)|\n\s*\n", doc)
    return ["\n".join(line.rstrip() for line in one.strip().split("\n")) for one in parted if one.strip()]


def _told(paragraph: str, said: Callable[[str], str]) -> str:
    """The paragraph in the reader's language; in English with the lines it is written in."""
    whole = " ".join(paragraph.split())
    told = said(whole)
    return (
        paragraph
        if told == whole
        else "\n".join(textwrap.wrap(told, WIDTH, break_long_words=False, break_on_hyphens=False))
    )


def index_page(rules: Iterable[Rule], said: Callable[[str], str] = say) -> str:
    """The table of all rules in Markdown, a section a family; `said` as for a page."""
    rules = tuple(rules)
    parts = [
        f"# {said('Rules')}",
        said(f"{len(rules)} rules. `scripts/document_rules.py` makes these pages from the rules' docstrings."),
        said("`pretune check --explain NAME` shows the same in a terminal."),
    ]
    head = f"| {said('code')} | {said('name')} | {said('level')} | {said('claim')} |"
    for prefix in dict.fromkeys(rule.code[:3] for rule in rules):
        parts.append(f"## {prefix}: {said(FAMILIES.get(prefix, prefix))}")
        family = sorted((rule for rule in rules if rule.code.startswith(prefix)), key=lambda rule: rule.code)
        rows = [
            f"| `{rule.code}` | [{rule.name}]({rule.name}.md) | {said(str(rule.level))} | {_cell(said(rule.claim))} |"
            for rule in family
        ]
        parts.append("\n".join([head, "| --- | --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def table(rules: Iterable[Rule], width: int | None = None) -> str:
    """Code, name, level and claim of each rule, in columns, one rule a line; in a terminal the claim is below it.

    Args:
        rules: in the order in which they are shown.
        width: of the terminal; None: a pipe or a file.
    """
    rules = tuple(rules)
    widest = max((len(rule.name) for rule in rules), default=0)
    if width is not None:
        heads = (f"{rule.code:<7} {rule.name:<{widest}}  {rule.level}\n" for rule in rules)
        from pretune.draw.terminal import folded

        claims = ("\n".join(folded(f"{'':8}{say(rule.claim)}", width, hang=8)) for rule in rules)
        return "".join(f"{head}{claim}\n" for head, claim in zip(heads, claims, strict=True))
    return "".join(f"{rule.code:<7} {rule.name:<{widest}}  {rule.level:<8} {say(rule.claim)}\n" for rule in rules)


def _cell(text: str) -> str:
    """The text as a table's cell takes it."""
    return text.replace("|", "\\|")
