"""PYS2: gradients in a training loop that the script writes itself: cleared, made, applied, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, common_loops, implied, line, lineage, opposed
from pretune.check.facts.script_loops import clears_of, is_optimizer, training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import root
from pretune.script.trace import Assigned, Call
from pretune.script.values import Constant, Function, Operation, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import Step, TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.trace import Event
    from pretune.script.values import Value


@rule("PYS201", Level.ERROR)
def gradients_never_cleared(script: ScriptFacts) -> Iterator[Problem]:
    """A training loop steps on every batch and never clears the gradients.

    Why: backward() adds to what is there, so each step goes along the sum of all gradients since the beginning; the
    loss falls at first and then does not.
    Fix: call optimizer.zero_grad() once for each optimizer.step().
    """
    for loop in training_loops(script.trace):
        for step in loop.steps:
            backwards = loop.backwards_of(step)
            closure = any(isinstance(one, Function) for one in step.call.arguments)
            if not backwards or closure or _hands_on(loop, step):
                continue
            if any(not opposed(clear, step.call) for clear in clears_of(loop, step)):
                continue
            outside = [
                one
                for one in script.trace.calls("zero_grad")
                if one.receiver is not None
                and root(one.receiver) == root(step.optimizer)
                and common_loops(one, step.call)
                and one not in loop.events
            ]
            where = f", and zero_grad() at {line(outside[0])} stands outside of it" if outside else ""
            yield Problem(
                f"the loop at {line(loop.batch)} calls backward() and step() on every batch and clears no "
                f"gradients{where}: they add up",
                where=str(step.call.place),
            )
            break


def _hands_on(loop: TrainingLoop, step: Step) -> bool:
    """Whether the optimizer is given to something that is not followed, and that may clear the gradients."""
    known = ("step", "clip_grad_norm_", "unscale_", "scale_loss", "prepare", "optimizer_step", "append", "print")
    return any(
        is_optimizer(value) and event.method not in known
        for event in loop.events
        if isinstance(event, Call)
        for value in (*event.arguments, *event.keywords.values())
        if root(value) == root(step.optimizer)
    )


@rule("PYS202", Level.ERROR)
def gradients_cleared_before_step(script: ScriptFacts) -> Iterator[Problem]:
    """Gradients are cleared between backward() and step().

    Why: the optimizer then finds none, or zeros, and trains nothing; the loss stays where it was, without a message.
    Fix: order them zero_grad(), backward(), step().
    """
    for loop, step, clear in _wiped(script):
        made = [one for one in loop.backwards_of(step) if one.call.order < clear.order]
        if made and clear.order < step.call.order:
            yield Problem(
                f"gradients made at {line(made[-1].call)} are cleared before step() at "
                f"{line(step.call)} can apply them",
                where=str(clear.place),
                also=(str(step.call.place),),
            )


@rule("PYS203", Level.ERROR)
def step_before_backward(script: ScriptFacts) -> Iterator[Problem]:
    """Each round clears the gradients, steps, and only then calls backward().

    Why: the step finds no gradients, and the next round clears those that backward() has made: nothing is trained.
    Fix: order them zero_grad(), backward(), step().
    """
    for loop, step, clear in _wiped(script):
        backwards = loop.backwards_of(step)
        if backwards and all(one.call.order > step.call.order for one in backwards):
            yield Problem(
                f"step() comes before backward() at {line(backwards[0].call)}, and the gradients of the round "
                f"before are cleared at {line(clear)}",
                where=str(step.call.place),
                also=(str(backwards[0].call.place),),
            )


def _wiped(script: ScriptFacts) -> Iterator[tuple[TrainingLoop, Step, Event]]:
    """The steps before which the gradients were surely cleared last, and where: in the same round or the one before."""
    for loop in training_loops(script.trace):
        for step in loop.steps:
            around: list[Event] = [one.call for one in loop.backwards_of(step)]
            around += [one for one in clears_of(loop, step) if not opposed(one, step.call)]
            before = [one for one in around if one.order < step.call.order]
            last = max(before or around, key=lambda event: event.order, default=None)
            if isinstance(last, Call) and last.method == "zero_grad" and implied(last, step.call) and last.receiver:
                alone = len({root(one.optimizer) for one in loop.steps}) == 1
                if root(last.receiver) == root(step.optimizer) or (alone and root(last.receiver) in loop.models):
                    yield loop, step, last


@rule("PYS204", Level.ERROR)
def gradients_never_applied(script: ScriptFacts) -> Iterator[Problem]:
    """A training loop makes gradients and clears them, and no step of its optimizer comes between.

    Why: the weights stay as they are; the loss goes up and down with the batches and looks like slow training.
    Fix: call optimizer.step() after backward().
    """
    for loop in training_loops(script.trace):
        engines = [one.by for one in loop.backwards if one.by is not None]
        if loop.steps or any(one.receiver in engines for one in script.trace.calls("step")):
            continue
        for clear in loop.clears:
            if not (isinstance(clear, Call) and clear.receiver is not None and is_optimizer(clear.receiver)):
                continue
            optimizer = root(clear.receiver)
            uses = [
                event
                for event in script.trace.calls()
                if event is not clear and event.method != "zero_grad" and _about(event, optimizer)
            ]
            if not isinstance(optimizer, Unknown) and not uses:
                yield Problem(
                    f"the loop at {line(loop.batch)} calls backward() and zero_grad() but never step()",
                    where=str(loop.backwards[0].call.place),
                )
                break


def _about(event: Call, optimizer: object) -> bool:
    """Whether a call could make the optimizer step: on it, or given it; a scheduler's making is none."""
    given = (*event.arguments, *event.keywords.values())
    if event.receiver is not None and root(event.receiver) == optimizer:
        return event.method not in ("state_dict", "load_state_dict", "add_param_group")
    if any(root(value) == optimizer for value in given):
        named = event.function_name.lower()
        return event.method != "prepare" and "schedule" not in named and not event.method.endswith("LR")
    return False


