"""Delivers what the spool holds: again and again, with growing pauses, as patient as asked for. Makes no text."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from pretune.knock import begun, spool
from pretune.knock.outcome import Outcome
from pretune.knock.send import send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


LATE = 60.0
"""Seconds after which a message says from when it is."""


def deliver(
    entry: spool.Entry,
    *,
    until: float,
    first: Callable[[Outcome], None] | None = None,
    late: bool = False,
    stale: Callable[[], bool] | None = None,
) -> Outcome:
    """Try until delivered, refused, given up or `until` (monotonic seconds); the spool is kept in step.

    Args:
        entry: what is to be delivered, in the spool.
        until: after that nothing new is tried.
        first: called with the first outcome.
        late: whether this is not the process that made it.
        stale: whether nobody needs it any more; asked before each attempt.
    """
    pause = 0.5
    while True:
        if stale is not None and stale():
            spool.drop(entry)
            return Outcome("refused", "no longer of use")
        prefix = "(perhaps for the second time) " if entry.perhaps else ""
        if late or time.time() - entry.created > LATE:
            prefix += f"[late, from {time.strftime('%Y-%m-%d %H:%M', time.localtime(entry.created))}] "
        again = entry.perhaps
        entry = spool.mark(entry, perhaps=True)
        outcome = send(entry.target, entry.message, prefix=prefix)
        over = outcome.state in ("delivered", "refused") or (outcome.state == "unclear" and again)
        if over:
            spool.drop(entry)
        else:
            due = time.time() + outcome.wait if outcome.wait else 0.0
            entry = spool.mark(entry, perhaps=outcome.state == "unclear" or again, due=due)
        if first is not None:
            first(outcome)
            first = None
        if over:
            return outcome
        wait = max(pause * random.uniform(0.7, 1.3), outcome.wait)  # noqa: S311 - jitter
        if time.monotonic() + wait > until:
            return outcome
        time.sleep(wait)
        pause = min(pause * 2, 60)


def catch_up(where: Path, *, early: bool = False, say: Callable[[str], object] | None = None) -> list[Outcome]:
    """Deliver, once each, what earlier runs left, and tell of runs that were lost.

    Args:
        where: the spool's folder.
        early: whether to try those, too, whose service asked for more patience.
        say: given a line for each run that was lost and has nobody else to be told.
    """
    lost = begun.lost(where)
    for targets, message in lost:
        if not targets and say is not None:
            say(f"{message.title}, {message.body}")
    kept = [spool.put(where, target, message) for targets, message in lost for target in targets]
    outcomes = [deliver(entry, until=0) for entry in kept]
    outcomes += [deliver(entry, until=0, late=True) for entry in spool.claim(where, early=early)]
    return outcomes
