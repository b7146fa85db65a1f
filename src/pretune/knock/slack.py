"""Slack's incoming webhook, and what speaks as it does (Mattermost, Rocket.Chat, one's own), by slack_sdk's client.

Redirects are not followed: a POST would become a GET that "succeeds". It knows no files and cannot edit a message:
webhooks cannot.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from pretune.knock.outcome import Outcome, answered
from pretune.knock.redact import keep_tail, quiet

if TYPE_CHECKING:
    from pretune.knock.message import Message
    from pretune.knock.targets import Target

LONGEST = 16 * 1024 - 384
"""Bytes of a payload, headers aside."""
TEXT = 3900
"""Characters; Slack advises 4,000."""
_MINE = threading.local()
_LOADING = threading.Lock()


def load() -> Any:
    """The client's class, imported by one thread at a time: two of them would find half of the package.

    Raises:
        ImportError: slack_sdk is not installed.
    """
    with _LOADING:
        from slack_sdk.webhook import WebhookClient

        return WebhookClient


def post(target: Target, message: Message, prefix: str, *, patience: float, seen: list[int]) -> Outcome:
    """Try once.

    Args:
        target: where.
        message: what.
        prefix: said first.
        patience: seconds for one silence of the service.
        seen: given the status as soon as it is there.
    """
    try:
        WebhookClient = load()  # noqa: N806 - a class
    except ImportError:
        return Outcome("refused", 'this needs slack_sdk: pip install "pretune[knock]"')
    from urllib.request import BaseHandler, HTTPRedirectHandler, build_opener, install_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *args: Any, **more: Any) -> None:
            del args, more

    class Watch(BaseHandler):
        handler_order = 10

        def http_response(self, request: Any, response: Any) -> Any:
            _MINE.seen.append(response.status)
            read = response.read
            response.read = lambda amount=65536: read(min(amount, 65536))
            return response if request is not None else None

        https_response = http_response

    _MINE.seen = seen  # the opener is the process's, the list this thread's
    install_opener(build_opener(Stay, Watch))
    log = logging.getLogger("pretune.knock.silent")
    log.disabled = True
    client = WebhookClient(target.url, timeout=max(1, int(patience)), logger=log, retry_handlers=[])
    client.proxy = None  # the opener knows http_proxy and, unlike the client, no_proxy
    answer = client.send_dict(payload(target, message, prefix))
    outcome = answered(answer.status_code, dict(answer.headers or {}))
    if outcome.state == "delivered" and (answer.body or "").lstrip()[:200].lower().startswith(
        ("<!doctype html", "<html")
    ):
        return Outcome("later", "a web page answered instead of the service")
    return outcome


def payload(target: Target, message: Message, prefix: str = "") -> dict[str, Any]:
    """What is posted: text that pings nobody but `target.mentions`, within Slack's and our size; the tail is kept."""
    made: dict[str, Any] = {"username": "pretune knock"}
    if target.channel:
        made["channel"] = target.channel[:100]
    people = "".join(f" {_person(name)}" for name in target.mentions)[:800]
    more = f"\n{people.strip()} {target.words}".rstrip()

    def measure(text: str) -> int:
        return max(len(json.dumps({**made, "text": text})), len(text) * LONGEST // TEXT)

    head = f"{prefix}{message.title}\n{message.body}"
    most = LONGEST // 2 if message.tail else LONGEST - 16
    while measure(_plain(head) + more) > most:
        head = head[: len(head) * 9 // 10 - 1] + "…"

    def whole(tail: str) -> str:
        code = _plain(tail).replace("```", "`\u200b``")
        return _plain(head) + more + (f"\n```\n{code}\n```" if code else "")

    return {**made, "text": whole(keep_tail(message.tail, LONGEST, lambda tail: measure(whole(tail))))}


def _plain(text: str) -> str:
    return quiet(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _person(name: str) -> str:
    if name.startswith("<"):
        return name
    bare = name.lstrip("@")
    return f"<!{bare}>" if bare in ("channel", "here", "everyone") else f"<@{bare}>"
