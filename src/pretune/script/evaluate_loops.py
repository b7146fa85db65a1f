"""Loops: the body once, what it changes not taken for constant; what it leaves behind joined with what was before."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pretune.script.choices import join, truth
from pretune.script.evaluate_attributes import attribute
from pretune.script.evaluate_comprehensions import one_of
from pretune.script.evaluate_expressions import look_up
from pretune.script.evaluate_items import items_of
from pretune.script.evaluate_targets import assign, names_in
from pretune.script.state import Flow
from pretune.script.trace import Condition, Loop
from pretune.script.values import Constant, Instance, Made, Operation, Part, Sequence, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pretune.script.state import Walk
    from pretune.script.values import Value

_GROWING = {
    "append", "extend", "insert", "add", "update", "setdefault", "pop", "remove", "clear", "popitem", "discard",
    "appendleft",
}  # fmt: skip
CHANGES = "it changes in the loop"


def for_loop(walk: Walk, node: Any) -> Flow | None:
    """`for`, also `async for`."""
    over = walk.value(node.iter)
    known = None if isinstance(over, Made) else items_of(over)  # a range is gone through as what it is
    if known is not None and not known.items and not known.open:
        return walk.run(node.orelse)
    loop = Loop(walk.place(node), over, names_in(node.target))
    surely = known is not None and bool(known.items)
    first = one_of(over, known)

    def body() -> Flow | None:
        assign(walk, node.target, first, silent=True)
        return walk.run(node.body)

    return _loop(walk, node, loop, body, surely=surely)


def while_loop(walk: Walk, node: ast.While) -> Flow | None:
    """`while`."""
    loop = Loop(walk.place(node))
    answer = truth(walk.value(node.test)) if isinstance(node.test, ast.Constant) else None
    if answer is False:
        return walk.run(node.orelse)

    def body() -> Flow | None:
        if answer is None:
            test = walk.value(node.test)
            walk.conditions = (*walk.conditions, Condition(test, taken=True, place=walk.place(node.test)))
        return walk.run(node.body)

    return _loop(walk, node, loop, body, surely=answer is True)


def _loop(walk: Walk, node: Any, loop: Loop, body: Any, *, surely: bool) -> Flow | None:
    """Walks a loop's body once and joins what can be after it."""
    journal, frame = walk.journal, walk.frame
    loops, conditions = walk.loops, walk.conditions
    base = len(journal.entries)
    exits: list[Any] = []
    frame.loops.append((base, exits))
    walk.forks += 1
    walk.loops = (*loops, loop)
    try:
        _unsettle(walk, node)
        flow = body() or Flow()
    finally:
        walk.forks -= 1
        walk.loops, walk.conditions = loops, conditions
        frame.loops.pop()
    sides = list(exits)
    if flow.ends is None:
        sides.append(journal.changes(base))
    journal.undo(base)
    if not surely or not sides:
        sides.append({})
    journal.merge(sides)
    left = tuple((kind, one) for kind, one in flow.left if kind == "return")
    if flow.ends == "return":
        left = (("return", Condition(Unknown("whether a loop runs"), taken=False, place=loop.place)),)
    ended = walk.run(node.orelse) if node.orelse else None
    if ended is not None:
        return Flow(None, left + ended.left) if ended.ends is None or exits else ended
    return Flow(None, left) if left else None


def _unsettle(walk: Walk, node: Any) -> None:
    """What the body rebinds or changes in place is not known to be what it was before the loop."""
    bound: dict[str, None] = {}
    grown: dict[str, ast.expr] = {}
    for one in _own_nodes(node.body):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del):
            bound[one.id] = None
        elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store):
            grown[ast.unparse(one)] = one
        elif isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store | ast.Del):
            grown[ast.unparse(one.value)] = one.value
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in _GROWING:
            grown[ast.unparse(one.func.value)] = one.func.value
    for name in bound:
        value = look_up(walk, name)
        mapping = walk.frame.elsewhere.get(name, walk.frame.variables)
        if value is not None and name in mapping:
            walk.put(name, unsettled(value, name))
    walk.quiet += 1
    try:
        for text, expression in grown.items():
            _unsettle_place(walk, text, expression)
    finally:
        walk.quiet -= 1


def _unsettle_place(walk: Walk, text: str, expression: ast.expr) -> None:
    """The same of an attribute, and of a container that the body changes in place."""
    if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name | ast.Attribute):
        if any(isinstance(one, ast.Call | ast.Subscript) for one in ast.walk(expression)):
            return
        of = walk.value(expression.value)
        old = attribute(walk, of, expression.attr)
        new = unsettled(old, text)
        if isinstance(old, Sequence | Table):
            walk.rebind(old, new)
        elif new is not old and isinstance(of, Instance) and isinstance(expression.ctx, ast.Store):
            walk.journal.put(walk.fields[id(of)], expression.attr, new)
        elif new is not old and isinstance(expression.ctx, ast.Store) and (of, expression.attr) in walk.attributes:
            walk.journal.put(walk.attributes, (of, expression.attr), new)
    elif isinstance(expression, ast.Name):
        found = look_up(walk, expression.id)
        if isinstance(found, Sequence | Table):
            walk.rebind(found, unsettled(found, expression.id))


def unsettled(value: Value, name: str) -> Value:
    """What a variable that a loop changes may be at the start of a round."""
    if isinstance(value, Sequence):
        return Sequence(value.items, value.kind, open=True)
    if isinstance(value, Table):
        return Table(value.items, open=True)
    if isinstance(value, Constant | Operation | Part | Unknown):
        return Unknown(CHANGES, name)
    return join((value, Unknown(CHANGES, name)))


def _own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a block, without those of functions and classes that are defined in it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        waiting.extend(ast.iter_child_nodes(one))
