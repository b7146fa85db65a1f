"""Expressions: names, literals, operators, f-strings. Calls, attributes and comprehensions have files of their own."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from pretune.script.choices import alternatives, operation, truth
from pretune.script.evaluate_attributes import item
from pretune.script.evaluate_items import LONGEST_LITERAL, items_of
from pretune.script.folding import binary, compare, constant, plain_format, unary
from pretune.script.state import MOST_CONDITIONS
from pretune.script.trace import Condition, Returned
from pretune.script.values import Constant, External, Function, Sequence, Slice, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pretune.script.state import Walk
    from pretune.script.values import Value

_BUILTINS = frozenset(dir(builtins)) | {"display"}
_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitAnd: "&", ast.BitXor: "^", ast.MatMult: "@",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}


def _as_it_is(value: object) -> object:
    return value


_CONVERT: dict[int, Callable[[object], object]] = {ord("r"): repr, ord("a"): ascii, ord("s"): str}


def operator_name(node: ast.operator) -> str:
    """`+`, `//`, `@`: an operator as Python writes it."""
    return _BINARY[type(node)]


def look_up(walk: Walk, name: str) -> Value | None:
    """What a name stands for; None: nothing that is known here."""
    frame = walk.frame
    if frame.elsewhere and name in frame.elsewhere:
        found = frame.elsewhere[name].get(name)
        if found is not None:
            return found
    for scope in frame.scopes:
        found = scope.get(name)
        if found is not None:
            return found
    if name in _BUILTINS:
        return External(f"builtins.{name}")
    return None


def name_(walk: Walk, node: ast.Name) -> Value:
    """A name."""
    found = look_up(walk, node.id)
    if found is not None:
        return found
    stars = walk.frame.module.get("*")
    if isinstance(stars, Sequence) and len(stars.items) == 1 and isinstance(stars.items[0], External):
        return External(f"{stars.items[0].name}.{node.id}")
    return Unknown("a name that is not defined here", name=node.id)


def constant_(walk: Walk, node: ast.Constant) -> Value:
    """A literal."""
    del walk
    return Constant(node.value)


def sequence_(kind: str) -> Callable[[Walk, Any], Value]:
    """A list, tuple or set as written."""

    def evaluate(walk: Walk, node: Any) -> Value:
        items: list[Value] = []
        is_open = len(node.elts) > LONGEST_LITERAL
        for element in node.elts[:LONGEST_LITERAL]:
            if isinstance(element, ast.Starred):
                value = walk.value(element.value)
                more = items_of(value)
                if more is None:
                    is_open = True
                else:
                    items += more.items
                    is_open = is_open or more.open
            else:
                items.append(walk.value(element))
        return Sequence(tuple(items), kind, is_open)

    return evaluate


def table_(walk: Walk, node: ast.Dict) -> Value:
    """A dict as written."""
    keys: dict[Any, tuple[Value, Value]] = {}
    is_open = len(node.keys) > LONGEST_LITERAL
    for key_node, value_node in list(zip(node.keys, node.values, strict=True))[:LONGEST_LITERAL]:
        if key_node is None:
            more = walk.value(value_node)
            if isinstance(more, Table):
                for key, value in more.items:
                    keys[_slot(key)] = (key, value)
                is_open = is_open or more.open
            else:
                is_open = True
            continue
        key = walk.value(key_node)
        keys[_slot(key)] = (key, walk.value(value_node))
    return Table(tuple(keys.values()), is_open)


def _slot(key: Value) -> Any:
    return (type(key.value), key.value) if isinstance(key, Constant) else key


def unary_(walk: Walk, node: ast.UnaryOp) -> Value:
    """`-x`, `not x`."""
    value = walk.value(node.operand)
    if isinstance(node.op, ast.Not):
        answer = truth(value, settled=False)
        return operation("not", value) if answer is None else constant(not answer, value)
    return unary(_UNARY[type(node.op)], value)


def binary_(walk: Walk, node: ast.BinOp) -> Value:
    """`a + b`; a long chain is walked without recursion."""
    chain: list[ast.BinOp] = []
    leftmost: ast.expr = node
    while isinstance(leftmost, ast.BinOp):
        chain.append(leftmost)
        leftmost = leftmost.left
    value = walk.value(leftmost)
    for link in reversed(chain):
        name = _BINARY[type(link.op)]
        right = walk.value(link.right)
        value = operation(name, value, right) if name == "@" else binary(name, value, right)
    return value


def compare_(walk: Walk, node: ast.Compare) -> Value:
    """`a < b`, also `a < b < c`."""
    left = walk.value(node.left)
    results = []
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = walk.value(right_node)
        results.append(compare(_COMPARE[type(operator)], left, right))
        left = right
    return results[0] if len(results) == 1 else _every(results)


def _every(results: list[Value]) -> Value:
    answers = [truth(one, settled=False) for one in results]
    if all(answers):
        return constant(True, *results)
    if False in answers:
        return constant(False, *results)
    return operation("and", *results)


def boolean_(walk: Walk, node: ast.BoolOp) -> Value:
    """`a and b`, `a or b`: what can be told of the left decides; else both are written out."""
    ends_at = isinstance(node.op, ast.Or)
    kept: list[Value] = []
    saved = walk.conditions
    calling = max((number for number, one in enumerate(node.values) if isinstance(one, ast.Call)), default=-1)
    try:
        for number, operand in enumerate(node.values):
            value = walk.value(operand)
            last = number == len(node.values) - 1
            # a default that the command line may override decides a value, but hides no call on the other side
            answer = truth(value, settled=number < calling)
            if last or answer is None:
                kept.append(value)
            elif answer is ends_at:
                kept.append(value)
                break
            if not last and answer is None:
                condition = Condition(value, not ends_at, walk.place(operand))
                walk.conditions = (*walk.conditions, condition)[:MOST_CONDITIONS]
    finally:
        walk.conditions = saved
    return kept[0] if len(kept) == 1 else operation("or" if ends_at else "and", *kept)


def conditional_(walk: Walk, node: ast.IfExp) -> Value:
    """`a if test else b`."""
    test = walk.value(node.test)
    answer = truth(test)
    if answer is None:
        answer = truth(test, settled=False)
        hidden = node.orelse if answer else node.body
        if any(isinstance(one, ast.Call) for one in ast.walk(hidden)):
            answer = None  # a default decides a value, but hides no call
    if answer is not None:
        return walk.value(node.body if answer else node.orelse)
    saved = walk.conditions
    try:
        walk.conditions = (*saved, Condition(test, taken=True, place=walk.place(node.test)))
        then = walk.value(node.body)
        walk.conditions = (*saved, Condition(test, taken=False, place=walk.place(node.test)))
        otherwise = walk.value(node.orelse)
    finally:
        walk.conditions = saved
    return operation("if", test, then, otherwise)


def joined_(walk: Walk, node: ast.JoinedStr) -> Value:
    """An f-string."""
    parts = [formatted_(walk, one) if isinstance(one, ast.FormattedValue) else walk.value(one) for one in node.values]
    if all(isinstance(one, Constant) for one in parts):
        return constant("".join(str(one.value) for one in parts if isinstance(one, Constant)), *parts)
    return operation("f", *parts)


def formatted_(walk: Walk, node: ast.FormattedValue) -> Value:
    """`{x:.2f}` of an f-string."""
    value = walk.value(node.value)
    specification = walk.value(node.format_spec) if node.format_spec is not None else Constant("")
    if isinstance(value, Constant) and isinstance(specification, Constant) and plain_format(str(specification.value)):
        try:
            shown = _CONVERT.get(node.conversion, _as_it_is)(value.value)
            return constant(format(shown, str(specification.value)), value)
        except (ValueError, TypeError):
            return value
    return value


def slice_(walk: Walk, node: ast.Slice) -> Value:
    """`a:b:c`."""
    ends = (node.lower, node.upper, node.step)
    return Slice(*(None if one is None else walk.value(one) for one in ends))


def subscript_(walk: Walk, node: ast.Subscript) -> Value:
    """`x[i]`."""
    return item(walk, walk.value(node.value), walk.value(node.slice))


def starred_(walk: Walk, node: ast.Starred) -> Value:
    """`*x` outside of a list or call."""
    return walk.value(node.value)


def walrus_(walk: Walk, node: ast.NamedExpr) -> Value:
    """`name := value`."""
    from pretune.script.evaluate_targets import assign

    value = walk.value(node.value)
    assign(walk, node.target, value)
    return value


def lambda_(walk: Walk, node: ast.Lambda) -> Value:
    """A lambda."""
    from pretune.script.evaluate_functions import define

    return define(walk, node, "<lambda>")


def await_(walk: Walk, node: ast.Await) -> Value:
    """`await x`: of the project's own coroutines what they return."""
    if isinstance(node.value, ast.Call) and node in walk.targets:
        walk.targets[node.value] = walk.targets.pop(node)
    value = walk.value(node.value)
    known = all(isinstance(one, Constant | Sequence | Table | Function) for one in alternatives(value))
    return value if known else operation("await", value)


def yield_(walk: Walk, node: Any) -> Value:
    """`yield x`, `yield from x`."""
    value = Constant(None) if node.value is None else walk.value(node.value)
    walk.emit(Returned, walk.place(node), value=value)
    frame = walk.frame
    if isinstance(node, ast.YieldFrom):
        found = items_of(value)
        frame.yielded += found.items if found is not None else ()
    else:
        frame.yielded.append(value)
    return operation("yield", value)
