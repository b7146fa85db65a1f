"""How much GPU memory was in use during a run, by nvidia-smi, looked at seldom. Zero cost where there is no GPU.

It counts what all processes use on the GPUs that the run may see: who used it is not known inside containers.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST, EVERY = 15.0, 300.0
"""Seconds until the first look, and between two."""
_QUERY = ["nvidia-smi", "--query-gpu=index,uuid,memory.used,memory.total", "--format=csv,noheader,nounits"]


class Gauge:
    """The highest use seen.

    Args:
        environment: of the run; `CUDA_VISIBLE_DEVICES` counts.

    Attributes:
        due: when to look next, monotonic seconds; inf where there is no GPU.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._visible = environment.get("CUDA_VISIBLE_DEVICES")
        there = Path("/dev/nvidiactl").exists() and self._visible not in ("", "-1")
        self.due = time.monotonic() + FIRST if there else float("inf")
        self._most: dict[str, tuple[float, float]] = {}

    def look(self) -> None:
        """Look beside everything else."""
        self.due = time.monotonic() + EVERY
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        import subprocess

        try:
            done = subprocess.run(_QUERY, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            self.due = float("inf")
            return
        self.take(done.stdout)

    def take(self, table: str) -> None:
        """Note what nvidia-smi printed: lines of index, uuid, MiB used, MiB in all."""
        visible = self._visible.split(",") if self._visible else None
        for line in table.splitlines():
            parts = [part.strip() for part in line.split(",")]
            try:
                used, total = float(parts[2]), float(parts[3])
            except (IndexError, ValueError):
                continue
            if visible is None or parts[0] in visible or any(name and parts[1].startswith(name) for name in visible):
                self._most[parts[0]] = max(self._most.get(parts[0], (0.0, total)), (used, total))

    def text(self) -> str:
        """In words; empty when nothing was seen."""
        if not self._most:
            return ""
        used, total = max(self._most.values())
        count = f" on the fullest of {len(self._most)} GPUs" if len(self._most) > 1 else ""
        return f"GPU memory up to {used / 1024:.1f} of {total / 1024:.1f} GiB{count}"
