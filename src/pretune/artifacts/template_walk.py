"""Follows a parsed chat template through a small conversation and says what it would write.

Nothing of the template is compiled or run: this walks jinja2's syntax tree, statement by statement, takes a bounded
number of steps, and gives up (`Unclear`) at anything it does not know. Knows no tokenizer.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pretune.artifacts.template_expressions import Macro, Refused, Steps, value_of
from pretune.artifacts.template_values import UNDEFINED, Namespace, Unclear, Undefined, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jinja2 import nodes

    from pretune.artifacts.template_expressions import Scope

__all__ = ["Refused", "Unclear", "follow"]


class _Break(Exception):  # noqa: N818
    """{% break %}."""


class _Continue(Exception):  # noqa: N818
    """{% continue %}."""


def follow(tree: nodes.Template, given: Mapping[str, Any]) -> str:
    """What the template writes for `given` (`messages`, `bos_token`, `add_generation_prompt` …).

    Raises:
        Refused: it raises an exception of its own.
        Unclear: it does what is not followed here, or too much of it.
    """
    walk = _Walk()
    try:
        walk.through(tree.body, ChainMap({}, dict(given)))
    except (_Break, _Continue, RecursionError):
        raise Unclear("nested too deeply, or a break outside a loop") from None
    return "".join(walk.out)


@dataclass(slots=True)
class _Walk:
    """One walk: what has been written so far, and the steps taken."""

    out: list[str] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)

    def value(self, node: Any, scope: Scope) -> Any:
        return value_of(node, scope, self.steps)

    def through(self, body: Sequence[Any], scope: Scope) -> None:
        """Take the statements in their order."""
        for node in body:
            self.steps.take()
            take = _STATEMENTS.get(type(node).__name__)
            if take is None:
                raise Unclear(f"statement {type(node).__name__}")
            take(self, node, scope)

    def apart(self, body: Sequence[Any], scope: Scope) -> str:
        """What the statements write, kept out of the walk's own text."""
        outer, self.out = self.out, []
        try:
            self.through(body, scope)
            return "".join(self.out)
        finally:
            self.out = outer

    def output(self, node: Any, scope: Scope) -> None:
        self.out += [shown(self.value(part, scope)) for part in node.nodes]

    def branch(self, node: Any, scope: Scope) -> None:
        for case in (node, *node.elif_):
            if self.value(case.test, scope):
                self.through(case.body, scope)
                return
        self.through(node.else_, scope)

    def loop(self, node: Any, scope: Scope) -> None:
        if node.recursive:
            raise Unclear("a recursive loop")
        given = self.value(node.iter, scope)
        if not isinstance(given, str | list | dict | range | Undefined):
            raise Unclear("a loop over no list")
        items: list[Any] = [] if isinstance(given, Undefined) else list(given)
        if node.test is not None:
            items = [item for item in items if self.value(node.test, _named(node.target, item, scope))]
        for index, item in enumerate(items):
            self.steps.take()
            inner = _named(node.target, item, scope)
            inner["loop"] = _position(items, index)
            try:
                self.through(node.body, inner)
            except _Continue:
                continue
            except _Break:
                break
        if not items:
            self.through(node.else_, scope)

    def assign(self, node: Any, scope: Scope) -> None:
        _assign(node.target, self.value(node.node, scope), scope)

    def assign_block(self, node: Any, scope: Scope) -> None:
        if node.filter is not None:
            raise Unclear("a filtered block")
        _assign(node.target, self.apart(node.body, ChainMap({}, scope)), scope)

    def macro(self, node: Any, scope: Scope) -> None:
        names = [parameter.name for parameter in node.args]

        def expand(given: list[Any], named: Mapping[str, Any]) -> str:
            inner: Scope = ChainMap(dict.fromkeys(names, UNDEFINED), scope)
            for name, default in zip(names[len(names) - len(node.defaults) :], node.defaults, strict=True):
                inner[name] = self.value(default, scope)
            inner.update(zip(names, given, strict=False))
            inner.update({name: value for name, value in named.items() if name in names})
            return self.apart(node.body, inner)

        scope[node.name] = Macro(expand)

    def with_names(self, node: Any, scope: Scope) -> None:
        inner: Scope = ChainMap({}, scope)
        for target, given in zip(node.targets, node.values, strict=True):
            _assign(target, self.value(given, scope), inner)
        self.through(node.body, inner)

    def leave(self, node: Any, scope: Scope) -> None:  # noqa: ARG002 - all statements are called alike
        raise _Break if type(node).__name__ == "Break" else _Continue


_STATEMENTS: Mapping[str, Callable[[_Walk, Any, Scope], None]] = {
    "Output": _Walk.output,
    "If": _Walk.branch,
    "For": _Walk.loop,
    "Assign": _Walk.assign,
    "AssignBlock": _Walk.assign_block,
    "Macro": _Walk.macro,
    "With": _Walk.with_names,
    "Break": _Walk.leave,
    "Continue": _Walk.leave,
}


def _assign(target: Any, value: Any, scope: Scope) -> None:
    if type(target).__name__ != "NSRef":
        scope.update(_pairs(target, value))
        return
    space = scope.get(target.name)
    if not isinstance(space, Namespace):
        raise Unclear("an assignment to no namespace")
    space[target.attr] = value


def _named(target: Any, item: Any, scope: Scope) -> Scope:
    """A scope of its own in which a loop's target names the item."""
    return ChainMap(dict(_pairs(target, item)), scope)


def _pairs(target: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Name -> value of an assignment, unpacked."""
    if type(target).__name__ == "Name":
        yield target.name, value
        return
    if type(target).__name__ != "Tuple" or not isinstance(value, list | tuple) or len(value) != len(target.items):
        raise Unclear("an unpacking that does not fit")
    for inner, item in zip(target.items, value, strict=True):
        yield from _pairs(inner, item)


def _position(items: Sequence[Any], index: int) -> dict[str, Any]:
    """Jinja's `loop`."""
    last = len(items) - 1
    return {
        "index": index + 1,
        "index0": index,
        "first": index == 0,
        "last": index == last,
        "length": len(items),
        "revindex": last - index + 1,
        "revindex0": last - index,
        "previtem": items[index - 1] if index else UNDEFINED,
        "nextitem": items[index + 1] if index < last else UNDEFINED,
    }
