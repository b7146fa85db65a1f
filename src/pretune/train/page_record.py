"""What a run was made with, for its page: findings, recipe, environment; and findings_of for the record.

Takes the record and the recipe as they stand in the folder's files.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from pretune.draw.page import Card, Entry, Section, Words
from pretune.draw.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.check.engine import Report
    from pretune.draw.page import Part

_TONES = {"error": "bad", "warning": "warn", "note": "note"}
_PLACES = 5


def findings_of(report: Report) -> list[dict[str, str]]:
    """What the check before the run found, as plain values."""
    return [
        {
            "level": one.level.value,
            "name": one.name,
            "code": one.code,
            "where": one.where,
            "message": one.message,
            "help": one.help,
        }
        for one in report.findings
    ]


def findings(record: Mapping[str, Any]) -> Section:
    """The findings of the check as cards, and whether the run was forced."""
    found = [one for one in record.get("findings") or () if isinstance(one, dict)]
    parts: list[Part] = []
    forced = record.get("forced") or ()
    if forced:
        parts.append(Words(f"The run was forced past {len(forced)} error{'s' * (len(forced) > 1)} (--force)."))
    for (level, name, code), same in groupby(found, key=lambda one: (one["level"], one["name"], one["code"])):
        rows = list(same)
        entries = tuple(Entry(one["where"], one["message"]) for one in rows)
        parts.append(
            Card(
                tone=_TONES.get(level, "note"),
                mark=level,
                name=name,
                code=code,
                entries=entries[:_PLACES],
                more=entries[_PLACES:],
                lines=(("Fix:", rows[0]["help"]),) if rows[0].get("help") else (),
            )
        )
    if not found:
        parts.append(Words("Nothing was found." if "findings" in record else "Not kept."))
    told = f"{len(found)}, forced" if forced else str(len(found))
    return Section("Check before the run", "check", tuple(parts), told=told)


def recipe(said: Mapping[str, Any]) -> Section:
    """The recipe as a table, table by table."""
    rows: list[Any] = []
    plain = {key: value for key, value in said.items() if not isinstance(value, dict)}
    for title, keys in (("", plain), *((key, value) for key, value in said.items() if isinstance(value, dict))):
        shown = [(key, _words(value)) for key, value in keys.items() if value not in (None, {}, [])]
        if shown and title:
            rows.append((title,))
        rows += shown
    columns = (Column("", numbers=False), Column("as run", numbers=False))
    words = Words("`recipe.json` is a setup file: `pretune train recipe.json` does the same again.", dim=True)
    return Section("Recipe", "recipe", (table("", columns, rows), words))


def environment(record: Mapping[str, Any]) -> Section:
    """What it ran on."""
    rows = list(_environment(record))
    columns = (Column("", numbers=False), Column("as run", numbers=False))
    return Section("Environment", "environment", (table("", columns, rows),) if rows else (Words("Not kept."),))


def _environment(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        if key in ("findings", "forced"):
            continue
        if key == "command":
            yield key, " ".join(map(str, value))
        elif key == "packages" and isinstance(value, dict):
            yield key, ", ".join(f"{name} {version}" for name, version in value.items() if version)
        else:
            yield key, _words(value)


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_words(one)}" for key, one in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
