"""The walk: from a script's statements to its Trace. Runs and imports nothing, opens modules and small settings."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pretune.script import evaluate_branches as branches
from pretune.script import evaluate_expressions as expressions
from pretune.script import evaluate_loops as loops
from pretune.script import evaluate_statements as statements
from pretune.script.evaluate_attributes import attribute
from pretune.script.evaluate_calls import call_
from pretune.script.evaluate_comprehensions import comprehension, table_comprehension
from pretune.script.evaluate_rest import walk_rest
from pretune.script.state import Frame, Spent, Walk
from pretune.script.trace import Trace
from pretune.script.values import Constant

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence as Many

    from pretune.script.project import Project
    from pretune.script.source import Unit
    from pretune.script.state import Flow
    from pretune.script.values import Value

FEWEST_STEPS = 20_000
STEPS_PER_LINE = 30
"""Expressions that are worked out for each line of source before functions are no longer walked into."""
MOST_STEPS = 300_000


def _attribute(walk: Walk, node: ast.Attribute) -> Value:
    return attribute(walk, walk.value(node.value), node.attr)


EXPRESSIONS: dict[type[ast.expr], Callable[[Walk, Any], Value]] = {
    ast.Name: expressions.name_,
    ast.Constant: expressions.constant_,
    ast.Attribute: _attribute,
    ast.Call: call_,
    ast.Subscript: expressions.subscript_,
    ast.BinOp: expressions.binary_,
    ast.Compare: expressions.compare_,
    ast.BoolOp: expressions.boolean_,
    ast.UnaryOp: expressions.unary_,
    ast.IfExp: expressions.conditional_,
    ast.List: expressions.sequence_("list"),
    ast.Tuple: expressions.sequence_("tuple"),
    ast.Set: expressions.sequence_("set"),
    ast.Dict: expressions.table_,
    ast.JoinedStr: expressions.joined_,
    ast.FormattedValue: expressions.formatted_,
    ast.Slice: expressions.slice_,
    ast.Starred: expressions.starred_,
    ast.NamedExpr: expressions.walrus_,
    ast.Lambda: expressions.lambda_,
    ast.Await: expressions.await_,
    ast.Yield: expressions.yield_,
    ast.YieldFrom: expressions.yield_,
    ast.ListComp: comprehension("list"),
    ast.SetComp: comprehension("set"),
    ast.GeneratorExp: comprehension("list"),
    ast.DictComp: table_comprehension,
}
STATEMENTS: dict[type[ast.stmt], Callable[[Walk, Any], Flow | None]] = {
    ast.Expr: statements.expression,
    ast.Assign: statements.assignment,
    ast.AnnAssign: statements.annotated,
    ast.AugAssign: statements.augmented,
    ast.FunctionDef: statements.function_definition,
    ast.AsyncFunctionDef: statements.function_definition,
    ast.ClassDef: statements.class_definition,
    ast.Return: statements.returned,
    ast.Raise: statements.raised,
    ast.Break: statements.left_loop,
    ast.Continue: statements.left_loop,
    ast.Assert: statements.asserted,
    ast.Delete: statements.deleted,
    ast.Global: statements.declared_global,
    ast.Nonlocal: statements.declared_nonlocal,
    ast.Import: statements.imported,
    ast.ImportFrom: statements.imported_from,
    ast.Pass: statements.nothing,
    ast.If: branches.branch,
    ast.Match: branches.matched,
    ast.Try: branches.attempted,
    ast.TryStar: branches.attempted,
    ast.With: branches.within,
    ast.AsyncWith: branches.within,
    ast.For: loops.for_loop,
    ast.AsyncFor: loops.for_loop,
    ast.While: loops.while_loop,
}
if hasattr(ast, "TypeAlias"):  # Python 3.12
    STATEMENTS[ast.TypeAlias] = statements.nothing


def evaluate(units: Many[Unit], file: str, project: Project, *, notes: Many[str] = ()) -> Trace:
    """Walks a script, or the cells of a notebook in their order.

    Args:
        units: its pieces; of a script one.
        file: the path as the user named it.
        project: where its own modules are found.
        notes: what is known of it already.
    """
    lines = sum(len(unit.lines) for unit in units)
    variables: dict[str, Value] = {"__name__": Constant("__main__"), "__file__": Constant(file)}
    frame = Frame(units[0], variables, (variables,), module=variables)
    steps = min(max(FEWEST_STEPS, STEPS_PER_LINE * lines), MOST_STEPS)
    walk = Walk(project, frame, expressions=EXPRESSIONS, statements=STATEMENTS, steps=steps)
    for note in notes:
        walk.note(note)
    try:
        for unit in units:
            frame.unit = unit
            walk.run(unit.body)  # a cell that ends the run ends only itself
        walk_rest(walk)
    except Spent:
        walk.note("the walk was cut short: the script takes too many steps to follow")
    modules = (key[1] for key in walk.memory if isinstance(key, tuple) and key[0] == "module")
    return Trace(
        file=file,
        events=tuple(walk.events),
        functions=walk.functions,
        classes=walk.classes,
        files=(file, *modules),
        notes=tuple(walk.notes),
    )
