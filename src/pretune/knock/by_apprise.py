"""All services but Slack's webhook, by Apprise. What its plugins only call a failure is judged by what was answered.

Redirects are not followed. It does not know how services that are no web services (e-mail) failed: these are tried
again for as long as a message is worth telling.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pretune.knock.outcome import Outcome, answered
from pretune.knock.redact import keep_tail, quiet

if TYPE_CHECKING:
    from pretune.knock.message import Message
    from pretune.knock.targets import Target

LONGEST = 12 * 1024
"""Bytes of text in JSON, so that with all that a service adds a message stays under 16 KiB."""
_SMALL = 400
"""Characters below which a service has no room for the tail of a log."""
_LOADING = threading.Lock()
_MINE: ContextVar[tuple[list[Outcome], list[int]] | None] = ContextVar("pretune.knock.answers", default=None)
"""What was answered to this attempt: Apprise hands its context on to its threads."""


def load() -> Any:
    """The package, imported by one thread at a time: two of them would find half of it.

    Raises:
        ImportError: it is not installed.
    """
    with _LOADING:
        import apprise

        return apprise


def notify(target: Target, message: Message, prefix: str, *, seen: list[int]) -> Outcome:
    """Try once.

    Args:
        target: where.
        message: what.
        prefix: said first.
        seen: given each status as soon as it is there.
    """
    try:
        apprise = load()
    except ImportError:
        return Outcome("refused", 'this needs apprise: pip install "pretune[knock]"')
    logging.getLogger("apprise").disabled = True  # its debug lines hold the URL
    asset = apprise.AppriseAsset(async_mode=False)
    service = apprise.Apprise.instantiate(target.url, asset=asset, suppress_exceptions=True)
    if service is None:
        return Outcome("refused", "apprise does not know such a URL")
    service.overflow_mode = apprise.OverflowMode.SPLIT  # what grows when the service's markup is made of it
    books = apprise.Apprise(asset=asset)
    books.add(service)
    title, body = text(target, message, prefix, most=int(service.body_maxlen), longest_title=int(service.title_maxlen))
    answers: list[Outcome] = []
    _MINE.set((answers, seen))
    _watch()
    kind = apprise.NotifyType.SUCCESS if message.good else apprise.NotifyType.FAILURE
    if message.title.startswith(("started", "running")):
        kind = apprise.NotifyType.INFO
    attach = None
    if message.picture and service.attachment_support:
        from apprise.attachment.memory import AttachMemory

        attach = AttachMemory(  # type: ignore[no-untyped-call]  # theirs
            base64.b64decode(message.picture), name="loss.png", mimetype="image/png"
        )
    if books.notify(body=body, title=title, body_format="text", notify_type=kind, attach=attach):
        return Outcome("delivered")
    return _judge(answers)


def _judge(answers: list[Outcome]) -> Outcome:
    bad = [outcome for outcome in answers if outcome.state != "delivered"]
    if bad:
        return bad[-1]
    if answers:
        return Outcome("unclear", "answered, but not as it should")
    return Outcome("later", "apprise could not deliver")


def text(target: Target, message: Message, prefix: str, *, most: int, longest_title: int) -> tuple[str, str]:
    """Title and body that ping nobody but `target.mentions`, within the service's and our size; the tail is kept.

    Args:
        target: where.
        message: what.
        prefix: said first.
        most: characters of a body.
        longest_title: characters of a title; services without one have 0.
    """
    title = quiet(prefix + message.title)
    inside = len(title) > longest_title
    more = "".join(f" {name}" for name in target.mentions)[: most // 3] + f" {target.words}".rstrip()
    room = most - 16

    def measure(part: str) -> int:
        return max(len(part), len(json.dumps(part)) * room // LONGEST)

    head = (title + "\n" if inside else "") + quiet(message.body)
    tail = "" if most < _SMALL else message.tail
    limit = (room // 2 if tail else room) - len(more)
    while measure(head) > max(limit, 20):
        head = head[: len(head) * 9 // 10 - 1] + "…"
    body = head + more
    tail = keep_tail(quiet(tail), max(room - measure(body) - 2, 0), measure)
    return "" if inside else title, body + (f"\n\n{tail}" if tail else "")


def _watch() -> None:
    """Note what services answer, once for the process: Apprise itself tells only that something failed."""
    from requests import adapters, exceptions

    plain = adapters.HTTPAdapter.send
    if getattr(plain, "watched", False):
        return

    def send(self: Any, *args: Any, **more: Any) -> Any:
        answers, seen = _MINE.get() or ([], [])
        try:
            response = plain(self, *args, **more)
        except (exceptions.ConnectTimeout, exceptions.SSLError, exceptions.ProxyError):
            answers.append(Outcome("later", "cannot be reached"))
            raise
        except exceptions.ConnectionError as error:
            cause = error.args[0] if error.args else None
            new = type(getattr(cause, "reason", None)).__name__ in ("NewConnectionError", "NameResolutionError")
            answers.append(Outcome("later", "cannot be reached") if new else Outcome("unclear", "no proper answer"))
            raise
        except exceptions.RequestException as error:
            answers.append(Outcome("unclear", f"no proper answer ({type(error).__name__})"))
            raise
        response.headers.pop("location", None)
        answers.append(answered(response.status_code, dict(response.headers)))
        seen.append(response.status_code)
        return response

    send.watched = True  # type: ignore[attr-defined]  # a mark on the function
    adapters.HTTPAdapter.send = send  # type: ignore[method-assign]  # the one place that all plugins pass