@rule("PYS205", Level.ERROR)
def loss_cut_from_the_model(script: ScriptFacts) -> Iterator[Problem]:
    """backward() is called on a number or a detached copy of the loss.

    Why: `.item()` has no backward(); `.detach()` and `torch.tensor(...)` have no way back to the model, and with
    requires_grad=True backward() runs without a word and gives no weight a gradient.
    Fix: call backward() on the loss itself; use .item() for what is printed.
    """
    for loop in training_loops(script.trace):
        for one in loop.backwards:
            if one.loss is None:
                continue
            cut = call_of(root(one.loss), "item", "detach", "numpy", "tolist", "tensor", "as_tensor", "from_numpy")
            if cut is None or (cut.method in ("tensor", "as_tensor") and not cut.function_name.startswith("torch.")):
                continue
            by = f".{cut.method}()" if cut.receiver is not None else cut.function_name + "(...)"
            yield Problem(
                f"backward() is called on what {by} at {line(cut)} gives: no gradient reaches the model",
                where=str(one.call.place),
                also=(str(cut.place),),
            )


@rule("PYS206", Level.NOTE)
def graph_retained(script: ScriptFacts) -> Iterator[Problem]:
    """backward(retain_graph=True) where one backward in a round is all there is.

    Why: it keeps every intermediate result one round longer, and often hides that something of the round before (a
    hidden state, a running loss) is still part of the graph.
    Fix: leave retain_graph out; when an error comes, detach what is carried over.
    """
    for loop in training_loops(script.trace):
        calls = {one.call.place: one.call for one in loop.backwards}
        for call in calls.values():
            kept = call.argument(None, "retain_graph")
            if isinstance(kept, Constant) and kept.value is True and not _other_graph(loop, call):
                yield Problem(
                    "retain_graph=True, but the round has no second backward() through this graph",
                    where=str(call.place),
                )


def _other_graph(loop: TrainingLoop, call: Call) -> bool:
    """Whether something else in the round could need the graph of this backward."""
    further = [one for one in loop.backwards if one.call.place != call.place and not opposed(one.call, call)]
    inner = len(call.loops) > len(loop.around) + 1
    return bool(further) or inner or any(True for _ in loop.calls("grad", "autograd.grad"))


@rule("PYS207", Level.NOTE)
def graph_kept_by_running_total(script: ScriptFacts) -> Iterator[Problem]:
    """The loss itself, not its number, is added to a running total or kept in a list.

    Why: the total then holds the graph of every batch, and memory grows from step to step.
    Fix: add loss.item(), or loss.detach() to stay on the GPU.
    """
    for loop in training_loops(script.trace):
        losses = [one.loss for one in loop.backwards if one.loss is not None]
        for event, total in _kept(loop, losses):
            yield Problem(f"the loss is kept with its graph in {total}: .item() is missing", where=str(event.place))


def _kept(loop: TrainingLoop, losses: list[Value]) -> Iterator[tuple[Event, str]]:
    """The events that keep the loss of a backward as it is, and what keeps it; a sum that is differentiated is none."""
    for event in loop.events:
        if isinstance(event, Assigned) and isinstance(event.value, Operation) and event.value.operator == "+":
            old, more = event.value.operands[0], event.value.operands[-1]
            name = event.name.rpartition(".")[2]
            grows = isinstance(old, Unknown) and old.name.rpartition(".")[2] == name
            if grows and more in losses and not any(event.value in lineage(loss) for loss in losses):
                yield event, event.name
        elif isinstance(event, Call) and event.method == "append" and any(one in losses for one in event.arguments[:1]):
            yield event, "a list"


RULES: tuple[Rule, ...] = (
    gradients_never_cleared,
    gradients_cleared_before_step,
    step_before_backward,
    gradients_never_applied,
    loss_cut_from_the_model,
    graph_retained,
    graph_kept_by_running_total,
)
