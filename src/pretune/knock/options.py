"""What a watch is asked for, in the forms people write it: targets, times, figures. Does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    class Decorator(Protocol):
        """Gives a function back as the same kind of function."""

        def __call__(self, function: F, /) -> F:
            """Watch it."""

    To = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] | None


class Options(NamedTuple):
    """What a watch was asked for.

    Attributes:
        to: targets as `targets.resolve` takes them.
        name: what the messages call the work; empty for the function's own name.
        start: whether the beginning is told.
        stall: time without a sign of life that is worth an alert, as `30m` or seconds.
        heartbeat: URL of a dead-man's switch.
        linger: seconds an outage is waited out after the end.
    """

    to: tuple[str | dict[str, Any], ...] = ()
    name: str = ""
    start: bool = True
    stall: str | float | None = None
    heartbeat: str | None = None
    linger: float | None = None


def targets(to: To) -> tuple[str | dict[str, Any], ...]:
    """`to` as a tuple, whatever form it came in."""
    if to is None:
        return ()
    if isinstance(to, str):
        return (to,)
    if hasattr(to, "keys"):
        return (dict(to),)
    return tuple(each if isinstance(each, str) else dict(each) for each in to)


def figure(value: Any) -> float | int | None:
    """A number as JSON has it; None for what is none. A tensor or array of one number is one."""
    kind = type(value)
    if kind in (int, float):
        number: float | int = value
        return number
    if value is None or kind is bool or issubclass(kind, str | bytes):
        return None
    try:
        return float(value)
    except Exception:  # noqa: BLE001 - whatever a foreign type does
        return None


def figures(values: Mapping[str, Any]) -> dict[str, float | int | str]:
    """Those that are numbers or short texts."""
    found: dict[str, float | int | str] = {}
    for name, value in list(values.items())[:40]:
        number = value[:60] if type(value) is str else figure(value)
        if number is not None:
            found[name] = number
    return found
