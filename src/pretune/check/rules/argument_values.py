"""TRN: the values of training arguments, one at a time: the right type, among the choices, in the range that works."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pretune.check.facts.training import minor
from pretune.check.facts.versions import is_at_least
from pretune.check.finding import Level, Problem, rule
from pretune.core.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.training import TrainingFacts
    from pretune.check.finding import Rule


@rule("TRN005", Level.ERROR)
def argument_of_the_wrong_type(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument has a value of a type that it does not take.

    Why: nothing checks types when the arguments are made. "2e-5" fails inside train(), after the model is loaded and
    the data is tokenised; fp16="false" is a non-empty string and therefore true, without a word.
    Fix: write the value without quotation marks. YAML reads 2e-5 as text and 2.0e-5 as a number, a bare no as false.
    """
    for misfit in training.misfits:
        value, meant = misfit.value, misfit.meant
        level, why = None, ""
        if value is None and misfit.expected == "bool":
            level, why = Level.NOTE, ", which counts as false"
        elif isinstance(value, str) and isinstance(meant, bool):
            level = None if meant is False else Level.WARNING
            why = ", which counts as true" if meant is False else ""
        elif misfit.name == "warmup_steps" and isinstance(value, float):
            level, why = Level.WARNING, ": before transformers 5 a share of the run is warmup_ratio"
        help_ = "" if meant is None else f"write {written(meant)}"
        if isinstance(value, str) and isinstance(meant, float):
            help_ += f"; YAML reads {value} as text" if "e" in value.lower() else ""
        elif value is False and meant == "no":
            help_ = 'write "no" in quotation marks; YAML reads a bare no as false'
        kind = "null" if value is None else type(value).__name__
        yield Problem(
            f"{misfit.name} is {_shown(misfit.name, value)} ({kind}), expected {misfit.expected}{why}",
            where=training.place(misfit.name),
            help=help_,
            level=level,
        )


@rule("TRN006", Level.ERROR)
def value_not_among_the_choices(training: TrainingFacts) -> Iterator[Problem]:
    """An optimiser, schedule or strategy that this version of transformers does not know.

    Why: most are refused when the arguments are made; an unknown train_sampling_strategy shuffles without a word.
    Fix: write one of the names that exist.
    """
    for name, argument in training.table.arguments.items():
        value, known = training.values.get(name), argument.choices or argument.allowed
        if not training.given(name) or not known or not isinstance(value, str) or value in known:
            continue
        span = training.table.optimisers.get(value) if name == "optim" else None
        beyond = not is_at_least(minor(training.table.versions[-1]), minor(training.table.version))
        yield Problem(
            f"{name} is {_shown(name, value)}, which is gone after transformers {minor(span[1])}, but "
            f"{training.release} knows {_some(known)}"
            if span
            else f"{name} is {_shown(name, value)} but {training.release} knows {_some(known)}",
            where=training.place(name),
            help='write "adamw_torch"' if span and value.startswith("adamw") else did_you_mean(value.lower(), known),
            level=Level.NOTE if beyond else None if argument.choices else Level.WARNING,
        )


Test = Callable[[float], bool]
RANGES: tuple[tuple[str, Test, str, str, Level], ...] = (
    ("learning_rate", lambda v: v < 0, "a positive number", "the optimiser refuses it", Level.ERROR),
    ("per_device_train_batch_size", lambda v: v < 1, "at least 1", "the data loader refuses it", Level.ERROR),
    ("per_device_eval_batch_size", lambda v: v < 1, "at least 1", "the first evaluation stops", Level.ERROR),
    ("gradient_accumulation_steps", lambda v: v < 1, "at least 1", "train() stops", Level.ERROR),
    ("warmup_steps", lambda v: v < 0, "0 or more", "it is refused", Level.ERROR),
    ("warmup_ratio", lambda v: not 0 <= v <= 1, "between 0 and 1", "it is refused", Level.ERROR),
    ("weight_decay", lambda v: v < 0, "0 or more", "the weights are pushed away from zero", Level.WARNING),
    ("label_smoothing_factor", lambda v: not 0 <= v < 1, "0 to below 1", "the loss ignores the label", Level.ERROR),
    ("adam_beta1", lambda v: not 0 <= v < 1, "0 to below 1", "the optimiser refuses it", Level.ERROR),
    ("adam_beta2", lambda v: not 0 <= v < 1, "0 to below 1", "the optimiser refuses it", Level.ERROR),
    ("adam_epsilon", lambda v: v < 0, "0 or more", "the optimiser refuses it", Level.ERROR),
    ("max_grad_norm", lambda v: v < 0, "0 or more", "no gradient is clipped", Level.WARNING),
    ("dataloader_num_workers", lambda v: v < 0, "0 or more", "the data loader refuses it", Level.ERROR),
    ("torch_empty_cache_steps", lambda v: v < 1, "at least 1", "it is refused", Level.ERROR),
    ("seed", lambda v: not 0 <= v < 2**32, "0 to 4294967295", "numpy refuses it as a seed", Level.ERROR),
)
"""Argument, what is out of range, what is expected, what comes of it, how grave: run or read in transformers 5.23."""


