"""A notification on the desktop of the machine the run is on: notify-send on Linux, osascript on macOS. No shell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pretune.knock.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.knock.message import Message
    from pretune.knock.targets import Target

LONGEST = 400
"""Characters that a desktop shows."""
_SCRIPT = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"


def missing(environment: Mapping[str, str]) -> str:
    """Why there can be no notification, in words; empty when there can."""
    import shutil

    if sys.platform == "darwin":
        return "" if shutil.which("osascript") else "there is no osascript here"
    if sys.platform == "win32":
        return "notifications on Windows are not supported"
    if not any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")):
        return "there is no desktop here"
    return "" if shutil.which("notify-send") else "there is no notify-send here"


def show(target: Target, message: Message, prefix: str, *, patience: float) -> Outcome:
    """Show it; a desktop that does not take it never will."""
    import subprocess

    why = missing(os.environ)
    if why:
        return Outcome("refused", why)
    title = f"{target.words}: " * bool(target.words) + prefix + message.title
    text = f"{message.body}\n{message.tail[-LONGEST:]}".strip()
    words = ["notify-send", "--app-name=pretune", "--", title[:LONGEST], text]
    if sys.platform == "darwin":
        words = ["osascript", "-e", _SCRIPT, title[:LONGEST], text]
    done = subprocess.run(words, timeout=patience, check=False, capture_output=True)  # noqa: S603 - a list, no shell
    return Outcome("delivered") if done.returncode == 0 else Outcome("refused", "the desktop took no message")
