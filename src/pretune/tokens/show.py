"""Slots, suggestions and plans as tables for a terminal and as JSON. Knows the results, not how they came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.core.quantity import number, percent
from pretune.draw.table import Cell, Column, table
from pretune.draw.visible import word as shown
from pretune.tokens.readable import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.draw.table import Table
    from pretune.tokens.plan import Added, Plan
    from pretune.tokens.slots import Slot
    from pretune.tokens.spare import FreeSlots
    from pretune.tokens.suggest import Suggestions

FEW = 12
"""Rows that a table shows where all of them would be too many; JSON has all."""

KINDS = {
    "named": "entries whose name says that they are free",
    "row": "rows that no entry owns",
    "unreachable": "entries that no text can become",
}


TRAINED = "left out: named free, but the row was trained"


def slots_tables(found: FreeSlots, label: str, *, byte_level: bool = False) -> list[Table]:
    """The slots by kind, and what only looks like one."""
    slots = found.slots
    kinds = [(meaning, [slot for slot in slots if slot.kind == kind]) for kind, meaning in KINDS.items()]
    rows = []
    for meaning, some in (*kinds, (TRAINED, found.trained)):
        names = ", ".join(_entry(slot.name, byte_level=byte_level) if slot.name else str(slot.id) for slot in some[:4])
        if some:
            rows.append((meaning, number(len(some)), names + (", …" if len(some) > 4 else "")))
    if not rows:
        note = "new tokens get new rows: the embedding grows"
        return [table(f"{label}: no slot is free", ("",), [(note,)])]
    return [table(f"{label}: {free(len(slots))}", ("", "slots", Column("for example", numbers=False)), rows)]


def free(count: int) -> str:
    """How many slots there are, in words."""
    if not count:
        return "no slot is free"
    return f"{number(count)} slots are free" if count != 1 else "1 slot is free"


def suggestion_tables(found: Suggestions, label: str, *, every: bool = False) -> list[Table]:
    """The words, and what adding them all comes to."""
    if not found.words:
        from pretune.corpus.candidates import FEWEST

        note = f"a word must occur at least {FEWEST} times, save tokens and lengthen no other"
        return [table(f"{label}: no word of this text is worth a token", ("",), [(note,)])]
    words = found.words if every else found.words[: 2 * FEW]
    before, after = found.plan.tokens
    less = f": {percent((before - after) / before)} fewer tokens" if before else ""
    title = f"{label}: {number(len(found.words))} words are worth a token{less}"
    if len(found.words) == 1:
        title = f"{label}: 1 word is worth a token{less}"
    rows = [
        (
            shown(one.word),
            number(one.saves),
            number(one.count),
            _entries(one.pieces[:6], found.plan),
            number(one.changes),
        )
        for one in words
    ]
    headings = ("word", "saves", "occurs", Column("now", numbers=False), "words that change")
    note = free(found.slots) if found.slots else "no slot is free: the embedding would grow"
    if len(found.words) > len(words):
        note += f"; {number(len(found.words) - len(words))} more words with --all"
    return [table(title, headings, rows, note=note)]


def plan_tables(plan: Plan, label: str, *, every: bool = False) -> list[Table]:
    """What would be done: the tokens, the words that change, what is refused."""
    asked = [entry for entry in plan.added if not entry.between]
    steps = len(plan.added) - len(asked)
    words = len({entry.word for entry in asked})
    title = f"{label}: {number(words)} new token{'' if words == 1 else 's'}"
    title += f", {number(steps)} step{'' if steps == 1 else 's'} on the way" if steps else ""
    if plan.resizes:
        note = f"the embedding grows from {number(plan.rows[0])} to {number(plan.rows[1])} rows"
    else:
        note = f"no resize: the embedding keeps its {number(plan.rows[0])} rows"
    rows = [_row(entry, plan) for entry in (plan.added if every else plan.added[: 3 * FEW])]
    if len(rows) < len(plan.added):
        note += f"; {number(len(plan.added) - len(rows))} more rows with --all"
    headings = (
        "token",
        "id",
        Column("entry", numbers=False),
        Column("row", numbers=False),
        Column("was", numbers=False),
    )
    found = [table(title, headings, rows, note=note)] if rows else []
    if plan.changed:
        found.append(_changed(plan, every=every))
    if plan.already:
        told = [(shown(word), ", ".join(map(str, ids))) for word, ids in plan.already.items()]
        found.append(table("already one token", ("word", "id"), told if every else told[:FEW]))
    if plan.refused:
        refused = [(shown(word), Cell(reason, "bad")) for word, reason in plan.refused.items()]
        found.append(table("refused", ("word", Column("because", numbers=False)), refused))
    return found


def planned(plan: Plan, label: str) -> tuple[Sequence[str], list[Table]]:
    """The same with all rows and with what the user should know, for a plan that shows itself."""
    tables = plan_tables(plan, label, every=True)
    return (plan.remarks if tables else (*plan.remarks, f"{label}: no token is to be added")), tables


def _entry(entry: str, *, byte_level: bool) -> str:
    """An entry of the vocabulary, safe to show."""
    return shown(readable(entry, byte_level=byte_level))


def _entries(entries: Sequence[str], plan: Plan) -> str:
    return " ".join(_entry(entry, byte_level=plan.byte_level) for entry in entries)


def _row(entry: Added, plan: Plan) -> tuple[str, ...]:
    slot = entry.slot
    name = "" if slot is None else _entry(slot.name, byte_level=plan.byte_level)
    where = "new row" if slot is None else f"slot {name}" if name else "spare row"
    pieces = f"{len(entry.pieces)} pieces" if entry.pieces else "special token" if entry.special else "unknown"
    text = shown(entry.text) if entry.special else _entry(entry.text, byte_level=plan.byte_level)
    return shown(entry.word), str(entry.id), text, where, "a step" if entry.between else pieces


def _changed(plan: Plan, *, every: bool) -> Table:
    """The words of the text that are cut otherwise."""
    some = plan.changed if every else plan.changed[:FEW]
    before, after = plan.tokens
    title = f"{number(len(plan.changed))} other words of the text are cut otherwise"
    title += f"; {number(before)} tokens become {number(after)}"
    rows = [(shown(one.word), number(one.count), _entries(one.before, plan), _entries(one.after, plan)) for one in some]
    headings = ("word", "occurs", Column("before", numbers=False), Column("after", numbers=False))
    note = f"{number(len(plan.changed) - len(some))} more with --all" if len(some) < len(plan.changed) else ""
    return table(title, headings, rows, note=note)


def slots_json(found: FreeSlots) -> dict[str, Any]:
    """The slots, and what only looks like one."""

    def told(slots: Sequence[Slot]) -> list[dict[str, Any]]:
        return [{"id": slot.id, "name": slot.name, "kind": slot.kind} for slot in slots]

    return {"slots": told(found.slots), "trained": told(found.trained)}


def suggestions_json(found: Suggestions) -> dict[str, Any]:
    """The words, which `tokens add --from-suggestions` reads."""
    return {
        "slots": found.slots,
        "tokens": {"before": found.plan.tokens[0], "after": found.plan.tokens[1]},
        "words": [
            {
                "word": one.word,
                "count": one.count,
                "pieces": list(one.pieces),
                "saves": one.saves,
                "changes": one.changes,
                "rows": one.rows,
                "unknown": one.unknown,
            }
            for one in found.words
        ],
    }


def plan_json(plan: Plan) -> dict[str, Any]:
    """The whole plan but for the files' content."""
    return {
        "rows": {"before": plan.rows[0], "after": plan.rows[1]},
        "tokens": {"before": plan.tokens[0], "after": plan.tokens[1]},
        "added": [
            {
                "word": entry.word,
                "id": entry.id,
                "entry": entry.text,
                "slot": None if entry.slot is None else {"name": entry.slot.name, "kind": entry.slot.kind},
                "special": entry.special,
                "step": entry.between,
                "pieces": list(entry.pieces),
            }
            for entry in plan.added
        ],
        "already": {word: list(ids) for word, ids in plan.already.items()},
        "refused": dict(plan.refused),
        "changed": [
            {"word": one.word, "count": one.count, "before": list(one.before), "after": list(one.after)}
            for one in plan.changed
        ],
        "files": sorted(plan.files),
        "remarks": list(plan.remarks),
    }
