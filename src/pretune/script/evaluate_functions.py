"""Functions of the project: how they are defined, how arguments find their parameters, and walking into them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pretune.script.choices import join
from pretune.script.state import Flow, Frame
from pretune.script.values import (
    Class,
    Constant,
    External,
    Function,
    Made,
    Operation,
    Sequence,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pretune.script.source import Unit
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

DEEPEST = 20
"""Functions of the project within one another; deeper ones are not walked into."""


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """What is needed to walk a function.

    Attributes:
        unit: the source that it stands in.
        scopes: where its names are looked up.
        module: variables of its module.
        module_name: of the module.
        defaults: of its parameters, by name.
        owner: the class that it is a method of.
        receiver: what it is bound to; None: nothing.
        kind: empty, `static`, `class` or `property`.
        decorators: their values, outermost first.
        given: arguments of `functools.partial`.
        named: keyword arguments of `functools.partial`.
    """

    unit: Unit
    scopes: tuple[dict[str, Value], ...]
    module: dict[str, Value]
    module_name: str = ""
    defaults: Mapping[str, Value] = field(default_factory=dict)
    owner: Class | None = None
    receiver: Value | None = None
    kind: str = ""
    decorators: tuple[Value, ...] = ()
    given: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)


def closure(function: Function) -> Closure:
    """A function's scope."""
    assert isinstance(function.scope, Closure)
    return function.scope


def define(walk: Walk, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str) -> Function:
    """The function that a `def` or lambda makes; its decorators are applied by the statement."""
    frame = walk.frame
    arguments = node.args
    ordered = [*arguments.posonlyargs, *arguments.args]
    defaults: dict[str, Value] = {}
    for parameter, default in zip(reversed(ordered), reversed(arguments.defaults), strict=False):
        defaults[parameter.arg] = walk.value(default)
    for parameter, named in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if named is not None:
            defaults[parameter.arg] = walk.value(named)
    in_class = frame.owner is not None and frame.function is None
    scopes = frame.scopes[1:] if in_class else frame.scopes  # methods do not see the class's names
    scope = Closure(
        frame.unit,
        scopes,
        frame.module,
        frame.module_name,
        defaults,
        frame.owner if in_class else None,
    )
    parameters = tuple(parameter.arg for parameter in (*ordered, *arguments.kwonlyargs))
    return Function(f"{frame.name}{name}", walk.place(node), parameters, node, scope)


def variant(function: Function, **changes: Any) -> Function:
    """The same function with another scope: bound, static, decorated."""
    scope = replace(closure(function), **changes)
    parameters = function.parameters
    if scope.receiver is not None and closure(function).receiver is None:
        parameters = parameters[1:]
    return Function(function.name, function.place, parameters, function.node, scope)


def bind(walk: Walk, function: Function, receiver: Value) -> Function:
    """The method bound to its object; asked twice, the same one."""
    key = (id(function), id(receiver))
    if key not in walk.bound:
        walk.bound[key] = variant(function, receiver=receiver)
        walk.memory[key] = (function, receiver)  # keeps both alive, and so their identities
    return walk.bound[key]


