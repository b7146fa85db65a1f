"""Assignment: to names, attributes, items and patterns of them; what a container becomes when changed in place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.script.choices import alternatives, join, part
from pretune.script.evaluate_attributes import set_attribute
from pretune.script.folding import with_item
from pretune.script.trace import Assigned, SetItem
from pretune.script.values import Class, Constant, Instance, Module, Sequence, Table, Unknown

if TYPE_CHECKING:
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value


def written(node: ast.expr) -> str:
    """A target as written: `self.model`; a pattern's parts with commas between."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{written(node.value)}.{node.attr}"
    if isinstance(node, ast.Tuple | ast.List):
        return ", ".join(written(one) for one in node.elts)
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "?"


def names_in(node: ast.expr) -> tuple[str, ...]:
    """The names that a target binds."""
    return tuple(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))


def assign(walk: Walk, target: ast.expr, value: Value, *, silent: bool = False) -> None:
    """`target = value`.

    Args:
        walk: the walk.
        target: what is assigned to.
        value: what it becomes.
        silent: whether no event tells of a plain name (the variable of a loop).
    """
    if isinstance(target, ast.Name):
        walk.put(target.id, value)
        if not silent:
            walk.emit(Assigned, walk.place(target), name=target.id, value=value)
    elif isinstance(target, ast.Attribute):
        set_attribute(
            walk, walk.value(target.value), target.attr, value, place=walk.place(target), shown=written(target)
        )
    elif isinstance(target, ast.Subscript):
        set_item(walk, target, value)
    elif isinstance(target, ast.Starred):
        assign(walk, target.value, value, silent=silent)
    elif isinstance(target, ast.Tuple | ast.List):
        for one, piece in zip(target.elts, unpacked(value, target.elts), strict=True):
            assign(walk, one, piece, silent=silent)


def unpacked(value: Value, targets: list[ast.expr]) -> list[Value]:
    """What the targets of `a, b, *c = value` get."""
    if len(alternatives(value)) > 1:
        options = [unpacked(one, targets) for one in alternatives(value)]
        return [join(option[place] for option in options) for place in range(len(targets))]
    star = next((place for place, one in enumerate(targets) if isinstance(one, ast.Starred)), None)
    items: tuple[Value, ...] | None = None
    if isinstance(value, Sequence) and not value.open and value.kind != "set":
        items = value.items
    elif isinstance(value, Table) and not value.open:
        items = tuple(key for key, _ in value.items)
    if items is not None:
        if star is None and len(items) == len(targets):
            return list(items)
        after = 0 if star is None else len(targets) - star - 1
        if star is not None and len(items) >= len(targets) - 1:
            middle = Sequence(items[star : len(items) - after])
            return [*items[:star], middle, *items[len(items) - after :]]
    if star is None:
        return [part(value, index=Constant(place)) for place in range(len(targets))]
    before: list[Value] = [part(value, index=Constant(place)) for place in range(star)]
    after_star: list[Value] = [
        part(value, index=Constant(place - len(targets))) for place in range(star + 1, len(targets))
    ]
    return [*before, Sequence(open=True), *after_star]


def set_item(walk: Walk, target: ast.Subscript, value: Value | None) -> None:
    """`x[i] = value`, `del x[i]` (None)."""
    of = walk.value(target.value)
    index = walk.value(target.slice)
    walk.emit(SetItem, walk.place(target), of=of, index=index, value=value)
    if any(isinstance(one, Sequence | Table) for one in alternatives(of)):
        replace(walk, target.value, of, join(with_index(one, index, value) for one in alternatives(of)))
    elif value is not None and storable(of):
        walk.journal.put(walk.attributes, (of, index), value)
    else:
        walk.journal.drop(walk.attributes, (of, index))


def storable(of: Value) -> bool:
    """Whether what is set on a value can be found again by it: two unknown things without a name may be two."""
    if isinstance(of, Unknown):
        return bool(of.name)
    return not isinstance(of, Constant | Sequence | Table)


def with_index(of: Value, index: Value, value: Value | None) -> Value:
    """A container after `of[index] = value`."""
    if isinstance(of, Table):
        if value is None:
            return without(of, index)
        if not isinstance(index, Constant):
            return Table(with_item(of.items, index, value), open=True)
        return Table(with_item(of.items, index, value), of.open)
    if isinstance(of, Sequence):
        number = index.value if isinstance(index, Constant) else None
        if isinstance(number, int) and not of.open and -len(of.items) <= number < len(of.items):
            items = list(of.items)
            if value is None:
                del items[number]
            else:
                items[number] = value
            return Sequence(tuple(items), of.kind)
        return Sequence((), of.kind, open=True)
    return of


def without(of: Table, key: Value) -> Table:
    """A dict without a key."""
    if not isinstance(key, Constant):
        return Table((), open=True)
    kept = tuple(pair for pair in of.items if not (isinstance(pair[0], Constant) and pair[0].value == key.value))
    return Table(kept, of.open)


def replace(walk: Walk, node: ast.expr, old: Value, new: Value) -> None:
    """A container, held in what `node` names and wherever else, was changed in place."""
    if new is old:
        return
    if isinstance(node, ast.Attribute):
        holder = quietly(walk, node.value)
        if isinstance(holder, Instance):
            walk.journal.put(walk.fields[id(holder)], node.attr, new)
        elif isinstance(holder, Class):
            walk.journal.put(holder.scope.namespace, node.attr, new)
        elif isinstance(holder, Module):
            walk.journal.put(holder.variables, node.attr, new)
        elif storable(holder):
            walk.journal.put(walk.attributes, (holder, node.attr), new)
    if isinstance(node, ast.Subscript):
        outer = quietly(walk, node.value)
        index = quietly(walk, node.slice)
        if isinstance(outer, Sequence | Table):
            replace(walk, node.value, outer, with_index(outer, index, new))
            return
        walk.journal.put(walk.attributes, (outer, index), new)
    walk.rebind(old, new)


def quietly(walk: Walk, node: ast.expr) -> Value:
    """What an expression comes to, asked again: without events."""
    walk.quiet += 1
    try:
        return walk.value(node)
    finally:
        walk.quiet -= 1


def erase(walk: Walk, target: ast.expr, place: Place) -> None:
    """`del target`."""
    if isinstance(target, ast.Name):
        frame = walk.frame
        walk.journal.drop(frame.elsewhere.get(target.id, frame.variables), target.id)
    elif isinstance(target, ast.Subscript):
        set_item(walk, target, None)
    elif isinstance(target, ast.Attribute):
        of = walk.value(target.value)
        walk.journal.drop(walk.attributes, (of, target.attr))
        walk.journal.drop(walk.fields.get(id(of), {}), target.attr)
    elif isinstance(target, ast.Tuple | ast.List):
        for one in target.elts:
            erase(walk, one, place)
