"""Reads JSON as models ship it, and names what stands in its place when it is none. Knows no keys."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError
from pretune.core.files import SMALL

if TYPE_CHECKING:
    from pretune.artifacts.source import Source

DEEPEST = 100
"""Levels of nesting; the deepest real file (a tokenizer.json with nested normalizers) has about 10."""

AGAIN = "download it again"


def read_json(source: Source, name: str, *, limit: int = SMALL) -> Any:
    """The parsed file: NaN and Infinity pass and the last of equal keys counts, as with Python's json.

    Raises:
        UserError: missing, longer than `limit` bytes, or not JSON; the message says what it is instead and, where
            it breaks off, the line and column.
    """
    return parse_json(source.read(name, limit=limit), source.at(name))


def read_object(source: Source, name: str, *, limit: int = SMALL) -> dict[str, Any]:
    """The parsed file, which must be a JSON object.

    Raises:
        UserError: as `read_json`, or it holds a list, a string, a number or null.
    """
    value = read_json(source, name, limit=limit)
    if not isinstance(value, dict):
        raise UserError(f"{source.at(name)} holds {_kind(value)} where an object {{…}} is expected", hint=AGAIN)
    return value


def parse_json(data: bytes, label: str) -> Any:
    """The value that the bytes of the file named `label` spell.

    Raises:
        UserError: as `read_json`.
    """
    instead = mistaken(data)
    if instead:
        what, hint = instead
        raise UserError(f"{label} {what}", hint=hint)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{label} is not UTF-8: byte 0x{data[error.start]:02x} at {error.start:,}",
            hint="save it as UTF-8, as JSON requires",
        ) from None
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _broken(label, text, error) from None
    except RecursionError:
        raise UserError(f"{label} is nested too deeply to be read (more than {DEEPEST} levels)", hint=AGAIN) from None
    except ValueError as error:  # a whole number of more than 4,300 digits
        raise UserError(
            f"{label} holds a number that cannot be read: {str(error).split(';')[0].lower()}", hint=AGAIN
        ) from None
    if _deeper_than(value, DEEPEST, openings=text.count("[") + text.count("{")):
        raise UserError(f"{label} is nested too deeply to be read (more than {DEEPEST} levels)", hint=AGAIN)
    return value


def mistaken(data: bytes) -> tuple[str, str] | None:
    """What stands in the place of a text file, and the way out; None when nothing tells. 512 bytes are enough.

    >>> mistaken(b"<!DOCTYPE html><html>")[0]
    'holds an HTML page, not JSON: the download was an error page or a login wall'
    """
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"version https://git-lfs.github.com/spec/"):
        return "is a git-LFS pointer, not the file itself", "run `git lfs pull` in its folder, or download the file"
    if head[:1] == b"<" and any(
        sign in head.lower() for sign in (b"<!doctype", b"<html", b"<head", b"<?xml", b"<error")
    ):
        return (
            "holds an HTML page, not JSON: the download was an error page or a login wall",
            f"log in with `hf auth login` and {AGAIN}",
        )
    if not head:
        return ("holds nothing but white space" if data.strip(b"\xef\xbb\xbf") else "is empty"), AGAIN
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(data) > 1 and (data[0] == 0) != (data[1] == 0)):
        return "is UTF-16, not UTF-8", "save it as UTF-8, as JSON requires"
    if b"\0" in head or data.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\x80\x02", b"GGUF")):
        return "is a binary file, not JSON", AGAIN
    return None


def _broken(label: str, text: str, error: json.JSONDecodeError) -> UserError:
    place = f"{error.lineno}:{error.colno}"
    reason = error.msg[:1].lower() + error.msg[1:]
    if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
        return UserError(f"{label}:{place} is cut off: {reason}", hint=AGAIN)
    return UserError(f"{label}:{place} is not JSON: {reason}", hint="mend it there; a JSON checker shows the place")


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _deeper_than(value: object, levels: int, *, openings: int) -> bool:
    """Whether containers nest deeper than `levels`; most files open fewer brackets than that and are not walked."""
    if openings <= levels:
        return False
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    nested = {dict, list}
    for _ in range(levels):
        parts = [whole.values() if isinstance(whole, dict) else whole for whole in level]
        if nested.isdisjoint(map(type, chain.from_iterable(parts))):  # most end here, without a loop of Python's
            return False
        level = [
            part
            for whole in parts
            if not nested.isdisjoint(map(type, whole))  # a vocabulary of 100,000 numbers is passed over at once
            for part in whole
            if isinstance(part, dict | list)
        ]
    return True
