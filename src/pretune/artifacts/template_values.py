"""The operations on texts, numbers, lists and mappings that a chat template may ask for while it is followed.

A closed list: Jinja's own filters and Python's methods are never called by name, and whatever is not listed raises
`Unclear`. Knows nothing of templates' trees; that is template_walk.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST = 50_000
"""Characters or items that a value may have; more is `Unclear`."""


class Unclear(Exception):  # noqa: N818 - it is an answer ("cannot say"), not an error of anybody's
    """The template does something that is not followed here."""


class Undefined:
    """Jinja's undefined: falsy, writes nothing, and has no attributes."""

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()


class Namespace(dict[str, Any]):
    """What `namespace(...)` makes: the one thing that a template can change from inside a loop."""


def bounded(value: Any) -> Any:
    """The value, if it is not too long.

    Raises:
        Unclear: it is.
    """
    if isinstance(value, str | list | tuple | dict | range) and len(value) > LONGEST:
        raise Unclear("a value is too long")
    if isinstance(value, int) and abs(value) > 2**62:
        raise Unclear("a number is too large")
    return value


def shown(value: Any) -> str:
    """What writing the value writes.

    Raises:
        Unclear: it is a list or a mapping.
    """
    if isinstance(value, Undefined):
        return ""
    if value is None or isinstance(value, str | bool | int | float):
        return str(value)
    raise Unclear("a list or a mapping is written as it stands")


def attribute(value: Any, name: Any) -> Any:
    """`value.name` or `value[name]`.

    Raises:
        Unclear: of something undefined, which stops Jinja too, or of a kind of value that is not followed.
    """
    if isinstance(value, Mapping):
        return value.get(name, UNDEFINED) if isinstance(name, str | int) else UNDEFINED
    if isinstance(value, str | list | tuple) and isinstance(name, int) and not isinstance(name, bool):
        return value[name] if -len(value) <= name < len(value) else UNDEFINED
    if isinstance(value, str | list | tuple | int | float) or value is None:
        return UNDEFINED
    raise Unclear(f"attribute {name!r:.40} of something undefined")


def contains(holder: Any, item: Any) -> bool:
    """`item in holder`."""
    if isinstance(holder, Undefined):
        return False
    if isinstance(holder, str) and not isinstance(item, str):
        raise Unclear("a text can hold only texts")
    if isinstance(holder, str | list | tuple | dict | range):
        return _hashable(item) in holder
    raise Unclear("membership of something that holds nothing")


def call_method(value: Any, name: str, given: Sequence[Any]) -> Any:
    """`value.name(*given)` for the methods of texts, lists and mappings that only read.

    Raises:
        Unclear: no such method here, or arguments it does not take.
    """
    table: Mapping[str, Callable[..., Any]] = {}
    if isinstance(value, str):
        table = _TEXT_METHODS
    elif isinstance(value, Mapping):
        table = _MAPPING_METHODS
    if name not in table:
        raise Unclear(f"method {name:.40}")
    return _asked(table[name], value, given)


def call_filter(value: Any, name: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """`value | name(*given)`.

    Raises:
        Unclear: no such filter here, or arguments it does not take.
    """
    if name in {"default", "d"}:
        fallback = given[0] if given else named.get("default_value", "")
        also_falsy = given[1] if len(given) > 1 else named.get("boolean", False)
        return fallback if isinstance(value, Undefined) or (also_falsy and not value) else value
    if name == "tojson":
        return _asked(_json, value, ())
    if named or name not in _FILTERS:
        raise Unclear(f"filter {name:.40}")
    return _asked(_FILTERS[name], value, given)


def call_test(value: Any, name: str, given: Sequence[Any]) -> bool:
    """`value is name(*given)`.

    Raises:
        Unclear: no such test here, or arguments it does not take.
    """
    if name not in _TESTS:
        raise Unclear(f"test {name:.40}")
    return bool(_asked(_TESTS[name], value, given))


def _asked(operation: Callable[..., Any], value: Any, given: Sequence[Any]) -> Any:
    try:
        return bounded(operation(value, *given))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unclear(f"an operation on the wrong kind of value ({type(error).__name__})") from None


def _hashable(item: Any) -> Any:
    if isinstance(item, dict | list):
        raise Unclear("membership of a list or a mapping")
    return item


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    if len(text) + text.count(old) * len(new) > LONGEST:
        raise Unclear("a value is too long")
    return text.replace(old, new, count)


def _joined(items: Sequence[Any], separator: str = "", attribute_name: Any = None) -> str:
    parts = [shown(attribute(item, attribute_name) if attribute_name is not None else item) for item in items]
    if sum(map(len, parts)) + len(separator) * len(parts) > LONGEST:
        raise Unclear("a value is too long")
    return separator.join(parts)


def _selected(items: Sequence[Any], name: str, test: str = "", *given: Any, wanted: bool = True) -> list[Any]:
    def passes(item: Any) -> bool:
        value = attribute(item, name)
        return call_test(value, test, given) if test else bool(value)

    return [item for item in items if passes(item) is wanted]


_TEXT_METHODS: Mapping[str, Callable[..., Any]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "split": str.split,
    "rsplit": str.rsplit,
    "splitlines": str.splitlines,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "removeprefix": str.removeprefix,
    "removesuffix": str.removesuffix,
    "upper": str.upper,
    "lower": str.lower,
    "title": str.title,
    "capitalize": str.capitalize,
    "find": str.find,
    "count": str.count,
    "isdigit": str.isdigit,
    "replace": _replaced,
    "join": lambda separator, items: _joined(items, separator),
}
_MAPPING_METHODS: Mapping[str, Callable[..., Any]] = {
    "get": lambda value, key, fallback=None: value.get(key, fallback),
    "items": lambda value: list(value.items()),
    "keys": list,
    "values": lambda value: list(value.values()),
}
_FILTERS: Mapping[str, Callable[..., Any]] = {
    "trim": lambda value, characters=None: shown(value).strip(characters),
    "length": len,
    "count": len,
    "upper": lambda value: shown(value).upper(),
    "lower": lambda value: shown(value).lower(),
    "title": lambda value: shown(value).title(),
    "capitalize": lambda value: shown(value).capitalize(),
    "string": shown,
    "safe": lambda value: value,
    "int": int,
    "first": lambda value: value[0] if value else UNDEFINED,
    "last": lambda value: value[-1] if value else UNDEFINED,
    "list": list,
    "items": lambda value: list(value.items()) if isinstance(value, Mapping) else [],
    "join": _joined,
    "replace": lambda value, old, new: _replaced(shown(value), old, new),
    "selectattr": _selected,
    "rejectattr": lambda items, *given: _selected(items, *given, wanted=False),
}
_TESTS: Mapping[str, Callable[..., Any]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "mapping": lambda value: isinstance(value, Mapping),
    "iterable": lambda value: isinstance(value, str | list | tuple | dict | range | Undefined),
    "sequence": lambda value: isinstance(value, str | list | tuple | dict | range),
    "number": lambda value: isinstance(value, int | float),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "odd": lambda value: value % 2 == 1,
    "even": lambda value: value % 2 == 0,
    "divisibleby": lambda value, by: value % by == 0,
    "in": lambda value, holder: contains(holder, value),
    **dict.fromkeys(("eq", "equalto", "=="), lambda value, other: value == other),
    **dict.fromkeys(("ne", "!="), lambda value, other: value != other),
}
