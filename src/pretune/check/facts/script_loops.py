"""Training loops that a script writes itself: where gradients are made, cleared and applied. Knows no rule.

A training loop is the innermost loop that holds both a `backward` and an optimizer's step. What a function does that
nothing calls is known less well: there a parameter's name must say that it is an optimizer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, common_loops, library, number, opposed, parameters_of
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Constant, Operation, Part, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.script.trace import Condition, Event, Loop, Trace
    from pretune.script.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """`loss.backward()` in one of its forms.

    Attributes:
        call: the call.
        loss: what is differentiated, before a scaler multiplied it; None: not known.
        scaler: the GradScaler that multiplied it; None: none.
        by: what does it in the loss's stead, an Accelerator, Fabric, an engine, `self`; None: the loss itself.
    """

    call: Call
    loss: Value | None
    scaler: Value | None = None
    by: Value | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """`optimizer.step()`, also through a scaler.

    Attributes:
        call: the call.
        optimizer: whose step it is.
        scaler: the GradScaler that makes it; None: none.
    """

    call: Call
    optimizer: Value
    scaler: Value | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TrainingLoop:
    """A loop that trains.

    Attributes:
        batch: the loop that holds backward and step.
        around: the loops that it stands in, outermost first; the last one is usually that over epochs.
        events: what happens in it, in order.
        backwards: in order.
        steps: in order; empty: gradients are made but never applied.
        clears: calls of `zero_grad`, and assignments to `.grad`, in it.
        models: whose parameters the optimizers were given, as far as known.
    """

    batch: Loop
    around: tuple[Loop, ...]
    events: tuple[Event, ...]
    backwards: tuple[Backward, ...]
    steps: tuple[Step, ...]
    clears: tuple[Event, ...]
    models: tuple[Value, ...]

    @property
    def epoch(self) -> Loop | None:
        """The loop around the one over batches; None: there is none."""
        return self.around[-1] if self.around else None

    def calls(self, *methods: str) -> Iterator[Call]:
        """The calls in it whose method is one of these, in order."""
        return (event for event in self.events if isinstance(event, Call) and event.method in methods)

    def backwards_of(self, step: Step) -> list[Backward]:
        """The backwards that can come with a step in one run."""
        return [one for one in self.backwards if not opposed(one.call, step.call)]

    def every_nth(self, step: Step) -> Condition | None:
        """The branch that lets only every nth batch step, `if (i + 1) % n == 0`; None: there is none."""
        makes = {(c.place, c.taken) for one in self.backwards_of(step) for c in one.call.conditions}
        for condition in step.call.conditions:
            if (condition.place, condition.taken) not in makes and modulus(condition.test) is not None:
                return condition
        return None


def modulus(test: Value) -> Value | None:
    """The `n` of a test in which something stands `% n`; None: it has none."""
    if isinstance(test, Operation):
        if test.operator == "%" and len(test.operands) == 2:
            return test.operands[1]
        for one in test.operands:
            found = modulus(one)
            if found is not None:
                return found
    return None


_LAST: list[tuple[Trace, tuple[TrainingLoop, ...]]] = []


def training_loops(trace: Trace) -> tuple[TrainingLoop, ...]:
    """The training loops of a script, in order. Those of the last trace are kept: its rules are asked one by one."""
    if not _LAST or _LAST[0][0] is not trace:
        _LAST[:] = [(trace, tuple(_read(trace)))]
    return _LAST[0][1]


def _read(trace: Trace) -> Iterator[TrainingLoop]:
    backwards = [made for event in trace.events if isinstance(event, Call) and (made := backward_of(event))]
    if not backwards:
        return
    cleared = [root(one.receiver) for one in trace.calls("zero_grad") if one.receiver is not None]
    steps = [found for event in trace.calls("step", "optimizer_step") if (found := step_of(event, cleared))]
    engines = [one for one in backwards if one.by is not None and any(one.by == s.optimizer for s in steps)]
    grouped: dict[int, tuple[Loop, list[Backward]]] = {}
    for one in backwards:
        shared = [common_loops(one.call, step.call) for step in steps if step.call.entry is one.call.entry]
        deepest = max(shared, key=len, default=()) or one.call.loops
        if deepest and one not in engines:
            grouped.setdefault(id(deepest[-1]), (deepest[-1], []))[1].append(one)
    for batch, mine in grouped.values():
        events = tuple(event for event in trace.events if any(loop is batch for loop in event.loops))
        inside = tuple(step for step in steps if any(loop is batch for loop in step.call.loops))
        loops = mine[0].call.loops
        around = loops[: next(i for i, loop in enumerate(loops) if loop is batch)]
        clears = tuple(event for event in events if clears_gradients(event))
        models: list[Value] = []
        for step in inside:
            making = call_of(root(step.optimizer))
            given = () if making is None else making.arguments[:1] or tuple(making.keywords.values())
            for value in given:
                models += [model for model in parameters_of(value) if model not in models]
        yield TrainingLoop(batch, around, events, tuple(mine), inside, clears, tuple(models))


def backward_of(call: Call) -> Backward | None:
    """What a call differentiates; None: it is no backward."""
    if call.function_name == "torch.autograd.backward":
        return Backward(call, call.argument(0, "tensors"))
    if call.method not in ("backward", "manual_backward") or call.receiver is None:
        return None
    receiver = call.receiver
    scaling = call_of(receiver, "scale", "scale_loss")
    if scaling is not None:
        loss = scaling.argument(0, "outputs" if scaling.method == "scale" else "loss")
        return Backward(call, loss, scaling.receiver if scaling.method == "scale" else receiver)
    loss = call.argument(0, "loss")
    if loss is None or library(loss).rpartition(".")[2] in ("ones_like", "ones", "tensor", "Tensor", "FloatTensor"):
        return Backward(call, receiver)
    return Backward(call, loss, by=receiver)


def step_of(call: Call, cleared: list[Value]) -> Step | None:
    """Whose step a call is; None: no optimizer's.

    Args:
        call: a call of `step` or `optimizer_step`.
        cleared: roots of the values that `zero_grad` is called on somewhere.
    """
    if call.method == "optimizer_step":
        optimizer = call.argument(0, "optimizer")
        return Step(call, optimizer) if optimizer is not None and call.receiver is None else None
    if call.receiver is None:
        return None
    given = call.argument(0, "optimizer")
    if given is not None and is_optimizer(given):
        return Step(call, given, call.receiver)
    if is_optimizer(call.receiver) or (root(call.receiver) in cleared and kind(call.receiver) != "scheduler"):
        return Step(call, call.receiver)
    return None


def is_optimizer(value: Value) -> bool:
    """Whether a value is an optimizer: made as one, or a parameter that is called or annotated so."""
    found = root(value)
    if kind(found) == "optimizer":
        return True
    if isinstance(found, Unknown):
        return "optim" in found.name.lower() or found.annotation.endswith("Optimizer")
    return isinstance(found, Part) and found.name is not None and found.name.lower().startswith("optim")


def clears_gradients(event: Event) -> bool:
    """Whether it takes gradients away: `zero_grad()`, `p.grad = None`, `p.grad.zero_()`."""
    if isinstance(event, SetAttribute):
        return event.name == "grad"
    if not isinstance(event, Call):
        return False
    called = alternatives(event.receiver) if event.function_name == "" and event.receiver is not None else ()
    if event.method == "zero_grad" or any(isinstance(one, Part) and one.name == "zero_grad" for one in called):
        return True
    return event.method == "zero_" and isinstance(event.receiver, Part) and event.receiver.name in ("grad", "data")


def clears_of(loop: TrainingLoop, step: Step) -> list[Event]:
    """The clears that may be about the parameters that a step moves; another optimizer's are none."""
    found = []
    for event in loop.clears:
        if isinstance(event, Call) and event.method == "zero_grad" and event.receiver is not None:
            whose = root(event.receiver)
            if whose != root(step.optimizer) and is_optimizer(whose):
                continue
        found.append(event)
    return found


def accumulation(loop: TrainingLoop) -> tuple[Step, Condition, float | None] | None:
    """The first step that every nth batch makes, its branch, and n where it is known; None: each batch steps.

    A loop whose Accelerator accumulates counts and divides itself.
    """
    for step in loop.steps:
        condition = loop.every_nth(step)
        if condition is not None:
            every = modulus(condition.test)
            if isinstance(every, Constant) and every.value == 1:
                return None
            return step, condition, number(every)
    return None


def accumulates_itself(loop: TrainingLoop) -> bool:
    """Whether an Accelerator counts the batches: `with accelerator.accumulate(model)`."""
    return any(call_of(context, "accumulate") is not None for one in loop.backwards for context in one.call.contexts)
