"""PYS2: training and evaluation mode, and gradients that nobody needs, in loops of the script's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import (
    call_of,
    flag,
    forwards,
    line,
    lineage,
    loader_of,
    opposed,
    without_gradients,
)
from pretune.check.facts.script_loops import training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import kind, root
from pretune.script.trace import Assigned, Call
from pretune.script.values import Instance, Made, OneOf, Operation, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.trace import Event, Loop, Trace
    from pretune.script.values import Value


@rule("PYS241", Level.WARNING)
def trained_in_evaluation_mode(script: ScriptFacts) -> Iterator[Problem]:
    """Training goes on after eval(), without train().

    Why: dropout is off from then on, usually from the second epoch: the model overfits sooner, and the first epoch is
    no sign of it.
    Fix: call model.train() at the beginning of each epoch, and after each evaluation inside one.
    """
    for loop, model in _trained(script.trace):
        modes = _modes(script.trace, model)
        first = next(iter(_called_in(script.trace, model, loop)), loop.backwards[0].call)
        if modes is None or not modes:
            continue
        before = [(call, on) for call, on in modes if call.order < first.order and not opposed(call, first)]
        if before and not before[-1][1]:
            call = before[-1][0]
            yield Problem(
                f"eval() is the last that is said of the model before the loop at {line(loop.batch)} trains it",
                where=str(call.place),
                also=(str(loop.batch.place),),
            )
            continue
        for call, on in modes:
            scope = next((one for one in (loop.batch, loop.epoch) if one is not None and one in call.loops), None)
            back = any(other and scope in one.loops for one, other in modes)
            if not on and scope is not None and not back and not opposed(call, first):
                yield Problem(
                    f"eval() stands in the loop at {line(scope)} that trains the model, and train() does not: after "
                    "the first round it is trained in evaluation mode",
                    where=str(call.place),
                )
                break


@rule("PYS242", Level.WARNING)
def never_in_training_mode(script: ScriptFacts) -> Iterator[Problem]:
    """A model from from_pretrained is trained, and train() is never called.

    Why: from_pretrained gives it in evaluation mode: dropout is off for the whole training.
    Fix: call model.train() before the loop, and after each evaluation.
    """
    for loop, model in _trained(script.trace):
        modes = _modes(script.trace, model)
        loaded = call_of(model, "from_pretrained")
        if loaded is not None and modes is not None and not any(on for _, on in modes) and kind(model) == "model":
            if any(not on for _, on in modes):
                continue  # said by the rule above
            yield Problem(
                f"the model that from_pretrained gives in evaluation mode at {line(loaded)} is trained without train()",
                where=str(loop.batch.place),
                also=(str(loaded.place),),
            )


@rule("PYS243", Level.WARNING)
def evaluated_in_training_mode(script: ScriptFacts) -> Iterator[Problem]:
    """The model is evaluated after train(), without eval().

    Why: dropout stays on, so each evaluation gives another, lower score, and the best checkpoint is partly chance.
    Fix: call model.eval() before the loop over the evaluation data.
    """
    for loop, event, model in _evaluations(script.trace):
        modes = _modes(script.trace, model)
        before = [] if modes is None else [one for one in modes if one[0].order < event.order]
        near = [(call, on) for call, on in before if not opposed(call, event)]
        if near and near[-1][1] and without_gradients(event) is True:
            yield Problem(
                f"the loop at {line(loop)} evaluates the model in training mode: train() at {line(near[-1][0])} is the "
                "last that was said of it",
                where=str(loop.place),
                also=(str(near[-1][0].place),),
            )


@rule("PYS244", Level.NOTE)
def evaluation_builds_graphs(script: ScriptFacts) -> Iterator[Problem]:
    """The model is evaluated without torch.no_grad().

    Why: each batch keeps what backward() would need, for nothing: slower, and twice the memory or more; where outputs
    are collected, the memory of all batches.
    Fix: evaluate under `with torch.no_grad():` or torch.inference_mode().
    """
    switched = any(flag(one.argument(0, "mode")) is False for one in script.trace.calls("set_grad_enabled"))
    for loop, event, model in _evaluations(script.trace):
        if switched or without_gradients(event) is not False or _differentiates(script.trace, loop):
            continue
        kept = _kept(script.trace, loop, model)
        rest = f", and {kept} keeps the graph of every batch" if kept else ""
        yield Problem(
            f"the loop at {line(loop)} evaluates the model with gradients on{rest}",
            where=str(loop.place),
            level=Level.WARNING if kept else None,
        )


def _kept(trace: Trace, loop: Loop, model: Value) -> str:
    """What holds outputs of the model beyond a round, graph and all; empty: nothing."""
    cuts = (
        "item",
        "detach",
        "argmax",
        "numpy",
        "tolist",
        "float",
        "max",
        "topk",
        "eq",
        "sort",
        "size",
        "len",
        "decode",
    )
    for event in trace.events:
        if loop not in event.loops:
            continue
        more: Value | None = None
        name = "a list"
        if isinstance(event, Call) and event.method == "append" and event.arguments:
            more = event.arguments[0]
        elif isinstance(event, Assigned) and isinstance(event.value, Operation) and event.value.operator == "+":
            old, name = event.value.operands[0], event.name
            more = event.value.operands[-1] if isinstance(old, Unknown) and "changes in the loop" in old.why else None
        if more is None:
            continue
        parts = list(lineage(more, stop=lambda one: call_of(one, *cuts) is not None or call_of(one, "") is not None))
        cut = any(call_of(one, *cuts) is not None for one in parts) or any(
            isinstance(one, Operation) and one.operator in ("==", "!=", ">", "<", ">=", "<=") for one in parts
        )
        outputs = [
            one for one in parts if (call := call_of(one, "")) and call.receiver and root(call.receiver) == model
        ]
        if outputs and not cut:
            return name
    return ""


def _differentiates(trace: Trace, loop: Loop) -> bool:
    """Whether gradients are asked for in the loop in another way."""
    return any(loop in call.loops for call in trace.calls("grad", "requires_grad_", "retain_grad", "attribute", "vjp"))


def _trained(trace: Trace) -> Iterator[tuple[TrainingLoop, Value]]:
    """Training loops with each model whose parameters their optimizers have."""
    for loop in training_loops(trace):
        for model in loop.models:
            if isinstance(model, Made | Instance | OneOf) and kind(model) == "model":
                yield loop, model


def _modes(trace: Trace, model: Value) -> list[tuple[Call, bool]] | None:
    """The calls that put a model into training mode (True) or evaluation mode; None: by a value that is not known."""
    found: list[tuple[Call, bool]] = []
    for call in trace.calls("train", "eval"):
        if call.receiver is None:
            continue
        on = root(call.receiver)
        if on != model:
            if kind(on) is None and call.method == "train":
                return None  # it may be the model by another name, or hold it
            continue
        said = call.argument(0, "mode")
        if call.method == "train" and said is not None and flag(said) is None:
            return None
        found.append((call, call.method == "train" and flag(said) is not False))
    return found


def _called_in(trace: Trace, model: Value, loop: TrainingLoop) -> list[Event]:
    """The calls of a model in a training loop."""
    return [event for event in forwards(trace, model) if loop.batch in event.loops]


def _evaluations(trace: Trace) -> Iterator[tuple[Loop, Event, Value]]:
    """Loops over a loader that call a model which a loop of the script trains, without training it; the first call."""
    seen: set[int] = set()
    training = training_loops(trace)
    holding = {id(loop) for one in training for backward in one.backwards for loop in backward.call.loops}
    for _, model in _trained(trace):
        for event in forwards(trace, model):
            loop = event.loops[-1] if event.loops else None
            if loop is None or id(loop) in holding or id(loop) in seen or loader_of(loop) is None:
                continue
            seen.add(id(loop))
            yield loop, event, model


RULES: tuple[Rule, ...] = (
    trained_in_evaluation_mode,
    never_in_training_mode,
    evaluated_in_training_mode,
    evaluation_builds_graphs,
)
