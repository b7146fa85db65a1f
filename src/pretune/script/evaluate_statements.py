"""Statements without branches: assignments, definitions, imports, returns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pretune.script.choices import alternatives, join, truth
from pretune.script.evaluate_attributes import attribute, item, set_attribute
from pretune.script.evaluate_calls import call_value
from pretune.script.evaluate_classes import define_class, define_method
from pretune.script.evaluate_expressions import look_up, operator_name
from pretune.script.evaluate_functions import variant
from pretune.script.evaluate_imports import import_from, import_module
from pretune.script.evaluate_targets import assign, erase, replace, with_index, written
from pretune.script.folding import binary
from pretune.script.state import Flow
from pretune.script.trace import Assigned, Returned, SetItem
from pretune.script.values import Constant, External, Function, Made, Sequence, Table, Unknown

if TYPE_CHECKING:
    from pretune.script.state import Walk
    from pretune.script.values import Value

_PLAIN_DECORATORS = {
    "wraps", "lru_cache", "cache", "contextmanager", "asynccontextmanager", "abstractmethod", "cached_property",
    "overload", "override", "final", "singledispatch", "total_ordering",
}  # fmt: skip


def expression(walk: Walk, node: ast.Expr) -> Flow | None:
    """An expression for what it does."""
    walk.value(node.value)
    return None


def assignment(walk: Walk, node: ast.Assign) -> Flow | None:
    """`x = y = value`."""
    if isinstance(node.value, ast.Call | ast.Await):
        walk.targets[node.value] = tuple(written(target) for target in node.targets)
    value = walk.value(node.value)
    for target in node.targets:
        assign(walk, target, value)
    return None


def annotated(walk: Walk, node: ast.AnnAssign) -> Flow | None:
    """`x: T = value`."""
    if node.value is None:
        return None
    if isinstance(node.value, ast.Call | ast.Await):
        walk.targets[node.value] = (written(node.target),)
    assign(walk, node.target, walk.value(node.value))
    return None


def augmented(walk: Walk, node: ast.AugAssign) -> Flow | None:
    """`x += value`."""
    target = node.target
    name = operator_name(node.op)
    place = walk.place(target)
    if isinstance(target, ast.Name):
        old = look_up(walk, target.id) or Unknown("a name that is not defined here", name=target.id)
        value = _grown(name, old, walk.value(node.value))
        if isinstance(old, Sequence | Table):
            walk.rebind(old, value)
        walk.put(target.id, value)
        walk.emit(Assigned, place, name=target.id, value=value)
    elif isinstance(target, ast.Attribute):
        of = walk.value(target.value)
        old = attribute(walk, of, target.attr)
        value = _grown(name, old, walk.value(node.value))
        if isinstance(old, Sequence | Table):
            walk.rebind(old, value)
        set_attribute(walk, of, target.attr, value, place=place, shown=written(target))
    elif isinstance(target, ast.Subscript):
        of = walk.value(target.value)
        index = walk.value(target.slice)
        value = _grown(name, item(walk, of, index), walk.value(node.value))
        walk.emit(SetItem, place, of=of, index=index, value=value)
        if any(isinstance(one, Sequence | Table) for one in alternatives(of)):
            replace(walk, target.value, of, join(with_index(one, index, value) for one in alternatives(of)))
        else:
            walk.journal.drop(walk.attributes, (of, index))
    return None


def _grown(name: str, old: Value, more: Value) -> Value:
    """`old name= more`; a list takes any items."""
    if isinstance(old, Sequence) and name == "+":
        if isinstance(more, Sequence):
            return Sequence(old.items + more.items, old.kind, old.open or more.open)
        return Sequence(old.items, old.kind, open=True)
    if isinstance(old, Table) and name == "|" and not isinstance(more, Table):
        return Table(old.items, open=True)
    return binary(name, old, more)


def function_definition(walk: Walk, node: Any) -> Flow | None:
    """`def` and `async def`, with their decorators."""
    decorators = [walk.value(one) for one in node.decorator_list]
    function = define_method(walk, node)
    kind = ""
    kept: list[Value] = []
    value: Value = function
    for decorator_node, decorator in reversed(list(zip(node.decorator_list, decorators, strict=True))):
        name = _decorator_name(decorator_node, decorator)
        if name in ("staticmethod", "classmethod"):
            kind = name.removesuffix("method")
        elif name in ("property", "cached_property"):
            kind = "property"
        elif name in ("setter", "deleter", "getter", "overload"):
            return None  # the property itself stays
        elif isinstance(decorator, Function) and isinstance(value, Function):
            wrapped = call_value(
                walk, decorator, [variant(value, decorators=tuple(kept))], {}, walk.place(decorator_node)
            )
            if isinstance(wrapped, Function):
                value, kept = wrapped, []
                function = wrapped
        elif name not in _PLAIN_DECORATORS:
            kept.insert(0, decorator)
    if kind or kept:
        value = variant(function, kind=kind, decorators=tuple(kept))
        walk.functions[value.name] = value
    walk.put(node.name, value)
    return None


def _decorator_name(node: ast.expr, value: Value) -> str:
    if isinstance(value, External):
        return value.name.rpartition(".")[2]
    if isinstance(value, Made):
        return value.call.method
    return node.attr if isinstance(node, ast.Attribute) else ""


def class_definition(walk: Walk, node: ast.ClassDef) -> Flow | None:
    """`class`."""
    walk.put(node.name, define_class(walk, node))
    return None


def returned(walk: Walk, node: ast.Return) -> Flow | None:
    """`return value`."""
    if isinstance(node.value, ast.Call | ast.Await):
        walk.targets.pop(node.value, None)
    value = Constant(None) if node.value is None else walk.value(node.value)
    walk.emit(Returned, walk.place(node), value=value)
    frame = walk.frame
    frame.returned.append(value)
    if walk.forks > frame.forks:
        frame.exits.append(walk.journal.changes(frame.mark))
    else:
        frame.straight = True
    return Flow("return")


def raised(walk: Walk, node: ast.Raise) -> Flow | None:
    """`raise`."""
    for one in (node.exc, node.cause):
        if one is not None:
            walk.value(one)
    return Flow("raise")


def left_loop(walk: Walk, node: ast.stmt) -> Flow | None:
    """`break`, `continue`."""
    del node
    if walk.frame.loops:
        mark, exits = walk.frame.loops[-1]
        exits.append(walk.journal.changes(mark))
    return Flow("loop")


def asserted(walk: Walk, node: ast.Assert) -> Flow | None:
    """`assert test`."""
    value = walk.value(node.test)
    truth(value)
    return None


def deleted(walk: Walk, node: ast.Delete) -> Flow | None:
    """`del x`."""
    for target in node.targets:
        erase(walk, target, walk.place(target))
    return None


def declared_global(walk: Walk, node: ast.Global) -> Flow | None:
    """`global x`."""
    for name in node.names:
        walk.frame.elsewhere[name] = walk.frame.module
    return None


def declared_nonlocal(walk: Walk, node: ast.Nonlocal) -> Flow | None:
    """`nonlocal x`."""
    for name in node.names:
        for scope in walk.frame.scopes[1:]:
            if name in scope:
                walk.frame.elsewhere[name] = scope
                break
    return None


def imported(walk: Walk, node: ast.Import) -> Flow | None:
    """`import x`."""
    for alias in node.names:
        import_module(walk, alias, walk.place(node))
    return None


def imported_from(walk: Walk, node: ast.ImportFrom) -> Flow | None:
    """`from x import y`."""
    import_from(walk, node, walk.place(node))
    return None


def nothing(walk: Walk, node: ast.stmt) -> Flow | None:
    """`pass` and what only types need."""
    del walk, node
    return None
