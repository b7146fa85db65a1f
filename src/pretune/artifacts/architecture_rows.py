"""The rows of an architecture table: one tensor each, or one per layer, with expressions for sizes. Reads no file.

A row is `[name, sizes, role, condition]`: `["layer.{num_hidden_layers}.weight", "hidden_size,3*hidden_size", "b"]`.
Braces stand for a range of layers, `{first..end}` for one that does not begin at 0; `?` is a size without expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from pretune.artifacts.architecture_expressions import Unknown, compiled, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Role = Literal["body", "embedding", "pooler", "head"]

ROLES: Mapping[str, Role] = {"b": "body", "e": "embedding", "p": "pooler", "h": "head"}
"""How the data files write a role."""

_BRACES = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Expected:
    """A tensor that a model class has.

    Attributes:
        name: as `state_dict()` calls it.
        shape: its sizes; None where the tables do not know one.
        role: `embedding` for any lookup table, `pooler`, `head` for what lies outside the base model, else `body`.
        keys: the config keys that its shape or existence depends on.
        tied_to: the tensor it shares its values with under this config; a file need not hold both.
    """

    name: str
    shape: tuple[int | None, ...]
    role: Role
    keys: frozenset[str]
    tied_to: str | None = None


def rows_of(body: Sequence[Sequence[str]], entry: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """The rows of a class: its share of the body, under its prefix, then its own."""
    runs = entry["rows"]
    for first, end in zip(runs[::2], runs[1::2], strict=True):
        for row in body[first:end]:
            yield [entry["prefix"] + row[0], *row[1:]]
    yield from entry["own"]


@cache
def keys_of(row: tuple[str, ...]) -> frozenset[str]:
    """The config keys that a row's existence, number or sizes depend on."""
    parts = [part for braces in _BRACES.findall(row[0]) for part in braces.split("..")]
    texts = [text for text in (*parts, *row[1].split(","), *row[3:]) if text not in ("", "?")]
    return frozenset().union(*(compiled(text)[1] for text in texts))


def all_keys(data: Mapping[str, Any]) -> frozenset[str]:
    """The config keys that any row or tie of a table depends on, but for `num_labels`, a head's own affair."""
    keys: set[str] = set()
    for row in data.get("body", ()):
        keys |= keys_of(tuple(row))
    for entry in data.get("classes", {}).values():
        for row in entry.get("own", ()):
            keys |= keys_of(tuple(row))
        for _, _, when in entry.get("tied", ()):
            keys |= compiled(when)[1] if when else set()
    return frozenset(keys - {"num_labels"})


def shape_of(row: Sequence[str], values: Mapping[str, Any]) -> tuple[int | None, ...]:
    """The sizes of a row's tensors; None where the table has no expression.

    Raises:
        Unknown: the config's values give no size.
    """
    return tuple(None if dim == "?" else size(dim, values) for dim in row[1].split(",") if dim)


def expanded(name: str, values: Mapping[str, Any], room: int) -> list[str]:
    """All names that a folded name stands for, at most `room`.

    Raises:
        Unknown: there would be more, or the config's values give no number.
    """
    match = _BRACES.search(name)
    if match is None:
        return [name]
    first, _, end = match[1].rpartition("..")
    start, stop = size(first, values) if first else 0, size(end, values)
    if stop - start > room:
        raise Unknown(f"{end} asks for {stop} layers, more than any checkpoint has")
    before, after = name[: match.start()], name[match.end() :]
    if "{" not in after:
        return [f"{before}{index}{after}" for index in range(start, stop)]
    share = room // max(1, stop - start)
    return [one for index in range(start, stop) for one in expanded(f"{before}{index}{after}", values, share)]
