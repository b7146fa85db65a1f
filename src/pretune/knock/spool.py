"""Messages that are not delivered yet, as files: private, bounded, each claimed by one process. Does not send.

A message that may have been delivered when nobody answered is tried once more, marked so, and then given up.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.knock.exits import alive, born
from pretune.knock.message import Message
from pretune.knock.targets import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.knock.targets import Target

MOST, OLDEST, LARGEST = 200, 7 * 86400, 64 * 1024
"""Files kept; seconds a message is worth telling; bytes of one file."""
SHORT = 120
"""Seconds after which a message is taken for abandoned where nobody can ask whether a process is there."""
FOREIGN = 3600
"""Seconds after which a message that another host began to send is taken for abandoned."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message for one target.

    Attributes:
        target: where it goes.
        message: what it says.
        created: seconds since 1970.
        perhaps: whether an attempt got no clear answer.
        due: seconds since 1970 before which the service wants nothing more.
        path: its file; None when the folder cannot be written.
    """

    target: Target
    message: Message
    created: float
    perhaps: bool = False
    due: float = 0.0
    path: Path | None = None


def folder(environment: Mapping[str, str]) -> Path:
    """Where the spool is: `$XDG_STATE_HOME/pretune/knock`."""
    base = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME") or "/nonexistent") / ".local/state"
    return Path(base) / "pretune" / "knock"


def put(where: Path, target: Target, message: Message) -> Entry:
    """Keep a message before it is tried; in memory only where the folder cannot be written."""
    now = time.time()
    entry = Entry(target, message, now)
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        where.chmod(0o700)
        kept = sorted(where.glob("*.json"))
        for old in kept[: max(len(kept) - MOST + 1, 0)]:
            old.unlink(missing_ok=True)
        path = where / f"{time.time_ns()}-{os.getpid()}-{os.urandom(3).hex()}.json"
        entry = replace(entry, path=path)
        _write(entry)
    except OSError:
        return replace(entry, path=None)
    return entry


def mark(entry: Entry, *, perhaps: bool, due: float = 0.0) -> Entry:
    """Note whether an attempt was begun and not answered, so that a crash in between is known."""
    entry = replace(entry, perhaps=perhaps, due=due)
    try:
        _write(entry)
    except OSError:
        return entry
    return entry


def drop(entry: Entry) -> None:
    """Delivered, or given up."""
    if entry.path is not None:
        try:
            entry.path.unlink(missing_ok=True)
        except OSError:
            return


def waiting(where: Path) -> list[Path]:
    """The files of the spool, oldest first."""
    try:
        return sorted(where.glob("*.json"))
    except OSError:
        return []


def claim(where: Path, *, early: bool = False) -> list[Entry]:
    """The messages whose messenger is gone, now ours; those too old are dropped.

    Args:
        where: the spool's folder.
        early: whether those are wanted, too, whose service asked for more patience.
    """
    found: list[Entry] = []
    if not waiting(where):
        return found
    try:
        lock = os.open(where / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return found
    try:
        with contextlib.suppress(ImportError):  # Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        for path in waiting(where):
            try:
                data = json.loads(path.read_bytes()[:LARGEST])
                entry = Entry(
                    from_json(data["target"]),
                    Message(**data["message"]),
                    float(data["created"]),
                    bool(data["perhaps"]),
                    float(data.get("due", 0)),
                    path,
                )
                if _alive(data["owner"], entry.created) or (entry.due > time.time() and not early):
                    continue
                if time.time() - entry.created > OLDEST:
                    drop(entry)
                    continue
                _write(entry)
                found.append(entry)
            except (OSError, ValueError, KeyError, TypeError):
                if path.exists() and time.time() - path.stat().st_mtime > FOREIGN:
                    path.unlink(missing_ok=True)  # not ours to understand, and not to be kept for ever
    except OSError:
        return found
    finally:
        os.close(lock)
    return found


def _write(entry: Entry) -> None:
    if entry.path is None:
        return
    data: dict[str, Any] = {
        "target": entry.target.to_json(),
        "message": asdict(entry.message),
        "created": entry.created,
        "perhaps": entry.perhaps,
        "due": entry.due,
        "owner": [socket.gethostname(), os.getpid(), born(os.getpid())],
    }
    beside = entry.path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(data, out)
    beside.replace(entry.path)


def _alive(owner: list[Any], created: float) -> bool:
    host, pid, when = owner
    if not when:  # no /proc there: it was at work for seconds at most
        return time.time() - created < SHORT
    if host != socket.gethostname():
        return time.time() - created < FOREIGN
    return alive(int(pid), when)
