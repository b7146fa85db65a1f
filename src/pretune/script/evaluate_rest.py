"""After the script's own walk: methods that a library will call, and what nothing reached, each on its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.script.evaluate_classes import order, scope_of
from pretune.script.evaluate_functions import bind, closure, invoke
from pretune.script.evaluate_handing import GIVEN
from pretune.script.state import Spent
from pretune.script.values import Class, Function, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.state import Walk

MOST_ROUNDS = 3
"""Walking what nothing reached can define or make something more."""


def walk_rest(walk: Walk) -> None:
    """Walks what the script itself did not reach."""
    base = walk.steps
    walk.soft += base // 2
    for _ in range(MOST_ROUNDS):
        before = len(walk.walked)
        for instance in list(walk.instances):
            _methods(walk, instance)
        for function in list(walk.defined):
            if function.node not in walk.walked and _of_script(walk, function) and closure(function).owner is None:
                _alone(walk, function, "")
        for built in list(walk.classes.values()):
            if _is_of_script(walk, built) and not any(one.of is built for one in walk.instances):
                _class(walk, built)
        if len(walk.walked) == before:
            return


def _of_script(walk: Walk, function: Function) -> bool:
    return closure(function).unit.file == walk.frames[0].unit.file


def _is_of_script(walk: Walk, built: Class) -> bool:
    return scope_of(built).unit.file == walk.frames[0].unit.file


def _own_methods(of: Class) -> Iterator[Function]:
    """Its methods and those of the project's classes it is derived from."""
    seen: set[str] = set()
    for one in order(of):
        for name, value in scope_of(one).namespace.items() if isinstance(one, Class) else ():
            if isinstance(value, Function) and name not in seen:
                seen.add(name)
                yield value


def _methods(walk: Walk, instance: Instance) -> None:
    """Walks the methods of an object that nothing called."""
    for method in list(_own_methods(instance.of)):
        if method.node in walk.walked or isinstance(method.node, ast.Lambda):
            continue
        kind = closure(method).kind
        receiver = None if kind == "static" else instance.of if kind == "class" else instance
        _alone(walk, method if receiver is None else bind(walk, method, receiver), GIVEN)


def _class(walk: Walk, of: Class) -> None:
    """Walks a class that is never made: its constructor, then its methods on what that built."""
    instance = Instance(of, of.place, {})
    live = walk.fields[id(instance)] = {}
    walk.instances.append(instance)
    methods = list(_own_methods(of))
    for method in methods:
        if method.name.endswith(".__init__"):
            _alone(walk, bind(walk, method, instance), "")
    if isinstance(instance.fields, dict):
        instance.fields.update(live)
    _methods(walk, instance)


def _alone(walk: Walk, function: Function, missing: str) -> None:
    """Walks a function as an entry of its own."""
    walk.entry = function
    walk.walked.add(function.node)
    try:
        invoke(walk, function, missing=missing)
    except Spent:
        raise
    except RecursionError:
        walk.note(f"{function.place}: nested too deep to be followed")
    finally:
        walk.entry = None
