"""How grave something is, for whatever tells people what is wrong: Level, RANK. Knows nothing of what it is."""

from __future__ import annotations

from typing import Literal

Level = Literal["error", "warning", "note"]

RANK: dict[str, int] = {"error": 0, "warning": 1, "note": 2}
"""The gravest first."""