def dotted(scopes: Iterable[dict[str, Value]], node: ast.expr | None) -> str:
    """The dotted name of an annotation: `transformers.PreTrainedModel`, also of `Optional[...]` and `X | None`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return next((name for name in (dotted(scopes, side) for side in sides) if name not in ("", "None")), "")
    if isinstance(node, ast.Subscript):
        outer = dotted(scopes, node.value)
        return dotted(scopes, node.slice) if outer.rpartition(".")[2] == "Optional" else outer
    if isinstance(node, ast.Attribute):
        outer = dotted(scopes, node.value)
        return f"{outer}.{node.attr}" if outer else ""
    if isinstance(node, ast.Name):
        found = next((scope[node.id] for scope in scopes if node.id in scope), None)
        return found.name if isinstance(found, External | Class) else node.id
    return ""


def annotation(function: Function, name: str) -> str:
    """The dotted name that a parameter is annotated with; empty: none."""
    arguments = function.node.args
    for parameter in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if parameter.arg == name:
            return dotted(closure(function).scopes, parameter.annotation)
    return ""


def short(function: Function) -> str:
    """`train()`, as an Unknown names it."""
    return f"{function.name}()"


def arguments_of(
    function: Function,
    positional: Iterable[Value],
    keywords: Mapping[str, Value],
    *,
    is_open: bool,
    missing: str,
) -> dict[str, Value]:
    """What the parameters stand for in a call.

    Args:
        function: the function.
        positional: the call's positional arguments.
        keywords: its keyword arguments.
        is_open: whether there may be more that are not known.
        missing: why a parameter without argument and default is unknown; empty: it is a parameter of the function.
    """
    scope = closure(function)
    node = function.node.args
    ordered = [parameter.arg for parameter in (*node.posonlyargs, *node.args)]
    given = [*([scope.receiver] if scope.receiver is not None else ()), *scope.given, *positional]
    bound: dict[str, Value] = dict(zip(ordered, given, strict=False))
    named = {**scope.named, **keywords}
    names = {*ordered, *(parameter.arg for parameter in node.kwonlyargs)}
    bound |= {name: value for name, value in named.items() if name in names}
    for name in (*ordered, *(parameter.arg for parameter in node.kwonlyargs)):
        if name in bound:
            continue
        if name in scope.defaults and not is_open:
            bound[name] = scope.defaults[name]
        else:
            bound[name] = Unknown(missing or f"a parameter of {short(function)}", name, annotation(function, name))
    if node.vararg is not None:
        bound[node.vararg.arg] = Sequence(tuple(given[len(ordered) :]), "tuple", is_open)
    if node.kwarg is not None:
        rest = tuple((Constant(name), value) for name, value in named.items() if name not in names)
        bound[node.kwarg.arg] = Table(rest, is_open)
    return bound


def invoke(
    walk: Walk,
    function: Function,
    positional: Iterable[Value] = (),
    keywords: Mapping[str, Value] | None = None,
    *,
    is_open: bool = False,
    missing: str = "",
    place: Place | None = None,
) -> Value:
    """Walks into a function and gives what it returns; Unknown where it is not walked into.

    Args:
        walk: the walk.
        function: the function.
        positional: positional arguments, without self of a bound method.
        keywords: keyword arguments.
        is_open: whether there may be more arguments that are not known.
        missing: why a parameter without argument and default is unknown.
        place: where it is called.
    """
    scope = closure(function)
    if walk.depth >= DEEPEST or walk.steps > walk.soft:
        walk.note("the walk was cut short: functions call each other too often or too deep to follow each call")
        return Unknown(f"the result of {short(function)}")
    if any(_recurs(frame.function, function) for frame in walk.frames):
        return Unknown(f"a recursive call of {short(function)}")
    walk.walked.add(function.node)
    variables = arguments_of(function, positional, keywords or {}, is_open=is_open, missing=missing)
    frame = Frame(
        scope.unit,
        variables,
        (variables, *scope.scopes),
        name="" if isinstance(function.node, ast.Lambda) else f"{function.name}.",
        module=scope.module,
        module_name=scope.module_name,
        function=function,
        owner=scope.owner,
        receiver=scope.receiver,
        mark=len(walk.journal.entries),
        forks=walk.forks,
    )
    saved = (walk.frame, walk.conditions, walk.loops, walk.contexts, walk.calls, walk.catching, walk.guards)
    walk.frame = frame
    walk.frames.append(frame)
    walk.depth += 1
    walk.contexts = (*walk.contexts, *(one for one in scope.decorators if not _is_builtin(one)))
    if place is not None:
        walk.calls = (*walk.calls, place)
    try:
        if isinstance(function.node, ast.Lambda):
            return walk.value(function.node.body)
        flow = walk.run(function.node.body) or Flow()
    finally:
        walk.depth -= 1
        walk.frames.pop()
        walk.frame, walk.conditions, walk.loops, walk.contexts, walk.calls, walk.catching, walk.guards = saved
    return _result(walk, frame, flow)


def _recurs(running: Function | None, function: Function) -> bool:
    """Whether a function is being walked already, on the same object and in the same surroundings."""
    if running is None or running.node is not function.node:
        return False
    one, other = closure(running), closure(function)
    return one.receiver is other.receiver and one.scopes[0] is other.scopes[0]


def _is_builtin(decorator: Value) -> bool:
    return isinstance(decorator, External) and decorator.name.startswith("builtins.")


def _result(walk: Walk, frame: Frame, flow: Flow) -> Value:
    """What a function gives back, after the states at its returns are joined."""
    if frame.exits:
        journal = walk.journal
        sides = list(frame.exits)
        if flow.ends is None or frame.straight:
            sides.append(journal.changes(frame.mark))
        journal.undo(frame.mark)
        journal.merge(sides)
    if frame.yielded:
        return Sequence(tuple(frame.yielded), "list", open=True)
    values = list(frame.returned)
    if flow.ends is None:
        values.append(Constant(None))
    return join(values) if values else Constant(None)


def gives(value: Value) -> Function | None:
    """The function that a value is, also through what wraps one: `functools.partial`, a decorator of a library."""
    while isinstance(value, Made):
        inner = [one for one in value.call.arguments if isinstance(one, Function | Made)]
        if value.call.method not in ("partial", "wraps", "jit", "compile", "cache", "lru_cache") or not inner:
            return None
        value = inner[0]
    if isinstance(value, Operation) and value.operator == "if":
        return None
    return value if isinstance(value, Function) else None
