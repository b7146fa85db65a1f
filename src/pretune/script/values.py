"""What a script's expression comes to, as far as it can be followed by eye: Value and its kinds. Knows no libraries.

A value that depends on what only a run would know is Unknown and says why; what is computed from it keeps its form
(Part, Operation), so that `outputs[0][:, 0]` can still be recognised. Values are immutable: what happens to an object
that the script made stands in the trace's events, and `Made`, `Instance` and `Function` have an identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from pretune.script.trace import Call


@dataclass(frozen=True, slots=True)
class Constant:
    """A str, bytes, int, float, complex, bool, None or Ellipsis that stands in the source or follows from such.

    Attributes:
        value: the value.
        overridden_by: what a run could give another value by, `the command line`; empty: nothing. Two constants are
            equal whatever could override them.
    """

    value: Any
    overridden_by: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, tuple or set.

    Attributes:
        items: its items, in order.
        kind: `list`, `tuple` or `set`.
        open: whether there may be further items that are not known.
    """

    items: tuple[Value, ...] = ()
    kind: str = "list"
    open: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A dict.

    Attributes:
        items: pairs of key and value, in order; of a key that is set twice the last.
        open: whether there may be further keys that are not known.
    """

    items: tuple[tuple[Value, Value], ...] = ()
    open: bool = False

    def get(self, key: object) -> Value | None:
        """The value of a constant key; None where it has no such key."""
        for name, value in self.items:
            if isinstance(name, Constant) and name.value == key and type(name.value) is type(key):
                return value
        return None


@dataclass(frozen=True, slots=True)
class Unknown:
    """What only a run would know.

    Attributes:
        why: in few words: `the command line`, `a parameter of train()`, `read from a file`.
        name: the name it has in the script, where it has one.
        annotation: the dotted name that a parameter is annotated with; empty: none.
    """

    why: str
    name: str = ""
    annotation: str = ""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several values, by branches that only a run would decide; at least two, none itself a OneOf."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library, or a builtin, by its canonical dotted name.

    Attributes:
        name: `transformers.AutoTokenizer`, `torch.nn.functional.cross_entropy`, `builtins.open`. What a package offers
            at its top keeps the name it was imported by: no library is opened to see where it lives.
    """

    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Made:
    """What a call of something external gave; each call makes another one, equal to itself only.

    Attributes:
        call: the call.
    """

    call: Call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Made) and other.call is self.call

    def __hash__(self) -> int:
        return id(self.call)

    def __repr__(self) -> str:
        """Short: a call's arguments lead to other calls, and those to others."""
        return f"Made({self.call.function_name or '?'} at {self.call.place})"


@dataclass(frozen=True, slots=True)
class Part:
    """An attribute or an item of a value that was not followed further: `outputs.logits`, `batch["labels"]`, `x[:, 0]`.

    Attributes:
        of: the value.
        name: the attribute's name; None: it is an item.
        index: the item's index; a Sequence of kind `tuple` for several, Slice for a slice. None: it is an attribute.
    """

    of: Value
    name: str | None = None
    index: Value | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step`, None where nothing is said."""

    start: Value | None = None
    stop: Value | None = None
    step: Value | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator on values of which at least one is not constant.

    Attributes:
        operator: as Python writes it: `+`, `/`, `==`, `and`, `not`, `in`, `if` (operands: test, then, otherwise),
            `f` (an f-string's parts), `format` (of % and str.format), `iterate` (an item of what a loop runs over),
            `await`, `yield`.
        operands: what it works on.
    """

    operator: str
    operands: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function, lambda or method of the script or of a module of the project.

    Attributes:
        name: qualified: `train`, `Reader.forward`; `<lambda>`.
        place: where it is defined.
        parameters: the names of its parameters, in order, without self of a bound method.
        node: its syntax tree.
        scope: what the evaluator needs to run it; nobody else's business.
    """

    name: str
    place: Place
    parameters: tuple[str, ...]
    node: Any = field(repr=False)
    scope: Any = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class of the script or of a module of the project.

    Attributes:
        name: its name.
        place: where it is defined.
        bases: what it is derived from: External for a library's class.
        node: its syntax tree.
        scope: what the evaluator needs; nobody else's business.
    """

    name: str
    place: Place
    bases: tuple[Value, ...]
    node: Any = field(repr=False)
    scope: Any = field(repr=False, default=None)

    def derives(self, *names: str) -> bool:
        """Whether the last part of the name of one of its bases, or of theirs, is one of these: `Trainer`."""
        return any(
            base.name.rpartition(".")[2] in names if isinstance(base, External) else base.derives(*names)
            for base in self.bases
            if isinstance(base, External | Class)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a class of the project.

    Attributes:
        of: its class.
        place: where it was made; of the `self` of a class that the script never makes, where the class stands.
        fields: attributes that its class and its constructor gave it, at the end of the constructor.
    """

    of: Class
    place: Place
    fields: Mapping[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A module of the project that the script imports.

    Attributes:
        name: dotted, as it was imported: `arguments`, `data.reader`.
        file: its path.
        variables: what the evaluator needs; nobody else's business.
    """

    name: str
    file: str
    variables: Any = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands.

    Attributes:
        file: the path as the user named it or as it was found beside.
        line: from 1; in a notebook of its cell.
        column: from 1, in characters.
        cell: the notebook's cell, from 1, counting all cells; None: no notebook.
        end: the line where it ends.
    """

    file: str
    line: int
    column: int = 1
    cell: int | None = None
    end: int = 0

    def __str__(self) -> str:
        """`train.py:42:8`, `note.ipynb:cell 3:12:8`."""
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.file}:{cell}{self.line}:{self.column}"


Value: TypeAlias = (
    "Constant | Sequence | Table | Unknown | OneOf | External | Made | Part | Slice | Operation | Function | Class"
    " | Instance | Module"
)
