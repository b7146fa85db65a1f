"""Several values in one place: joined where branches meet, taken apart where one is used; what a test comes to.

Pure; knows no scripts and no libraries, but that a class's name begins with a capital.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Made,
    Module,
    OneOf,
    Operation,
    Part,
    Sequence,
    Slice,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pretune.script.values import Value

MOST = 6
"""Values that OneOf holds; beyond, nobody follows by eye either."""
HEAVIEST = 64
"""Nodes of a value that is still written out (Operation, Part)."""
MANY = Unknown("one of many values")
LONG = Unknown("a long computation")


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same; `1`, `1.0` and `True` are three."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Constant):
        assert isinstance(other, Constant)
        return type(one.value) is type(other.value) and one.value == other.value
    if isinstance(one, Sequence):
        assert isinstance(other, Sequence)
        return (
            one.kind == other.kind
            and one.open == other.open
            and len(one.items) == len(other.items)
            and all(map(same, one.items, other.items))
        )
    if isinstance(one, Table):
        assert isinstance(other, Table)
        return (
            one.open == other.open
            and len(one.items) == len(other.items)
            and all(same(a, c) and same(b, d) for (a, b), (c, d) in zip(one.items, other.items, strict=True))
        )
    return one == other


def alternatives(value: Value) -> tuple[Value, ...]:
    """The values it may be: of OneOf and of `a if test else b` each, else itself."""
    if isinstance(value, OneOf):
        return value.values
    if isinstance(value, Operation) and value.operator == "if":
        return (*alternatives(value.operands[1]), *alternatives(value.operands[2]))
    return (value,)


def usable(value: Value) -> tuple[Value, ...]:
    """The alternatives that can have attributes or be called; None is none of them where there are others."""
    found = alternatives(value)
    if len(found) == 1:
        return found
    return tuple(one for one in found if not (isinstance(one, Constant) and one.value is None)) or found


def join(values: Iterable[Value]) -> Value:
    """One of these: itself where all are the same, Unknown where they are too many."""
    found: list[Value] = []
    for value in values:
        if value is MANY:
            return MANY
        for one in value.values if isinstance(value, OneOf) else (value,):
            if not any(same(one, other) for other in found):
                found.append(one)
    if len(found) == 1:
        return found[0]
    if len(found) > 1 and all(isinstance(one, Sequence) for one in found):
        found = _widest(found)
    if len(found) == 1:
        return found[0]
    return OneOf(tuple(found)) if 0 < len(found) <= MOST else MANY


def _widest(sequences: list[Value]) -> list[Value]:
    """Leaves out closed or shorter sequences that an open one holds all the same: a list before and after a loop."""
    kept = []
    for one in sequences:
        assert isinstance(one, Sequence)
        held = any(
            other is not one
            and isinstance(other, Sequence)
            and other.open
            and other.kind == one.kind
            and len(one.items) <= len(other.items)
            and all(map(same, one.items, other.items))
            and not (one.open and len(one.items) == len(other.items))
            for other in sequences
        )
        if not held:
            kept.append(one)
    return list(kept)


def weight(value: Value) -> int:
    """How many nodes a value is written with; what has an identity counts one. Stops counting when it is heavy."""
    count = 0
    waiting: list[Value] = [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if count > HEAVIEST:
            return count
        if isinstance(one, Operation):
            waiting.extend(one.operands)
        elif isinstance(one, Part):
            waiting.append(one.of)
            if one.index is not None:
                waiting.append(one.index)
        elif isinstance(one, OneOf):
            waiting.extend(one.values)
        elif isinstance(one, Slice):
            waiting.extend(part for part in (one.start, one.stop, one.step) if part is not None)
        elif isinstance(one, Sequence):
            waiting.extend(one.items[:HEAVIEST])
        elif isinstance(one, Table):
            waiting.extend(part for pair in one.items[:HEAVIEST] for part in pair)
    return count


def operation(operator: str, *operands: Value) -> Value:
    """An operation that is written out; Unknown where it would grow beyond reading."""
    made = Operation(operator, operands)
    return made if weight(made) <= HEAVIEST else LONG


def part(of: Value, *, name: str | None = None, index: Value | None = None) -> Value:
    """An attribute or an item that is not followed further."""
    made = Part(of, name, index)
    return made if weight(made) <= HEAVIEST else LONG


def truth(value: Value, *, settled: bool = True) -> bool | None:
    """Whether a value is true; None: only a run would know.

    Args:
        value: the value.
        settled: whether a value that a run may override is not decided by.
    """
    if isinstance(value, Constant):
        return None if settled and value.overridden_by else bool(value.value)
    if isinstance(value, Sequence | Table):
        return True if value.items else None if value.open else False
    if isinstance(value, Function | Class | Module):
        return True
    if isinstance(value, Instance):
        return None if any(isinstance(base, External) for base in value.of.bases) else True
    if isinstance(value, OneOf):
        answers = {truth(one, settled=settled) for one in value.values}
        return answers.pop() if len(answers) == 1 else None
    return None


def is_none(value: Value) -> bool | None:
    """Whether a value is None; None: only a run would know."""
    if isinstance(value, Constant):
        return value.value is None
    if isinstance(value, Function | Class | Instance | Sequence | Table | Module):
        return False
    if isinstance(value, Made):
        name = value.call.function_name.rpartition(".")[2]
        return False if name[:1].isupper() or name in ("from_pretrained", "from_config") else None
    if isinstance(value, Operation):
        return False if value.operator in ("f", "format", "not", "+", "-", "*", "/", "//", "%", "**") else None
    if isinstance(value, OneOf):
        answers = {is_none(one) for one in value.values}
        return answers.pop() if len(answers) == 1 else None
    return None
