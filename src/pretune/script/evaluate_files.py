"""Small settings files that a script reads: json.load(open("config.json")), yaml.safe_load(fh).

Knows JSON, YAML and TOML that are opened by a name the script says and lie beside it or in its project; what is larger
is data and left unknown. Makes no objects: YAML's tags are not followed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pretune.script.choices import alternatives
from pretune.script.values import Constant, Made, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

LARGEST = 1 << 16
"""Bytes of a file that is still taken for settings."""
_LONGEST = 200
"""Items of a list or table that is still taken for settings: a longer one is data."""
_WRITING = set("wax+")


def _reader(parse: Callable[[str], Any]) -> Callable[[Walk, list[Value], dict[str, Value], Place], Value | None]:
    """What loading a file gives; None: the file is not known, not here, or no settings."""

    def handler(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
        del place
        of = positional[0] if positional else keywords.get("fp", keywords.get("stream"))
        path = _opened(of) if of is not None else None
        text = _text(walk, path) if path is not None else None
        if text is None:
            return None
        try:
            found = parse(text)
        except (ValueError, RecursionError):
            return None
        return _value(found)

    return handler


def _opened(of: Value) -> str | None:
    """The path that a file object was opened by for reading; None: not known."""
    several = alternatives(of)
    one = several[0] if len(several) == 1 else None
    if not isinstance(one, Made) or one.call.function_name not in ("builtins.open", "io.open", "codecs.open"):
        return None
    path, mode = one.call.argument(0, "file"), one.call.argument(1, "mode")
    if mode is not None and not (isinstance(mode, Constant) and not _WRITING & set(str(mode.value))):
        return None
    return path.value if isinstance(path, Constant) and isinstance(path.value, str) else None


def _text(walk: Walk, path: str) -> str | None:
    """The text of a file beside the script, in a folder of its project, or here; None: not there, or large."""
    for folder in (*walk.project.folders, Path()):
        file = os.path.join(folder, path)  # noqa: PTH118 - what the script says may be no path at all
        try:
            if os.path.isfile(file) and os.stat(file).st_size <= LARGEST:  # noqa: PTH113, PTH116
                return Path(file).read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            return None
    return None


def _value(found: Any, depth: int = 8) -> Value | None:
    """A parsed value as the walk has them; None: it is none that settings have."""
    if found is None or isinstance(found, str | int | float | bool):
        return Constant(found)
    if depth == 0 or not isinstance(found, list | dict) or len(found) > _LONGEST:
        return None
    items = [_value(one, depth - 1) for one in (found.values() if isinstance(found, dict) else found)]
    if any(one is None for one in items):
        return None
    if isinstance(found, list):
        return Sequence(tuple(one for one in items if one is not None))
    if not all(isinstance(key, str | int | bool) for key in found):
        return None
    return Table(tuple((Constant(key), one) for key, one in zip(found, items, strict=True) if one is not None))


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)


FILES = {
    "json.load": _reader(json.loads),
    "yaml.safe_load": _reader(_yaml),
    "yaml.load": _reader(_yaml),
    "yaml.full_load": _reader(_yaml),
    "tomllib.load": _reader(_toml),
    "toml.load": _reader(_toml),
}
