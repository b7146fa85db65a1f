"""An exception in words, without running any of the user's code: no `__str__`, `__repr__` or property of theirs.

Only the attributes that `BaseException` itself keeps are read, through its own descriptors, and of these only plain
values (texts, numbers) are shown; anything else is shown as the name of its type. It does not know local variables.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Any, NamedTuple

LONGEST = 2000
"""Characters of an exception's text."""
FRAMES = 30
"""Frames of a traceback, the last ones."""
_NAME, _MRO = type.__dict__["__name__"], type.__dict__["__mro__"]
_OWN = str(PurePath(__file__).parent)
_SAFE_CLASSES = (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError, SyntaxError, ImportError)


class Ended(NamedTuple):
    """How a piece of Python ended.

    Attributes:
        good: whether that is good news.
        why: in words, one line.
        tail: the traceback, empty where it says nothing.
    """

    good: bool
    why: str
    tail: str = ""


def described(error: BaseException) -> Ended:
    """How what raised `error` ended."""
    kind = type(error)
    if issubclass(kind, SystemExit):
        return _left(error)
    if issubclass(kind, KeyboardInterrupt):
        return Ended(good=False, why="interrupted (KeyboardInterrupt)", tail=trace(error))
    if issubclass(kind, GeneratorExit):
        return Ended(good=True, why="closed before its end")
    if class_name(kind) == "CancelledError":
        return Ended(good=False, why="cancelled (CancelledError)")
    return Ended(good=False, why=line(error), tail=trace(error))


def _left(error: BaseException) -> Ended:
    """`sys.exit`: without a code or with 0 it is the usual end."""
    arguments = _arguments(error)
    if not arguments or arguments[0] is None:
        return Ended(good=True, why="sys.exit()")
    code = arguments[0]
    if issubclass(type(code), int):
        return Ended(good=int.__int__(code) == 0, why=f"sys.exit({int.__int__(code)})")
    return Ended(good=False, why=f"sys.exit: {plain(code)}"[:LONGEST])


def class_name(kind: type) -> str:
    """The name of a class, whatever its metaclass says."""
    name: str = _NAME.__get__(kind)
    return name


def line(error: BaseException) -> str:
    """Type and text of an exception, as the last line of a traceback has them."""
    try:
        text = _text(error)
    except Exception:  # noqa: BLE001 - an odd exception must not become another one
        text = ""
    name = class_name(type(error))
    return (f"{name}: {text}" if text else name)[:LONGEST]


def trace(error: BaseException) -> str:
    """The traceback with what caused it, shortened at its beginning; empty when it cannot be made."""
    try:
        return "\n".join(_blocks(error, 0, set())).strip()
    except Exception:  # noqa: BLE001 - as above
        return ""


def _blocks(error: BaseException, depth: int, seen: set[int]) -> list[str]:
    seen.add(id(error))
    blocks: list[str] = []
    cause, context = _slot(error, "__cause__"), _slot(error, "__context__")
    earlier, link = (cause, "was the cause of") if cause is not None else (context, "was being handled, then came")
    if cause is None and _slot(error, "__suppress_context__"):
        earlier = None
    if earlier is not None and depth < 3 and id(earlier) not in seen:
        blocks += [*_blocks(earlier, depth + 1, seen), f"\n(which {link})\n"]
    frames = traceback.extract_tb(_slot(error, "__traceback__"), limit=-FRAMES)
    frames = traceback.StackSummary([frame for frame in frames if str(PurePath(frame.filename).parent) != _OWN])
    if frames:
        blocks += ["Traceback (most recent call last):", "".join(frames.format()).rstrip("\n")]
    blocks.append(line(error))
    notes = object.__getattribute__(error, "__dict__").get("__notes__")
    if type(notes) is list:
        blocks += [note[:LONGEST] for note in notes[:5] if type(note) is str]
    if issubclass(type(error), BaseExceptionGroup) and depth < 3:
        for inner in BaseExceptionGroup.exceptions.__get__(error)[:3]:
            if id(inner) not in seen:
                blocks += ["\n(one of the group)", *_blocks(inner, depth + 1, seen)]
    return blocks


def _slot(error: BaseException, name: str) -> Any:
    """What `BaseException` keeps under `name`, past anything that a subclass puts before it."""
    return BaseException.__dict__[name].__get__(error)


def _arguments(error: BaseException) -> tuple[Any, ...]:
    arguments: tuple[Any, ...] = _slot(error, "args")
    return arguments


def _text(error: BaseException) -> str:
    kind = type(error)
    arguments = _arguments(error)
    teller = next(vars_["__str__"] for base in _MRO.__get__(kind) if "__str__" in (vars_ := _own(base)))
    if teller is OSError.__dict__["__str__"]:
        number, why = (OSError.__dict__[name].__get__(error) for name in ("errno", "strerror"))
        if number is None and why is None:
            return _together(arguments)
        files = [OSError.__dict__[name].__get__(error) for name in ("filename", "filename2")]
        named = " -> ".join(quoted(file) for file in files if file is not None)
        return f"[Errno {plain(number)}] {plain(why)}" + (f": {named}" if named else "")
    if teller is KeyError.__dict__["__str__"] and len(arguments) == 1:
        return quoted(arguments[0])
    if any(teller is each.__dict__.get("__str__") for each in _SAFE_CLASSES) and all(map(_is_plain, arguments)):
        told: str = teller.__get__(error)()
        return told
    if teller is BaseExceptionGroup.__dict__["__str__"]:
        count = len(BaseExceptionGroup.exceptions.__get__(error))
        message = BaseExceptionGroup.message.__get__(error)
        return f"{plain(message)} ({count} sub-exception{'s' * (count != 1)})"
    return _together(arguments)


def _own(kind: type) -> Any:
    return type.__dict__["__dict__"].__get__(kind)


def _together(arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 1:
        return plain(arguments[0])
    return ", ".join(quoted(each) for each in arguments[:8])


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind in (str, int, float, bool, bytes, type(None)) or (kind is tuple and all(map(_is_plain, value)))


def plain(value: Any) -> str:
    """A plain value as text: of subclasses of text and numbers the value, of all else the name of the type."""
    kind = type(value)
    if issubclass(kind, str):
        return str.__str__(value)[:LONGEST]
    return quoted(value)


def quoted(value: Any, depth: int = 0) -> str:
    """The same, texts with quotation marks."""
    kind = type(value)
    if issubclass(kind, str):
        return repr(str.__str__(value)[:LONGEST])
    if kind in (bool, type(None), complex):
        return repr(value)
    if issubclass(kind, int):
        number = int.__int__(value)
        return int.__repr__(number) if number.bit_length() < 4096 else "<int>"
    if issubclass(kind, float):
        return float.__repr__(value)
    if kind is bytes:
        return repr(value[:200])
    if kind in (list, tuple) and depth < 2:
        inner = ", ".join(quoted(each, depth + 1) for each in value[:8])
        return ("[{}]" if kind is list else "({})").format(inner + (", …" if len(value) > 8 else ""))
    if kind.__module__ == "pathlib" and issubclass(kind, PurePath):
        return repr(str(value))
    return f"<{class_name(kind)}>"
