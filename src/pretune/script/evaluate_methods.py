"""Methods that need more than a look at what they are called on: `super()`, and those of texts, lists and dicts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.script.choices import join, usable
from pretune.script.evaluate_classes import find, outside
from pretune.script.evaluate_containers import on_container
from pretune.script.evaluate_functions import bind, closure, invoke
from pretune.script.evaluate_handing import hand_over
from pretune.script.evaluate_targets import replace
from pretune.script.trace import Call
from pretune.script.values import Class, Constant, Function, Instance, Made, Unknown

if TYPE_CHECKING:
    from pretune.script.evaluate_arguments import Given
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value


def is_super(node: ast.expr) -> bool:
    """Whether an expression is `super()`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def call_super(walk: Walk, name: str, given: Given, *, place: Place, target: tuple[str, ...]) -> Value:
    """`super().name(...)`."""
    frame = walk.frame
    owner, receiver = frame.owner, frame.receiver
    if receiver is None and frame.function is not None and frame.function.parameters:
        receiver = frame.variables.get(frame.function.parameters[0])
    if owner is None:
        return _outside(walk, f".{name}", Unknown("super()"), given, place=place, target=target)
    of = receiver.of if isinstance(receiver, Instance) else receiver if isinstance(receiver, Class) else owner
    method = find(of, name, after=owner)
    if isinstance(method, Function):
        bound = method if receiver is None or closure(method).kind == "static" else bind(walk, method, receiver)
        return invoke(walk, bound, given.positional, given.keywords, is_open=given.open, place=place)
    base = outside(of, after=owner)
    if base is None:
        return Constant(None)
    if name == "__init__":
        target = walk.memory.get(("target", id(receiver)), target)  # the names that the object itself is assigned to
    return _outside(walk, f"{base.name}.{name}", receiver, given, place=place, target=target)


def _outside(
    walk: Walk, name: str, receiver: Value | None, given: Given, *, place: Place, target: tuple[str, ...]
) -> Value:
    """A method of a library's class, called on the project's own object."""
    event = walk.emit(
        Call,
        place,
        function_name=name,
        receiver=receiver,
        arguments=tuple(given.positional),
        keywords=given.keywords,
        open=given.open,
        target=target,
    )
    hand_over(walk, event)
    return Made(event)


def call_on_container(
    walk: Walk, node: ast.Attribute, receiver: Value, given: Given, *, place: Place, target: tuple[str, ...]
) -> Value:
    """A method of a text, a list or a dict."""
    options = usable(receiver)
    known: list[Value] = []
    changed: list[Value] = []
    for one in options:
        result, after = on_container(walk, one, node.attr, given.positional, given.keywords, is_open=given.open)
        if result is not None:
            known.append(result)
        changed.append(after)
    value = join(known) if len(known) == len(options) else None
    event = walk.emit(
        Call,
        place,
        function_name=f".{node.attr}",
        receiver=receiver,
        arguments=tuple(given.positional),
        keywords=given.keywords,
        open=given.open,
        target=target,
        known=value,
    )
    if any(after is not one for after, one in zip(changed, options, strict=True)):
        replace(walk, node.value, receiver, join(changed))
    hand_over(walk, event)
    return Made(event) if value is None else value
