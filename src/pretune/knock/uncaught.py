"""Tells a trainer's watch of an exception that ended the program or a notebook's cell, which no callback is told of.

The hook that was there before is called as ever, first. It does not see what is caught on the way.
"""

from __future__ import annotations

import contextlib
import sys
import weakref
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    class Feed(Protocol):
        """What can be told of a failure."""

        def failed(self, error: BaseException) -> None:
            """It ended with an exception."""


_feeds: weakref.WeakSet[Any] = weakref.WeakSet()
_hooked: list[Callable[..., Any]] = []


def watch(feed: Feed) -> None:
    """From now on it is told."""
    _feeds.add(feed)
    if _hooked:
        return
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        try:
            before(kind, error, trace)
        finally:
            tell(error)

    _hooked.append(hook)
    sys.excepthook = hook
    module = sys.modules.get("IPython")
    with contextlib.suppress(Exception):
        shell = module.get_ipython() if module is not None else None
        if shell is not None:
            shell.events.register("post_run_cell", _after_cell)


def _after_cell(result: Any = None) -> None:
    error = getattr(result, "error_in_exec", None)
    if error is not None:
        tell(error)


def tell(error: BaseException) -> None:
    """Tell every feed that is still under way."""
    with contextlib.suppress(Exception):
        for feed in list(_feeds):
            feed.failed(error)
