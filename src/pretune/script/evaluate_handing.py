"""Functions that a script hands to a library: walked once where they are handed over, with what it would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.evaluate_functions import gives, invoke
from pretune.script.values import Constant, Function, Made, OneOf, Sequence, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.state import Walk
    from pretune.script.trace import Call
    from pretune.script.values import Value

GIVEN = "given by the library"
_LAUNCHERS = {"notebook_launcher", "debug_launcher", "launch"}
_SPAWNERS = {"spawn", "start_processes"}
_COMMANDS = {"fire.Fire", "typer.run", "tyro.cli", "tyro.extras.subcommand_cli_from_dict", "defopt.run"}
_WITHOUT = {
    "builtins.print",
    "builtins.isinstance",
    "builtins.hasattr",
    "builtins.getattr",
    "builtins.type",
    "builtins.id",
}


def hand_over(walk: Walk, call: Call) -> None:
    """Walks the functions among a call's arguments, each once in a script."""
    if walk.quiet or call.function_name in _WITHOUT:
        return
    command = call.function_name in _COMMANDS
    for value in (*call.arguments, *call.keywords.values()):
        for function in _functions(value, 3):
            key = (function.node, id(function.scope.receiver) if function.scope.receiver is not None else 0)
            if key in walk.handed or (
                call.method in ("partial", "wraps") and call.function_name.startswith("functools")
            ):
                continue
            walk.handed.add(key)
            positional, keywords = _arguments(call)
            missing = "the command line" if command else GIVEN
            invoke(walk, function, positional, keywords, missing=missing, place=call.place)


def _functions(value: Value, depth: int) -> Iterator[Function]:
    """The functions that a value is or holds."""
    if isinstance(value, Function):
        yield value
    elif isinstance(value, Made):
        found = gives(value)
        if found is not None:
            yield found
    elif depth:
        inner: tuple[Value, ...] = ()
        if isinstance(value, Sequence):
            inner = value.items[:32]
        elif isinstance(value, Table):
            inner = tuple(one for _, one in value.items[:32])
        elif isinstance(value, OneOf):
            inner = value.values
        for one in inner:
            yield from _functions(one, depth - 1)


def _arguments(call: Call) -> tuple[tuple[Value, ...], dict[str, Value]]:
    """The arguments that a library is known to pass on."""
    if call.method in _LAUNCHERS | _SPAWNERS:
        given = call.argument(1, "args")
        items = given.items if isinstance(given, Sequence) else ()
        return ((Unknown(GIVEN, "rank"), *items) if call.method in _SPAWNERS else items), {}
    passed = call.argument(None, "fn_kwargs")
    if isinstance(passed, Table):
        named = {
            key.value: one for key, one in passed.items if isinstance(key, Constant) and isinstance(key.value, str)
        }
        return (), named
    if call.method in ("Thread", "Process") and isinstance(call.argument(None, "args"), Sequence):
        inner = call.keywords["args"]
        return (inner.items if isinstance(inner, Sequence) else ()), {}
    return (), {}
