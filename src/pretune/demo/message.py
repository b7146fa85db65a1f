"""The demo's last scene: the message that its end is worth. Shown here; train.knocks sends it."""

from __future__ import annotations

import socket
import sys

from pretune.core.language import say
from pretune.demo.acts import Planned, Shown
from pretune.draw.page import Words
from pretune.knock.message import ended

NAME = "pretune demo"
"""What the messages call it."""


def told(seconds: float, *, sent: bool) -> Planned:
    """The message, with the terminal's bell.

    Args:
        seconds: how long the demo took.
        sent: whether it goes to a target for real, whose address is nobody's business here.
    """
    lesson = "A long run is left alone; this says that it is over, how it ended, and after how long. "
    lesson += "A process of its own sends it, also when the run is killed." if sent else "No target: told here."
    return Planned(
        "Be told at the end", lesson, "pretune knock --to TARGET -- python train.py", lambda: _shown(seconds)
    )


def _shown(seconds: float) -> Shown:
    """What a service would show."""
    message = ended(NAME, socket.gethostname(), seconds=seconds, why="", good=True)

    def show() -> None:
        """Ring and say it."""
        bell = "\a" if sys.stdout.isatty() else ""
        sys.stdout.write(f"{bell}{say(message.title)}\n{say(message.body)}\n")

    return Shown(show, parts=(Words(message.title), Words(message.body, dim=True)))
