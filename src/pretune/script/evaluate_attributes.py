"""Attributes and items of values: read where they can be followed, written where a script sets them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pretune.script.choices import alternatives, join, part, usable
from pretune.script.folding import constant
from pretune.script.trace import Assigned, SetAttribute
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
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

_GENERIC = {"list", "dict", "tuple", "set", "type", "frozenset"}
_OPAQUE = (Made, Unknown, Part, Operation, Slice)


def attribute(walk: Walk, of: Value, name: str) -> Value:
    """`of.name`."""
    found = walk.attributes.get((of, name)) if isinstance(of, (*_OPAQUE, External, OneOf, Function)) else None
    if found is not None:
        return found  # type: ignore[no-any-return]  # only values are put there
    if isinstance(of, External):
        return External(f"{of.name}.{name}")
    if isinstance(of, Instance):
        return _of_instance(walk, of, name)
    if isinstance(of, Class):
        return _of_class(walk, of, name)
    if isinstance(of, Module):
        return _of_module(walk, of, name)
    if isinstance(of, Constant):
        return _of_constant(of, name)
    if isinstance(of, Function) and name in ("__name__", "__qualname__"):
        return Constant(of.name.rpartition(".")[2] if name == "__name__" else of.name)
    options = usable(of)
    if len(options) == 1 and options[0] is not of:
        return attribute(walk, options[0], name)
    if len(options) > 1 and not all(isinstance(one, _OPAQUE) and (one, name) not in walk.attributes for one in options):
        return join(attribute(walk, one, name) for one in options)
    return part(of, name=name)


def _of_instance(walk: Walk, of: Instance, name: str) -> Value:
    from pretune.script.evaluate_classes import find, settled_field
    from pretune.script.evaluate_functions import bind, closure, invoke

    found = walk.fields[id(of)].get(name)
    if found is not None:
        return found
    if name == "__class__":
        return of.of
    if name == "__dict__":
        return Table(tuple((Constant(key), value) for key, value in walk.fields[id(of)].items()))
    value = find(of.of, name)
    if value is None:
        return part(of, name=name)
    if isinstance(value, Function):
        kind = closure(value).kind
        if kind == "static":
            return value
        if kind == "class":
            return bind(walk, value, of.of)
        method = bind(walk, value, of)
        return invoke(walk, method) if kind == "property" else method
    return settled_field(walk, value)


def _of_class(walk: Walk, of: Class, name: str) -> Value:
    from pretune.script.evaluate_classes import find, outside, settled_field
    from pretune.script.evaluate_functions import bind, closure

    value = find(of, name)
    if isinstance(value, Function):
        return bind(walk, value, of) if closure(value).kind == "class" else value
    if value is not None:
        return settled_field(walk, value)
    if name in ("__name__", "__qualname__"):
        return Constant(of.name)
    base = outside(of)
    return External(f"{base.name}.{name}") if base is not None else part(of, name=name)


def _of_module(walk: Walk, of: Module, name: str) -> Value:
    from pretune.script.evaluate_imports import submodule

    found = of.variables.get(name)
    if found is not None:
        return found  # type: ignore[no-any-return]  # only values are put there
    inner = submodule(walk, of, name)
    return External(f"{of.name}.{name}") if inner is None else inner


def _of_constant(of: Constant, name: str) -> Value:
    """Of a text those attributes that a path has; `value` of an enumeration's member."""
    text = of.value
    if name == "value":
        return of
    if isinstance(text, str):
        stem, suffix = posixpath.splitext(posixpath.basename(text))
        known = {
            "parent": posixpath.dirname(text) or ".",
            "name": posixpath.basename(text),
            "stem": stem,
            "suffix": suffix,
        }
        if name in known:
            return constant(known[name], of)
    return part(of, name=name)


