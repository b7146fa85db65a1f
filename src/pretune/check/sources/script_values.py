"""Values of a script as a Setup holds them: plain Python values, what is not known left out. Knows no Setup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pretune.script.values import Constant, External, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.script.values import Value

UNKNOWN: Any = object()
"""Stands for what only a run would know."""
_CHOICES = {"TaskType", "IntervalStrategy", "SaveStrategy", "EvaluationStrategy", "SchedulerType"}
"""Enumerations of transformers and peft whose members are their own names."""
_DTYPES = {"float16", "bfloat16", "float32", "float64", "half", "float"}


def plain(value: Value | None) -> Any:
    """A value as Python has it, UNKNOWN where a part of it is not known; a torch dtype and a choice are names."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Sequence) and not value.open:
        items = [plain(item) for item in value.items]
        return UNKNOWN if any(item is UNKNOWN for item in items) else items
    if isinstance(value, Table) and not value.open:
        pairs = [(plain(key), plain(item)) for key, item in value.items]
        if any(key is UNKNOWN or item is UNKNOWN or isinstance(key, list | dict) for key, item in pairs):
            return UNKNOWN
        return dict(pairs)
    if isinstance(value, External):
        package, _, name = value.name.rpartition(".")
        if package == "torch" and name in _DTYPES:
            return name
        kind = package.rpartition(".")[2]
        return (name if kind == "TaskType" else name.lower()) if kind in _CHOICES else UNKNOWN
    return UNKNOWN


def known(keywords: Mapping[str, Value], *without: str) -> dict[str, Any]:
    """The keyword arguments whose values are known.

    Args:
        keywords: of a call.
        without: names to leave out.
    """
    found = {name: plain(value) for name, value in keywords.items() if name not in without}
    return {name: value for name, value in found.items() if value is not UNKNOWN}


def words(value: Value | None) -> tuple[str, ...] | None:
    """The words given to add_tokens: a word, or several, also as AddedToken; None: not all are known."""
    if isinstance(value, Sequence):
        found = [words(item) for item in value.items]
        if value.open or any(one is None for one in found):
            return None
        return tuple(word for one in found for word in one or ())
    text = token(value)
    return None if text is None else (text,)


def token(value: Value | None) -> str | None:
    """A token's text: a str, or the content of an `AddedToken("<e>", ...)`."""
    if isinstance(value, Constant):
        return value.value if isinstance(value.value, str) else None
    call = getattr(value, "call", None)
    if call is not None and call.method == "AddedToken":
        content = call.constant(0, "content")
        return content if isinstance(content, str) else None
    return None
