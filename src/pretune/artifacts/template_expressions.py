"""What an expression of a chat template comes to, worked out on jinja2's syntax tree in bounded steps.

Knows the closed list of operations of template_values.py and gives up (`Unclear`) at anything else. Statements are
template_walk.py's.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.template_values import (
    UNDEFINED,
    Namespace,
    Unclear,
    attribute,
    bounded,
    call_filter,
    call_method,
    call_test,
    contains,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_STEPS = 20_000
"""Nodes visited, each 64 characters of a value counted as one more; Qwen3's template takes about 250 a message."""

Scope = MutableMapping[str, Any]


class Refused(Exception):  # noqa: N818 - it is what the template says, not an error of anybody's
    """The template calls raise_exception; the text is what it says."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A {% macro %}: what it writes for its positional and its named arguments."""

    expand: Callable[[list[Any], Mapping[str, Any]], str]


@dataclass(slots=True)
class Steps:
    """Counts the steps of a walk."""

    taken: int = 0

    def take(self, weight: int = 0) -> None:
        """One step, and one for each 64 of `weight`.

        Raises:
            Unclear: MOST_STEPS are taken.
        """
        self.taken += 1 + weight // 64
        if self.taken > MOST_STEPS:
            raise Unclear("too many steps")


def value_of(node: Any, scope: Scope, steps: Steps) -> Any:
    """The value of an expression.

    Raises:
        Refused: it calls raise_exception.
        Unclear: it holds something that is not followed here.
    """
    steps.take()
    work_out = _EXPRESSIONS.get(type(node).__name__)
    if work_out is None:
        raise Unclear(f"expression {type(node).__name__}")
    found = bounded(work_out(node, scope, steps))
    if isinstance(found, str | list):
        steps.take(len(found))
    return found


def number(value: Any) -> int:
    """The value, which has to be a whole number.

    Raises:
        Unclear: it is none.
    """
    if not isinstance(value, int):
        raise Unclear("a number is expected")
    return value


def _list(node: Any, scope: Scope, steps: Steps) -> list[Any]:
    return [value_of(item, scope, steps) for item in node.items]


def _dict(node: Any, scope: Scope, steps: Steps) -> dict[Any, Any]:
    pairs = [(value_of(pair.key, scope, steps), value_of(pair.value, scope, steps)) for pair in node.items]
    if not all(isinstance(key, str | int) for key, _ in pairs):
        raise Unclear("a mapping with keys that are no texts")
    return dict(pairs)


def _concat(node: Any, scope: Scope, steps: Steps) -> str:
    return "".join(shown(value_of(part, scope, steps)) for part in node.nodes)


def _add(node: Any, scope: Scope, steps: Steps) -> Any:
    left, right = value_of(node.left, scope, steps), value_of(node.right, scope, steps)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return number(left) + number(right)


def _reckoned(operate: Callable[[int, int], int]) -> Callable[[Any, Scope, Steps], int]:
    def work_out(node: Any, scope: Scope, steps: Steps) -> int:
        left, right = number(value_of(node.left, scope, steps)), number(value_of(node.right, scope, steps))
        try:
            return operate(left, right)
        except ZeroDivisionError:
            raise Unclear("a division by zero") from None

    return work_out


def _choice(node: Any, scope: Scope, steps: Steps) -> Any:
    if value_of(node.test, scope, steps):
        return value_of(node.expr1, scope, steps)
    return UNDEFINED if node.expr2 is None else value_of(node.expr2, scope, steps)


def _compare(node: Any, scope: Scope, steps: Steps) -> bool:
    left = value_of(node.expr, scope, steps)
    for operand in node.ops:
        right = value_of(operand.expr, scope, steps)
        if not _holds(operand.op, left, right):
            return False
        left = right
    return True


