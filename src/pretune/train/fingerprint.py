"""Whether two recipes mean the same numbers, and what they say differently. Knows nothing of what the keys mean."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FREE = frozenset({"logging_steps", "save_strategy", "save_steps", "save_total_limit"})
"""Options that change nothing in the numbers of a run, so that a checkpoint may go on with others."""

_LONGEST = 60
"""Characters of a value that a message shows."""


def plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as JSON gives it back: tuples become lists, paths and other objects their text."""
    return dict(json.loads(json.dumps(dict(recipe), default=str)))


def fingerprint(recipe: Mapping[str, Any]) -> str:
    """The sha256 of a recipe, whatever the order of its keys; what does not change the numbers is left out."""
    kept = {key: value for key, value in plain(recipe).items() if key not in FREE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What two recipes say differently, `learning_rate 5e-05 there, 3e-05 here`; nothing where none was saved."""
    if not saved or fingerprint(saved) == fingerprint(wanted):
        return []
    old, new = plain(saved), plain(wanted)
    keys = [key for key in {**old, **new} if key not in FREE and old.get(key, ...) != new.get(key, ...)]
    return [f"{key} {_say(old, key)} there, {_say(new, key)} here" for key in keys]


def _say(recipe: Mapping[str, Any], key: str) -> str:
    if key not in recipe:
        return "not set"
    text = json.dumps(recipe[key], ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
