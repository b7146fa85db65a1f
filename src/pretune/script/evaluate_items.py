"""What iterating over a value gives, where that is known. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.folding import constant
from pretune.script.values import Constant, Made, Sequence, Table

if TYPE_CHECKING:
    from pretune.script.trace import Call
    from pretune.script.values import Value

LONGEST_LITERAL = 4096
"""Items of a list or dict that are kept."""
LONGEST_RANGE = 256
"""Numbers of a range that are written out."""


def items_of(value: Value) -> Sequence | None:
    """What iterating over a value gives, where that is known: a list's items, a dict's keys, a text's characters."""
    if isinstance(value, Sequence):
        return value
    if isinstance(value, Table):
        return Sequence(tuple(key for key, _ in value.items), "list", value.open)
    if isinstance(value, Constant) and isinstance(value.value, str) and len(value.value) <= LONGEST_LITERAL:
        return Sequence(tuple(constant(one, value) for one in value.value))
    if isinstance(value, Made) and value.call.function_name == "builtins.range":
        return _numbers(value.call)
    return None


def _numbers(call: Call) -> Sequence | None:
    """The numbers of a short range."""
    ends = [one.value for one in call.arguments if isinstance(one, Constant) and type(one.value) is int]
    if not ends or len(ends) != len(call.arguments) or len(ends) > 3 or ends[2:] == [0]:
        return None
    numbers = range(*ends)
    return Sequence(tuple(map(Constant, numbers))) if len(numbers) <= LONGEST_RANGE else None