def _holds(operator: str, left: Any, right: Any) -> bool:
    if operator in {"in", "notin"}:
        return contains(right, left) is (operator == "in")
    if operator in {"eq", "ne"}:
        return bool(left == right) is (operator == "eq")
    one, other = number(left), number(right)
    return {"lt": one < other, "lteq": one <= other, "gt": one > other, "gteq": one >= other}[operator]


def _item(node: Any, scope: Scope, steps: Steps) -> Any:
    holder = value_of(node.node, scope, steps)
    if type(node.arg).__name__ != "Slice":
        return attribute(holder, value_of(node.arg, scope, steps))
    ends = [
        None if end is None else value_of(end, scope, steps) for end in (node.arg.start, node.arg.stop, node.arg.step)
    ]
    if not isinstance(holder, str | list) or ends[2] == 0:
        raise Unclear("a slice of no list")
    return holder[slice(*(None if end is None else number(end) for end in ends))]


def _test(node: Any, scope: Scope, steps: Steps) -> bool:
    return call_test(value_of(node.node, scope, steps), node.name, _listed(node, scope, steps))


def _filter(node: Any, scope: Scope, steps: Steps) -> Any:
    if node.node is None:
        raise Unclear("a filter block")
    value, given = value_of(node.node, scope, steps), _listed(node, scope, steps)
    return call_filter(value, node.name, given, _keywords(node, scope, steps))


def _call(node: Any, scope: Scope, steps: Steps) -> Any:
    given, named = _listed(node, scope, steps), _keywords(node, scope, steps)
    if type(node.node).__name__ == "Getattr":
        return call_method(value_of(node.node.node, scope, steps), node.node.attr, given)
    name = getattr(node.node, "name", "")
    told = scope.get(name)
    if isinstance(told, Macro):
        return told.expand(given, named)
    if told is not None:
        raise Unclear("call of a value")
    if name == "raise_exception":
        raise Refused(shown(given[0]) if given else "")
    if name in {"namespace", "dict"} and all(isinstance(one, dict) for one in given):
        found = Namespace() if name == "namespace" else {}
        for one in (*given, named):
            found.update(one)
        return found
    if name == "range" and 1 <= len(given) <= 3 and number(given[-1]) != 0:
        return range(*map(number, given))
    if name == "range" and given:
        return range(0)
    raise Unclear(f"call of {name:.40}")


def _listed(node: Any, scope: Scope, steps: Steps) -> list[Any]:
    """The positional arguments of a call, a filter or a test."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise Unclear("arguments unpacked")
    return [value_of(item, scope, steps) for item in node.args]


def _keywords(node: Any, scope: Scope, steps: Steps) -> dict[str, Any]:
    return {pair.key: value_of(pair.value, scope, steps) for pair in node.kwargs}


_EXPRESSIONS: Mapping[str, Callable[[Any, Scope, Steps], Any]] = {
    "Const": lambda node, *_: node.value,
    "TemplateData": lambda node, *_: node.data,
    "Name": lambda node, scope, _: scope.get(node.name, UNDEFINED),
    "List": _list,
    "Tuple": _list,
    "Dict": _dict,
    "Concat": _concat,
    "Add": _add,
    "Sub": _reckoned(lambda left, right: left - right),
    "Mul": _reckoned(lambda left, right: left * right),
    "Mod": _reckoned(lambda left, right: left % right),
    "FloorDiv": _reckoned(lambda left, right: left // right),
    "Neg": lambda node, scope, steps: -number(value_of(node.node, scope, steps)),
    "Not": lambda node, scope, steps: not value_of(node.node, scope, steps),
    "And": lambda node, scope, steps: value_of(node.left, scope, steps) and value_of(node.right, scope, steps),
    "Or": lambda node, scope, steps: value_of(node.left, scope, steps) or value_of(node.right, scope, steps),
    "CondExpr": _choice,
    "Compare": _compare,
    "Getattr": lambda node, scope, steps: attribute(value_of(node.node, scope, steps), node.attr),
    "Getitem": _item,
    "Test": _test,
    "Filter": _filter,
    "Call": _call,
}
