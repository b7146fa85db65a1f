"""PYS2: LightningModules: what training_step gives back, who calls backward, who makes the optimizer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.script.values import Class, External, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.finding import Rule
    from pretune.script.trace import Trace


@rule("PYS251", Level.ERROR)
def backward_beside_lightning(script: ScriptFacts) -> Iterator[Problem]:
    """A LightningModule calls backward itself under automatic optimization.

    Why: Lightning calls backward too: `RuntimeError: Trying to backward through the graph a second time`, and
    manual_backward stops with a MisconfigurationException.
    Fix: return the loss and leave backward and step to Lightning, or set self.automatic_optimization = False.
    """
    for module in _modules(script.trace):
        if _mentions(module, "automatic_optimization"):
            continue
        for call in script.trace.calls("backward", "manual_backward"):
            inside = call.function is not None and call.function.name == f"{module.name}.training_step"
            reached = call.entry is not None and call.entry.name == f"{module.name}.training_step"
            if inside or reached:
                yield Problem(
                    f"{call.method}() in {module.name}.training_step, but automatic_optimization is on",
                    where=str(call.place),
                )


@rule("PYS252", Level.ERROR)
def training_step_without_loss(script: ScriptFacts) -> Iterator[Problem]:
    """training_step gives nothing back.

    Why: Lightning takes None for "skip this batch": nothing is trained, with one warning at the beginning.
    Fix: return the loss, or a dict with the key "loss".
    """
    for module in _modules(script.trace):
        step = _method(module, "training_step")
        if step is None or _mentions(module, "automatic_optimization") or _is_stub(step):
            continue
        if not any(_gives(node) for node in _own(step)):
            unit = next((f for f in script.trace.functions.values() if f.node is step), None)
            place = unit.place if unit is not None else module.place
            yield Problem(f"{module.name}.training_step has no return with a loss", where=str(place))


@rule("PYS253", Level.ERROR)
def optimizer_not_configured(script: ScriptFacts) -> Iterator[Problem]:
    """A LightningModule without configure_optimizers is fitted.

    Why: fit stops: `No configure_optimizers() method defined`.
    Fix: def configure_optimizers(self): return torch.optim.AdamW(self.parameters(), lr=2e-5)
    """
    modules = _modules(script.trace)
    for call in script.trace.calls("fit"):
        given = call.argument(0, "model")
        if not isinstance(given, Instance) or given.of not in modules:
            continue
        own = _method(given.of, "configure_optimizers") is not None or _mentions(given.of, "configure_optimizers")
        plain = all(isinstance(base, External) and base.name.endswith("LightningModule") for base in given.of.bases)
        if plain and not own and _method(given.of, "training_step") is not None:
            yield Problem(
                f"{given.of.name} is fitted and has no configure_optimizers",
                where=str(given.of.place),
                also=(str(call.place),),
            )


def _modules(trace: Trace) -> list[Class]:
    """The LightningModules of the project."""
    return [one for one in trace.classes.values() if one.derives("LightningModule")]


def _lineage(module: Class) -> Iterator[Class]:
    yield module
    for base in module.bases:
        if isinstance(base, Class):
            yield from _lineage(base)


def _mentions(module: Class, name: str) -> bool:
    """Whether the class, or one of the project that it is derived from, names an attribute."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == name) or (isinstance(node, ast.Name) and node.id == name)
        for one in _lineage(module)
        for node in ast.walk(one.node)
    )


def _method(module: Class, name: str) -> ast.FunctionDef | None:
    """A method that stands in the class, or in one of the project that it is derived from."""
    for one in _lineage(module):
        for node in one.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
    return None


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def _gives(node: ast.AST) -> bool:
    """Whether a node gives back something that may be a loss."""
    if isinstance(node, ast.Yield | ast.YieldFrom):
        return True
    if not isinstance(node, ast.Return) or node.value is None:
        return False
    return not (isinstance(node.value, ast.Constant) and node.value.value is None)


def _is_stub(function: ast.FunctionDef) -> bool:
    """Whether a function only says that others will write it."""
    return all(
        isinstance(node, ast.Pass | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in function.body
    )


RULES: tuple[Rule, ...] = (backward_beside_lightning, training_step_without_loss, optimizer_not_configured)
