"""What the messenger knows of one run, and what there is to be said of it when. Sends nothing.

It does not know the exit status of a run whose supervisor is gone, unless the kernel still tells it.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pretune.core.language import say
from pretune.knock import message as words
from pretune.knock import ranks, spool
from pretune.knock.begun import TOUCH, Note
from pretune.knock.exits import Process, state, written
from pretune.knock.gpu import Gauge
from pretune.knock.memory import oom_kills
from pretune.knock.redact import keep_tail, redact, secrets_of
from pretune.knock.targets import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.knock.message import Message

SETTLE = 0.7
"""Seconds before the start is told: of a shorter run only the end is."""
LARGEST_PICTURE = 32 * 1024
"""Bytes."""
_TAIL = 3000
"""Characters of a traceback or log."""
_NEVER = float("inf")
Last = tuple[list[words.Message], str]
"""The last messages, and the line for a terminal."""


class Account:
    """One run.

    Args:
        plan: as `serve.serve` takes it.
        environment: of the run.
    """

    def __init__(self, plan: dict[str, Any], environment: Mapping[str, str]) -> None:
        self.plan, self.environment = plan, environment
        self.host = socket.gethostname()
        self.targets, self.mistakes = resolve(plan["targets"], environment)
        self.secrets = self._secrets()
        self.name = (
            words.named(plan["command"], self.secrets)
            if "command" in plan
            else " ".join(self.clean(str(plan.get("name", "a run"))).split())[: words.LONGEST_COMMAND]
        )
        self.log = words.Log(plan.get("log", 2), start=plan.get("log_from", 0)) if "command" in plan else words.Log(-1)
        self.kills = plan["oom_kills"] if "oom_kills" in plan else oom_kills()
        self.where = spool.folder(environment)
        self.rank = ranks.rank(environment)
        pid = int(plan["wrapper"] or plan.get("pid") or 0)
        self.job = ranks.joined(  # asked now, as it may be dead by the time that it is needed
            environment,
            parent=int(plan.get("parent") or _parent(pid)),
            pid=pid,
            started=plan["started"],
            turn=str(plan.get("turn", "")),
        )
        self.note = Note(self.where, f"{int(plan['started'] * 1e9)}-{plan['wrapper'] or os.getpid()}")
        self.process: Process | None = None
        self.begun = False
        self.watch: Any = None
        self.gauge = Gauge(environment)
        self.told_inside: tuple[float, str, str] = (0.0, "", "")
        self._speaks = False
        self._bytes, self._next_look = -1, _NEVER
        self._touch = time.monotonic() + TOUCH
        tells = plan.get("start", True) and self.targets and self.rank == 0
        self._start = time.monotonic() + SETTLE if tells else _NEVER
        if plan.get("pid"):
            self.follow(int(plan["pid"]), plan.get("handle", -1))
        if plan.get("stall") or plan.get("heartbeat"):
            self._observe()

    def _secrets(self) -> tuple[str, ...]:
        hidden = [target.url for target in self.targets if "://" in target.url]
        if "://" in str(self.plan.get("heartbeat", "")):
            hidden.append(str(self.plan["heartbeat"]))
        return secrets_of(self.environment, hidden)

    def clean(self, text: str) -> str:
        """`text` without secrets."""
        return redact(text, self.secrets)

    def follow(self, pid: int, handle: int = -1) -> None:
        """The run is this process."""
        self.begun = True
        try:
            self.process = Process(pid, handle)
        except OSError:
            self.process = None
        if self.watch is not None and not self._speaks:
            self._next_look = time.monotonic()
        if self.rank == 0:
            pids = [pid, int(self.plan["wrapper"])]
            self.note.write(self.name, self.targets, started=self.plan["started"], pids=pids)

    # what happens meanwhile

    def due(self) -> float:
        """When `tick` has to be called next; monotonic seconds."""
        watch = self.watch.due() if self.watch is not None else _NEVER
        return min(self._start, self._touch, self._next_look, self.gauge.due, watch)

    def tick(self) -> list[Message]:
        """What there is to be said by now."""
        now = time.monotonic()
        told: list[Message] = []
        if now >= self._start:
            self._start = _NEVER
            told.append(words.started(self.name, self.host))
        if now >= self._touch:
            self._touch = now + TOUCH
            self.note.touch()
        if now >= self.gauge.due:
            self.gauge.look()
        if now >= self._next_look:
            told += self._quiet(self._look(now))
        if self.watch is not None and now >= self.watch.due():
            told += self._quiet(self.watch.tick(now))
        return told

    def record(self, record: dict[str, Any]) -> list[Message]:
        """What there is to be said because of a record of the run."""
        if record["kind"] == "tell":
            return [self._own(record)]
        self._observe()
        if record["kind"] in ("progress", "metrics") and not record.get("silent"):
            self._speaks, self._next_look = True, _NEVER
        return self._quiet(self.watch.take(record, time.monotonic())) if self.watch is not None else []

    def inner(self, record: dict[str, Any]) -> list[Message]:
        """The same for a Python process under the command, which has no say in the run's end."""
        kind, now = record["kind"], time.monotonic()
        if kind == "end":
            if not record.get("good", True) and now - self.told_inside[0] > 30:  # of many ranks the first is the cause
                why, tail = (self.clean(str(record.get(key) or "")) for key in ("why", "tail"))
                self.told_inside = (now, why, keep_tail(tail, _TAIL))
            return []
        if kind == "begin":
            more, _ = resolve(record["targets"], self.environment) if record.get("targets") else ([], [])
            known = {target.url for target in self.targets}
            self.targets += [target for target in more if target.url not in known]
            asked = {key: record[key] for key in ("stall", "heartbeat") if record.get(key) and not self.plan.get(key)}
            if asked and self.watch is None:
                self.plan = {**self.plan, **asked}
                self.secrets = self._secrets()
                self._observe()
            return []
        return self.record(record)

    def alone(self) -> list[Message]:
        """The supervisor is gone without a word: said, when the run is still there."""
        if self.process is None or self.process.over(1.0 if self.plan["wrapper"] else 0.3) or not self.plan["wrapper"]:
            return []
        text = f"the supervisor (not the run) was killed on {self.host}; the run goes on as process {self.process.pid}"
        return self._quiet([words.Message(f"still running: {self.name}", text, good=False)])

    def wake(self) -> bool:
        """A supervisor that stopped with the run must not sleep on when only the run was continued."""
        run = state(self.process.pid) if self.process is not None else ""
        wrapper = state(self.plan["wrapper"])
        if wrapper == "T" and run != "T":
            os.kill(self.plan["wrapper"], signal.SIGCONT)
        return run == "T" or wrapper == "T"

    # how it ends

    def ended(self, status: int, *, memory: int = 0) -> Last:
        """The command ended with this wait status, having used `memory` KiB at most."""
        more = f"peak memory {memory / 1048576:.1f} GiB" if memory > 100_000 else ""
        return self._last(words.cause(status, oom_kills() - self.kills), good=status == 0, more=more)

    def gone(self) -> Last:
        """The run is over, and nobody told how."""
        status = self.process.status() if self.process is not None else None
        unknown = "ended; its exit code is not known, because only its parent is told"
        if self.plan["wrapper"]:
            unknown = "its exit code is not known, because its supervisor was killed"
        elif "command" not in self.plan:
            unknown = "its process ended without a word: os._exit, or killed"
        kills = oom_kills() - self.kills
        why = words.cause(status, kills) if status is not None else unknown
        if status is None and kills > 0:
            why += "; out of memory, the kernel counted an oom_kill"
        if status == 0 and "command" not in self.plan:
            why = "its process ended with exit code 0 before it was done (os._exit)"
        return self._last(why, good=status == 0 and "command" in self.plan)

    def said_end(self, record: dict[str, Any]) -> Last:
        """The run itself tells how it ended."""
        if record.get("quiet"):
            if self.watch is not None:
                self.watch.end(bool(record.get("good")))
            return [], ""
        why, tail, more = (self.clean(str(record.get(key) or "")) for key in ("why", "tail", "more"))
        at = float(record.get("clock") or time.monotonic())
        return self._last(why[:1000] or "done", good=bool(record.get("good")), more=more[:300], tail=tail, at=at)

    def plain_end(self) -> Last:
        """The least that can be said, when nothing else could be understood."""
        text = words.Message(say("ended: ") + self.name, say(f"how is not known, on {self.host}"), good=False)
        return [text], f"{text.title}, {text.body}"

    def _last(self, why: str, *, good: bool, more: str = "", tail: str = "", at: float | None = None) -> Last:
        if self.watch is not None:
            self.watch.end(good)
        if self.rank and good:
            return [], ""
        number = ""
        if not good and self.job is not None:
            first, others = ranks.first_to_fail(self.where, self.job)
            if not first:
                return [], ""
            number = f"{self.job}" + (f" and {others} more" if others > 0 else "")
        if not good and not tail:
            tail = self.told_inside[2] or self.log.tail(self.secrets)
            why += f" ({self.told_inside[1]})" if self.told_inside[1] else ""
        seconds = max((at or time.monotonic()) - self.plan["clock"], 0.0)
        facts = self.clean(self.watch.facts()) if self.watch is not None else ""
        more = ", ".join(part for part in (number, more, self.gauge.text(), facts) if part)
        tail = keep_tail(tail, _TAIL)
        text = words.ended(self.name, self.host, seconds=seconds, why=why, good=good, more=more, tail=tail)
        text = replace(text, picture=self._picture())
        return [text], f"{text.title}, {text.body}"

    def _picture(self) -> str:
        try:
            data = (
                self.watch.picture()
                if self.watch is not None and any(one.kind == "apprise" for one in self.targets)
                else None
            )
        except Exception:  # noqa: BLE001 - a message without its picture is better than none
            data = None
        return base64.b64encode(data).decode() if data and len(data) <= LARGEST_PICTURE else ""

    # what only some runs need

    def _quiet(self, messages: list[Message]) -> list[Message]:
        """Of many ranks one speaks meanwhile; figures of the run may hold secrets, too."""
        if self.rank:
            return []
        return [
            words.Message(
                self.clean(say(each.title)), self.clean(say(each.body)), self.clean(each.tail), each.good, each.edits
            )
            for each in messages
        ]

    def _own(self, record: dict[str, Any]) -> Message:
        title, body, tail = (self.clean(str(record.get(key) or "")) for key in ("title", "body", "tail"))
        title = " ".join(title.split())[:200] or self.name
        return words.Message(title, body[:2000], keep_tail(tail, _TAIL), bool(record.get("good", True)))

    def _observe(self) -> None:
        if self.watch is not None:
            return
        from pretune.knock.pace import Watch

        self.watch = Watch({**self.plan, "command": self.name, "host": self.host}, time.monotonic())
        if not self._speaks:
            self._next_look = time.monotonic()

    def _look(self, now: float) -> list[Message]:
        """A command that says nothing itself is alive while it, or a process under it, writes anything."""
        stall = float(self.plan.get("stall") or 0)
        if self._speaks or self.process is None or not stall or self.watch is None:
            self._next_look = _NEVER
            return []
        self._next_look = now + min(max(stall / 5, 0.2), 60.0)
        count = written(self.process.pid)
        if count != self._bytes:
            self._bytes = count
            told: list[Message] = self.watch.take({"kind": "progress", "silent": True}, now)
            return told
        return []


def _parent(pid: int) -> int:
    from pretune.knock.link import ancestors

    return next(ancestors(pid), 0) if pid else os.getppid()
