"""Builtins that ask an object: getattr, setattr, hasattr, isinstance, vars, type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.evaluate_attributes import attribute, set_attribute
from pretune.script.evaluate_classes import outside
from pretune.script.folding import constant
from pretune.script.values import Class, Constant, External, Instance, Part, Sequence, Table

if TYPE_CHECKING:
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

_TYPES = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "list": list,
    "dict": dict,
    "tuple": tuple,
}


def getattr_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`getattr(x, name, default)`."""
    del keywords, place
    name = positional[1].value if len(positional) > 1 and isinstance(positional[1], Constant) else None
    if not isinstance(name, str):
        return None
    of = positional[0]
    found = attribute(walk, of, name)
    if len(positional) > 2 and isinstance(found, Part) and found.of is of:
        if isinstance(of, Instance) and outside(of.of) is None:
            return positional[2]
        return None
    return found


def setattr_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`setattr(x, name, value)`."""
    del keywords
    name = positional[1].value if len(positional) == 3 and isinstance(positional[1], Constant) else None
    if isinstance(name, str):
        set_attribute(walk, positional[0], name, positional[2], place=place, shown=name)
    return Constant(None)


def hasattr_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`hasattr(x, name)`: only yes can be told."""
    del keywords, place
    name = positional[1].value if len(positional) == 2 and isinstance(positional[1], Constant) else None
    of = positional[0] if positional else None
    if isinstance(of, Instance) and isinstance(name, str):
        found = attribute(walk, of, name)
        if not (isinstance(found, Part) and found.of is of):
            return Constant(True)
    return None


def isinstance_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`isinstance(x, kinds)`."""
    del walk, keywords, place
    if len(positional) != 2:
        return None
    of, kinds = positional
    options = kinds.items if isinstance(kinds, Sequence) else (kinds,)
    if isinstance(of, Constant | Sequence | Table):
        names = [one.name.removeprefix("builtins.") for one in options if isinstance(one, External)]
        if len(names) != len(options) or not all(name in _TYPES for name in names):
            return None
        own = (
            type(of.value) if isinstance(of, Constant) else dict if isinstance(of, Table) else _TYPES.get(of.kind, set)
        )
        return constant(any(issubclass(own, _TYPES[name]) for name in names), of)
    if isinstance(of, Instance) and all(isinstance(one, Class) for one in options) and outside(of.of) is None:
        return Constant(any(of.of is one or (isinstance(one, Class) and of.of.derives(one.name)) for one in options))
    return None


def vars_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`vars(x)`, `dataclasses.asdict(x)`."""
    del keywords, place
    of = positional[0] if positional else None
    if isinstance(of, Instance):
        return Table(tuple((Constant(key), value) for key, value in walk.fields[id(of)].items()))
    return namespace_items(walk, of) if of is not None else None


def namespace_items(walk: Walk, of: Value) -> Table | None:
    """The attributes that are known of a namespace, as a dict; None: it is no namespace."""
    names = walk.attributes.get((of, "\0names")) if not isinstance(of, Sequence | Table) else None
    if names is None:
        return None
    return Table(tuple((Constant(name), walk.attributes.get((of, name), Constant(None))) for name in names), open=True)


def type_(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`type(x)` of an object of the project."""
    del walk, keywords, place
    return positional[0].of if len(positional) == 1 and isinstance(positional[0], Instance) else None
