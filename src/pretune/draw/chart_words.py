"""The words of a picture in the language asked for; a name, which is one word, stays as it is.

Knows no catalogue and nothing of how pictures are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.core.language import language, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.chart import Group, Mark, Part, Series


def name_said(label: str) -> str:
    """A label: translated where it is made of words, for one word may be a name of the user's."""
    return say(label) if " " in label.strip() else label


def bars_said(groups: Sequence[Group], parts: Sequence[Part]) -> tuple[Sequence[Group], Sequence[Part]]:
    """Groups of bars and what their parts mean; in English as they are."""
    if language() == "en":
        return groups, parts
    return (
        [
            group._replace(
                heading=say(group.heading),
                bars=tuple(bar._replace(label=name_said(bar.label), told=say(bar.told)) for bar in group.bars),
            )
            for group in groups
        ],
        [part._replace(label=say(part.label)) for part in parts],
    )


def series_said(series: Sequence[Series]) -> Sequence[Series]:
    """Histograms; in English as they are."""
    return [one._replace(label=name_said(one.label), told=say(one.told)) for one in series]


def mark_said(mark: Mark | None) -> Mark | None:
    """A line's label; None stays None."""
    return None if mark is None else mark._replace(label=say(mark.label))
