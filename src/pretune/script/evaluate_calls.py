"""Calls: the project's own functions and classes are walked into, everything else becomes an event."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.script.choices import join, usable
from pretune.script.evaluate_arguments import arguments
from pretune.script.evaluate_attributes import attribute
from pretune.script.evaluate_builtins import KNOWN
from pretune.script.evaluate_classes import find, instantiate, outside
from pretune.script.evaluate_commandline import after_call, decorated_arguments
from pretune.script.evaluate_files import FILES
from pretune.script.evaluate_functions import bind, closure, invoke
from pretune.script.evaluate_handing import hand_over
from pretune.script.evaluate_methods import call_on_container, call_super, is_super
from pretune.script.trace import Call, Condition
from pretune.script.values import (
    Class,
    Constant,
    External,
    Function,
    Instance,
    Made,
    OneOf,
    Part,
    Sequence,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Many

    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

_ENDS = {"builtins.exit", "builtins.quit", "sys.exit", "os._exit", "os.abort"}
_SAME_OBJECT = {
    "to", "cuda", "cpu", "eval", "train", "half", "float", "double", "bfloat16", "requires_grad_", "apply",
    "share_memory", "type", "tie_weights", "freeze",
}  # fmt: skip
"""Methods of a torch module that give the module back."""
_WRAPPERS = {
    "DataParallel", "DistributedDataParallel", "FullyShardedDataParallel", "DDP", "FSDP", "compile", "prepare",
    "prepare_model", "convert_sync_batchnorm", "initialize", "setup", "setup_module", "DataParallelModel", "script",
}  # fmt: skip
"""What gives something that is called like the model it is given."""


def call_(walk: Walk, node: ast.Call) -> Value:
    """A call."""
    target = walk.targets.pop(node, ())
    place = walk.place(node)
    function = node.func
    if isinstance(function, ast.Attribute):
        if is_super(function.value):
            return call_super(walk, function.attr, arguments(walk, node), place=place, target=target)
        receiver = walk.value(function.value)
        options = usable(receiver)
        if all(isinstance(one, Constant | Sequence | Table) for one in options):
            return call_on_container(walk, function, receiver, arguments(walk, node), place=place, target=target)
        callee = attribute(walk, receiver, function.attr)
    else:
        callee = walk.value(function)
    given = arguments(walk, node)
    return call_value(walk, callee, given.positional, given.keywords, place, is_open=given.open, target=target)


def call_value(
    walk: Walk,
    callee: Value,
    positional: Many[Value],
    keywords: Mapping[str, Value],
    place: Place,
    *,
    is_open: bool = False,
    target: tuple[str, ...] = (),
) -> Value:
    """What calling a value gives.

    Args:
        walk: the walk.
        callee: what is called.
        positional: its positional arguments.
        keywords: its keyword arguments.
        place: where.
        is_open: whether there may be more arguments.
        target: the names that the result is assigned to.
    """
    if isinstance(callee, Function):
        if not positional and not keywords and closure(callee).decorators:
            keywords = decorated_arguments(callee)
            return invoke(walk, callee, (), keywords, missing="the command line", place=place)
        return invoke(walk, callee, positional, keywords, is_open=is_open, place=place)
    if isinstance(callee, Class):
        if callee.derives("Enum", "IntEnum", "StrEnum", "ExplicitEnum"):
            return Unknown(f"a member of {callee.name}")
        return instantiate(walk, callee, positional, keywords, is_open=is_open, place=place, target=target)
    options = usable(callee)
    if len(options) == 1 and options[0] is not callee:
        return call_value(walk, options[0], positional, keywords, place, is_open=is_open, target=target)
    if any(isinstance(one, Function | Class | External | Instance) for one in options) and len(options) > 1:
        return _call_each(walk, options, positional, keywords, place, is_open=is_open, target=target)
    method = _called_module(walk, callee)
    if method is not None:
        return invoke(walk, method, positional, keywords, is_open=is_open, place=place)
    name, receiver = _named(callee)
    known = _known(walk, name, receiver, positional=positional, keywords=keywords, place=place, is_open=is_open)
    event = walk.emit(
        Call,
        place,
        function_name=name,
        receiver=receiver,
        arguments=tuple(positional),
        keywords=dict(keywords),
        open=is_open,
        target=target,
        known=known,
    )
    if name in _ENDS:
        walk.ended = True
    value = after_call(walk, event)
    hand_over(walk, event)
    if value is not None:
        return value
    return Made(event) if known is None else known


def _call_each(
    walk: Walk,
    options: tuple[Value, ...],
    positional: Many[Value],
    keywords: Mapping[str, Value],
    place: Place,
    *,
    is_open: bool,
    target: tuple[str, ...],
) -> Value:
    """Calls each of several values that may be meant, under a condition of its own."""
    saved = walk.conditions
    results = []
    try:
        for one in options:
            walk.conditions = (*saved, Condition(Unknown("which of several is called"), taken=True, place=place))
            results.append(call_value(walk, one, positional, keywords, place, is_open=is_open, target=target))
    finally:
        walk.conditions = saved
    return join(results)


def _named(callee: Value) -> tuple[str, Value | None]:
    """The name and the receiver that a call's event tells."""
    if isinstance(callee, External):
        return callee.name, None
    if isinstance(callee, Part) and callee.name is not None:
        return f".{callee.name}", callee.of
    return "", callee


def _known(
    walk: Walk,
    name: str,
    receiver: Value | None,
    *,
    positional: Many[Value],
    keywords: Mapping[str, Value],
    place: Place,
    is_open: bool,
) -> Value | None:
    """What a call of something outside gives, where that is known."""
    if receiver is None:
        handler = KNOWN.get(name) or FILES.get(name)
        return None if handler is None or is_open else handler(walk, list(positional), dict(keywords), place)
    if isinstance(receiver, Instance) and name[1:] in _SAME_OBJECT:
        base = outside(receiver.of)
        if base is not None and not base.name.endswith(("Trainer", "Arguments", "Dataset", "DataModule", "Tokenizer")):
            return receiver
    return None


def _called_module(walk: Walk, callee: Value) -> Function | None:
    """The method that runs when a value is called: `__call__`, `forward` of a module of the project, also wrapped."""
    inner = _unwrapped(callee)
    if not isinstance(inner, Instance):
        return None
    for name in ("__call__", "forward"):
        method = find(inner.of, name)
        if isinstance(method, Function):
            return bind(walk, method, inner)
    return None


def _unwrapped(value: Value) -> Value:
    """The project's object behind what wraps a model: DataParallel, `accelerator.prepare`, `.to(...)`."""
    for _ in range(8):
        if isinstance(value, OneOf):
            inner = [one for one in map(_unwrapped, value.values) if isinstance(one, Instance)]
            return inner[0] if len({id(one) for one in inner}) == 1 else value
        if isinstance(value, Part) and isinstance(value.of, Made) and value.of.call.method in _WRAPPERS:
            number = value.index.value if isinstance(value.index, Constant) else None
            given = value.of.call.arguments
            if value.name == "module" and given:
                value = given[0]
            elif isinstance(number, int) and 0 <= number < len(given):
                value = given[number]
            else:
                return value
        elif isinstance(value, Part) and value.name == "module":
            value = value.of
        elif isinstance(value, Made) and value.call.method in _WRAPPERS:
            model = value.call.argument(0, "model")
            if model is None:
                return value
            value = model
        elif isinstance(value, Made) and value.call.method in _SAME_OBJECT and value.call.receiver is not None:
            value = value.call.receiver
        else:
            return value
    return value
