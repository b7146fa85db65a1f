"""Classes of the project: what they are derived from, their attributes, and making an object of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.script.evaluate_functions import bind, define, invoke
from pretune.script.evaluate_handing import hand_over
from pretune.script.state import Frame
from pretune.script.trace import Call
from pretune.script.values import Class, Constant, External, Function, Instance, Made, Sequence, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Sequence as Many

    from pretune.script.source import Unit
    from pretune.script.state import Walk
    from pretune.script.values import Place, Value


@dataclass(frozen=True, slots=True, eq=False)
class ClassScope:
    """What the evaluator needs of a class.

    Attributes:
        unit: the source that it stands in.
        namespace: its attributes and methods.
        annotated: names that its body annotates, in order.
        decorators: their values.
    """

    unit: Unit
    namespace: dict[str, Value] = field(default_factory=dict)
    annotated: tuple[str, ...] = ()
    decorators: tuple[Value, ...] = ()


def scope_of(of: Class) -> ClassScope:
    """A class's scope."""
    assert isinstance(of.scope, ClassScope)
    return of.scope


def order(of: Class) -> Iterator[Value]:
    """The class and what it is derived from, nearest first."""
    seen: list[Value] = []

    def visit(one: Value) -> Iterator[Value]:
        if any(one is other for other in seen):
            return
        seen.append(one)
        yield one
        for base in one.bases if isinstance(one, Class) else ():
            yield from visit(base)

    return visit(of)


def find(of: Class, name: str, *, after: Class | None = None) -> Value | None:
    """An attribute of the class or of what it is derived from; `after`: of what comes after this class (super)."""
    reached = after is None
    for one in order(of):
        if reached and isinstance(one, Class) and name in scope_of(one).namespace:
            return scope_of(one).namespace[name]
        reached = reached or one is after
    return None


def outside(of: Class, *, after: Class | None = None) -> External | None:
    """The first class of a library that it is derived from."""
    reached = after is None
    for one in order(of):
        if reached and isinstance(one, External) and one.name not in ("builtins.object", "typing.Generic", "abc.ABC"):
            return one
        reached = reached or one is after
    return None


def define_class(walk: Walk, node: ast.ClassDef) -> Class:
    """The class that a `class` statement makes."""
    frame = walk.frame
    decorators = tuple(walk.value(one) for one in node.decorator_list)
    bases = tuple(walk.value(one.value if isinstance(one, ast.Starred) else one) for one in node.bases)
    for keyword in node.keywords:
        walk.value(keyword.value)
    annotated = tuple(
        one.target.id
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and "ClassVar" not in _text(one)
    )
    scope = ClassScope(frame.unit, {}, annotated, decorators)
    made = Class(f"{frame.name}{node.name}", walk.place(node), bases, node, scope)
    inner = Frame(
        frame.unit,
        scope.namespace,
        (scope.namespace, *frame.scopes),
        name=f"{made.name}.",
        module=frame.module,
        module_name=frame.module_name,
        owner=made,
        mark=len(walk.journal.entries),
        forks=walk.forks,
    )
    inner.function = None
    walk.frame = inner
    walk.frames.append(inner)
    try:
        walk.run(node.body)
    finally:
        walk.frames.pop()
        walk.frame = frame
    walk.classes[made.name] = made
    walk.built.append(made)
    return made


def _text(node: ast.AnnAssign) -> str:
    return ast.dump(node.annotation) if not isinstance(node.annotation, ast.Name) else node.annotation.id


def fields_of(of: Class) -> dict[str, Value | None]:
    """The fields of a dataclass or of one like it, those of its bases first; None: no default."""
    found: dict[str, Value | None] = {}
    for one in reversed(list(order(of))):
        if isinstance(one, Class):
            for name in scope_of(one).annotated:
                found[name] = scope_of(one).namespace.get(name)
    return found


