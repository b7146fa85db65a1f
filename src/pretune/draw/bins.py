"""Bins for lengths from one to many thousands: two to eight for each doubling; 128, 256, 384 and 512 are bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Bins:
    """Adjoining bins of whole numbers.

    Attributes:
        bounds: ascending; bin i holds the numbers above `bounds[i]`, up to and with `bounds[i + 1]`.
    """

    bounds: tuple[int, ...]

    def fill(self, counts: Mapping[int, int]) -> list[float]:
        """Counts for each doubling of the number, in each bin: even where bins differ in width. Empty bins are 0."""
        sums = [0] * (len(self.bounds) - 1)
        place = 0
        for value, count in sorted(counts.items()):
            while place < len(sums) - 1 and value > self.bounds[place + 1]:
                place += 1
            sums[place] += count
        widths = [
            math.log2((high + 0.5) / (low + 0.5)) for low, high in zip(self.bounds, self.bounds[1:], strict=False)
        ]
        return [total / width for total, width in zip(sums, widths, strict=True)]

    def place(self, value: float) -> float:
        """Where a number stands, in bins from the left edge: 2.5 is the middle of the third."""
        for place, (low, high) in enumerate(zip(self.bounds, self.bounds[1:], strict=False)):
            if value <= high:
                return place + max(value - low, 0) / (high - low)
        return float(len(self.bounds) - 1)


def bins(counts: Iterable[Mapping[int, int]], *, reach: int = 0, most: int = 48) -> Bins:
    """Bins that hold all numbers of several histograms, and `reach` as well.

    Args:
        counts: each number -> how often; all are put into the same bins. 0 goes into the first.
        reach: a number that must be on the scale too, a limit to be marked; 0: none.
        most: how many bins there may be; more than that are made wider. Fewer than 1 for each doubling there are never.
    """
    values = [value for each in counts for value, count in each.items() if count]
    values += [reach] if reach else []
    low, high = min(values, default=1), max(values, default=1)
    for finer in (4, 3, 2, 1):  # 8, 4, 2 bins for each doubling, or 1
        bounds = _bounds(low, high, finer)
        if len(bounds) - 1 <= most:
            break
    return Bins(bounds)


def _bounds(low: int, high: int, finer: int) -> tuple[int, ...]:
    """`finer` 3: 0 1 2 3 4 5 6 7 8 10 12 14 16 20 24 28 32 40 ..., as far as needed."""
    bounds = [0, 1]
    while bounds[-1] < high:
        bounds.append(bounds[-1] + (1 << max(bounds[-1].bit_length() - finer, 0)))
    first = max((place for place, bound in enumerate(bounds) if bound < low), default=0)
    return tuple(bounds[first:])
