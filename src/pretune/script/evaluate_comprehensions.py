"""Comprehensions: worked out in full over short lists that are known, else once with an item that stands for all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.script.choices import truth
from pretune.script.evaluate_items import items_of
from pretune.script.evaluate_targets import assign, names_in
from pretune.script.folding import with_item
from pretune.script.trace import Condition, Loop
from pretune.script.values import Constant, OneOf, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from pretune.script.state import Walk
    from pretune.script.values import Value

LONGEST = 256
"""Items that are worked out one by one."""
_PURE = {
    "str", "int", "float", "bool", "len", "tuple", "list", "dict", "zip", "enumerate", "sorted", "reversed", "round",
    "min", "max", "abs", "range", "chr", "ord", "repr", "set",
}  # fmt: skip
_PURE_METHODS = {
    "lower", "upper", "strip", "lstrip", "rstrip", "format", "replace", "split", "items", "keys", "values", "get",
    "startswith", "endswith", "title", "capitalize", "zfill", "join", "removeprefix", "removesuffix",
}  # fmt: skip


def comprehension(kind: str) -> Callable[[Walk, Any], Value]:
    """A list, set or generator expression."""

    def evaluate(walk: Walk, node: Any) -> Value:
        items: list[Value] = []
        is_open = [False]
        _within(walk, node, lambda: items.append(walk.value(node.elt)), is_open, (node.elt,))
        return Sequence(tuple(items), kind, is_open[0])

    return evaluate


def table_comprehension(walk: Walk, node: ast.DictComp) -> Value:
    """`{k: v for ...}`."""
    items: list[tuple[tuple[Value, Value], ...]] = [()]
    is_open = [False]

    def add() -> None:
        key = walk.value(node.key)
        items[0] = with_item(items[0], key, walk.value(node.value))

    _within(walk, node, add, is_open, (node.key, node.value))
    return Table(items[0], is_open[0])


def _within(walk: Walk, node: Any, add: Callable[[], None], is_open: list[bool], results: tuple[ast.expr, ...]) -> None:
    """Runs `add` in the comprehension's own scope, for each item or once."""
    frame = walk.frame
    saved = (frame.variables, frame.scopes, walk.loops, walk.conditions)
    first = walk.value(node.generators[0].iter)  # in the scope around
    inner: dict[str, Value] = {}
    frame.variables, frame.scopes = inner, (inner, *frame.scopes)
    asked = (*results, *(test for generator in node.generators for test in generator.ifs))
    pure = all(_is_pure(one) for one in asked)
    budget = [LONGEST]
    try:
        _generate(walk, node.generators, first, add, is_open, pure=pure, budget=budget)
    finally:
        frame.variables, frame.scopes, walk.loops, walk.conditions = saved


def _generate(
    walk: Walk,
    generators: list[ast.comprehension],
    over: Value,
    add: Callable[[], None],
    is_open: list[bool],
    *,
    pure: bool,
    budget: list[int],
) -> None:
    """One `for` of a comprehension, and those within it."""
    generator = generators[0]
    loops, conditions = walk.loops, walk.conditions
    known = items_of(over)
    place = walk.place(generator.target)
    walk.loops = (*loops, Loop(place, over, names_in(generator.target)))
    try:
        if known is not None and not known.open and pure and len(known.items) <= budget[0]:
            budget[0] -= len(known.items)
            rounds: Iterator[Value] = iter(known.items)
        else:
            is_open[0] = True
            rounds = iter((one_of(over, known),))
        for value in rounds:
            walk.conditions = conditions
            assign(walk, generator.target, value, silent=True)
            if not _passes(walk, generator.ifs, is_open):
                continue
            if len(generators) == 1:
                add()
            else:
                over_next = walk.value(generators[1].iter)
                _generate(walk, generators[1:], over_next, add, is_open, pure=pure, budget=budget)
    finally:
        walk.loops, walk.conditions = loops, conditions


def _passes(walk: Walk, tests: list[ast.expr], is_open: list[bool]) -> bool:
    """Whether an item is kept by the `if`s; one that cannot be told is, under its condition."""
    for test in tests:
        value = walk.value(test)
        answer = truth(value)
        if answer is None:
            is_open[0] = True
            walk.conditions = (*walk.conditions, Condition(value, taken=True, place=walk.place(test)))
        elif not answer:
            return False
    return True


def one_of(over: Value, known: Sequence | None) -> Value:
    """An item of what a loop runs over: one of a few constants, or `iterate`."""
    from pretune.script.choices import MOST, join, operation

    if known is not None and not known.open and 0 < len(known.items) <= MOST:
        found = join(known.items)
        if isinstance(found, OneOf | Constant) or len(known.items) == 1:
            return found
    if known is not None and known.items and not any(isinstance(one, Constant) for one in known.items):
        return join(known.items)  # what was put into a list in a loop stands for all that a run would put there
    return operation("iterate", over)


def _is_pure(node: ast.expr) -> bool:
    """Whether an expression does nothing but work something out."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            if isinstance(one.func, ast.Name) and one.func.id in _PURE:
                continue
            if isinstance(one.func, ast.Attribute) and one.func.attr in _PURE_METHODS:
                continue
            return False
    return True
