"""Operators on constants, worked out where the result stays small. Pure; nothing here can take long or fill memory."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from pretune.script.choices import is_none, operation, same
from pretune.script.values import Constant, OneOf, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.script.values import Value

LONGEST_TEXT = 1 << 16
"""Characters of a text that is computed."""
LARGEST_INTEGER = 1 << 12
"""Bits of an integer that is computed."""
LONGEST_SEQUENCE = 4096
"""Items of a list that is computed."""
_FAILS = (ArithmeticError, ValueError, TypeError, LookupError, AttributeError, MemoryError)

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "|": operator.or_,
    "&": operator.and_, "^": operator.xor,
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
UNARY: dict[str, Callable[[Any], Any]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert}


def constant(value: Any, *sources: Value) -> Constant:
    """A constant that follows from others; what overrides one of them overrides it."""
    for source in sources:
        if isinstance(source, Constant) and source.overridden_by:
            return Constant(value, source.overridden_by)
    return Constant(value)


def _small(name: str, left: Any, right: Any) -> bool:
    """Whether an operator's result is small enough to be worked out."""
    if isinstance(left, int) and isinstance(right, int):
        if name == "**":
            return 0 <= right <= LARGEST_INTEGER and left.bit_length() * max(right, 1) <= LARGEST_INTEGER
        if name == "<<":
            return 0 <= right <= LARGEST_INTEGER and left.bit_length() + right <= LARGEST_INTEGER
        return left.bit_length() + right.bit_length() <= 2 * LARGEST_INTEGER
    if name == "*" and (isinstance(left, str | bytes) or isinstance(right, str | bytes)):
        text, times = (left, right) if isinstance(left, str | bytes) else (right, left)
        return isinstance(times, int) and len(text) * max(times, 0) <= LONGEST_TEXT
    if name == "+" and isinstance(left, str | bytes) and isinstance(right, str | bytes):
        return len(left) + len(right) <= LONGEST_TEXT
    if name == "%" and isinstance(left, str | bytes):
        return plain_format(str(left)) and len(str(right)) <= LONGEST_TEXT
    return True


def plain_format(specification: str) -> bool:
    """Whether a format asks for no width that would fill memory."""
    return len(specification) <= LONGEST_TEXT and re.search(r"\d{4,}|\*", specification) is None


def binary(name: str, left: Value, right: Value) -> Value:
    """`left name right`: worked out where it can be, else written out."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        a, b = left.value, right.value
        if name == "/" and isinstance(a, str) and isinstance(b, str):
            return constant(f"{a.rstrip('/') or '/'}/{b}" if a and not b.startswith("/") else b, left, right)  # paths
        if _small(name, a, b):
            try:
                return constant(BINARY[name](a, b), left, right)
            except _FAILS:
                pass
    elif isinstance(left, Sequence) and isinstance(right, Sequence) and name in ("+", "|"):
        if left.kind == right.kind and len(left.items) + len(right.items) <= LONGEST_SEQUENCE:
            return Sequence(left.items + right.items, left.kind, left.open or right.open)
    elif isinstance(left, Sequence) and isinstance(right, Constant) and name == "*":
        if isinstance(right.value, int) and len(left.items) * max(right.value, 0) <= LONGEST_SEQUENCE:
            return Sequence(left.items * right.value, left.kind, left.open)
    elif isinstance(left, Table) and isinstance(right, Table) and name == "|":
        return merged(left, right)
    elif isinstance(left, Constant) and name == "%" and isinstance(left.value, str):
        return _percent(left, right)
    elif (
        isinstance(left, OneOf)
        and isinstance(right, Constant)
        and all(isinstance(one, Constant) for one in left.values)
    ):
        return _each(left, lambda one: binary(name, one, right))
    elif (
        isinstance(right, OneOf)
        and isinstance(left, Constant)
        and all(isinstance(one, Constant) for one in right.values)
    ):
        return _each(right, lambda one: binary(name, left, one))
    return operation(name, left, right)


def _each(values: OneOf, compute: Callable[[Value], Value]) -> Value:
    from pretune.script.choices import join

    return join(compute(one) for one in values.values)


def _percent(template: Constant, arguments: Value) -> Value:
    """`template % arguments` of a text."""
    if isinstance(arguments, Sequence) and arguments.kind == "tuple" and not arguments.open:
        found = [one.value for one in arguments.items if isinstance(one, Constant)]
        if len(found) == len(arguments.items) and plain_format(template.value):
            try:
                return constant((template.value % tuple(found))[:LONGEST_TEXT], template, *arguments.items)
            except _FAILS:
                pass
    return operation("format", template, arguments)


def merged(left: Table, right: Table) -> Table:
    """`{**left, **right}`."""
    items = left.items
    for key, value in right.items:
        items = with_item(items, key, value)
    return Table(items, left.open or right.open)


def with_item(items: tuple[tuple[Value, Value], ...], key: Value, value: Value) -> tuple[tuple[Value, Value], ...]:
    """A dict's items after `items[key] = value`."""
    for place, (name, _) in enumerate(items):
        if same(name, key):
            return (*items[:place], (name, value), *items[place + 1 :])
    return (*items, (key, value))


def unary(name: str, value: Value) -> Value:
    """`-x`, `+x`, `~x`."""
    if isinstance(value, Constant):
        try:
            return constant(UNARY[name](value.value), value)
        except _FAILS:
            pass
    return operation(name, value)


def compare(name: str, left: Value, right: Value) -> Value:
    """`left name right` of a comparison: a constant where it can be told, else written out."""
    answer: bool | None = None
    if name in ("is", "is not"):
        answer = _identical(left, right)
        if answer is not None and name == "is not":
            answer = not answer
    elif name in ("in", "not in"):
        answer = _contains(left, right)
        if answer is not None and name == "not in":
            answer = not answer
    elif isinstance(left, Constant) and isinstance(right, Constant):
        try:
            answer = bool(COMPARISONS[name](left.value, right.value))
        except _FAILS:
            answer = None
    elif name in ("==", "!=") and (_is_null(left) or _is_null(right)):
        other = is_none(right if _is_null(left) else left)
        answer = None if other is None else other is (name == "==")
    if answer is None:
        return operation(name, left, right)
    return constant(answer, left, right)


def _is_null(value: Value) -> bool:
    return isinstance(value, Constant) and value.value is None


def _identical(left: Value, right: Value) -> bool | None:
    if _is_null(right):
        return is_none(left)
    if _is_null(left):
        return is_none(right)
    if isinstance(left, Constant) and isinstance(right, Constant):
        return type(left.value) is type(right.value) and left.value == right.value
    return None


def _contains(item: Value, of: Value) -> bool | None:
    if not isinstance(item, Constant):
        return None
    if isinstance(of, Constant):
        if isinstance(of.value, str) and isinstance(item.value, str):
            return item.value in of.value
        return None
    if isinstance(of, Sequence):
        candidates = of.items
    elif isinstance(of, Table):
        candidates = tuple(key for key, _ in of.items)
    else:
        return None
    if any(same(item, one) for one in candidates):
        return True
    settled = not of.open and all(isinstance(one, Constant) for one in candidates)
    return False if settled else None
