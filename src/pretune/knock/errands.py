"""`pretune knock test` and `flush`: sending now, and saying what came of it. Knows no runs."""

from __future__ import annotations

import os
import socket
import sys

from pretune.knock import spool
from pretune.knock.message import Message
from pretune.knock.messenger import deliver
from pretune.knock.send import send
from pretune.knock.targets import usable


def test(names: list[str]) -> int:
    """Send a test message to each target; 0 when all took it, else 1.

    Raises:
        UserError: a target cannot be used, or there is none.
    """
    code = 0
    for target in usable(os.environ, *names):
        outcome = send(target, Message("this is a test of pretune knock", f"on {socket.gethostname()}"))
        sys.stdout.write(f"{target.label}: {outcome.state}{', ' + outcome.why if outcome.why else ''}\n")
        code |= outcome.state != "delivered"
    return int(code)


def flush() -> int:
    """Send what the spool holds; 0 when nothing is left, else 1."""
    where = spool.folder(os.environ)
    outcomes = [deliver(entry, until=0, late=True) for entry in spool.claim(where)]
    sent = sum(outcome.state == "delivered" for outcome in outcomes)
    left = len(spool.waiting(where))
    sys.stdout.write(
        f"{sent} delivered, {len(outcomes) - sent - left if left < len(outcomes) - sent else 0} given up, {left} kept\n"
    )
    return int(left > 0)
