"""PYS2: learning rate schedules of a loop of the script's own: what they count, and when they are stepped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, common_loops, implied, line, lineage, loader_of, number, opposed
from pretune.check.facts.script_loops import accumulates_itself, accumulation, training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, Returned, SetAttribute
from pretune.script.values import Constant, Operation, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.trace import Loop, Trace
    from pretune.script.values import Value

_WARMING = {
    "get_linear_schedule_with_warmup": 2,
    "get_cosine_schedule_with_warmup": 2,
    "get_cosine_with_hard_restarts_schedule_with_warmup": 2,
    "get_polynomial_decay_schedule_with_warmup": 2,
    "get_scheduler": 3,
    "WarmupLinearSchedule": 2,
    "WarmupCosineSchedule": 2,
}
"""Schedules of transformers that come down to 0 -> the position of the number of steps; its warm-up stands before."""
_TOTALS = ("num_training_steps", "t_total", "total_steps", "steps_per_epoch")


@rule("PYS221", Level.WARNING)
def scheduler_before_optimizer(script: ScriptFacts) -> Iterator[Problem]:
    """The scheduler is stepped before the optimizer.

    Why: the first value of the schedule is never used, and torch warns of it (`lr_scheduler.step()` before
    `optimizer.step()`); a schedule of few steps is off by one of them.
    Fix: call scheduler.step() behind optimizer.step().
    """
    for loop, made, calls in _stepped(script.trace):
        optimizer = made.argument(1 if made.method == "get_scheduler" else 0, "optimizer")
        steps = [one.call for one in loop.steps if optimizer is not None and root(one.optimizer) == root(optimizer)]
        for call in calls:
            near = [one for one in steps if not opposed(one, call)]
            beside = call.loops and bool(near) and call.loops[-1] in near[0].loops
            if beside and all(one.order > call.order for one in near) and implied(call, near[0]):
                yield Problem(
                    f"scheduler.step() comes before optimizer.step() at {line(near[0])}", where=str(call.place)
                )


@rule("PYS222", Level.WARNING)
def schedule_stepped_by_epoch(script: ScriptFacts) -> Iterator[Problem]:
    """A schedule that was made for a number of batches is stepped once an epoch.

    Why: after 3 epochs it is at step 3 of thousands: with a warm-up the learning rate stays near 0 and nothing is
    learned; without one it never comes down.
    Fix: step the scheduler behind every optimizer.step().
    """
    for loop, made, calls in _stepped(script.trace):
        total = _total(made)
        counted = next((one for one in lineage(total) if _counts(one)), None) if total is not None else None
        by_epoch = [one for one in calls if loop.epoch in one.loops and loop.batch not in one.loops]
        if counted is None or loop.epoch is None or len(by_epoch) != len(calls) or not calls:
            continue
        if call_of(loop.epoch.over, "range") is None and loader_of(loop.batch) is None:
            continue
        warmup = made.argument(_WARMING[made.method] - 1, "num_warmup_steps") if made.method in _WARMING else None
        rises = (warmup is not None and number(warmup) != 0) or made.method == "OneCycleLR"
        yield Problem(
            f"{made.method} at {line(made)} counts batches, but scheduler.step() is called once an epoch",
            where=str(by_epoch[0].place),
            level=Level.ERROR if rises and not isinstance(warmup, Unknown) else None,
            also=(str(made.place),),
        )


@rule("PYS223", Level.WARNING)
def schedule_stepped_by_batch(script: ScriptFacts) -> Iterator[Problem]:
    """A schedule that was made for a number of epochs is stepped on every batch.

    Why: it is over after as many batches as there are epochs: a linear one leaves a learning rate of 0 for the rest of
    the run, a cosine goes up and down every few batches.
    Fix: make it for len(loader) * epochs steps, or step it once an epoch.
    """
    for loop, made, calls in _stepped(script.trace):
        total = _total(made) or (made.argument(1, "T_max") if made.method == "CosineAnnealingLR" else None)
        epochs = _rounds(loop.epoch)
        inside = [one for one in calls if loop.batch in one.loops and not one.arguments and not one.keywords]
        if total is None or epochs is None or not inside or loop.batch.over is None or loader_of(loop.batch) is None:
            continue
        if _same(total, epochs) and not any(_counts(one) for one in lineage(total)):
            yield Problem(
                f"{made.method} at {line(made)} is made for as many steps as there are epochs, but stepped on every "
                "batch",
                where=str(inside[0].place),
                level=Level.ERROR if made.method in _WARMING else None,
                also=(str(made.place),),
            )


@rule("PYS224", Level.ERROR)
def schedule_of_one_epoch(script: ScriptFacts) -> Iterator[Problem]:
    """A schedule over one epoch's batches is stepped in all epochs.

    Why: it reaches 0 at the end of the first epoch, and the learning rate stays there: the other epochs train nothing.
    Fix: num_training_steps = len(loader) * epochs.
    """
    for loop, made, calls in _stepped(script.trace):
        total, epochs = _total(made), _rounds(loop.epoch)
        counted = call_of(total, "len")
        inside = [one for one in calls if loop.batch in one.loops]
        if counted is None or epochs is None or not inside or made.method not in _WARMING or loop.epoch in made.loops:
            continue
        known = number(epochs)
        loader = loader_of(loop.batch)
        if loader is not None and root(counted.arguments[0]) == loader and not (known is not None and known <= 1):
            many = "all epochs" if known is None else f"{known:g} epochs"
            yield Problem(
                f"{made.method} is made for one epoch's batches, but stepped in {many}",
                where=str(made.place),
                also=(str(inside[0].place),),
            )


@rule("PYS225", Level.NOTE)
def schedule_ignores_accumulation(script: ScriptFacts) -> Iterator[Problem]:
    """A schedule for all batches is stepped with the optimizer, which steps on every nth only.

    Why: it comes to a nth of its way: the learning rate hardly falls, and a warm-up takes n times as long.
    Fix: num_training_steps = len(loader) // accumulation_steps * epochs.
    """
    for loop, made, calls in _stepped(script.trace):
        found, total = accumulation(loop), _total(made)
        if found is None or total is None or accumulates_itself(loop):
            continue
        step, condition, every = found
        divided = any(isinstance(one, Operation) and one.operator in ("/", "//") for one in lineage(total))
        unsure = any(isinstance(one, Unknown) for one in lineage(total, stop=lambda one: kind(one) is not None))
        beside = [
            one
            for one in calls
            if any((c.place, c.taken) == (condition.place, condition.taken) for c in one.conditions)
        ]
        if beside and not divided and not unsure and any(_counts(one) for one in lineage(total)):
            yield Problem(
                f"{made.method} counts every batch, but is stepped with the optimizer on every "
                f"{'nth' if every is None else f'{every:g}th'} at {line(step.call)}",
                where=str(made.place),
                also=(str(beside[0].place),),
            )


@rule("PYS226", Level.WARNING)
def schedule_never_stepped(script: ScriptFacts) -> Iterator[Problem]:
    """A schedule is made for an optimizer and never stepped.

    Why: the learning rate stays at the schedule's first value, which is 0 where it begins with a warm-up: then nothing
    is trained.
    Fix: call scheduler.step() behind optimizer.step(), or leave the schedule out.
    """
    loops = training_loops(script.trace)
    for made in script.trace.calls():
        if not _makes_schedule(made) or made.entry is not None:
            continue
        optimizer = made.argument(1 if made.method == "get_scheduler" else 0, "optimizer")
        ours = [loop for loop in loops for step in loop.steps if optimizer and root(step.optimizer) == root(optimizer)]
        if not ours or _used(script.trace, made):
            continue
        warmup = made.argument(_WARMING[made.method] - 1, "num_warmup_steps") if made.method in _WARMING else None
        zero = warmup is not None and number(warmup) != 0 and not isinstance(warmup, Unknown)
        rest = ": the learning rate stays 0" if zero else ""
        yield Problem(
            f"{made.method} is made for the optimizer of the loop at {line(ours[0].batch)}, and never stepped{rest}",
            where=str(made.place),
            level=Level.ERROR if zero else None,
        )


def _used(trace: Trace, made: Call) -> bool:
    """Whether anything is done with a schedule but asking it for its state."""
    for event in trace.events:
        if isinstance(event, Call):
            on = event.receiver is not None and _holds(event.receiver, made)
            if on and event.method not in ("state_dict", "load_state_dict", "get_last_lr", "get_lr"):
                return True
            given = (*event.arguments, *event.keywords.values())
            if event.method != "prepare" and any(_holds(value, made) for value in given):
                return True
        elif isinstance(event, Returned | SetAttribute) and _holds(event.value, made):
            return event.function is None or event.entry is not None
    return False


def _holds(value: Value, made: Call) -> bool:
    """Whether a value is what the call gave, or a list or dict that holds it."""
    held = [
        part for one in lineage(value, stop=lambda one: call_of(one) is not None) for part in alternatives(root(one))
    ]
    return any(call_of(one) is made for one in held)


def _stepped(trace: Trace) -> Iterator[tuple[TrainingLoop, Call, list[Call]]]:
    """Training loops with the making of each schedule that is stepped in them or beside them, and those steps."""
    for loop in training_loops(trace):
        found: dict[int, tuple[Call, list[Call]]] = {}
        for call in trace.calls("step"):
            made = call_of(root(call.receiver)) if call.receiver is not None else None
            if made is None or not _makes_schedule(made):
                continue
            if loop.steps and common_loops(call, loop.steps[0].call) and not opposed(call, loop.steps[0].call):
                found.setdefault(id(made), (made, []))[1].append(call)
        for made, calls in found.values():
            yield loop, made, calls


def _makes_schedule(made: Call) -> bool:
    return made.method in _WARMING or ("lr_scheduler." in made.function_name and made.method[:1].isupper())


def _total(made: Call) -> Value | None:
    """How many steps the schedule is made for; None: not said."""
    for name in _TOTALS:
        if name in made.keywords:
            return made.keywords[name]
    return made.argument(_WARMING[made.method], "num_training_steps") if made.method in _WARMING else None


def _counts(value: Value) -> bool:
    """Whether a value is the length of a loader or of data."""
    made = call_of(value, "len")
    return made is not None and made.arguments[:1] != () and not isinstance(made.arguments[0], Constant)


def _rounds(loop: Loop | None) -> Value | None:
    """The n of `for epoch in range(n)`, also through tqdm; None: it is another loop."""
    value = loop.over if loop is not None else None
    made = call_of(value)
    while made is not None and made.method in ("tqdm", "trange", "range", "enumerate", "track"):
        if made.method in ("range", "trange"):
            return made.arguments[0] if len(made.arguments) == 1 else None
        made = call_of(made.arguments[0]) if made.arguments else None
    return None


def _same(one: Value, other: Value) -> bool:
    """Whether two numbers are the same by their value, or one expression."""
    return one == other and (not isinstance(one, Unknown) or bool(one.name))


RULES: tuple[Rule, ...] = (
    scheduler_before_optimizer,
    schedule_stepped_by_epoch,
    schedule_stepped_by_batch,
    schedule_of_one_epoch,
    schedule_ignores_accumulation,
    schedule_never_stepped,
)
