"""Whether the values of a recipe are what they can be: own_of, in_range, whole. Knows no defaults and no presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pretune.core.errors import UserError, did_you_mean
from pretune.train.options import PRESETS, Padding, Precision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pretune.check.sources.setup import Setup

METRICS = ("korquad1", "squad1", "squad2", "klue_mrc")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "engine": ("loop", "trainer"),
    "preset": tuple(PRESETS),
    "padding": get_args(Padding),
    "precision": get_args(Precision),
    "metric": METRICS,
    "unfit": ("error", "skip"),
    "pooling": ("head", "mean", "cls", "last_token", "max"),
}
_TRUTHS = ("fast_dropout", "unanswerable", "new_head")
_LEAST: Mapping[str, tuple[type, float]] = {
    "tokens_per_batch": (int, 0),
    "attention_dropout": (float, 0),
    "null_threshold": (float, float("-inf")),
    "n_best": (int, 1),
    "max_answer_length": (int, 1),
}
OWN = (*_CHOICES, *_TRUTHS, *_LEAST)
"""The keys of the table `train`."""
ARGUMENTS_LEAST: Mapping[str, float] = {
    "learning_rate": 0,
    "num_train_epochs": 0,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "weight_decay": 0,
    "max_grad_norm": 0,
    "warmup_steps": 0,
    "logging_steps": 1,
    "eval_steps": 1,
    "save_steps": 1,
    "save_total_limit": 1,
    "adam_beta1": 0,
    "adam_beta2": 0,
    "adam_epsilon": 0,
    "seed": 0,
    "data_seed": 0,
}
_BELOW: Mapping[str, float] = {"adam_beta1": 1, "adam_beta2": 1, "seed": 2**32}
"""Arguments that have to be smaller than this."""


def own_of(setup: Setup) -> dict[str, Any]:
    """What stands in the table `train`.

    Raises:
        UserError: a value that is none of its choices, of another type, or out of range.
    """
    found: dict[str, Any] = {}
    for key, value in setup.train.items():
        where = setup.place(f"train.{key}")
        if value is None:
            continue
        if key in _CHOICES and value not in _CHOICES[key]:
            near = did_you_mean(str(value), _CHOICES[key]) or f"one of: {', '.join(_CHOICES[key])}"
            raise UserError(f'{where}: unknown "{value}"', hint=near)
        if key in _TRUTHS and not isinstance(value, bool):
            raise UserError(f"{where}: expected true or false, found {value!r}")
        if key in _LEAST:
            kind, least = _LEAST[key]
            if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
                raise UserError(f"{where}: expected a {'whole ' if kind is int else ''}number, found {value!r}")
            if not least <= value < float("inf") or (key == "attention_dropout" and value >= 1):
                top = " and below 1" if key == "attention_dropout" else ""
                raise UserError(f"{where} is {value}, expected at least {least:g}{top}")
        found[key] = value
    return found


def in_range(given: Mapping[str, Any], least: Mapping[str, float], setup: Setup, table: str) -> None:
    """Refuse numbers that are too small or too large, and those that are none.

    Raises:
        UserError: the first one.
    """
    for key, low in least.items():
        value, high = given.get(key), _BELOW.get(key, float("inf"))
        if value is not None and not low <= value < high:
            top = f" and below {high:,}" if key in _BELOW else ""
            raise UserError(f"{setup.place(f'{table}.{key}')} is {value}, expected at least {low:g}{top}")


def whole(setup: Setup, key: str, default: Any) -> Any:
    """A whole number of the table `encode`.

    Raises:
        UserError: it is none, or too small.
    """
    value = setup.encode.get(key)
    if value is None:
        return default
    least = 0 if key == "stride" else 1
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{setup.place(f'encode.{key}')}: expected a whole number from {least}, found {value!r}")
    return value
