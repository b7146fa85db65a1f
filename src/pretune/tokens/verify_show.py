"""A verdict as text for a terminal and as JSON. Knows the result, not how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.language import say
from pretune.core.quantity import number
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from pretune.tokens.verify_result import Verdict


def verdict_text(verdict: Verdict, label: str) -> str:
    """A line a fault and a line a proof, as a compiler prints them."""
    lines = [
        f"{one_line(fault.where)}: {say(fault.level)}: {say(one_line(fault.message))} [{fault.name}]"
        for fault in verdict.faults
    ]
    lines += [f"  {say('proved:')} {say(one_line(sentence))}" for sentence in verdict.proved]
    wrong = sum(fault.level != "note" for fault in verdict.faults)
    end = f"{number(wrong)} things are wrong" if wrong > 1 else "one thing is wrong" if wrong else "nothing is wrong"
    return "\n".join([*lines, f"{one_line(label)}: {say(end)}"]) + "\n"


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict."""
    return {
        "ok": verdict.ok,
        "faults": [
            {
                "name": fault.name,
                "level": fault.level,
                "message": fault.message,
                "where": fault.where,
                "pitfall": fault.pitfall,
            }
            for fault in verdict.faults
        ],
        "proved": list(verdict.proved),
    }
