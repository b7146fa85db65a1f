"""How far a run is, as messages: one that is edited in place, an alert when it stalls, its all-clear. Sends nothing.

Lives in the messenger, which asks `due` when it has to be called. It knows of a run only what records tell it
(`protocol`), so a run that tells nothing stalls after `stall` seconds unless the messenger sees other signs of life.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pretune.knock.heartbeat import Heartbeat
from pretune.knock.message import Message, duration
from pretune.knock.plot import Curve, picture

if TYPE_CHECKING:
    import threading

FIRST, EVERY = 8.0, 20.0
"""Seconds to the first message of progress, and at least between two of them."""
SHARE = 0.005
"""Of a long run's time that is at least between two messages: 4 min in half a day."""
CURVES = ("loss", "eval_loss", "train_loss", "val_loss")
SHOWN = 12
"""Figures in the last message."""


class Watch:
    """What is known of one run's progress.

    Args:
        plan: as `begin` in `protocol`: `name`, or `command` without secrets; `stall`, `heartbeat`.
        now: as `time.monotonic` gives it, everywhere here.
    """

    def __init__(self, plan: dict[str, Any], now: float) -> None:
        self._name = _name(plan)
        self._begun = self._life = now
        self._stall = _seconds(plan.get("stall"))
        self._alerted = False
        self._heart = Heartbeat(str(plan.get("heartbeat") or ""), now)
        self._values: dict[str, float] = {}
        self._metrics: dict[str, Any] = {}
        self._first: tuple[float, float] | None = None
        self._at: tuple[float, float] | None = None
        self._curves: dict[str, Curve] = {}
        self._next = math.inf
        self._changed = self._over = False
        self._broken = ""

    @property
    def threads(self) -> list[threading.Thread]:
        """What is still under way, for the messenger to wait for before it ends."""
        return self._heart.threads

    def take(self, record: dict[str, Any], now: float) -> list[Message]:
        """What there is to be told because of a record."""
        told: list[Message] = []
        kind = record.get("kind")
        if self._over or kind == "end":
            return told
        if kind == "stall":
            after = _seconds(record.get("after"))
            self._stall, self._life, self._alerted = after, now, False
            return told
        told += self._alive(str(record.get("why") or ""), now)
        if kind == "progress":
            self._progress(record, now)
        elif kind == "metrics" and isinstance(record.get("values"), dict):
            self._keep(record["values"])
        return told + self._looked()

    def _alive(self, why: str, now: float) -> list[Message]:
        silent, self._life = now - self._life, now
        if not self._alerted:
            return []
        self._alerted = False
        return [Message(f"goes on: {self._name}", f"{why or 'progress again'} after {duration(silent)} without")]

    def _progress(self, record: dict[str, Any], now: float) -> None:
        for key in ("step", "total", "epoch", "loss", "eta"):
            number = _number(record.get(key))
            if number is not None:
                self._values[key] = number
        if "eta" not in record:
            self._values.pop("eta", None)
        step = _number(record.get("step"))
        if step is not None:
            self._at = (step, now)
            if self._first is None or step < self._first[0]:
                self._first = self._at
        if "loss" in record and step is not None:
            self._curve("loss", step, record["loss"])
        if isinstance(record.get("metrics"), dict):
            self._keep(record["metrics"])
        if len(record) > 1:
            self._changed = True
            self._next = now + FIRST if self._next == math.inf else self._next

    def _keep(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self._metrics.pop(name, None)
            self._metrics[name] = value
            if name in CURVES and "step" in self._values:
                self._curve(name, self._values["step"], value)
        while len(self._metrics) > 40:
            del self._metrics[next(iter(self._metrics))]

    def _curve(self, name: str, step: float, value: Any) -> None:
        number = _number(value)
        if number is not None:
            self._curves.setdefault(name, Curve()).add(step, number)

    def _looked(self) -> list[Message]:
        """A loss that is no number any more is told once: the rest of the run is lost."""
        loss = self._values.get("loss")
        if loss is None or math.isfinite(loss) or self._broken:
            return []
        self._broken = f"{loss}"
        return [Message(f"the loss is {loss}: {self._name}", self._line(self._life), good=False)]

    def due(self) -> float:
        """When `tick` has to be called; infinity: never."""
        if self._over:
            return math.inf
        stall = self._life + self._stall if self._stall and not self._alerted else math.inf
        return min(stall, self._heart.due, self._next if self._changed else math.inf)

    def tick(self, now: float) -> list[Message]:
        """What there is to be told because time has passed."""
        told: list[Message] = []
        if self._over:
            return told
        if self._stall and not self._alerted and now >= self._life + self._stall:
            self._alerted = True
            known = self._line(self._life)
            body = "it may hang, or be slow" + (f"; the last that is known: {known}" if known else "")
            told.append(Message(f"no progress for {duration(now - self._life)}: {self._name}", body, good=False))
        self._heart.tick(now, alive=not self._alerted)
        if self._changed and now >= self._next:
            self._changed = False
            self._next = now + max(EVERY, (now - self._begun) * SHARE)
            if self._line(now):
                told.append(Message(f"running: {self._name}", self._line(now), edits="progress"))
        return told

    def _line(self, now: float) -> str:
        """Where it is, and how long it will take."""
        parts = [self._where()]
        if "epoch" in self._values:
            parts.append(f"epoch {_shown(self._values['epoch'])}")
        if "loss" in self._values:
            parts.append(f"loss {_shown(self._values['loss'])}")
        parts += [f"{name} {_shown(value)}" for name, value in list(self._metrics.items())[-4:] if name != "loss"]
        left = self._left(now)
        parts.append(f"about {duration(left)} left" if left is not None else "")
        return ", ".join(part for part in parts if part)

    def _where(self) -> str:
        step, total = self._values.get("step"), self._values.get("total")
        if step is None:
            return ""
        if not total or total <= 0:
            return f"step {_shown(step)}"
        return f"step {_shown(step)} of {_shown(total)} ({min(max(step / total, 0), 1):.0%})"

    def _left(self, now: float) -> float | None:
        """Seconds that are left: as told, else as fast as until now."""
        told = self._values.get("eta")
        if told is not None and told >= 0 and math.isfinite(told):
            return told
        total = self._values.get("total")
        if total is None or self._first is None or self._at is None or self._at[0] <= self._first[0]:
            return None
        pace = (self._at[1] - self._first[1]) / (self._at[0] - self._first[0])
        left = pace * (total - self._at[0]) - (now - self._at[1])
        return max(left, 0.0) if math.isfinite(left) and self._at[0] < total else None

    def facts(self) -> str:
        """The last figures in one line; empty when none were told."""
        parts = [self._where()]
        for name, value in {**self._values, **self._metrics}.items():
            if name not in ("step", "total", "eta"):
                parts.append(f"{name} {_shown(value)}")
        return ", ".join([part for part in parts if part][: SHOWN + 1])

    def picture(self) -> bytes | None:
        """The loss as a small PNG; None when too little is known, or matplotlib is not there."""
        return picture(self._curves, self._name)

    def end(self, good: bool) -> None:
        """The run is over: the heartbeat's last word."""
        if not self._over:
            self._over = True
            self._heart.end(good=good)


def _name(plan: dict[str, Any]) -> str:
    name = plan.get("command") or plan.get("name") or "the run"
    name = " ".join((name if isinstance(name, str) else " ".join(map(str, name))).split())
    return name if len(name) <= 200 else name[:199] + "…"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(value: Any) -> float:
    number = _number(value)
    return number if number is not None and 0 < number < 1e9 else 0.0


def _shown(value: Any) -> str:
    """A figure in at most four significant digits, whole numbers whole."""
    number = _number(value)
    if number is None:
        return str(value)[:60]
    return f"{int(number)}" if number.is_integer() and abs(number) < 1e15 else f"{number:.4g}"
