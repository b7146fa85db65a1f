"""Walks a pickle without executing it: which tensors it describes, and what it would import.

A stack machine over pickletools.genops that knows tensors, storages, tuples and dicts; all else is OPAQUE. It calls and
imports nothing. Its memory stays within about 20 times the pickle, and within the bounds below. Knows no files.
"""

from __future__ import annotations

import pickletools
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pretune.artifacts.pickle_imports import dotted
from pretune.artifacts.pickle_tensors import OPAQUE, Import, PickledTensor, called, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pretune.artifacts.pickle_tensors import Storage

MOST_STEPS = 4_000_000
"""Opcodes; a checkpoint of 100,000 tensors has about this many."""
MOST_HELD = 400_000
"""Values on the stack, or remembered, at a time."""

BYTES_A_VALUE = 4
"""A tensor of a state dict is 7 tuples, storages and calls, written in no less than 45 bytes."""

_MAKES = frozenset(
    "EMPTY_DICT DICT TUPLE TUPLE1 TUPLE2 TUPLE3 REDUCE NEWOBJ NEWOBJ_EX GLOBAL STACK_GLOBAL INST BINPERSID".split()
)

TORCH_KNOWS = frozenset(
    (
        "APPEND APPENDS BINFLOAT BINGET BININT BININT1 BININT2 BINPERSID BINPUT BINUNICODE BUILD EMPTY_DICT EMPTY_LIST"
        " EMPTY_SET EMPTY_TUPLE GLOBAL LONG1 LONG_BINGET LONG_BINPUT MARK NEWFALSE NEWOBJ NEWTRUE NONE PROTO REDUCE"
        " SETITEM SETITEMS SHORT_BINSTRING STOP TUPLE TUPLE1 TUPLE2 TUPLE3"
    ).split()
)
"""The opcodes that `torch.load(weights_only=True)` takes, torch 2.6 to 2.13 (torch/_weights_only_unpickler.py)."""


@dataclass(frozen=True, slots=True)
class Pickled:
    """What a pickle says.

    Attributes:
        value: the outermost value: a dict of str -> PickledTensor or OPAQUE (or such a dict), a number, a str, OPAQUE.
        imports: dotted names in the order met, each once, known-safe ones too.
        storages: by key, every storage it refers to.
        error: why the walk ended early; empty when it came to the end.
        foreign: opcodes met that `torch.load(weights_only=True)` refuses (protocol 4 and its like).
    """

    value: Any
    imports: tuple[str, ...]
    storages: Mapping[str, Storage]
    error: str = ""
    foreign: tuple[str, ...] = ()


def walk(file: Any) -> Pickled:
    """Walk one pickle, up to and with its STOP.

    Args:
        file: bytes, or an object with `read` and `readline` that never gives more than the file has.

    Raises:
        UserError: by the file's own methods; whatever is wrong with the pickle is told in `Pickled.error`.
    """
    machine = _Machine()
    error = ""
    try:
        with warnings.catch_warnings(action="ignore"):  # pickletools warns of odd escapes in old strings
            machine.run(file)
    except (ValueError, LookupError, TypeError, OverflowError, AttributeError, RecursionError, MemoryError) as fault:
        error = str(fault).split("\n")[0][:120] or type(fault).__name__
    value = OPAQUE if error or not machine.stack else machine.stack[-1]
    return Pickled(value, tuple(machine.imports), machine.storages, error, tuple(machine.foreign))


class _Machine:
    """The pickle machine's stack, marks and memo. Mutable, lives for one walk."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: list[Any] = []
        self.imports: dict[str, None] = {}
        self.storages: dict[str, Storage] = {}
        self.foreign: dict[str, None] = {}

    def run(self, file: Any) -> None:
        """Follow the opcodes up to STOP; ValueError and its like where the pickle is broken."""
        made, start = 0, None
        for steps, (opcode, argument, at) in enumerate(pickletools.genops(file)):
            start = at if start is None else start
            made += opcode.name in _MAKES
            if steps >= MOST_STEPS or len(self.stack) + len(self.marks) > MOST_HELD:
                raise ValueError(f"it has more than {MOST_STEPS:,} steps or {MOST_HELD:,} values on its stack")
            if made > 1000 + ((at or 0) - (start or 0)) // BYTES_A_VALUE:
                raise ValueError(f"it makes {made:,} values in its first {at:,} bytes, more than a state dict would")
            if opcode.name not in TORCH_KNOWS:
                self.foreign[opcode.name] = None
            step = _STEPS.get(opcode.name)
            if step is None:
                raise ValueError(f"its opcode {opcode.name} is not known here")
            step(self, argument)

    def pop(self) -> Any:
        """The topmost value, which must lie above the last mark."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("it takes more from its stack than it put there")
        return self.stack.pop()

    def top(self) -> Any:
        """The topmost value, left where it is."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise ValueError("it looks at an empty stack")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        """The values above the last mark."""
        if not self.marks:
            raise ValueError("it looks for a mark that is not there")
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def discard(self) -> None:
        """The opcode POP: a value, or a mark with nothing above it."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    def remember(self, index: int | None) -> None:
        """Put the topmost value into the memo; picklers number them from 0 on, old ones from 1."""
        index = len(self.memo) if index is None else index
        if not 0 <= index <= len(self.memo) + 1000 or index >= MOST_HELD * 10:
            raise ValueError(f"its memo jumps from {len(self.memo):,} to {index:,}")
        while len(self.memo) <= index:
            self.memo.append(OPAQUE)
        self.memo[index] = self.top()

    def bring(self, module: Any, name: Any) -> None:
        """A name is imported."""
        known = isinstance(module, str) and isinstance(name, str)
        full = dotted(module, name) if known else "a name that the pickle computes"
        if len(self.imports) < 1000:
            self.imports[full] = None
        self.stack.append(Import(full))

    def call(self) -> None:
        """REDUCE and NEWOBJ: a tensor, a dict or OPAQUE takes the place of the call."""
        arguments = self.pop()
        function = self.pop()
        self.stack.append(called(function, arguments))

    def set_items(self, pairs: list[Any]) -> None:
        """Put keys and values into the dict on top; keys that are no str are dropped."""
        target = self.top()
        if isinstance(target, dict):
            for key, value in zip(pairs[::2], pairs[1::2], strict=False):
                if isinstance(key, str):
                    target[key] = value if isinstance(value, PickledTensor | dict) else OPAQUE

    def persistent(self, reference: Any) -> None:
        """A storage, or what torch.load would refuse."""
        found = stored(reference)
        if found is not None:
            self.storages[found.key] = found
        self.stack.append(OPAQUE if found is None else found)


