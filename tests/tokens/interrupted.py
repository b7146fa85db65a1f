"""Stands between work and its calls that change or open files: interrupting, refusing. crashes.py ends processes there."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CALLS = (
    "open",
    "pwrite",
    "fsync",
    "replace",
    "rename",
    "unlink",
    "link",
    "copy_file_range",
    "truncate",
    "mkdir",
    "rmdir",
)


@contextmanager
def interrupting(act: Callable[[int, str, Callable[..., Any], tuple[Any, ...]], Any]) -> Iterator[None]:
    """Have `act(number, name, real, arguments)` called in the place of each call of CALLS."""
    count = 0

    def instead(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            return act(count, name, lambda *asked: real(*asked, **more), arguments)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, instead(name, getattr(os, name)))
        real_open = Path.open
        patch.setattr(Path, "open", instead("Path.open", real_open))
        yield


@contextmanager
def refusing(point: int, *, forever: bool) -> Iterator[list[str]]:
    """The disk is full at call number `point`, and from then on where `forever`; gives the names that were refused."""
    refused: list[str] = []

    def act(number: int, name: str, real: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if number == point or (forever and number > point):
            refused.append(name)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    with interrupting(act):
        yield refused
