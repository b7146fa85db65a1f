"""A dead-man's switch: a URL that is asked for at the start, every minute, and at the end; its silence is the alarm.

The known services are told of the start and of a failure in their own way; in any other URL `{state}` becomes `start`,
`run`, `end` or `fail`, and without it a failure is silence. Nothing waits for an answer, and nothing is raised.
"""

from __future__ import annotations

import contextlib
import threading
from urllib.parse import urlsplit

EVERY = 60.0
"""Seconds between two signs of life."""
PATIENCE = 10.0
"""Seconds for one answer."""


def url_for(url: str, state: str) -> str:
    """What is asked for in a state; empty: nothing.

    Args:
        url: as the person gave it.
        state: `start`, `run`, `end` or `fail`.
    """
    if "{state}" in url:
        return url.replace("{state}", state)
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path.rstrip("/")
    if host == "hc-ping.com" or path.startswith("/ping/"):  # healthchecks.io, hosted or one's own
        more = {"start": "/start", "fail": "/fail"}.get(state, "")
        return parts._replace(path=path + more).geturl()
    if host.endswith(("betterstack.com", "betteruptime.com")):
        return parts._replace(path=path + ("/fail" if state == "fail" else "")).geturl()
    if host.endswith(("cronitor.link", "cronitor.io")):
        word = {"start": "run", "run": "ok", "end": "complete", "fail": "fail"}[state]
        return _asked(url, f"state={word}")
    if "/api/push/" in path:  # Uptime Kuma
        return _asked(url, "status=down&msg=failed" if state == "fail" else f"status=up&msg={state}")
    return "" if state == "fail" else url


def _asked(url: str, more: str) -> str:
    """The URL with a query of ours instead of its own, which is a sample that the service shows."""
    return urlsplit(url)._replace(query=more).geturl()


class Heartbeat:
    """The switch of one run.

    Args:
        url: as the person gave it; empty: nothing happens.
        now: as `time.monotonic` gives it.

    Attributes:
        due: when the next sign of life has to be given.
        threads: what is still asking.
    """

    def __init__(self, url: str, now: float) -> None:
        self._url = url if url.startswith(("http://", "https://")) else ""
        self.due = now if self._url else float("inf")
        self.threads: list[threading.Thread] = []
        self._state = "start"

    def tick(self, now: float, *, alive: bool = True) -> None:
        """Give a sign of life when it is time; a run that stalls gives none."""
        if now < self.due:
            return
        self.due = now + EVERY
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        if alive and len(self.threads) < 3:
            self._ask(self._state)
            self._state = "run"

    def end(self, *, good: bool) -> None:
        """The last word."""
        if self._url:
            self.due = float("inf")
            self._ask("end" if good else "fail", tries=3)

    def _ask(self, state: str, tries: int = 1) -> None:
        with contextlib.suppress(Exception):  # a URL that cannot be read
            url = url_for(self._url, state)
            if url:
                self.threads.append(threading.Thread(target=_get, args=(url, tries), daemon=True))
                self.threads[-1].start()


def _get(url: str, tries: int) -> None:
    import time
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, Request, build_opener

    opener = build_opener(ProxyHandler())  # not the process's, which the webhooks have set up for themselves
    for attempt in range(tries):
        try:
            with opener.open(Request(url, headers={"User-Agent": "pretune"}), timeout=PATIENCE) as answer:  # noqa: S310 - http(s), asked in Heartbeat
                answer.read(1024)
        except HTTPError as error:
            if error.code < 500 and error.code != 429:
                return
        except Exception:  # noqa: BLE001 - whatever a service does
            time.sleep(1)
        else:
            return
        time.sleep(2 * attempt + 1)