def _whole(number: Any) -> Any:
    """A number as it is, one beyond 128 bits OPAQUE: no size is so large, and the machine must not hold it."""
    return number if isinstance(number, int) and abs(number) < 2**127 else OPAQUE


def _stack_global(machine: _Machine) -> None:
    name = machine.pop()
    machine.bring(machine.pop(), name)


def _instance(machine: _Machine, argument: str) -> None:
    machine.pop_mark()
    machine.bring(*argument.split(" ", 1))
    machine.stack[-1] = OPAQUE


def _new_object_with_keywords(machine: _Machine) -> None:
    machine.pop()
    machine.call()


def _dict(machine: _Machine) -> None:
    pairs = machine.pop_mark()
    machine.stack.append({})
    machine.set_items(pairs)


def _opaque(machine: _Machine) -> None:
    machine.pop_mark()
    machine.stack.append(OPAQUE)


def _set_item(machine: _Machine) -> None:
    value = machine.pop()
    machine.set_items([machine.pop(), value])


def _tuple(count: int) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, _: Any) -> None:
        machine.stack.append(tuple(reversed([machine.pop() for _ in range(count)])))

    return step


def _each(names: str, step: Callable[[_Machine, Any], Any]) -> dict[str, Callable[[_Machine, Any], Any]]:
    return dict.fromkeys(names.split(), step)


_STEPS: Mapping[str, Callable[[_Machine, Any], Any]] = {
    **_each("PROTO FRAME STOP READONLY_BUFFER", lambda _machine, _argument: None),
    **_each("MARK", lambda machine, _: machine.marks.append(len(machine.stack))),
    **_each(
        "INT BININT BININT1 BININT2 LONG LONG1 LONG4", lambda machine, number: machine.stack.append(_whole(number))
    ),
    **_each(
        "STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8",
        lambda machine, text: machine.stack.append(text),
    ),
    **_each(
        "NONE FLOAT BINFLOAT BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 NEXT_BUFFER EMPTY_LIST EMPTY_SET",
        lambda machine, _: machine.stack.append(OPAQUE),
    ),
    **_each("NEWTRUE", lambda machine, _: machine.stack.append(True)),
    **_each("NEWFALSE", lambda machine, _: machine.stack.append(False)),
    **_each("EMPTY_TUPLE", lambda machine, _: machine.stack.append(())),
    **_each("EMPTY_DICT", lambda machine, _: machine.stack.append({})),
    **_each("TUPLE", lambda machine, _: machine.stack.append(tuple(machine.pop_mark()))),
    **_each("TUPLE1", _tuple(1)),
    **_each("TUPLE2", _tuple(2)),
    **_each("TUPLE3", _tuple(3)),
    **_each("LIST FROZENSET OBJ", lambda machine, _: _opaque(machine)),
    **_each("DICT", lambda machine, _: _dict(machine)),
    **_each("APPEND BUILD", lambda machine, _: (machine.pop(), machine.top())),
    **_each("APPENDS ADDITEMS", lambda machine, _: (machine.pop_mark(), machine.top())),
    **_each("SETITEM", lambda machine, _: _set_item(machine)),
    **_each("SETITEMS", lambda machine, _: machine.set_items(machine.pop_mark())),
    **_each("GLOBAL", lambda machine, argument: machine.bring(*argument.split(" ", 1))),
    **_each("STACK_GLOBAL", lambda machine, _: _stack_global(machine)),
    **_each("INST", _instance),
    **_each("REDUCE NEWOBJ", lambda machine, _: machine.call()),
    **_each("NEWOBJ_EX", lambda machine, _: _new_object_with_keywords(machine)),
    **_each("EXT1 EXT2 EXT4", lambda machine, code: machine.bring("copyreg", f"extension_{code}")),
    **_each("PUT BINPUT LONG_BINPUT MEMOIZE", lambda machine, index: machine.remember(index)),
    **_each("GET BINGET LONG_BINGET", lambda machine, index: machine.stack.append(machine.memo[index])),
    **_each("POP", lambda machine, _: machine.discard()),
    **_each("POP_MARK", lambda machine, _: machine.pop_mark()),
    **_each("DUP", lambda machine, _: machine.stack.append(machine.top())),
    **_each("PERSID", lambda machine, _: machine.stack.append(OPAQUE)),
    **_each("BINPERSID", lambda machine, _: machine.persistent(machine.pop())),
}
