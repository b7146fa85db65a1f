"""Branches: `if`, `match`, `try`, `with`. A test that can be told decides; else both sides are walked and joined."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pretune.script.choices import operation, truth
from pretune.script.evaluate_classes import find
from pretune.script.evaluate_functions import bind, invoke
from pretune.script.evaluate_targets import assign
from pretune.script.folding import compare
from pretune.script.state import Flow
from pretune.script.trace import Condition
from pretune.script.values import Constant, External, Function, Instance, OneOf, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Many

    from pretune.script.state import Walk
    from pretune.script.values import Value

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def branch(walk: Walk, node: ast.If) -> Flow | None:
    """`if`, `elif`, `else`."""
    test = walk.value(node.test)
    if isinstance(test, External) and test.name.endswith("TYPE_CHECKING"):
        _for_types(walk, node.body)
        return walk.run(node.orelse)
    answer = truth(test)
    if answer is not None:
        return walk.run(node.body if answer else node.orelse)
    place = walk.place(node.test)
    yes, no = Condition(test, taken=True, place=place), Condition(test, taken=False, place=place)
    narrowed = _narrowing(walk, node.test)
    flows = walk.fork(
        [((yes,), lambda: walk.run(node.body)), ((no,), lambda: _narrowed(walk, narrowed, node.orelse, node.test))]
    )
    return after(walk, [(yes, no), (no, yes)], flows)


def _for_types(walk: Walk, body: list[ast.stmt]) -> None:
    """Binds what `if TYPE_CHECKING:` imports, for annotations; nothing is imported in a run."""
    walk.quiet += 1
    try:
        walk.run([one for one in body if isinstance(one, ast.ImportFrom | ast.Import)])
    finally:
        walk.quiet -= 1


def _narrowing(walk: Walk, test: ast.expr) -> str | None:
    """The name of which the test says that it is None or false: `if x is None`, `if not x` have no else to narrow."""
    del walk
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and len(test.ops) == 1:
        compared = test.comparators[0]
        is_null = isinstance(compared, ast.Constant) and compared.value is None
        return test.left.id if is_null and isinstance(test.ops[0], ast.Is) else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Name):
        return test.operand.id
    return None


def _narrowed(walk: Walk, name: str | None, body: list[ast.stmt], test: ast.expr) -> Flow | None:
    """The other side, where a name that may be None is none."""
    del test
    if name is not None:
        value = walk.frame.variables.get(name)
        if isinstance(value, OneOf):
            kept = tuple(one for one in value.values if not (isinstance(one, Constant) and one.value is None))
            if kept and len(kept) < len(value.values):
                walk.journal.put(walk.frame.variables, name, kept[0] if len(kept) == 1 else OneOf(kept))
    return walk.run(body)


def after(walk: Walk, sides: Many[tuple[Condition, Condition]], flows: list[Flow]) -> Flow | None:
    """How a branch ended as a whole.

    Args:
        walk: the walk.
        sides: of each side the condition it stood under, and what is known where it was not taken.
        flows: how each ended.
    """
    ends = [flow.ends for flow in flows]
    if all(end is not None for end in ends):
        kind = "return" if "return" in ends else "loop" if "loop" in ends else "raise"
        return Flow(kind)
    left: list[tuple[str, Condition]] = []
    for (own, other), flow in zip(sides, flows, strict=True):
        # a run that raised is over, and no condition of what follows, unless something here catches it
        if flow.ends in ("return", "loop") or (flow.ends == "raise" and walk.catching):
            left.append((flow.ends or "", other))
            continue
        for kind, inner in flow.left:
            gone = operation("not", inner.test) if inner.taken else inner.test
            both = operation("and", own.test if own.taken else operation("not", own.test), gone)
            left.append((kind, Condition(both, taken=False, place=inner.place)))
    return Flow(None, tuple(left)) if left else None


def attempted(walk: Walk, node: Any) -> Flow | None:
    """`try`: its body, then each handler as if the body had been left anywhere."""
    guarded = any(_catches_import(one.type) for one in node.handlers)
    walk.guards += guarded
    walk.catching += bool(node.handlers)
    journal = walk.journal
    base = len(journal.entries)
    before = walk.conditions
    try:
        walk.forks += 1
        flow = walk.run(node.body) or Flow()
    finally:
        walk.guards -= guarded
        walk.catching -= bool(node.handlers)
        walk.forks -= 1
    done = journal.changes(base)
    if flow.ends is None and node.orelse:
        walk.conditions = (*before, *(condition for _, condition in flow.left))
        more = walk.run(node.orelse) or Flow()
        walk.conditions = before
        flow = Flow(more.ends, flow.left + more.left)
    reached = journal.changes(base)
    journal.undo(base)
    sides = [] if flow.ends is not None else [reached]
    caught: list[Flow] = []
    walk.forks += 1
    for handler in node.handlers:
        journal.merge([{}, done])  # the body may have been left before or after each of its changes
        caught.append(_handled(walk, handler))
        if caught[-1].ends is None:
            sides.append(journal.changes(base))
        journal.undo(base)
    walk.forks -= 1
    journal.merge(sides)
    ended = _finally(walk, node.finalbody)
    if ended is not None:
        return ended
    if flow.ends is not None and all(one.ends is not None for one in caught):
        return Flow(flow.ends if flow.ends != "raise" or not caught else caught[0].ends)
    left = tuple((kind, one) for kind, one in flow.left if kind != "raise")
    if flow.ends in ("return", "loop"):
        left += ((flow.ends, Condition(Unknown("an exception"), taken=True, place=walk.place(node))),)
    return Flow(None, left) if left else None


def _finally(walk: Walk, body: list[ast.stmt]) -> Flow | None:
    """`finally`: its own return counts, else the flow before."""
    flow = walk.run(body)
    return flow if flow is not None and flow.ends is not None else None


def _handled(walk: Walk, handler: ast.ExceptHandler) -> Flow:
    """One `except`."""
    saved = walk.conditions
    walk.conditions = (*saved, Condition(Unknown("an exception"), taken=True, place=walk.place(handler)))
    try:
        if handler.type is not None:
            walk.value(handler.type)
        if handler.name is not None:
            walk.put(handler.name, Unknown("an exception", handler.name))
        return walk.run(handler.body) or Flow()
    finally:
        walk.conditions = saved


def _catches_import(node: ast.expr | None) -> bool:
    """Whether an `except` catches the failure of an import."""
    if node is None:
        return True
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(
        (isinstance(one, ast.Name) and one.id in _IMPORT_ERRORS)
        or (isinstance(one, ast.Attribute) and one.attr in _IMPORT_ERRORS)
        for one in names
    )


def within(walk: Walk, node: Any) -> Flow | None:
    """`with`, also `async with`."""
    saved = walk.contexts
    entered: list[Instance] = []
    guards = 0
    try:
        for one in node.items:
            if isinstance(one.context_expr, ast.Call) and one.optional_vars is not None:
                walk.targets[one.context_expr] = (ast.unparse(one.optional_vars),)
            context = walk.value(one.context_expr)
            walk.contexts = (*walk.contexts, context)
            guards += _suppresses_import(one.context_expr)
            value = context
            if isinstance(context, Instance):
                entered.append(context)
                value = _called(walk, context, "__enter__") or context
            if one.optional_vars is not None:
                assign(walk, one.optional_vars, value)
        walk.guards += guards
        try:
            flow = walk.run(node.body)
        finally:
            walk.guards -= guards
        for instance in reversed(entered):
            _called(walk, instance, "__exit__")
    finally:
        walk.contexts = saved
    return flow


def _called(walk: Walk, instance: Instance, name: str) -> Value | None:
    """What a method of an object gives, where it has it."""
    method = find(instance.of, name)
    if not isinstance(method, Function):
        return None
    return invoke(walk, bind(walk, method, instance), missing="given by `with`")


def _suppresses_import(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and any(_catches_import(one) for one in node.args)
        and "suppress" in ast.dump(node.func)
    )


def matched(walk: Walk, node: ast.Match) -> Flow | None:
    """`match`: each case as a side of a branch."""
    subject = walk.value(node.subject)
    sides: list[tuple[tuple[Condition, ...], Callable[[], Flow | None]]] = []
    known: list[tuple[Condition, Condition]] = []
    denied: tuple[Condition, ...] = ()
    for case in node.cases:
        test = _pattern_test(walk, case, subject)
        answer = truth(test)
        if answer is False:
            continue
        if answer and not sides:
            _capture(walk, case.pattern, subject)
            return walk.run(case.body)
        place = walk.place(case.pattern)
        own, other = Condition(test, taken=True, place=place), Condition(test, taken=False, place=place)
        conditions = denied if answer else (*denied, own)
        sides.append((conditions, _case(walk, case, subject)))
        known.append((own, other))
        denied = (*denied, other)
        if answer:
            break
    else:
        if not sides:
            return None
        sides.append((denied, Flow))
        known.append((denied[-1], known[-1][0]))
    return after(walk, known, walk.fork(sides))


def _case(walk: Walk, case: ast.match_case, subject: Value) -> Callable[[], Flow | None]:
    def side() -> Flow | None:
        _capture(walk, case.pattern, subject)
        if case.guard is not None:
            walk.value(case.guard)
        return walk.run(case.body)

    return side


def _pattern_test(walk: Walk, case: ast.match_case, subject: Value) -> Value:
    """What a case asks, as a value."""
    pattern = case.pattern
    if case.guard is not None:
        return Unknown("a match")
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        return Constant(True)
    if isinstance(pattern, ast.MatchValue):
        return compare("==", subject, walk.value(pattern.value))
    if isinstance(pattern, ast.MatchSingleton):
        return compare("is", subject, Constant(pattern.value))
    if isinstance(pattern, ast.MatchOr) and all(isinstance(one, ast.MatchValue) for one in pattern.patterns):
        answers = [
            compare("==", subject, walk.value(one.value)) for one in pattern.patterns if isinstance(one, ast.MatchValue)
        ]
        if any(truth(one) for one in answers):
            return Constant(True)
        return Constant(False) if all(truth(one) is False for one in answers) else operation("or", *answers)
    return Unknown("a match")


def _capture(walk: Walk, pattern: ast.pattern, subject: Value) -> None:
    """Binds the names of a pattern."""
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        if pattern.name is not None:
            walk.put(pattern.name, subject)
        return
    for one in ast.walk(pattern):
        name = getattr(one, "name", None) or getattr(one, "rest", None)
        if isinstance(name, str):
            walk.put(name, Unknown("a match", name))
