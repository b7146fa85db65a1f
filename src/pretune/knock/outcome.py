"""What became of one attempt to deliver, from a status, its headers or an error. Pure."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_WAIT = 86400.0
"""Seconds of patience that a service may ask for."""


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


def answered(status: int, headers: Mapping[str, str] | None = None) -> Outcome:
    """What an HTTP status means: only 408, 425, 429, redirects and the server's own faults are worth another try."""
    if 200 <= status < 300:
        return Outcome("delivered")
    wait = retry_after(headers or {})
    if 300 <= status < 400:
        return Outcome("later", f"redirected ({status})", wait)
    if status in (408, 425, 429) or status >= 500:
        return Outcome("later", f"answered {status}", wait)
    return Outcome("refused", f"answered {status}")


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that Retry-After asks for, in seconds or as a date; 0 when there is none."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "")
    wait = 0.0
    with contextlib.suppress(ValueError, TypeError):
        wait = float(value)
    if not wait:
        import time

        with contextlib.suppress(ValueError, TypeError, OverflowError):
            wait = parsedate_to_datetime(value).timestamp() - time.time()
    return min(max(wait, 0.0), LONGEST_WAIT) if wait == wait else 0.0  # noqa: PLR0124 - not a number


def judged(error: BaseException) -> Outcome:
    """What an error of urllib means: certainly not delivered, or perhaps."""
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
    if isinstance(error, UnicodeDecodeError):
        return Outcome("delivered")  # a good answer in a strange encoding
    if isinstance(error, ValueError):
        return Outcome("refused", "its URL cannot be used")
    return Outcome("unclear", f"no proper answer ({type(error).__name__})")
