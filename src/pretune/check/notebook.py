"""How a notebook shows a report: one small piece of HTML that needs nothing else. Knows no rule and opens no file.

Text and ground keep the notebook's own colours, so that it reads in light and dark themes alike; everything that comes
from outside is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Protocol

from pretune.check.finding import Level
from pretune.core.language import say
from pretune.draw.notebook import framed, sections_html, sentence, ticked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pretune.check.finding import Finding
    from pretune.corpus.figures import Profile

COLOURS = {Level.ERROR: "#cf222e", Level.WARNING: "#9a6700", Level.NOTE: "#57606a"}
"""White words on these grounds have a contrast of at least 4.5 (WCAG AA)."""
MOST = 200
"""Findings shown; a notebook with thousands of rows in a cell is of no use to anyone."""


class _Skipped(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...


def page_fragment(
    subject: str, findings: Sequence[Finding], skipped: Iterable[_Skipped], profile: Profile | None = None
) -> str:
    """The report as HTML: counts, whether the corpus is read, each finding with its place and fix, the corpus's tables.

    Args:
        subject: what was checked.
        findings: gravest first.
        skipped: the rules that were not asked, each with `name` and `reason`.
        profile: how tokenizers read the data; None without data.
    """
    counts = [(level, sum(finding.level is level for finding in findings)) for level in Level]
    told = ", ".join(say(f"{count} {level}{'s' if count > 1 else ''}") for level, count in counts if count)
    rows = "".join(map(_row, findings[:MOST]))
    if len(findings) > MOST:
        rows += f"<tr><td></td><td>{say(f'… and {len(findings) - MOST} more')}</td></tr>"
    table = f'<table style="border-collapse:collapse;text-align:left">{rows}</table>' if rows else ""
    told = told or say("nothing found")
    head = f"<p><b>pretune check</b> {escape(subject)}: {told}</p>"
    return framed("report", head, _verdicts(profile), table, _tables(profile), _not_checked(skipped))


def _verdicts(profile: Profile | None) -> str:
    if profile is None:
        return ""
    from pretune.check.report.profile_page import remarks, statements

    said = [sentence(one.head, one.tail) for one in statements(profile)]
    return "".join([*said, *(sentence("", remark) for remark in remarks(profile))])


def _tables(profile: Profile | None) -> str:
    if profile is None:
        return ""
    from pretune.check.report.profile_page import sections

    return sections_html(sections(profile, pictures=False))


def _row(finding: Finding) -> str:
    cell = "padding:4px 8px;vertical-align:top;text-align:left;border-top:1px solid rgba(128,128,128,.35)"
    pill = f"background:{COLOURS[finding.level]};color:#fff;border-radius:3px;padding:1px 6px;white-space:nowrap"
    where = f"<br><code>{escape(finding.where)}</code>" if finding.where else ""
    fix = ticked(say("fix: ") + say(finding.help))
    help_ = f'<br><span style="opacity:.75">{fix}</span>' if finding.help else ""
    return (
        f'<tr><td style="{cell}"><span style="{pill}">{say(finding.level.value)}</span></td>'
        f'<td style="{cell};white-space:normal;overflow-wrap:anywhere"><b>{escape(finding.name)}</b> '
        f'<span style="opacity:.75">{escape(finding.code)}</span>'
        f"{where}<br>{ticked(say(finding.message))}{help_}</td></tr>"
    )


def _not_checked(skipped: Iterable[_Skipped]) -> str:
    reasons: dict[str, list[str]] = {}
    for rule in skipped:
        reasons.setdefault(rule.reason, []).append(rule.name)
    if not reasons:
        return ""
    items = "".join(
        f'<li>{escape(say(reason))}: <span style="opacity:.75">{escape(", ".join(names))}</span></li>'
        for reason, names in reasons.items()
    )
    total = sum(map(len, reasons.values()))
    told = say(f"not checked: {total} rule{'s' if total > 1 else ''}")
    return f"<details><summary>{told}</summary><ul>{items}</ul></details>"
