"""Sends one message once and says what became of it: slack_sdk for Slack-compatible webhooks, Apprise for all else.

Nothing is raised and no URL is in any word. Redirects are not followed (a POST would become a GET that "succeeds"), an
answer is bounded in size and in time, and what was perhaps delivered is told apart from what was certainly not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pretune.knock.redact import keep_tail, quiet

if TYPE_CHECKING:
    from pretune.knock.message import Message
    from pretune.knock.targets import Target

PATIENCE = 30.0
"""Seconds for one attempt as a whole; nobody waits for it but the messenger."""
LONGEST = 16 * 1024 - 384
"""Bytes of a payload, headers aside."""
SLACK_TEXT = 3900
"""Characters; Slack advises 4,000."""


_MINE = threading.local()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    Attributes:
        state: `delivered`; `later`: certainly not, try again; `unclear`: perhaps; `refused`: never will be.
        why: in words, without the URL.
        wait: seconds the service asked for; 0 when it did not.
    """

    state: str
    why: str = ""
    wait: float = 0.0


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
            how = {"slack": _slack, "apprise": _apprise, "desktop": _desktop}[target.kind]
            result.append(how(target, message, prefix, patience, seen))
        except Exception as error:  # noqa: BLE001 - whatever a service or library does, the messenger lives
            result.append(_judged(error))

    worker = threading.Thread(target=attempt, daemon=True)
    worker.start()
    worker.join(patience + 0.5)
    if result:
        return result[0]
    if seen and 200 <= seen[0] < 300:  # only the answer's body is missing
        return Outcome("delivered")
    return Outcome("unclear", "no answer in time")


def _slack(target: Target, message: Message, prefix: str, patience: float, seen: list[int]) -> Outcome:
    try:
        from slack_sdk.webhook import WebhookClient
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
    answer = client.send_dict(slack_payload(target, message, prefix))
    code = answer.status_code
    if 200 <= code < 300:
        body = (answer.body or "").lstrip()[:200].lower()
        if body.startswith(("<!doctype html", "<html")):
            return Outcome("later", "a web page answered instead of the service")
        return Outcome("delivered")
    wait = _retry_after(answer.headers)
    if 300 <= code < 400:
        return Outcome("later", f"redirected ({code})", wait)
    if code in (408, 425, 429) or code >= 500:
        return Outcome("later", f"answered {code}", wait)
    return Outcome("refused", f"answered {code}")


def slack_payload(target: Target, message: Message, prefix: str = "") -> dict[str, Any]:
    """What is posted: text that pings nobody but `target.mentions`, within Slack's and our size; the tail is kept."""

    def plain(text: str) -> str:
        return quiet(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    head = plain(f"{prefix}{message.title}\n{message.body}")
    payload: dict[str, Any] = {"username": "pretune knock"}
    if target.channel:
        payload["channel"] = target.channel
    people = " ".join(name if name.startswith("<") else f"<@{name.lstrip('@')}>" for name in target.mentions)
    head += f"\n{people}" if people else ""

    def whole(tail: str) -> str:
        code = plain(tail).replace("```", "`\u200b``")
        return head + (f"\n```\n{code}\n```" if code else "")

    def measure(tail: str) -> int:
        text = whole(tail)
        return max(len(json.dumps({**payload, "text": text})), len(text) * LONGEST // SLACK_TEXT)

    head = head if measure("") < LONGEST else head[:900] + "…"
    return {**payload, "text": whole(keep_tail(message.tail, LONGEST, measure))}


def _apprise(target: Target, message: Message, prefix: str, patience: float, seen: list[int]) -> Outcome:
    del seen
    try:
        import apprise
    except ImportError:
        return Outcome("refused", 'this needs apprise: pip install "pretune[knock]"')
    logging.getLogger("apprise").disabled = True  # its debug lines hold the URL
    service = apprise.Apprise.instantiate(target.url, suppress_exceptions=True)
    if service is None:
        return Outcome("refused", "apprise does not know such a URL")
    books = apprise.Apprise()
    books.add(service)
    title = quiet(prefix + message.title)
    room = min(int(service.body_maxlen), LONGEST - 2000) - 16
    long_title = len(title) > int(service.title_maxlen)
    head = (title + "\n" if long_title else "") + quiet(message.body)
    head += "".join(f" {name}" for name in target.mentions)
    head = head if len(head) <= room // 2 or not message.tail else head[: room // 2] + "…"
    tail = keep_tail(quiet(message.tail), max(room - len(head) - 2, 0), lambda text: len(text.encode()))
    body = head[:room] + (f"\n\n{tail}" if tail else "")
    done = books.notify(body=body, title="" if long_title else title, body_format="text", timeout=patience)
    return Outcome("delivered") if done else Outcome("later", "apprise could not deliver")


def _desktop(target: Target, message: Message, prefix: str, patience: float, seen: list[int]) -> Outcome:
    del target, seen
    import shutil
    import subprocess

    program = shutil.which("notify-send")
    if not program:
        return Outcome("refused", "there is no notify-send here")
    words = [program, "--app-name=pretune", "--", prefix + message.title, f"{message.body}\n{message.tail}".strip()]
    done = subprocess.run(words, timeout=patience, check=False, capture_output=True)  # noqa: S603 - a list, no shell
    return Outcome("delivered") if done.returncode == 0 else Outcome("refused", "the desktop took no message")


def _retry_after(headers: Any) -> float:
    value = next((text for name, text in dict(headers or {}).items() if name.lower() == "retry-after"), "")
    with contextlib.suppress(ValueError, TypeError):
        return max(float(value), 0.0)
    with contextlib.suppress(ValueError, TypeError):
        import time

        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    return 0.0


def _judged(error: BaseException) -> Outcome:
    """Certainly not delivered, or perhaps."""
    import socket
    import ssl
    from urllib.error import URLError

    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, ssl.SSLError):
        return Outcome("later", "TLS failed")
    if isinstance(inner, socket.gaierror):
        return Outcome("later", "its name is not known")
    if isinstance(inner, ConnectionRefusedError):
        return Outcome("later", "connection refused")
    if isinstance(error, URLError):  # urllib wraps only what happens before the answer is awaited
        return Outcome("later", "cannot be reached")
    if isinstance(error, ValueError | UnicodeError) and not isinstance(error, UnicodeDecodeError):
        return Outcome("refused", "its URL cannot be used")
    if isinstance(error, UnicodeDecodeError):
        return Outcome("delivered")  # a good answer in a strange encoding
    return Outcome("unclear", f"no proper answer ({type(error).__name__})")