@rule("TRN007", Level.ERROR)
def argument_out_of_range(training: TrainingFacts) -> Iterator[Problem]:
    """A training argument has a value that cannot work.

    Why: most stop inside train(), after the model is loaded and the data is tokenised; some are taken in silence.
    Fix: write a value in the range.
    """
    for name, outside, expected, consequence, level in RANGES:
        value = training.number(name)
        if training.given(name) and value is not None and outside(value):
            message = f"{name} is {written(value)}, expected {expected}: {consequence}"
            yield Problem(message, where=training.place(name), level=level)
    for name, value in training.values.items():
        if isinstance(value, float) and not math.isfinite(value) and training.given(name):
            yield Problem(f"{name} is {value}, expected a finite number", where=training.place(name))
    for kind in ("logging", "eval", "save"):
        name, value = f"{kind}_steps", training.number(f"{kind}_steps")
        if value is None or training.text(f"{kind}_strategy") != "steps" or not training.given(name):
            continue
        if value > 1 and value != int(value):
            yield Problem(f"{name} is {value}, expected a whole number, or a share below 1", where=training.place(name))
        elif value < 0 or (value == 0 and kind == "logging"):
            level_ = Level.ERROR if value == 0 else Level.WARNING
            yield Problem(f"{name} is {written(value)}, expected more than 0", where=training.place(name), level=level_)


@rule("TRN008", Level.ERROR)
def run_without_steps(training: TrainingFacts) -> Iterator[Problem]:
    """The arguments ask for a run of no steps.

    Why: with no epochs Trainer makes no step, saves and reports as after any run; with max_steps=0 it makes one.
    Fix: set num_train_epochs above 0; max_steps is -1 when the epochs decide.
    """
    epochs, steps = training.number("num_train_epochs"), training.number("max_steps")
    if steps == 0 and training.given("max_steps") and training.at_least("5.0"):
        yield Problem("max_steps is 0: Trainer makes a single step and stops", where=training.place("max_steps"))
    elif epochs is not None and epochs <= 0 and (steps is None or steps <= 0):
        message = f"num_train_epochs is {written(epochs)}: no step is made, and nothing says so"
        yield Problem(message, where=training.place("num_train_epochs"))


def written(value: Any) -> str:
    """A value as one would write it, valid in TOML, JSON and YAML: 0.00002 is `2.0e-05`."""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    if isinstance(value, float) and "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text


def _shown(name: str, value: Any) -> str:
    """A value in a message: short, and never a token."""
    if value is None:
        return "null"
    if "token" in name:
        return "(not shown)"
    text = f'"{value}"' if isinstance(value, str) else written(value)
    text = "".join(c if c.isprintable() else "?" for c in text[:41])
    return text[:40] + "…" if len(text) > 40 else text


def _some(known: tuple[str, ...]) -> str:
    """The choices, the first few when they are many."""
    return ", ".join(known) if len(known) <= 6 else f"{len(known)} others ({', '.join(known[:3])}, …)"


RULES: tuple[Rule, ...] = (
    argument_of_the_wrong_type,
    value_not_among_the_choices,
    argument_out_of_range,
    run_without_steps,
)
