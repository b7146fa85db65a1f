"""Changes one value of a JSON text and nothing else: every other character stays as it was. Knows nothing of files.

A value is named by a JSON pointer (RFC 6901). Indentation, key order, escapes, line ends and the last newline survive
because only the value's own characters are replaced.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class CannotEditError(ValueError):
    """The pointer names nothing that can be changed; the text says why."""


@dataclass(frozen=True, slots=True)
class _Member:
    """One member of an object or array: its name, and where it starts, where its value starts and where that ends."""

    name: str
    start: int
    value: int
    end: int


def set_value(text: str, pointer: str, value: Any) -> str:
    """`text` with `value` at `pointer`; a key that is not there is added at its object's end.

    Raises:
        CannotEditError: the parent is not there, or the pointer names the whole document.
        ValueError: `text` is not JSON.
    """
    start, members, name = _parent(text, pointer)
    array = text[start] == "["
    found = _find(members, name, array=array)
    if found is not None:
        margin = _margin(text, found.start)
        return text[: found.value] + _written(text, value, margin) + text[found.end :]
    if array and name not in ("-", str(len(members))):
        raise CannotEditError(f"the list has {len(members)} items, so none at {pointer}")
    key = "" if array else json.dumps(name, ensure_ascii=_ascii(text)) + _colon(text)
    if members:
        last = members[-1]
        before = text[start + 1 : last.start]
        if len(members) > 1:
            before = text[members[-2].end : last.start].partition(",")[2]
        if not before and not _tight(text):
            before = " "
        margin = _margin(text, last.start)
        return text[: last.end] + "," + before + key + _written(text, value, margin) + text[last.end :]
    end = _SPACE.match(text, start + 1).end()  # type: ignore[union-attr]
    if "\n" not in text:
        return text[: start + 1] + key + _written(text, value, "") + text[end:]
    outer, line_end = _margin(text, start), "\r\n" if "\r\n" in text else "\n"
    inner = outer + _indent(text)
    body = line_end + inner + key + _written(text, value, inner) + line_end + outer
    return text[: start + 1] + body + text[end:]


def remove_value(text: str, pointer: str) -> str:
    """`text` without the member at `pointer`; unchanged where there is none.

    Raises:
        CannotEditError: the pointer names the whole document.
        ValueError: `text` is not JSON.
    """
    try:
        start, members, name = _parent(text, pointer)
    except CannotEditError:
        if pointer in ("", "/"):
            raise
        return text
    found = _find(members, name, array=text[start] == "[")
    if found is None:
        return text
    at = members.index(found)
    if at > 0:
        text = text[: members[at - 1].end] + text[found.end :]
    elif len(members) > 1:
        text = text[: found.start] + text[members[1].start :]
    else:
        end = _SPACE.match(text, found.end).end()  # type: ignore[union-attr]
        text = text[: start + 1] + text[end:]
    twice = text[start] == "{" and sum(member.name == name for member in members) > 1
    return remove_value(text, pointer) if twice else text


def pointer_parts(pointer: str) -> tuple[str, ...]:
    """`/a~1b/0` as `("a/b", "0")`.

    Raises:
        CannotEditError: it does not start with a slash, or has a `~` that stands for nothing.
    """
    if pointer == "":
        return ()
    if not pointer.startswith("/") or re.search(r"~(?![01])", pointer):
        raise CannotEditError(f'"{pointer}" is not a JSON pointer')
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _parent(text: str, pointer: str) -> tuple[int, list[_Member], str]:
    """Where the object or array that holds the pointer's last part opens, its members, and that last part."""
    parts = pointer_parts(pointer)
    if not parts:
        raise CannotEditError("a patch cannot replace the whole file")
    json.loads(text)  # the walk below trusts that it is JSON
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    for number, part in enumerate(parts):
        if text[at] not in "{[":
            raise CannotEditError(f"nothing can stand at {pointer}: what holds it is no table or list")
        members = list(_members(text, at))
        if number == len(parts) - 1:
            return at, members, part
        found = _find(members, part, array=text[at] == "[")
        if found is None:
            raise CannotEditError(f"nothing stands at /{'/'.join(parts[: number + 1])}")
        at = found.value
    raise AssertionError("unreachable")


def _members(text: str, at: int) -> Iterator[_Member]:
    """The members of the object or array that opens at `at`."""
    array = text[at] == "["
    at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]
    number = 0
    while text[at] not in "]}":
        start, name = at, str(number)
        if not array:
            name, at = scanstring(text, at + 1)
            at = _SPACE.match(text, at).end() + 1  # type: ignore[union-attr]
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        _, end = _DECODER.raw_decode(text, at)
        yield _Member(name, start, at, end)
        number += 1
        at = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if text[at] == ",":
            at = _SPACE.match(text, at + 1).end()  # type: ignore[union-attr]


def _find(members: list[_Member], name: str, *, array: bool) -> _Member | None:
    """The member of that name; the last one, where a key stands twice, as every JSON reader takes it."""
    if array and not re.fullmatch(r"0|[1-9][0-9]*|-", name, re.ASCII):
        raise CannotEditError(f'"{name}" is no place in a list')
    return next((member for member in reversed(members) if member.name == name), None)


def _written(text: str, value: Any, margin: str) -> str:
    """`value` in the manner of `text`: its indentation, escapes, separators and line ends."""
    compact = "\n" not in text
    separators = (", " if compact and not _tight(text) else ",", _colon(text))
    indent = None if compact else _indent(text)
    words = json.dumps(value, ensure_ascii=_ascii(text), indent=indent, separators=separators, allow_nan=False)
    return words.replace("\n", ("\r\n" if "\r\n" in text else "\n") + margin)


def _margin(text: str, at: int) -> str:
    """The white space that opens the line of `at`."""
    line = text.rfind("\n", 0, at) + 1
    return _SPACE.match(text, line, max(line, at)).group()  # type: ignore[union-attr]


def _indent(text: str) -> str:
    """One step of indentation: what the first indented line starts with; two spaces where there is none."""
    step = re.search(r"\n([ \t]+)\S", text)
    return step.group(1) if step else "  "


def _colon(text: str) -> str:
    match = re.search(r'"(\s*:[ \t]*)', text)
    return match.group(1) if match else ": "


def _tight(text: str) -> bool:
    """Whether nothing stands between a comma or colon and what follows it: `{"a":1,"b":2}`."""
    return re.search(r'"[,:]["{\[\-0-9tfn]', text) is not None


def _ascii(text: str) -> bool:
    """Whether characters beyond ASCII are escaped: they are where there is an escape and no such character."""
    return text.isascii() and re.search(r"\\u[0-9a-fA-F]{4}", text) is not None
