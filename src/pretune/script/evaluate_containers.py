"""Methods of texts, lists and dicts that are known: what they give, and what the container is afterwards. Pure."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pretune.script.choices import join, operation, same
from pretune.script.evaluate_targets import with_index, without
from pretune.script.folding import LONGEST_TEXT, constant, merged, plain_format, with_item
from pretune.script.values import Constant, Sequence, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence as Many

    from pretune.script.state import Walk
    from pretune.script.values import Value

NONE = Constant(None)
Result = tuple["Value | None", "Value"]
"""What the method gives (None: not known) and what the container is afterwards."""
_TEXT = {
    "lower", "upper", "strip", "lstrip", "rstrip", "replace", "split", "rsplit", "splitlines", "startswith", "endswith",
    "title", "capitalize", "casefold", "swapcase", "zfill", "removeprefix", "removesuffix", "partition", "rpartition",
    "find", "rfind", "index", "count", "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace", "encode",
    "decode",
}  # fmt: skip
_READ = {
    "index", "count", "copy", "keys", "values", "items", "get", "union", "intersection", "difference", "issubset",
    "issuperset", "isdisjoint", "symmetric_difference", "__len__", "__contains__",
}  # fmt: skip


def on_container(
    walk: Walk, of: Value, name: str, positional: Many[Value], keywords: Mapping[str, Value], *, is_open: bool
) -> Result:
    """A method of a text, list or dict.

    Args:
        walk: the walk.
        of: the container.
        name: the method's.
        positional: its positional arguments.
        keywords: its keyword arguments.
        is_open: whether there may be more arguments.
    """
    del walk
    first = positional[0] if positional else None
    if isinstance(of, Constant):
        return (None if is_open else _text(of, name, positional, keywords)), of
    if isinstance(of, Sequence):
        return _sequence(of, name, first, positional)
    if isinstance(of, Table):
        return _table(of, name, first, positional, keywords, is_open=is_open)
    return None, of


def _text(of: Constant, name: str, positional: Many[Value], keywords: Mapping[str, Value]) -> Value | None:
    """A method of a text; of a path too, which is kept as a text."""
    text = of.value
    if isinstance(text, bytes) and name == "decode":
        try:
            return constant(text.decode(), of)
        except UnicodeDecodeError:
            return None
    if not isinstance(text, str):
        return None
    if name == "format":
        return _format(of, positional, keywords)
    if name == "join":
        return _joined(of, positional)
    if not all(isinstance(one, Constant) for one in positional) or keywords:
        return None
    given = [one.value for one in positional if isinstance(one, Constant)]
    try:
        if name in _TEXT and len(text) <= LONGEST_TEXT:
            if name == "zfill" and given and given[0] > 1000:
                return None
            if name == "replace" and len(text) * max(len(str(given[1])), 1) > 4 * LONGEST_TEXT:
                return None
            result = getattr(text, name)(*given)
            if isinstance(result, list | tuple):
                kind = "list" if isinstance(result, list) else "tuple"
                return Sequence(tuple(constant(one, of) for one in result), kind)
            return constant(result, of, *positional)
        if name == "joinpath":
            return constant(posixpath.join(text, *given), of, *positional)
        if name == "with_suffix":
            return constant(posixpath.splitext(text)[0] + given[0], of)
        if name == "with_name":
            return constant(posixpath.join(posixpath.dirname(text), given[0]), of)
        if name in ("as_posix", "__str__"):
            return of
    except (TypeError, ValueError, LookupError, AttributeError):
        return None
    return None


def _format(of: Constant, positional: Many[Value], keywords: Mapping[str, Value]) -> Value:
    """`template.format(...)`."""
    values = (*positional, *keywords.values())
    if all(isinstance(one, Constant) for one in values) and plain_format(of.value):
        try:
            given = [one.value for one in positional if isinstance(one, Constant)]
            named = {key: one.value for key, one in keywords.items() if isinstance(one, Constant)}
            return constant(of.value.format(*given, **named)[:LONGEST_TEXT], of, *values)
        except (TypeError, ValueError, LookupError, AttributeError):
            pass
    return operation("format", of, *values)


def _joined(of: Constant, positional: Many[Value]) -> Value | None:
    """`separator.join(items)`."""
    items = positional[0] if len(positional) == 1 else None
    if not isinstance(items, Sequence) or items.open:
        return None
    found = [one.value for one in items.items if isinstance(one, Constant) and isinstance(one.value, str)]
    if len(found) != len(items.items) or sum(map(len, found)) + len(of.value) * len(found) > LONGEST_TEXT:
        return None
    return constant(of.value.join(found), of, *items.items)


def _sequence(of: Sequence, name: str, first: Value | None, positional: Many[Value]) -> Result:
    """A method of a list or set."""
    items, kind = of.items, of.kind
    more = first if isinstance(first, Sequence) else None
    if name in ("append", "add", "appendleft") and first is not None:
        if kind == "set" and any(same(first, one) for one in items):
            return NONE, of
        grown = (first, *items) if name == "appendleft" else (*items, first)
        return NONE, Sequence(grown[:4096], kind, of.open or len(grown) > 4096)
    if name == "insert" and len(positional) == 2:
        number = positional[0].value if isinstance(positional[0], Constant) else None
        if isinstance(number, int):
            changed = list(items)
            changed.insert(number, positional[1])
            return NONE, Sequence(tuple(changed), kind, of.open)
        return NONE, Sequence((*items, positional[1]), kind, open=True)
    if name == "extend" or (name == "update" and kind == "set"):
        if isinstance(first, Table):
            more = Sequence(tuple(key for key, _ in first.items), "list", first.open)
        if more is None:
            return NONE, Sequence(items, kind, open=True)
        return NONE, Sequence((*items, *more.items)[:4096], kind, of.open or more.open)
    if name == "copy":
        return Sequence(items, kind, of.open), of
    if name == "clear":
        return NONE, Sequence((), kind)
    if name == "reverse" and not of.open:
        return NONE, Sequence(items[::-1], kind)
    if name in ("pop", "remove") and not of.open and items and kind == "list":
        return _taken(of, name, first)
    if name in ("union", "__or__") and kind == "set":
        return (None if more is None else Sequence((*items, *more.items), "set", of.open or more.open)), of
    if name == "index" and first is not None and not of.open and all(isinstance(one, Constant) for one in items):
        at = next((place for place, one in enumerate(items) if same(one, first)), None)
        return (None if at is None else Constant(at)), of
    if name in _READ:
        return None, of
    return None, Sequence(items if name == "sort" else (), kind, open=True)


def _taken(of: Sequence, name: str, first: Value | None) -> Result:
    """`pop` and `remove` of a list that is known."""
    if name == "pop":
        number = first.value if isinstance(first, Constant) else -1 if first is None else None
        if isinstance(number, int) and -len(of.items) <= number < len(of.items):
            return of.items[number], with_index(of, Constant(number), None)
        return None, Sequence((), of.kind, open=True)
    kept = list(of.items)
    at = next((place for place, one in enumerate(kept) if first is not None and same(one, first)), None)
    if at is None:
        return NONE, Sequence((), of.kind, open=True)
    del kept[at]
    return NONE, Sequence(tuple(kept), of.kind)


def _table(
    of: Table,
    name: str,
    first: Value | None,
    positional: Many[Value],
    keywords: Mapping[str, Value],
    *,
    is_open: bool,
) -> Result:
    """A method of a dict."""
    if name == "get" and first is not None:
        return _got(of, first, positional[1] if len(positional) > 1 else keywords.get("default", NONE)), of
    if name == "items":
        return Sequence(tuple(Sequence(pair, "tuple") for pair in of.items), "list", of.open), of
    if name == "keys":
        return Sequence(tuple(key for key, _ in of.items), "list", of.open), of
    if name == "values":
        return Sequence(tuple(value for _, value in of.items), "list", of.open), of
    if name == "copy":
        return Table(of.items, of.open), of
    if name == "update":
        after = of
        if isinstance(first, Table):
            after = merged(after, first)
        elif first is not None:
            after = Table(after.items, open=True)
        for key, value in keywords.items():
            after = Table(with_item(after.items, Constant(key), value), after.open)
        return NONE, Table(after.items, after.open or is_open)
    if name == "setdefault" and first is not None:
        value = positional[1] if len(positional) > 1 else NONE
        found = of.get(first.value) if isinstance(first, Constant) else None
        if found is not None:
            return found, of
        if of.open:
            return join((value, Unknown("what the dict held"))), of
        return value, with_index(of, first, value)
    if name == "pop" and first is not None:
        default = positional[1] if len(positional) > 1 else None
        found = _got(of, first, default) if default is not None or isinstance(first, Constant) else None
        return found, without(of, first)
    if name == "clear":
        return NONE, Table()
    if name in _READ:
        return None, of
    return None, Table(of.items, open=True)


def _got(of: Table, key: Value, default: Value | None) -> Value | None:
    """`of.get(key, default)`."""
    if not isinstance(key, Constant):
        return None
    found = of.get(key.value)
    if found is not None:
        return found
    settled = not of.open and all(isinstance(one, Constant) for one, _ in of.items)
    return default if settled else None
