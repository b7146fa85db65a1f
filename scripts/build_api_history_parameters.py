"""Read what the callables of a released package take: parameters and defaults. Part of build_api_history.py.

What it does not know: what a default that is computed comes to; what other functions than methods of the same class do
with the `**kwargs` that they are handed.
"""

import ast
import re
from collections.abc import Iterator

from build_api_history_source import Node, Wheel, statements, strings

DEPTH = 4
"""How many calls `**kwargs` is followed through."""

Parameters = dict[str, tuple[str | None, str]]
"""Name -> (default as source; None: required, kind): kind is empty for what the signature names, `popped` for what
the body takes out of `**kwargs`, `passed` for what a function takes to which they are handed on, `old` for a renaming
decorator. `*` and `**` stand for themselves."""


def signature(node: Node, *, bound: bool) -> Parameters:
    """The parameters that a signature names."""
    args = node.args
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    found: Parameters = {a.arg: (said(d), "") for a, d in zip(plain, defaults, strict=True)}
    if bound and plain and not any(ast.unparse(d) == "staticmethod" for d in node.decorator_list):
        found.pop(plain[0].arg)
    if args.vararg:
        found["*"] = ("", "")
    found |= {a.arg: (said(d), "") for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)}
    if args.kwarg:
        found["**"] = ("", "")
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and "deprecate_kwarg" in ast.unparse(decorator.func) and decorator.args:
            old = decorator.args[0]
            if isinstance(old, ast.Constant) and old.value not in found:
                found[str(old.value)] = ("", "old")
    return found


def said(node: ast.expr | None) -> str | None:
    """A default as it is compared: members of an enum by their value."""
    if node is None:
        return None
    text = ast.unparse(node)
    if member := re.fullmatch(r"(?:\w+Strategy|SchedulerType|OptimizerNames)\.(\w+)", text):
        return repr(member[1].lower())
    return text if len(text) <= 60 else text[:57] + "..."


def accepted(wheel: Wheel, name: str, node: Node, depth: int = DEPTH) -> Parameters:
    """What a method of a class, or a function (name empty), takes, through `**kwargs` as well."""
    found = signature(node, bound=bool(name))
    if node.args.kwarg is None:
        return found
    rest = _rests(node, node.args.kwarg.arg)
    methods = wheel.methods(name) if name else {}
    for inner in ast.walk(node):
        for key, default in _taken(inner, rest):
            found.setdefault(key, (default, "popped"))
        if not isinstance(inner, ast.Call) or depth == 0:
            continue
        if any(k.arg is None and isinstance(k.value, ast.Name) and k.value.id in rest for k in inner.keywords):
            owner = inner.func.value if isinstance(inner.func, ast.Attribute) else None
            called = methods.get(inner.func.attr) if isinstance(inner.func, ast.Attribute) else None
            if called is None or called is node or not (isinstance(owner, ast.Name) and owner.id in ("self", "cls")):
                continue
            given = {k.arg for k in inner.keywords}
            for key, (default, _) in accepted(wheel, name, called, depth - 1).items():
                if key not in given and key not in ("*", "**"):
                    found.setdefault(key, (default, "passed"))
    return found


def _rests(node: Node, rest: str) -> set[str]:
    """The names under which what came in `**kwargs` goes on: itself, and dicts that it is put into."""
    found = {rest}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "update":
            onto = inner.func.value
            if isinstance(onto, ast.Name) and rest in {getattr(a, "id", "") for a in inner.args}:
                found.add(onto.id)
        if (
            isinstance(inner, ast.Assign)
            and isinstance(inner.value, ast.Dict)
            and isinstance(inner.targets[0], ast.Name)
        ) and any(
            k is None and getattr(v, "id", "") == rest
            for k, v in zip(inner.value.keys, inner.value.values, strict=True)
        ):
            found.add(inner.targets[0].id)
    return found


def _taken(node: ast.AST, rest: set[str]) -> Iterator[tuple[str, str | None]]:
    """Key and default of `kwargs.pop("key", default)`, `kwargs.get(...)`, `"key" in kwargs`, also in loops."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("pop", "get"):
        key = node.args[0] if node.args else None
        own = isinstance(node.func.value, ast.Name) and node.func.value.id in rest
        if own and isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, said(node.args[1]) if len(node.args) > 1 else ""
    if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and isinstance(node.iter, ast.List | ast.Tuple):
        text = ast.unparse(node.body[0])
        if any(f"{name}.pop({node.target.id}" in text for name in rest):
            yield from ((key, "None") for key in strings(node.iter))
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        right = node.comparators[0]
        if isinstance(node.ops[0], ast.In) and isinstance(right, ast.Name) and right.id in rest:
            yield node.left.value, ""


def fields(wheel: Wheel, name: str) -> Parameters | None:
    """The fields of a dataclass, inherited ones included; None: it is no dataclass."""
    line = wheel.line(name)
    if not line or not any("dataclass" in ast.unparse(d) for cls in line for d in cls.decorator_list):
        return None
    found: Parameters = {}
    for cls in reversed(line):
        chosen = ""
        for node in statements(cls.body):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_optim":
                chosen = ast.unparse(node.value)
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            if not node.target.id.startswith("_") and "ClassVar" not in ast.unparse(node.annotation):
                default = _field_default(node.value)
                found[node.target.id] = (chosen if default == "default_optim" and chosen else default, "")
    return found


def _field_default(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("field", "dataclasses.field"):
        given = {k.arg: k.value for k in value.keywords}
        if "default_factory" in given:
            text = ast.unparse(given["default_factory"])
            return {"list": "[]", "dict": "{}"}.get(text, text)
        return said(given.get("default"))
    return said(value)
