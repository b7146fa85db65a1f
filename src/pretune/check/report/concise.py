"""A finding a line, for grep and editors: `config.json:/vocab_size: error ids-outside-embedding largest id ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.language import say
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from pretune.check.engine import Report


def render(report: Report, *, verbose: bool = False) -> str:
    """`where: level name message` for each finding, gravest first; a finding without a place stands at the subject."""
    del verbose
    return "".join(
        f"{one_line(finding.where or report.subject)}: {finding.level} {finding.name} "
        f"{one_line(say(finding.message))}\n"
        for finding in report.findings
    )
