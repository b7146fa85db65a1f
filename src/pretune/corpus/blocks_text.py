"""Lines of a text file to a series at once. Knows nothing of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pretune.corpus.blocks_lines import Found, line_cuts
from pretune.corpus.rows import text_rows
from pretune.corpus.spans import filled, is_utf8, lines_in, series_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pretune.corpus.pieces import Wanted
    from pretune.corpus.row import Row
    from pretune.corpus.text import Line


class TextReader:
    """A row a line, but for blank ones."""

    def begin(self, _readline: Callable[[int], bytes]) -> bytes:
        """Nothing stands before the first row."""
        return b""

    def whole(self, data: bytes, _more: Callable[[int], bytes], _before: int) -> bytes:
        """A row ends where a line ends."""
        return data

    def fast(self, flat: bytes, wanted: Wanted) -> Found | None:
        """All lines; None when they are not UTF-8."""
        if not is_utf8(flat):
            return None
        starts, ends = lines_in(flat)
        kept = np.flatnonzero(filled(flat, starts, ends))
        series = series_of(flat, starts[kept], ends[kept])
        return Found(starts[kept], ends[kept], kept, dict.fromkeys(wanted.texts, series), None)

    def careful(self, lines: Iterator[Line], label: str, _before: int) -> Iterable[Row]:
        """The lines one by one."""
        return text_rows(lines, label)

    def cuts(self, flat: bytes) -> list[int]:
        """Beginnings of lines."""
        return line_cuts(flat)

    def count(self, flat: bytes) -> int:
        """Lines that are not blank."""
        return int(filled(flat, *lines_in(flat)).sum())
