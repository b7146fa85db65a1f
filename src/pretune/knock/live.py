"""Messages of progress: one that is edited in place where the service can (Discord, Telegram), else a new one seldom.

They are tried once and never kept: an old one is of no use.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

from pretune.knock.send import send

if TYPE_CHECKING:
    from pretune.knock.message import Message
    from pretune.knock.targets import Target

SELDOM = 600.0
"""Seconds between two messages of progress where none can be edited."""
_DISCORD = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+)/([\w-]+)")
_TELEGRAM = re.compile(r"tgram://(?:bot)?(\d+:[\w-]+)/(-?\d+)/?(?:\?|$)")
API = {"discord": "https://discord.com/api/webhooks", "telegram": "https://api.telegram.org"}
"""Where the services are."""


class Live:
    """The message of progress at one target.

    Args:
        target: where.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self._id: Any = None
        self._next, self._pause = 0.0, SELDOM
        self._busy = threading.Lock()

    def show(self, message: Message) -> threading.Thread | None:
        """Say it beside everything else; None when it is not its time."""
        edits = _DISCORD.match(self.target.url) or _TELEGRAM.match(self.target.url)
        if not edits and time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, 6 * 3600.0)  # a day is ten messages, not a hundred and forty
        worker = threading.Thread(target=self._show, args=(message, bool(edits)), daemon=True)
        worker.start()
        return worker

    def _show(self, message: Message, edits: bool) -> None:
        if not self._busy.acquire(blocking=False):  # the service is slower than the run
            return
        try:
            if edits:
                self._edit(message)
            else:
                send(self.target, message)
        except Exception:  # noqa: BLE001 - progress that could not be shown is no matter
            self._id = None
        finally:
            self._busy.release()

    def _edit(self, message: Message) -> None:
        import requests

        from pretune.knock.by_apprise import text

        if found := _DISCORD.match(self.target.url):
            title, body = text(self.target, message, "", most=2000, longest_title=0)
            url = f"{API['discord']}/{found[1]}/{found[2]}"
            data: dict[str, Any] = {"content": title + body, "allowed_mentions": {"parse": []}}
            if self._id is None:
                answer = requests.post(url, params={"wait": "true"}, json=data, timeout=(4, 4), allow_redirects=False)
            else:
                answer = requests.patch(f"{url}/messages/{self._id}", json=data, timeout=(4, 4), allow_redirects=False)
            known = answer.json() if answer.ok else {}
        elif found := _TELEGRAM.match(self.target.url):
            title, body = text(self.target, message, "", most=4096, longest_title=0)
            data = {"chat_id": int(found[2]), "text": title + body, "disable_notification": True}
            verb = "sendMessage" if self._id is None else "editMessageText"
            data |= {} if self._id is None else {"message_id": self._id}
            url = f"{API['telegram']}/bot{found[1]}/{verb}"
            answer = requests.post(url, json=data, timeout=(4, 4), allow_redirects=False)
            known = answer.json().get("result", {}) if answer.ok else {}
            known = {"id": known.get("message_id")} if isinstance(known, dict) else {}
        self._id = known.get("id", self._id) if answer.ok else None
