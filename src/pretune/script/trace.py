"""What a script would do, in order: Trace and its events. Knows no libraries and judges nothing.

A trace is one walk through the script as a run would take it: both sides of a branch that only a run would decide, the
body of a loop once, functions of the project where they are called, and at the end, each on its own, those that nothing
called (`Event.entry` tells them apart).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pretune.script.values import Constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pretune.script.values import Class, Function, Place, Value


@dataclass(frozen=True, slots=True)
class Condition:
    """A branch that an event stands in.

    Attributes:
        test: what is asked (of `except`, `match` and comprehensions Unknown).
        taken: whether the event stands where the test is true.
        place: where the test stands.
    """

    test: Value
    taken: bool
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A `for`, `while` or comprehension that an event stands in; equal only to itself.

    Attributes:
        place: where it begins.
        over: what it runs over; None: `while`.
        targets: names that it binds.
    """

    place: Place
    over: Value | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Event:
    """Something that the script does.

    Attributes:
        place: where in the source.
        order: smaller is earlier in this walk.
        conditions: undecided branches that it stands in, outermost first; decided ones are no conditions.
        loops: loops that it stands in, outermost first, through the functions that were called.
        contexts: values of the `with` statements and decorators that it stands in, outermost first, through calls.
        function: the function of the project that it stands in; None: the module's own level.
        entry: the function that the walk began with where nothing called it; None: it is reached from the script's top.
        calls: places of the calls that led to it, outermost first.
    """

    place: Place
    order: int
    conditions: tuple[Condition, ...] = ()
    loops: tuple[Loop, ...] = ()
    contexts: tuple[Value, ...] = ()
    function: Function | None = None
    entry: Function | None = None
    calls: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Call(Event):
    """A call of something that is not of the project (those are walked through instead), or that cannot be followed.

    Attributes:
        function_name: dotted name of what is called, where that is External: `transformers.AutoModel.from_pretrained`;
            else the method's own name with a dot before it: `.add_tokens`; else empty.
        receiver: what the method is called on (the tokenizer in `tokenizer.add_tokens(...)`); where a value itself is
            called (`model(**batch)`, function_name empty) that value; None: neither.
        arguments: positional ones; of `*x` that is known its items.
        keywords: by name; of `**x` that is known its items.
        open: whether further arguments may be there (`*x`, `**x` that is not known).
        target: the names that the result is assigned to, as written: `model`, `self.model`; empty: none.
        known: what the call gives where that is known all the same (`len([1, 2])`); None: it gives Made(this call).
    """

    function_name: str
    receiver: Value | None = None
    arguments: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)
    open: bool = False
    target: tuple[str, ...] = ()
    known: Value | None = None

    @property
    def method(self) -> str:
        """The last part of the name: `from_pretrained`, `add_tokens`."""
        return self.function_name.rpartition(".")[2]

    def argument(self, position: int | None, name: str) -> Value | None:
        """The argument at a position (from 0; None: by name only) or of a name; None where it is not given."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.arguments):
            return self.arguments[position]
        return None

    def constant(self, position: int | None, name: str) -> object:
        """The constant given there; None where none is, or it is not known."""
        value = self.argument(position, name)
        return value.value if isinstance(value, Constant) else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SetAttribute(Event):
    """`x.name = value`, also augmented, annotated and by setattr, on a value that is not the project's own instance.

    Attributes:
        of: what has the attribute.
        name: of the attribute.
        value: what it becomes.
    """

    of: Value
    name: str
    value: Value


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SetItem(Event):
    """`x[index] = value`, and `del x[index]` (value None)."""

    of: Value
    index: Value
    value: Value | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Returned(Event):
    """`return value` or `yield value` of a function.

    Attributes:
        value: what is given back.
    """

    value: Value


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Assigned(Event):
    """`name = value` of a variable or of an attribute of the project's own instance, `self.pooler = ...`.

    Attributes:
        name: as written: `loss`, `self.loss`.
        value: what it becomes.
    """

    name: str
    value: Value


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Imported(Event):
    """`import x.y as z`, `from x import y`.

    Attributes:
        name: dotted: `transformers.AdamW`, `torch`.
        bound: the name it gets here; `*` for all.
        guarded: whether it stands in a `try` that catches its failure.
    """

    name: str
    bound: str
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """One walk through a script or notebook.

    Attributes:
        file: the path as the user named it.
        events: in order.
        functions: all functions of the project that were met, by qualified name (of several the last).
        classes: all classes of the project that were met.
        files: the files that were read: the script and modules of its project that it imports.
        notes: what a reader should know: cells that were run out of order, `%run` that was not followed, a walk that
            was cut short because it grew too long.
    """

    file: str
    events: tuple[Event, ...] = field(default=(), repr=False)
    functions: Mapping[str, Function] = field(default_factory=dict, repr=False)
    classes: Mapping[str, Class] = field(default_factory=dict, repr=False)
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def calls(self, *names: str) -> Iterator[Call]:
        """The calls whose name, or whose method, is one of these, in order; all where none is named."""
        for event in self.events:
            if isinstance(event, Call) and (not names or event.function_name in names or event.method in names):
                yield event

    def on(self, value: Value) -> Iterator[Call | SetAttribute | SetItem]:
        """What happens to an object: its methods, its attributes and items, in order."""
        for event in self.events:
            of = event.receiver if isinstance(event, Call) else getattr(event, "of", None)
            if of is not None and of == value:
                yield event  # type: ignore[misc]
