"""A verdict as lines for a terminal or a pipe and as JSON. Knows the result, not how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.language import say
from pretune.core.quantity import number
from pretune.draw.visible import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.draw.terminal import Piece
    from pretune.tokens.verify_result import Verdict


def verdict_text(verdict: Verdict, label: str) -> str:
    """A line a fault and a line a proof, as a compiler prints them."""
    found = verdict_lines(verdict, label)
    return "".join(" " * indent + "".join(text for text, _ in pieces) + "\n" for indent, pieces in found)


def verdict_lines(verdict: Verdict, label: str) -> Iterator[tuple[int, list[Piece]]]:
    """The same as styled pieces: of each line the blanks before it and what stands there."""
    for fault in verdict.faults:
        level = (f"{say(fault.level)}: ", fault.level)
        told = [(say(one_line(fault.message)), ""), (f" [{fault.name}]", "dim")]
        yield 0, [(f"{one_line(fault.where)}: ", "where"), level, *told]
    for sentence in verdict.proved:
        yield 2, [(f"{say('proved:')} ", "dim"), (say(one_line(sentence)), "")]
    wrong = sum(fault.level != "note" for fault in verdict.faults)
    end = f"{number(wrong)} things are wrong" if wrong > 1 else "one thing is wrong" if wrong else "nothing is wrong"
    yield 0, [(f"{one_line(label)}: ", ""), (say(end), "bad" if wrong else "good")]


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
