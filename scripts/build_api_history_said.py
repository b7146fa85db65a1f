"""Read what the source of a release says is deprecated: warnings, help texts, renaming decorators.

What it does not know: warnings whose text is put together elsewhere; who of several names in one text is meant, where
the first in quotation marks is not.
"""

import ast
import re
from collections.abc import Iterator

from build_api_history_source import Node, Wheel

SPEAKS = re.compile(r"warn|deprecat|warning", re.IGNORECASE)
DEPRECATED = re.compile(r"deprecat|will be removed|has been removed|was removed|is removed|no longer (?:supported|has)")
QUOTED = re.compile(r"`{1,2}(?:--|\.?/?)?~?([A-Za-z_][\w.]*)(?:\([^`]*\)|=[^`]*)?`{1,2}|--([a-z]\w+)|'([a-z]\w+)'")
INSTEAD = re.compile(
    r"(?:[Uu]se|[Uu]sing|favou?r of|replaced (?:by|with)|renamed to|[Ss]et|[Pp]ass|[Pp]lease (?:use|see)|switch to)"
    r"\s+(?:the\s+)?(?:argument\s+|keyword\s+)?(?:`{1,2}(?:--)?~?([A-Za-z_][\w.]*)[^`]*`{1,2}|--([a-z]\w+))"
)


def text_of(node: ast.AST) -> str:
    """The words of a string expression; what is filled in stands as `{}`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return text_of(node.left) + (text_of(node.right) if isinstance(node.op, ast.Add) else "")
    return ""


def spoken(node: ast.AST) -> Iterator[str]:
    """The texts of warnings and errors in a body, as one line each."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            name = inner.func.attr if isinstance(inner.func, ast.Attribute) else getattr(inner.func, "id", "")
            if not SPEAKS.search(name) and not name.endswith(("Error", "Exception")):
                continue
            text = " ".join(" ".join(text_of(a) for a in inner.args).split())
            if DEPRECATED.search(text):
                yield text


def subject(text: str) -> str | None:
    """The name that a warning speaks of."""
    if bare := re.match(r"(?:The )?(?:argument |parameter )?\(?([a-z]+(?:_\w+)+)\b", text):
        return bare[1]
    found = QUOTED.search(text)
    if found is None:
        return None
    return next(g for g in found.groups() if g).rpartition(".")[2]


def replacement(text: str) -> str:
    """The name that a warning says to use instead; empty: it says none."""
    found = INSTEAD.search(text) or re.search(
        r"use of `(?:--)?([\w.]+)` is preferred|[Dd]eprecated alias of `([\w.]+)`", text
    )
    by = next((g for g in found.groups() if g), "") if found else ""
    return "" if by == subject(text) else by


def deprecations(wheel: Wheel, name: str, methods: dict[str, Node]) -> dict[str, dict[str, str]]:
    """Scope (`TrainingArguments`, `Trainer.evaluate`) -> name -> what is said of it, of a class."""
    found: dict[str, dict[str, str]] = {}
    for method, node in methods.items():
        scope = name if method in ("__init__", "__post_init__") else f"{name}.{method}"
        for said_of, text in _of_function(node):
            found.setdefault(scope, {}).setdefault(said_of or name, text)
    for cls in wheel.line(name):
        for node in cls.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                for text in _help(node.value):
                    found.setdefault(name, {}).setdefault(node.target.id, text)
    return found


def of_function(node: Node) -> dict[str, str]:
    """Name -> what is said of it, in a function of a module's top level."""
    return {said_of or node.name: text for said_of, text in _of_function(node)}


def _of_function(node: Node) -> Iterator[tuple[str | None, str]]:
    """(name, text); the name is None where the function or class itself is meant."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and "deprecate_kwarg" in ast.unparse(decorator.func) and decorator.args:
            old = text_of(decorator.args[0])
            new = next((text_of(k.value) for k in decorator.keywords if k.arg == "new_name"), "")
            yield old, f"`{old}` is deprecated" + (f", use `{new}` instead" if new else "")
    for text in spoken(node):
        about = subject(text)
        itself = about is None or re.match(r"(?i)this (?:implementation|method|function|class)|the class", text)
        yield (None if itself else about), text[:300]


def _help(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values, strict=True):
                text = " ".join(text_of(item).split())
                if key is not None and text_of(key) == "help" and re.match(r"(?i)\W*(this \w+ is )?deprecated", text):
                    yield text[:300]
