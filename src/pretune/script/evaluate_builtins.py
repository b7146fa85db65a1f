"""Builtins and a few functions of the standard library whose result is known when their arguments are."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from pretune.script.choices import is_none, truth
from pretune.script.evaluate_attributes import item
from pretune.script.evaluate_functions import closure, variant
from pretune.script.evaluate_items import items_of
from pretune.script.evaluate_objects import (
    getattr_,
    hasattr_,
    isinstance_,
    setattr_,
    type_,
    vars_,
)
from pretune.script.folding import LONGEST_TEXT, constant, with_item
from pretune.script.values import Constant, Function, Sequence, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.script.state import Walk
    from pretune.script.values import Place, Value

    Handler = Callable[[Walk, list[Value], dict[str, Value], Place], Value | None]

_FAILS = (ArithmeticError, ValueError, TypeError, LookupError, AttributeError)


def _pure(compute: Callable[..., Any]) -> Handler:
    """A function of constants."""

    def handler(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
        del walk, place
        values = [*positional, *keywords.values()]
        given = [one.value for one in positional if isinstance(one, Constant)]
        named = {key: one.value for key, one in keywords.items() if isinstance(one, Constant)}
        if len(given) + len(named) != len(values) or any(
            len(str(x)) > LONGEST_TEXT for x in given if isinstance(x, str | bytes)
        ):
            return None
        try:
            return constant(compute(*given, **named), *values)
        except _FAILS:
            return None

    return handler


def _path(compute: Callable[..., Any]) -> Handler:
    """A function of texts that are paths."""
    return _pure(lambda *parts: compute(*(str(part) for part in parts)))


def _length(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, keywords, place
    of = positional[0] if len(positional) == 1 else None
    if isinstance(of, Sequence | Table) and not of.open:
        return Constant(len(of.items))
    return constant(len(of.value), of) if isinstance(of, Constant) and isinstance(of.value, str | bytes) else None


def _listed(kind: str) -> Handler:
    """`list(x)`, `tuple(x)`, `set(x)`, of items that are known."""

    def handler(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
        del walk, keywords, place
        if not positional:
            return Sequence((), kind)
        found = items_of(positional[0])
        return None if found is None else Sequence(found.items, kind, found.open)

    return handler


def _table(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, place
    items: tuple[tuple[Value, Value], ...] = ()
    is_open = False
    for one in positional[:1]:
        if isinstance(one, Table):
            items, is_open = one.items, one.open
        elif isinstance(one, Sequence):
            is_open = one.open
            for pair in one.items:
                if not (isinstance(pair, Sequence) and len(pair.items) == 2):
                    return None
                items = with_item(items, pair.items[0], pair.items[1])
        else:
            return None
    for key, value in keywords.items():
        items = with_item(items, Constant(key), value)
    return Table(items, is_open)


def _default_table(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, positional, keywords, place
    return Table(open=True)


def _enumerated(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, place
    found = items_of(positional[0]) if positional else None
    start = positional[1] if len(positional) > 1 else keywords.get("start", Constant(0))
    if found is None or found.open or not isinstance(start, Constant) or not isinstance(start.value, int):
        return None
    begin = start.value
    pairs = (Sequence((Constant(begin + number), one), "tuple") for number, one in enumerate(found.items))
    return Sequence(tuple(pairs))


def _zipped(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, keywords, place
    found = [items_of(one) for one in positional]
    closed = [one for one in found if one is not None and not one.open]
    if len(closed) != len(found) or not found:
        return None
    rows = zip(*(one.items for one in closed), strict=False)
    return Sequence(tuple(Sequence(row, "tuple") for row in rows))


def _ordered(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, place
    found = items_of(positional[0]) if positional else None
    if found is None or found.open or "key" in keywords:
        return None
    constants = [one for one in found.items if isinstance(one, Constant)]
    if len(constants) != len(found.items):
        return None
    backwards = truth(keywords["reverse"]) if "reverse" in keywords else False
    try:
        if backwards is None:
            return None
        ordered: list[Constant] = sorted(constants, key=_sort_key, reverse=backwards)
        return Sequence(tuple(ordered))
    except TypeError:
        return None


def _sort_key(one: Constant) -> Any:
    return one.value


def _reversed(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, keywords, place
    found = items_of(positional[0]) if positional else None
    return None if found is None or found.open else Sequence(found.items[::-1])


def _extreme(compute: Callable[..., Any]) -> Handler:
    """`min`, `max`, `sum`, of constants or of a list of them."""

    def handler(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
        del walk, place
        values = positional
        if len(values) == 1 and isinstance(values[0], Sequence) and not values[0].open:
            values = list(values[0].items)
        constants = [one for one in values if isinstance(one, Constant)]
        if keywords or len(constants) != len(values) or (len(values) == 1 and values is positional):
            return None
        try:
            return constant(compute([one.value for one in constants]), *constants)
        except _FAILS:
            return None

    return handler


def _partial(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, place
    if not positional or not isinstance(positional[0], Function):
        return None
    scope = closure(positional[0])
    return variant(positional[0], given=(*scope.given, *positional[1:]), named={**scope.named, **keywords})


def _copied(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    del walk, keywords, place
    of = positional[0] if positional else None
    if isinstance(of, Sequence):
        return Sequence(of.items, of.kind, of.open)
    if isinstance(of, Table):
        return Table(of.items, of.open)
    return of if isinstance(of, Constant) else None


def _every(wanted: bool) -> Handler:
    """`all(x)`, `any(x)`."""

    def handler(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
        del walk, keywords, place
        found = items_of(positional[0]) if positional else None
        if found is None:
            return None
        answers = [truth(one) for one in found.items]
        if (not wanted) in answers and not found.open:
            return Constant(not wanted)
        return None if found.open or None in answers else Constant(wanted)

    return handler


def _mapped_item(walk: Walk, positional: list[Value], keywords: dict[str, Value], place: Place) -> Value | None:
    """`next(iter(x))`."""
    del keywords, place
    of = positional[0] if positional else None
    return item(walk, of, Constant(0)) if isinstance(of, Sequence) and of.items else None


def _whole(value: Any = 0, base: int = 10) -> int:
    return int(value, base) if isinstance(value, str) else int(value)


KNOWN: dict[str, Handler] = {
    "builtins.len": _length,
    "builtins.list": _listed("list"),
    "builtins.tuple": _listed("tuple"),
    "builtins.set": _listed("set"),
    "builtins.frozenset": _listed("set"),
    "builtins.iter": _listed("list"),
    "builtins.dict": _table,
    "collections.OrderedDict": _table,
    "collections.defaultdict": _default_table,
    "builtins.enumerate": _enumerated,
    "builtins.zip": _zipped,
    "builtins.sorted": _ordered,
    "builtins.reversed": _reversed,
    "builtins.next": _mapped_item,
    "builtins.min": _extreme(min),
    "builtins.max": _extreme(max),
    "builtins.sum": _extreme(sum),
    "builtins.all": _every(True),
    "builtins.any": _every(False),
    "builtins.str": _pure(str),
    "builtins.int": _pure(_whole),
    "builtins.float": _pure(float),
    "builtins.bool": lambda _walk, given, _named, _place: _as_bool(given),
    "builtins.abs": _pure(abs),
    "builtins.round": _pure(round),
    "builtins.repr": _pure(repr),
    "builtins.ord": _pure(ord),
    "builtins.chr": _pure(chr),
    "builtins.getattr": getattr_,
    "builtins.setattr": setattr_,
    "builtins.hasattr": hasattr_,
    "builtins.isinstance": isinstance_,
    "builtins.vars": vars_,
    "builtins.type": type_,
    "dataclasses.asdict": vars_,
    "functools.partial": _partial,
    "copy.copy": _copied,
    "copy.deepcopy": _copied,
    "os.path.join": _path(posixpath.join),
    "os.path.basename": _path(posixpath.basename),
    "os.path.dirname": _path(posixpath.dirname),
    "os.path.normpath": _path(posixpath.normpath),
    "os.fspath": _path(str),
    "pathlib.Path": _path(lambda *parts: posixpath.join(*parts) if parts else "."),
    "pathlib.PurePath": _path(lambda *parts: posixpath.join(*parts) if parts else "."),
}


def _as_bool(given: list[Value]) -> Value | None:
    if not given:
        return Constant(False)
    answer = truth(given[0], settled=False)
    if answer is None:
        return Constant(False) if is_none(given[0]) else None
    return constant(answer, given[0])
