"""Which of many texts hold one of some others: holding. One search through all of them joined, not one a pair."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def holding(texts: Sequence[str], contents: Iterable[str]) -> Iterator[int]:
    """Places of the texts that hold one of `contents`, once for each that they hold; empty ones are held by none."""
    joined = "\n".join(texts)
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    for content in sorted(set(contents)):
        at = joined.find(content) if content else -1
        while at >= 0:
            place = bisect_right(starts, at) - 1
            if at + len(content) < starts[place + 1]:  # it holds no line end of ours
                yield place
                at = joined.find(content, starts[place + 1])
            else:
                at = joined.find(content, at + 1)
