"""`@knock.when_done(to=…)` and `with knock.watching(…)`: be told how a piece of Python ended. Knows no messages.

The work is untouched: what it returns or raises is the very same object, generators stay generators and coroutine
functions coroutine functions; arguments and results are looked at by nobody. It is told by a process of its own, so a
segmentation fault, SIGKILL or os._exit is told, too.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, overload

from pretune.knock.enter import Watching, begin
from pretune.knock.options import Options, targets
from pretune.knock.run import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from pretune.knock.options import Decorator, F, To

_GENERATOR, _COROUTINE, _BOTH = 0x20, 0x80, 0x200  # inspect's flags; its import alone costs milliseconds


@overload
def when_done(to: F, /) -> F: ...
@overload
def when_done(
    to: To = None,
    *,
    name: str = "",
    start: bool = True,
    stall: str | float | None = None,
    heartbeat: str | None = None,
    linger: float | None = None,
) -> Decorator: ...
def when_done(
    to: Any = None,
    *,
    name: str = "",
    start: bool = True,
    stall: str | float | None = None,
    heartbeat: str | None = None,
    linger: float | None = None,
) -> Any:
    """Tell how each call of a function ends.

    For functions, methods, static and class methods, generators, coroutine functions, asynchronous generators,
    partials and other callables; with or without parentheses. A generator has ended when it is exhausted or closed.
    Inside a call whose targets are told already nothing more is told.

    Args:
        to: one target or several: a webhook URL, an Apprise URL, a name from knock.toml. Without any, `PRETUNE_KNOCK`
            and then the file's `default` count, and with none at all the terminal is told.
        name: what the messages call it, instead of the function's own name.
        start: whether the beginning is told.
        stall: time without a sign of life (`knock.progress`) that is worth an alert, as `30m` or seconds.
        heartbeat: URL of a dead-man's switch, asked for at the start, regularly, and at the end.
        linger: seconds an outage is waited out after the end (600).

    Raises:
        TypeError: what is decorated is no function.
    """
    options = Options((), name, start, stall, heartbeat, linger)
    if to is not None and not isinstance(to, str | list | tuple | dict):
        return _watched(to, options)
    options = options._replace(to=targets(to))

    def decorate(function: Any) -> Any:
        return _watched(function, options)

    return decorate


def watching(
    name: str = "a block of Python",
    to: To = None,
    *,
    start: bool = True,
    stall: str | float | None = None,
    heartbeat: str | None = None,
    linger: float | None = None,
) -> Watching:
    """Tell how a block ends; `with` and `async with` give a Run, whose `progress` feeds the messages.

    Args:
        name: what the messages call it.
        to: as for `when_done`, and so the rest.
        start: whether the beginning is told.
        stall: time without a sign of life that is worth an alert.
        heartbeat: URL of a dead-man's switch.
        linger: seconds an outage is waited out after the end.
    """
    return Watching(Options(targets(to), name, start, stall, heartbeat, linger))


def progress(step: float | None = None, total: float | None = None, **figures: Any) -> None:
    """Tell the watch around this how far it is, see `Run.progress`; without a watch nothing happens."""
    run = current()
    if run is not None:
        run.progress(step, total, **figures)


def _watched(function: Any, options: Options) -> Any:
    if type(function) in (staticmethod, classmethod):
        return type(function)(_watched(function.__func__, options))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"when_done watches functions, not {'a class' if isinstance(function, type) else 'a value'}")
    if type(function) is types.FunctionType:
        wrapper: Any = functools.wraps(function)(_around(function, options))
        return wrapper
    return Watched(function, options)


def _around(function: Callable[..., Any], options: Options) -> Callable[..., Any]:  # noqa: PLR0915 - four of one kind
    """A function of the same kind; it refers to importable names only, so that it can be sent to another process."""
    name = _name(function)
    flags = _flags(function)

    def plain(*args: Any, **kwargs: Any) -> Any:
        run = begin(name, options)
        token = run.enter()
        try:
            value = function(*args, **kwargs)
        except BaseException as error:
            run.leave(token)
            run.failed(error)
            raise
        run.leave(token)
        run.returned(value)
        return value

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        run = begin(name, options)
        token = run.enter()
        try:
            value = await function(*args, **kwargs)
        except BaseException as error:
            run.leave(token)
            run.failed(error)
            raise
        run.leave(token)
        run.returned(value)
        return value

    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        run = begin(name, options)
        try:
            value = yield from function(*args, **kwargs)
        except BaseException as error:
            run.failed(error)
            raise
        run.returned(value)
        return value

    async def both(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        run = begin(name, options)
        inner = function(*args, **kwargs)
        try:
            try:
                value = await inner.__anext__()
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 - thrown in from outside: the inner one's business
                        value = await inner.athrow(error)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                pass
        except BaseException as error:
            run.failed(error)
            raise
        run.returned(None)

    if flags & _BOTH:
        return both
    if flags & _COROUTINE:
        return coroutine
    return generator if flags & _GENERATOR else plain


def _inner(function: Any) -> Any:
    """What a partial, a bound method or a callable object runs in the end; no attribute of theirs is computed."""
    for _ in range(8):
        kind = type(function)
        if issubclass(kind, functools.partial):
            function = function.func
        elif kind is types.MethodType:
            function = function.__func__
        elif kind is not types.FunctionType and type(vars(kind).get("__call__")) is types.FunctionType:
            function = vars(kind)["__call__"]
        else:
            break
    return function


def _flags(function: Any) -> int:
    code = getattr(_inner(function), "__code__", None)
    return code.co_flags if type(code) is types.CodeType else 0


def _name(function: Any) -> str:
    """Module and name as a reader knows them: `train()`, `Trainer.fit()`; of a callable object its type's."""
    inner = _inner(function)
    name = getattr(inner, "__qualname__", None)
    if type(name) is not str:
        name = type(inner).__qualname__
    name = name.rpartition("<locals>.")[2]
    return name.replace("<lambda>", "lambda") if "<lambda>" in name else f"{name}()"


class Watched:
    """A partial, bound method or other callable, watched; looks like it, and can be pickled when it can."""

    def __init__(self, function: Any, options: Options) -> None:
        self.__wrapped__ = function
        self._options = options
        self._run = _around(function, options)
        for name in ("__name__", "__qualname__", "__doc__", "__module__"):
            value = getattr(function, name, None)
            if type(value) is str:
                setattr(self, name, value)
        flags = _flags(function)
        if flags & _COROUTINE and not flags & _BOTH:
            import asyncio.coroutines
            import inspect

            mark = getattr(inspect, "markcoroutinefunction", None)  # Python 3.12
            if mark is not None:
                mark(self)
            else:
                self._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]  # noqa: SLF001

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, watched."""
        return self._run(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """In a class it stays what it was: bound if what is watched would be."""
        if instance is None or not hasattr(type(self.__wrapped__), "__get__"):
            return self
        return Watched(self.__wrapped__.__get__(instance, owner), self._options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_options":
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Watched, (self.__wrapped__, self._options)