def settled_field(walk: Walk, value: Value) -> Value:
    """The default behind `field(default=..., default_factory=...)`; any other value as it is."""
    if not isinstance(value, Made) or value.call.method.lower() not in ("field", "attrib", "ib", "hfarg", "arg"):
        return value
    default = value.call.argument(0 if value.call.method in ("Field", "HfArg") else None, "default")
    if default is not None:
        return default
    factory = value.call.argument(None, "default_factory") or value.call.argument(None, "factory")
    if factory is None:
        return value
    return made_by(walk, factory, value.call.place)


def made_by(walk: Walk, factory: Value, place: Place) -> Value:
    """What a factory without arguments makes."""
    if isinstance(factory, Function):
        return invoke(walk, factory, place=place)
    if isinstance(factory, Class):
        return instantiate(walk, factory, [], {}, is_open=False, place=place)
    if isinstance(factory, External):
        empty: dict[str, Value] = {
            "builtins.list": Sequence(),
            "builtins.dict": Table(),
            "builtins.set": Sequence(kind="set"),
            "builtins.tuple": Sequence(kind="tuple"),
        }
        if factory.name in empty:
            return empty[factory.name]
        return Made(walk.emit(Call, place, function_name=factory.name))
    return Unknown("what a factory makes")


def has_default(value: Value | None) -> bool:
    """Whether a field's class attribute gives it a default."""
    if value is None or isinstance(value, External) or (isinstance(value, Constant) and value.value is ...):
        return False
    if isinstance(value, Made) and value.call.method.lower() in ("field", "attrib", "ib", "hfarg", "arg"):
        settled = value.call.argument(0 if value.call.method in ("Field", "HfArg") else None, "default")
        if isinstance(settled, Constant) and settled.value is ...:
            return False
        return settled is not None or "default_factory" in value.call.keywords or "factory" in value.call.keywords
    return True


def instantiate(
    walk: Walk,
    of: Class,
    positional: Many[Value],
    keywords: Mapping[str, Value],
    *,
    is_open: bool,
    place: Place,
    target: tuple[str, ...] = (),
    missing: str = "",
) -> Instance:
    """An object of a class of the project: its constructor is walked.

    Where the class has no constructor of its own and is derived from a library's, that one's call is an event
    `transformers.Trainer.__init__` whose receiver is the object.

    Args:
        walk: the walk.
        of: the class.
        positional: positional arguments of the call.
        keywords: its keyword arguments.
        is_open: whether there may be more arguments.
        place: where it is called.
        target: the names that the result is assigned to.
        missing: why fields and parameters without argument and default are unknown.
    """
    fields: dict[str, Value] = {}
    made = Instance(of, place, fields)
    live: dict[str, Value] = {}
    walk.fields[id(made)] = live
    walk.instances.append(made)
    constructor = find(of, "__init__")
    base = outside(of)
    if isinstance(constructor, Function):
        method = bind(walk, constructor, made)
        walk.memory["target", id(made)] = target
        invoke(walk, method, positional, keywords, is_open=is_open, missing=missing, place=place)
    else:
        declared = fields_of(of)
        given = {**dict(zip(declared, positional, strict=False)), **keywords}
        for name, default in declared.items():
            if name in given:
                live[name] = given[name]
            elif has_default(default) and default is not None and not is_open:
                live[name] = settled_field(walk, default)
            elif not has_default(default) or is_open:
                live[name] = Unknown(missing or f"a field of {of.name}", name)
        if base is not None and (not _only_data(base) or not declared):
            event = walk.emit(
                Call,
                place,
                function_name=f"{base.name}.__init__",
                receiver=made,
                arguments=tuple(positional),
                keywords=dict(keywords),
                open=is_open,
                target=target,
                known=made,
            )
            hand_over(walk, event)
        after = find(of, "__post_init__")
        if isinstance(after, Function):
            invoke(walk, bind(walk, after, made), place=place)
    fields.update(live)
    return made


def _only_data(base: External) -> bool:
    """Whether a library's class only says that its children are data."""
    return base.name.rpartition(".")[2] in ("BaseModel", "NamedTuple", "TypedDict", "BaseSettings", "Protocol", "Enum")


def define_method(walk: Walk, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    """A `def`, known to the trace."""
    function = define(walk, node, node.name)
    walk.functions[function.name] = function
    walk.defined.append(function)
    return function
