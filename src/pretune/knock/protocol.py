"""What the messenger is told, over a pipe or its socket: one line each. Knows neither what is said nor how it is sent.

A line that begins with `{` is a record: a JSON object in UTF-8, at most 4,096 bytes with its newline, so that the
kernel writes it whole or not at all. Unknown kinds and fields are passed over. All texts may hold secrets: the
messenger takes them out. Any record but `end` is a sign of life.

    {"kind": "begin", "name": "train()", "pid": 123, "targets": ["team"], "start": true, "linger": 600,
     "stall": 1800, "heartbeat": "https://…", "rank": 0}
        The first record on a pipe of one's own (`link.Link` sends it). `targets`: as `targets.resolve` takes them;
        {"service": "slack", "webhook_url": …} is one of knockknock's (`services.SERVICES`). `start`: whether the
        beginning is told. `stall`: seconds without a sign of life that are worth an alert. Over the socket of a
        messenger that was there already (`pretune knock python train.py`) only `stall` and `heartbeat` count.
    {"kind": "progress", "step": 10, "total": 900, "epoch": 0.3, "loss": 1.25, "eta": 720.0, "metrics": {"lr": 3e-5}}
        All fields may be missing: then it is a sign of life. `eta` in seconds.
    {"kind": "metrics", "values": {"eval_f1": 0.61}}
        Numbers or short texts; the last value of each name is in the last message.
    {"kind": "stall", "after": 1800, "why": "…"}
        Alert after so many seconds without a sign of life; 0: never.
    {"kind": "clear", "why": "…"}
        What looked like a stall was none; says so where the alert went.
    {"kind": "tell", "title": "…", "body": "…", "tail": "…", "good": true}
        A message of the person's own, sent now.
    {"kind": "end", "good": false, "why": "ValueError: x", "tail": "Traceback …", "more": "…", "quiet": false}
        The run has ended; over a pipe of one's own the last record. `quiet`: tell nobody. Over the socket of
        `pretune knock` it is not the end of the run: `why` and `tail` are kept for the message that tells that.

A pipe that ends without `end` means that the process died, or left with os._exit: the messenger watches `pid` and
tells what can be known. Answers, one line each: `ready 0|1` to `begin`, `say TEXT` and `tty TEXT` (for stderr; `tty`
only where that is a terminal), `done` when every service has answered once.

Lines that begin otherwise are the supervisor's own: `run PID`, `signal N`, `stopped`, `ready?`, `end STATUS MEMORY
CPU`, `fail CODE`, see `supervise`.

What happens with progress, metrics, stalls and heartbeats is `pace.Watch`: one for a run, made when the first
record, or a `stall` or `heartbeat` in the plan, asks for it. The messenger calls it in its one loop, under no lock:

    Watch(plan: dict[str, Any], now: float)        plan as in `begin`, `command` and `host` in words; now: monotonic
    take(record: dict[str, Any], now: float) -> list[Message]      what there is to be told because of it
    due() -> float                                 when `tick` has to be called (monotonic; inf: never)
    tick(now: float) -> list[Message]
    facts() -> str                                 the last figures in one line, for the last message
    picture() -> bytes | None                      a small PNG for services that take attachments
    end(good: bool) -> None                        the run is over (the heartbeat's last word)

Of a command that sends no records, bytes written by it or a process under it are signs of life: the messenger makes
`{"kind": "progress", "silent": true}` of them. Messages with `edits="progress"` replace the earlier one of that name
where the service can; the others get it at most every ten minutes.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST = 4096
"""Bytes of a record: what POSIX writes into a pipe at once (PIPE_BUF on Linux)."""
_CUT = ("tail", "body", "why", "more", "title", "name")


def encode(record: dict[str, Any]) -> bytes:
    """The line for a record; its longest texts are cut until it fits, `tail` at its beginning, the rest at its end."""
    record = dict(record)
    while len(line := _line(record)) > LONGEST:
        over = len(line) - LONGEST + 16
        name = next((name for name in _CUT if isinstance(record.get(name), str) and len(record[name]) > 40), None)
        if name is None:
            return _line({"kind": record.get("kind", "progress")})
        text = record[name].encode(errors="replace")
        keep = max(len(text) - over, 36)
        text = text[-keep:] if name == "tail" else text[:keep]
        record[name] = text.decode(errors="ignore")
    return line


def _line(record: dict[str, Any]) -> bytes:
    return (
        json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_plain).encode(errors="replace") + b"\n"
    )


def _plain(value: object) -> Any:
    """What is no JSON becomes a number where it is one, else its type's name: no foreign `__str__` is called."""
    try:
        return float(value)  # type: ignore[arg-type]  # asked, not known
    except Exception:  # noqa: BLE001 - whatever a foreign __float__ does
        return type(value).__name__


def decode(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None when it is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("kind"), str) else None
