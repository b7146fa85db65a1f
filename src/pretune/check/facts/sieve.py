"""A bounded table of rows by hash: all copies of a text are kept, or none of them: Sieve. Needs polars.

Once there are too many rows, only those are kept whose hash is below 2^64 / 2^level. Which ones that are depends on no
order, so that sieves of parts of a corpus can be merged in any order. Knows nothing of what is hashed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

MOST = 500_000
"""Rows that are kept; about 50 bytes each."""


@dataclass(slots=True)
class Sieve:
    """Rows whose hash is small.

    Attributes:
        by: the column with the hash, UInt64.
        most: how many rows are kept.
        level: of all hashes the share 1 / 2^level is kept.
        parts: the rows, as they came.
    """

    by: str
    most: int = MOST
    level: int = 0
    parts: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0

    def passes(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that are kept at this level."""
        import polars as pl

        return rows.filter(pl.col(self.by) <= (2**64 - 1) >> self.level) if self.level else rows

    def add(self, rows: pl.DataFrame) -> None:
        """Keep rows that have passed."""
        if rows.height:
            self.parts.append(rows)
            self.rows += rows.height
        if self.rows > self.most:
            self._bound()

    def _bound(self) -> None:
        rows = self.table()
        while rows.height > self.most and self.level < 63:
            self.level += 1
            rows = self.passes(rows)
        self.parts, self.rows = [rows], rows.height

    def table(self) -> pl.DataFrame:
        """The rows, in the order of the files; empty without columns where there are none."""
        import polars as pl

        if not self.parts:
            return pl.DataFrame()
        rows = pl.concat(self.parts, rechunk=True) if len(self.parts) > 1 else self.parts[0]
        self.parts = [rows]
        return rows

    def merge(self, other: Sieve) -> None:
        """Keep the rows of another part."""
        self.level = max(self.level, other.level)
        self.parts = [kept for rows in (*self.parts, *other.parts) if (kept := self.passes(rows)).height]
        self.rows = sum(rows.height for rows in self.parts)
        if self.rows > self.most:
            self._bound()

    def dump(self) -> bytes:
        """As an arrow IPC file; the same for the same rows, however they were merged."""
        rows = self.table()
        buffer = BytesIO()
        if rows.width:
            rows.sort("order").rechunk().write_ipc(buffer, compat_level=_old())
        return buffer.getvalue()

    @classmethod
    def load(cls, by: str, data: bytes, *, level: int, most: int) -> Sieve:
        """What `dump` gave."""
        import polars as pl

        rows = pl.read_ipc(BytesIO(data)) if data else pl.DataFrame()
        return cls(by, most, level, [rows] if rows.height else [], rows.height)


def _old() -> Any:
    """Strings are written one after the other, not as views, whose bytes tell how they came about."""
    import polars as pl

    return pl.CompatLevel.oldest()