def set_attribute(walk: Walk, of: Value, name: str, value: Value, *, place: Place, shown: str) -> None:
    """`of.name = value`.

    Args:
        walk: the walk.
        of: what has the attribute.
        name: of the attribute.
        value: what it becomes.
        place: where.
        shown: the target as written, `self.model`.
    """
    from pretune.script.evaluate_targets import storable

    if isinstance(of, Instance):
        walk.journal.put(walk.fields[id(of)], name, value)
        walk.emit(Assigned, place, name=shown, value=value)
        return
    if isinstance(of, Class):
        walk.journal.put(of.scope.namespace, name, value)
        walk.emit(Assigned, place, name=shown, value=value)
        return
    if isinstance(of, Module):
        walk.journal.put(of.variables, name, value)
        walk.emit(Assigned, place, name=shown, value=value)
        return
    walk.emit(SetAttribute, place, of=of, name=name, value=value)
    if storable(of):
        walk.journal.put(walk.attributes, (of, name), value)
    for one in alternatives(of):
        if one is of:
            continue
        if isinstance(one, Instance):
            fields = walk.fields[id(one)]
            walk.journal.put(fields, name, join((fields.get(name, value), value)))
        elif storable(one) and not isinstance(one, Class | Module):
            old = walk.attributes.get((one, name), part(one, name=name))
            walk.journal.put(walk.attributes, (one, name), join((old, value)))


def item(walk: Walk, of: Value, index: Value) -> Value:
    """`of[index]`."""
    if isinstance(of, Table):
        return _of_table(of, index)
    if isinstance(of, Sequence):
        return _of_sequence(of, index)
    if isinstance(of, Constant):
        return _of_text(of, index)
    if isinstance(of, Class):
        return of
    if isinstance(of, External) and _is_generic(of.name):
        return of
    if isinstance(of, Instance):
        return _of_own(walk, of, index)
    options = usable(of)
    if len(options) == 1 and options[0] is not of:
        return item(walk, options[0], index)
    if any(isinstance(one, Table | Sequence | Instance) for one in options):
        return join(item(walk, one, index) for one in options)
    if not isinstance(index, Sequence | Table | Slice):
        found = walk.attributes.get((of, index))
        if found is not None:
            return found  # type: ignore[no-any-return]  # only values are put there
    return part(of, index=index)


def _is_generic(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() or (name.startswith("builtins.") and last in _GENERIC)


def _of_own(walk: Walk, of: Instance, index: Value) -> Value:
    """`instance[index]`, by its `__getitem__` where it has one."""
    from pretune.script.evaluate_classes import find
    from pretune.script.evaluate_functions import bind, invoke

    method = find(of.of, "__getitem__")
    if isinstance(method, Function):
        return invoke(walk, bind(walk, method, of), [index])
    return part(of, index=index)


def _of_table(of: Table, index: Value) -> Value:
    if isinstance(index, Constant):
        found = of.get(index.value)
        return part(of, index=index) if found is None else found
    found_values = [value for _, value in of.items]
    if found_values and not of.open and len(found_values) <= 6:
        return join(found_values)
    return part(of, index=index)


def _of_sequence(of: Sequence, index: Value) -> Value:
    if isinstance(index, Constant) and isinstance(index.value, int):
        number = index.value
        if 0 <= number < len(of.items) or (not of.open and -len(of.items) <= number < 0):
            return of.items[number]
        return part(of, index=index)
    if isinstance(index, Slice) and not of.open:
        cut = _cut(index)
        if cut is not None:
            return Sequence(of.items[cut], of.kind)
    return part(of, index=index)


def _of_text(of: Constant, index: Value) -> Value:
    if isinstance(of.value, str | bytes):
        try:
            if isinstance(index, Constant):
                return constant(of.value[index.value], of)
            cut = _cut(index) if isinstance(index, Slice) else None
            if cut is not None:
                return constant(of.value[cut], of)
        except (TypeError, LookupError, ValueError):
            pass
    return part(of, index=index)


def _cut(index: Slice) -> slice | None:
    """The slice, where its ends are known."""
    ends: list[int | None] = []
    for one in (index.start, index.stop, index.step):
        if one is None:
            ends.append(None)
        elif isinstance(one, Constant) and (one.value is None or (type(one.value) is int)):
            ends.append(one.value)
        else:
            return None
    return None if ends[2] == 0 else slice(*ends)
