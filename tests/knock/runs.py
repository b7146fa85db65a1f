"""How the tests of the command run it: a home of its own, bounded time. Knows no faults."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
_OURS = ("PRETUNE_KNOCK", "RANK", "WORLD_SIZE", "LOCAL_RANK", "SLURM_PROCID", "DISPLAY", "WAYLAND_DISPLAY",
         "DBUS_SESSION_BUS_ADDRESS")  # fmt: skip


def home(folder: Path) -> dict[str, str]:
    """An environment without targets, ranks or desktop, with a home in `folder`."""
    clean = {key: value for key, value in os.environ.items() if key not in _OURS}
    return {**clean, "PYTHONPATH": SOURCE, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config")}  # fmt: skip


def words(*more: str, linger: str = "3") -> list[str]:
    """The command line of the wrapper."""
    return [sys.executable, "-m", "pretune", "knock", "--linger", linger, *more]


def run(environment: dict[str, str], *more: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """Run to the end, bounded."""
    return subprocess.run(words(*more), env=environment, capture_output=True, timeout=40, check=False, **how)


def errand(environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[bytes]:
    """`pretune knock` as it is given."""
    line = [sys.executable, "-m", "pretune", "knock", *more]
    return subprocess.run(line, env=environment, capture_output=True, timeout=40, check=False)


def until(check: Callable[[], Any], seconds: float = 15) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def spool_of(folder: Path) -> list[Path]:
    """The messages that are kept."""
    return sorted((folder / "state/pretune/knock").glob("*.json"))
