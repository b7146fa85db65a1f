"""The arguments of a call: worked out in order, of `*x` and `**x` what is known of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.script.choices import alternatives, join
from pretune.script.evaluate_items import items_of
from pretune.script.values import Constant, Table

if TYPE_CHECKING:
    from pretune.script.state import Walk
    from pretune.script.values import Value


@dataclass(slots=True)
class Given:
    """The arguments of a call."""

    positional: list[Value] = field(default_factory=list)
    keywords: dict[str, Value] = field(default_factory=dict)
    open: bool = False


def arguments(walk: Walk, node: ast.Call) -> Given:
    """What a call is given; of `*x` and `**x` what is known of them."""
    given = Given()
    for one in node.args:
        if not isinstance(one, ast.Starred):
            given.positional.append(walk.value(one))
            continue
        found = items_of(walk.value(one.value))
        if found is None or given.open:
            given.open = True
        else:
            given.positional += found.items
            given.open = found.open
    for keyword in node.keywords:
        value = walk.value(keyword.value)
        if keyword.arg is not None:
            given.keywords[keyword.arg] = value
        else:
            _spread(given, value)
    return given


def _spread(given: Given, value: Value) -> None:
    """`**value`: of several dicts what all of them have."""
    tables = [one for one in alternatives(value) if isinstance(one, Table)]
    if len(tables) != len(alternatives(value)) or not tables:
        given.open = True
        return
    for key, _ in tables[0].items:
        found = [table.get(key.value) if isinstance(key, Constant) else None for table in tables]
        there = [one for one in found if one is not None]
        if isinstance(key, Constant) and isinstance(key.value, str) and len(there) == len(tables):
            given.keywords[key.value] = join(there)
        else:
            given.open = True
    if any(table.open or len(table.items) != len(tables[0].items) for table in tables):
        given.open = True
