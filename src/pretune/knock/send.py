"""Sends one message once and says what became of it: slack_sdk for Slack-compatible webhooks, Apprise for all else.

Nothing is raised and no URL is in any word. What was perhaps delivered is told apart from what was certainly not.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pretune.knock.outcome import Outcome, judged

if TYPE_CHECKING:
    from pretune.knock.message import Message
    from pretune.knock.targets import Target

PATIENCE = 30.0
"""Seconds for one attempt as a whole; nobody waits for it but the messenger."""


def send(target: Target, message: Message, *, prefix: str = "", patience: float = PATIENCE) -> Outcome:
    """Try once; returns within `patience` seconds and a little.

    Args:
        target: where.
        message: what.
        prefix: said first, such as that it is late.
        patience: seconds.
    """
    seen: list[int] = []
    result: list[Outcome] = []

    def attempt() -> None:
        try:
            if target.kind == "slack":
                from pretune.knock.slack import post

                result.append(post(target, message, prefix, patience=patience, seen=seen))
            elif target.kind == "desktop":
                from pretune.knock.desktop import show

                result.append(show(target, message, prefix, patience=patience))
            else:
                from pretune.knock.by_apprise import notify

                result.append(notify(target, message, prefix, seen=seen))
        except Exception as error:  # noqa: BLE001 - whatever a service or library does, the messenger lives
            result.append(judged(error))

    worker = threading.Thread(target=attempt, daemon=True)
    worker.start()
    worker.join(patience + 0.5)
    if result:
        return result[0]
    if seen and 200 <= seen[-1] < 300:  # only the answer's body is missing
        return Outcome("delivered")
    return Outcome("unclear", "no answer in time")
