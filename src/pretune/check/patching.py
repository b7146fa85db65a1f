"""Changes JSON files in memory as patches ask: each patch made once, in the manner of the file. Writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pretune.check.finding import REMOVE
from pretune.check.json_edit import CannotEditError, pointer_parts, remove_value, set_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pretune.check.finding import Patch


def told(patch: Patch) -> str:
    """`config.json:/pad_token_id set to 0`."""
    value = "removed" if patch.value is REMOVE else f"set to {json.dumps(patch.value, ensure_ascii=False, default=str)}"
    return f"{patch.file}:{patch.pointer} {value}"


def conflict(patches: Sequence[Patch], others: Sequence[Patch]) -> str:
    """Why the patches cannot be made beside the others; empty when they can."""
    for index, mine in enumerate(patches):
        for theirs in (*patches[:index], *others):
            if mine.file != theirs.file:
                continue
            if mine.pointer == theirs.pointer and told(mine) != told(theirs):
                return f"two fixes disagree: {told(mine)}, or {told(theirs)}"
            if f"{mine.pointer}/".startswith(f"{theirs.pointer}/") != f"{theirs.pointer}/".startswith(
                f"{mine.pointer}/"
            ):
                return f"two fixes overlap: {mine.file}:{mine.pointer} and {theirs.pointer}"
    return ""


def patched(text: str, patch: Patch) -> str:
    """The file's text after the patch.

    Raises:
        CannotEditError: it names nothing that can be changed, or the text is not JSON.
    """
    bom, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    try:
        parts = pointer_parts(patch.pointer)
        if patch.value is REMOVE:
            body = remove_value(body, patch.pointer)
        elif not _holds(body, parts, patch.value):
            body = set_value(body, patch.pointer, patch.value)
    except CannotEditError as error:
        raise CannotEditError(f"{patch.file}: {error}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise CannotEditError(f"{patch.file} cannot be patched: {error}") from None
    return bom + body


def _holds(text: str, parts: Sequence[str], value: object) -> bool:
    """Whether the value at the pointer is that value already; 1, 1.0 and true are three values."""
    here = json.loads(text)
    for part in parts:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return False
    return json.dumps(here, sort_keys=True) == json.dumps(value, sort_keys=True)
