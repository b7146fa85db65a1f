"""Asks a trace short questions: what a name became, which calls there are. For the tests of script/."""

from __future__ import annotations

from textwrap import dedent

from pretune.script.read import read_source
from pretune.script.trace import Assigned, Call, SetAttribute, Trace
from pretune.script.values import Constant, OneOf, Sequence, Table, Value


def read(code: str, file: str = "train.py") -> Trace:
    """The trace of a piece of code, which may be indented."""
    return read_source(dedent(code), file)


def became(trace: Trace, name: str) -> Value:
    """What a name was last assigned."""
    found = [event.value for event in trace.events if isinstance(event, Assigned) and event.name == name]
    assert found, f"{name} is not assigned"
    return found[-1]


def plain(value: Value | None) -> object:
    """A value as Python's own where it is constant throughout; else the value."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, Sequence) and not value.open:
        return {"list": list, "tuple": tuple, "set": set}[value.kind](map(plain, value.items))
    if isinstance(value, Table) and not value.open:
        return {plain(key): plain(item) for key, item in value.items}
    return value


def result(code: str, name: str = "x") -> object:
    """What `x` is at the end of the code."""
    last = [one for one in read(f"{dedent(code)}\nprobe({name})").calls("") if one.arguments][-1]
    return plain(last.arguments[0])


def options(value: Value | None) -> set[object]:
    """The constants that a value may be."""
    assert isinstance(value, OneOf), value
    return {plain(one) for one in value.values}


def call(trace: Trace, name: str) -> Call:
    """The only call of a name."""
    found = list(trace.calls(name))
    assert len(found) == 1, f"{len(found)} calls of {name}"
    return found[0]


def argument(code: str, name: str = "f") -> object:
    """The first argument of the last call of a function that is not defined."""
    last = [one for one in read(code).calls(name, "") if one.arguments][-1]
    return plain(last.arguments[0])


def set_attributes(trace: Trace) -> list[tuple[str, object]]:
    """The attributes that are set, in order."""
    return [(one.name, plain(one.value)) for one in trace.events if isinstance(one, SetAttribute)]


def conditions(trace: Trace, name: str) -> list[bool]:
    """Of the only call of a name, on which sides of branches it stands."""
    return [one.taken for one in call(trace, name).conditions]
