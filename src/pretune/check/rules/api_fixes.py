"""Fixes of what a version of a library no longer has: an argument renamed, or one left out that has no successor.

Only what the library itself calls a mere change of name (`replaced.json`: "the name is now ..."), and only where the
version that the script is to run under has the new name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.finding import Fix, RenameArgument, SetArgument
from pretune.script.history import history
from pretune.script.history_owner import callables
from pretune.script.trace import Call

if TYPE_CHECKING:
    from pretune.script.history_uses import Use

RENAMED, LEFT_OUT = "the name is now ", "leave it out"


def mended(use: Use, target: str) -> Fix | None:
    """The fix of an argument under a version; None where it takes more than a name."""
    call = use.event
    if use.kind != "argument" or not isinstance(call, Call):
        return None
    if use.life.note.startswith(LEFT_OUT) and use.life.status_at(target) == "gone":
        return Fix(f"leave out {use.name}", (SetArgument(call.place, use.name, None),))
    new = use.life.replacement
    if not new or use.life.note != f"{RENAMED}{new}" or new in call.keywords or not _takes(call, new, target):
        return None
    return Fix(f"rename {use.name} to {new}", (RenameArgument(call.place, use.name, new),))


def _takes(call: Call, name: str, target: str) -> bool:
    """Whether what is called has the argument in that version."""
    package, tables = callables(call)
    lives = [history(package).argument(table, name) for table in tables] if package else []
    return any(life is not None and life.status_at(target) == "there" for life in lives)
