"""Look at a run without touching it: random states and the counters of samplers and collators are put back after.

Covers Python's, numpy's and torch's generators (also those that objects hold) and the attributes of the objects given,
a few levels deep. Does not cover what an object keeps outside Python (an open file's position).
"""

from __future__ import annotations

import random
import sys
from collections import deque
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from pretune.check.sources.live_objects import bases, is_model, is_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEPEST, MOST_OBJECTS, MOST_ITEMS = 6, 2000, 1000
"""How far the objects are followed, how many are kept, and how long a list may be that is kept."""


@contextmanager
def untouched(*objects: Any) -> Iterator[None]:
    """Put back, at the end, every random state and the attributes of the objects."""
    undo = [*_random_states(), *_attributes(objects)]
    try:
        yield
    finally:
        for back in reversed(undo):
            back()


def _random_states() -> list[Callable[[], None]]:
    """Of the modules that are imported; a module that is not has drawn nothing."""
    state = random.getstate()
    undo: list[Callable[[], None]] = [lambda: random.setstate(state)]
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        drawn = numpy.random.get_state()
        undo.append(lambda: numpy.random.set_state(drawn))
    if torch is not None:
        cpu = torch.get_rng_state()
        undo.append(lambda: torch.set_rng_state(cpu))
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            devices = torch.cuda.get_rng_state_all()
            undo.append(lambda: torch.cuda.set_rng_state_all(devices))
        mps = getattr(torch.backends, "mps", None)
        if mps is not None and mps.is_available():
            drawn_there = torch.mps.get_rng_state()
            undo.append(lambda: torch.mps.set_rng_state(drawn_there))
    return undo


def _attributes(objects: tuple[Any, ...]) -> list[Callable[[], None]]:
    """What puts back the attributes and the generators of objects, and of what they hold."""
    undo: list[Callable[[], None]] = []
    seen: set[int] = set()
    waiting = deque((one, 0) for one in objects)
    while waiting and len(seen) < MOST_OBJECTS:
        value, depth = waiting.popleft()
        if id(value) in seen or depth > DEEPEST or _is_left_alone(value):
            continue
        seen.add(id(value))
        back, inside = _kept(value)
        if back is not None:
            undo.append(back)
        waiting.extend((one, depth + 1) for one in inside)
    return undo


def _is_left_alone(value: Any) -> bool:
    """Whether it holds nothing that a batch changes, or far too much: models, tokenizers, tensors, classes, text."""
    if value is None or isinstance(value, str | bytes | int | float | complex | type | ModuleType):
        return True
    return is_model(value) or is_tokenizer(value) or bool(bases(value) & {"torch.Tensor", "numpy.ndarray"})


def _kept(value: Any) -> tuple[Callable[[], None] | None, list[Any]]:
    """What puts the object back, and what it holds."""
    kinds = bases(value)
    if "torch.Generator" in kinds:
        state = value.get_state()
        return (lambda: value.set_state(state)), []
    if isinstance(value, random.Random):
        drawn = value.getstate()
        return (lambda: value.setstate(drawn)), []
    if "numpy.Generator" in kinds or "numpy.RandomState" in kinds:
        bits = getattr(value, "bit_generator", None) or value._bit_generator  # noqa: SLF001 - RandomState's only way
        state = bits.state
        return (lambda: setattr(bits, "state", state)), []
    if isinstance(value, MethodType):
        return None, [value.__self__]
    if isinstance(value, FunctionType):
        return None, [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    if isinstance(value, list | deque):
        return _kept_list(value)
    if isinstance(value, dict):
        return _kept_dict(value) if len(value) <= MOST_ITEMS else (None, [])
    if isinstance(value, tuple):
        return None, list(value[:MOST_ITEMS])
    parts = [value.func, *value.args, *value.keywords.values()] if "functools.partial" in kinds else []
    held = getattr(value, "__dict__", None)
    if not isinstance(held, dict):
        return None, parts
    back, inside = _kept_dict(held)
    return back, [*parts, *inside]


def _kept_list(value: list[Any] | deque[Any]) -> tuple[Callable[[], None] | None, list[Any]]:
    if len(value) > MOST_ITEMS:
        return None, []
    items = list(value)

    def back() -> None:
        if len(value) != len(items) or any(one is not other for one, other in zip(value, items, strict=True)):
            value.clear()
            value.extend(items)

    return back, items[:50]


def _kept_dict(value: dict[Any, Any]) -> tuple[Callable[[], None], list[Any]]:
    items = dict(value)

    def back() -> None:
        for key in [key for key in value if key not in items]:
            del value[key]
        for key, one in items.items():
            if key not in value or value[key] is not one:
                value[key] = one

    return back, list(items.values())


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # an empty cell
        return False
