"""What a model said wrongly, for reading on the page of a run: sections. Takes the rows of errors.jsonl as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.quantity import number
from pretune.draw.page import Fold, Passage, Run, Section, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pretune.draw.page import Part

SEEN, FOLDED = 6, 24
"""Errors that are seen, and that are folded away below."""
AROUND = 220
"""Characters of a passage before and behind what is marked in it."""
_SHOWN = frozenset({"question", "context", "answer_start", "id", "text", "text_pair"})


def sections(rows: Sequence[Mapping[str, Any]], step: int | None) -> Iterator[Section]:
    """A sample of the errors; none where there are none.

    Args:
        rows: of errors.jsonl, the worst first.
        step: whose predictions they are; None: not known.
    """
    if not rows:
        return
    chosen = sample(rows, SEEN + FOLDED)
    whose = f"of the model after step {number(step)}" if step is not None else "of the best model so far"
    parts: list[Part] = [
        Words(
            f"{number(len(rows))} example{'s' * (len(rows) > 1)} {whose}; "
            "errors.jsonl has all, the worst first; here is a sample."
        ),
        *(
            [Words("Underlined: the answer; underlined twice: what was said.", dim=True)]
            if "context" in rows[0]
            else ()
        ),
        *map(passage, chosen[:SEEN]),
    ]
    if chosen[SEEN:]:
        parts.append(Fold(f"{len(chosen) - SEEN} more", tuple(map(passage, chosen[SEEN:]))))
    yield Section("Answered wrongly", "errors", tuple(parts), told=number(len(rows)))


def sample(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most so many rows at equal distances over all of them, the same each time."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place * len(rows) // most] for place in range(most)]


def passage(row: Mapping[str, Any]) -> Passage:
    """One error: the passage with the right answer and the given one marked, or its text, and the rest as lines."""
    lines = [(str(key).replace("_", " "), _words(value)) for key, value in row.items() if key not in _SHOWN]
    if "context" not in row:
        texts = [str(row[key]) for key in ("text", "text_pair") if row.get(key)]
        return Passage(" / ".join(texts) or str(row.get("where", "")), (), tuple(lines))
    return Passage(str(row.get("question", "")), tuple(marked(row)), tuple(lines))


def marked(row: Mapping[str, Any]) -> list[Run]:
    """The passage in runs: the answer `good`, what was said instead `bad`, long stretches beside them left out."""
    context, said = str(row["context"]), str(row.get("prediction") or "")
    answers, start = list(row.get("answers") or ()), row.get("answer_start")
    tones = [""] * len(context)
    spans = []
    for text, at, tone in (
        (said, _nearest(context, said, start), "bad"),
        (str(answers[0]) if answers else "", start if isinstance(start, int) else -1, "good"),
    ):
        if text and at >= 0:
            spans.append((at, at + len(text)))
            tones[at : at + len(text)] = [tone] * len(context[at : at + len(text)])
    begin, end = min((a for a, _ in spans), default=0) - AROUND, max((b for _, b in spans), default=0) + AROUND
    begin, end = max(begin, 0), min(end, len(context))
    runs = [Run("… ")] if begin else []
    at = begin
    while at < end:
        stop = at
        while stop < end and tones[stop] == tones[at]:
            stop += 1
        runs.append(Run(context[at:stop], tones[at]))
        at = stop
    return [*runs, Run(" …")] if end < len(context) else runs


def _nearest(context: str, text: str, start: object) -> int:
    """Where a text stands in a passage, the place nearest to the answer; -1: nowhere."""
    if not text:
        return -1
    places: list[int] = []
    at = context.find(text)
    while at >= 0 and len(places) < 1000:
        places.append(at)
        at = context.find(text, at + 1)
    aim = start if isinstance(start, int) else 0
    return min(places, key=lambda place: abs(place - aim), default=-1)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "(none)"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value) or "(nothing)"
