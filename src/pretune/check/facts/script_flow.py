"""What a value of a script was computed from, and whether two events can belong to one run. Knows no rule.

Pure questions to values and events, on top of `pretune.script.kinds`; what is Unknown has no lineage but itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call
from pretune.script.values import (
    Constant,
    External,
    Function,
    Instance,
    Made,
    OneOf,
    Operation,
    Part,
    Sequence,
    Slice,
    Table,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pretune.script.trace import Event, Loop, Trace
    from pretune.script.values import Value

MOST = 600
"""Values that a lineage is followed through."""
_PASSING = {
    "enumerate", "tqdm", "trange", "zip", "iter", "islice", "track", "next", "progress_bar", "cycle",
    "log_every", "list", "set_postfix", "prepare", "prepare_data_loader", "skip_first_batches",
    "device_placement", "ParallelLoader", "per_device_loader", "notebook_tqdm", "tqdm_notebook",
    "setup_dataloaders", "MpDeviceLoader", "batch_iterator",
}  # fmt: skip
"""Calls that give the items of their first argument (or receiver) one by one."""
_GRADIENT_FREE = ("no_grad", "inference_mode")


def lineage(value: Value, *, stop: Callable[[Value], bool] = lambda _: False) -> Iterator[Value]:
    """The value and all that it was computed from, nearest first.

    Args:
        value: where to begin.
        stop: values that are given but not looked behind.
    """
    waiting = [value]
    seen: set[int] = set()
    for _ in range(MOST):
        if not waiting:
            return
        one = waiting.pop(0)
        if isinstance(one, Made):
            if id(one.call) in seen:
                continue
            seen.add(id(one.call))
        yield one
        if not stop(one):
            waiting.extend(behind(one))


def behind(value: Value) -> tuple[Value, ...]:
    """What a value was directly computed from: of a call its receiver and arguments."""
    if isinstance(value, Made):
        call = value.call
        receiver = () if call.receiver is None else (call.receiver,)
        return (*receiver, *call.arguments, *call.keywords.values())
    if isinstance(value, Part):
        return (value.of,)
    if isinstance(value, Operation):
        return value.operands
    if isinstance(value, OneOf):
        return value.values
    if isinstance(value, Sequence):
        return value.items
    if isinstance(value, Table):
        return tuple(item for _, item in value.items)
    return ()


def call_of(value: Value | None, *methods: str) -> Call | None:
    """The call that gave the value, where its method is one of these (none named: any)."""
    if isinstance(value, Made) and (not methods or value.call.method in methods):
        return value.call
    return None


def every(value: Value, test: Callable[[Value], bool]) -> bool:
    """Whether the test holds for each alternative of a value."""
    return all(test(one) for one in alternatives(value))


def number(value: Value | None) -> float | None:
    """A number that stands in the source; None: it is none, or not known. A bool is none."""
    if isinstance(value, Constant) and isinstance(value.value, int | float) and not isinstance(value.value, bool):
        return value.value
    return None


def text(value: Value | None) -> str | None:
    """A text that stands in the source; None: it is none, or not known."""
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else None


def flag(value: Value | None) -> bool | None:
    """A bool that stands in the source; None: it is none, or not known."""
    return value.value if isinstance(value, Constant) and isinstance(value.value, bool) else None


def library(value: Value | None) -> str:
    """The dotted name of what made a value or of what it is: `torch.nn.CrossEntropyLoss`; empty: nothing external."""
    if isinstance(value, Made):
        return value.call.function_name
    return value.name if isinstance(value, External) else ""


def opposed(one: Event, other: Event) -> bool:
    """Whether two events stand on different sides of one branch, or in walks of different functions."""
    if one.entry is not other.entry:
        return True
    sides = {(condition.place, condition.taken) for condition in one.conditions}
    return any((condition.place, not condition.taken) in sides for condition in other.conditions)


def implied(one: Event, by: Event) -> bool:
    """Whether `one` happens whenever `by` does, as far as branches tell."""
    sides = {(condition.place, condition.taken) for condition in by.conditions}
    return one.entry is by.entry and all((c.place, c.taken) in sides for c in one.conditions)


def common_loops(one: Event, other: Event) -> tuple[Loop, ...]:
    """The loops that both stand in, outermost first."""
    found = []
    for mine, its in zip(one.loops, other.loops, strict=False):
        if mine is not its:
            break
        found.append(mine)
    return tuple(found)


def without_gradients(event: Event) -> bool | None:
    """Whether it stands under `torch.no_grad()` or `torch.inference_mode()`; None: by a value that is not known."""
    unsure = False
    for context in event.contexts:
        for one in alternatives(context):
            name = library(one).rpartition(".")[2]
            if name in _GRADIENT_FREE:
                mode = one.call.argument(0, "mode") if isinstance(one, Made) else None
                if flag(mode) is not False:
                    return True
            elif name == "set_grad_enabled" and isinstance(one, Made):
                if flag(one.call.argument(0, "mode")) is False:
                    return True
                unsure = unsure or flag(one.call.argument(0, "mode")) is None
            elif isinstance(one, Unknown | OneOf) or (name == "" and not isinstance(one, Instance)):
                unsure = True
    return None if unsure else False


def loader_of(loop: Loop) -> Value | None:
    """The loader that a loop runs over, also through enumerate, tqdm and the like; None: none that is known."""
    value = loop.over
    for _ in range(10):
        if value is None:
            return None
        found = root(value)
        if kind(found) == "loader":
            return found
        call = call_of(found)
        if call is None or call.method not in _PASSING or not call.arguments:
            return None
        value = next((one for one in call.arguments if kind(one) == "loader"), call.arguments[0])
    return None


def forwards(trace: Trace, model: Value) -> list[Event]:
    """The calls of a model; of a model that is a class of the project the first event in its `forward`, each time."""
    if isinstance(model, Instance):
        found: list[Event] = []
        before: Event | None = None
        for event in trace.events:
            inside = event.function is not None and event.function.name == f"{model.of.name}.forward"
            if inside and (before is None or before.calls != event.calls or before.loops != event.loops):
                found.append(event)
            before = event if inside else None
        return found
    named = ("", ".forward", ".__call__", ".generate")
    return [
        event
        for event in trace.events
        if isinstance(event, Call)
        and event.function_name in named
        and event.receiver is not None
        and same_object(event.receiver, model)
    ]


def same_object(one: Value, other: Value) -> bool:
    """Whether two values are surely one object, or wrappers of one."""
    return root(one) == root(other)


def parameters_of(value: Value) -> list[Value]:
    """The models whose parameters stand in a value: what an optimizer was given."""
    found: list[Value] = []
    for one in lineage(value, stop=lambda one: _gives_parameters(one) or isinstance(one, Function)):
        if isinstance(one, Made) and _gives_parameters(one) and one.call.receiver is not None:
            model = root(one.call.receiver)
            if model not in found:
                found.append(model)
    return found


def _gives_parameters(value: Value) -> bool:
    return call_of(value, "parameters", "named_parameters") is not None


def axis(call: Call, position: int = 0) -> int | None:
    """The constant `dim` or `axis` of a call, at a position where it is not named."""
    for name in ("dim", "axis"):
        found = number(call.argument(position, name))
        if found is not None:
            return int(found)
    return None


def indices(value: Value) -> tuple[Value, ...]:
    """The index of an item, as a tuple: `x[:, 0]` has two."""
    if not isinstance(value, Part) or value.index is None:
        return ()
    return value.index.items if isinstance(value.index, Sequence) else (value.index,)


def is_whole(index: Value) -> bool:
    """Whether an index is `:`."""
    return isinstance(index, Slice) and index.start is None and index.stop is None and index.step is None


def line(event: Event | Loop) -> str:
    """Where an event stands, in a sentence: `line 12`, `cell 3, line 12`."""
    cell = "" if event.place.cell is None else f"cell {event.place.cell}, "
    return f"{cell}line {event.place.line}"
