"""A fact of a Setup: read when first asked for, and kept. Knows no fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, overload

from pretune.check.finding import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pretune.check.facts import Facts

Value = TypeVar("Value")


class fact(Generic[Value]):  # noqa: N801 - it is used as a decorator, like property
    """A fact of a Setup, read when first asked for and kept, as is the reason when it cannot be had."""

    def __init__(self, read: Callable[[Facts], Value]) -> None:
        self.read = read
        self.name = read.__name__
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, facts: None, owner: type) -> fact[Value]: ...
    @overload
    def __get__(self, facts: Facts, owner: type) -> Value: ...
    def __get__(self, facts: Facts | None, owner: type) -> fact[Value] | Value:
        if facts is None:
            return self
        if self.name in facts.reasons:
            raise Unavailable(facts.reasons[self.name])
        try:
            value = self.read(facts)
        except Unavailable as why:
            facts.reasons[self.name] = why.reason
            raise
        facts.__dict__[self.name] = value  # found there first from now on
        return value
