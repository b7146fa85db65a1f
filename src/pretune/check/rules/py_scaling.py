"""PYS2: gradients that are scaled, clipped or gathered over several batches, in a loop of the script's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, flag, library, line, opposed, text
from pretune.check.facts.script_loops import accumulates_itself, accumulation, clears_of, training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.choices import alternatives
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Constant, Operation, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import Backward, Step, TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.values import Value

_CLIPPING = ("clip_grad_norm_", "clip_grad_norm", "clip_grad_value_")
_SUMMED = ("sum", "none")


@rule("PYS211", Level.WARNING)
def clipping_before_unscale(script: ScriptFacts) -> Iterator[Problem]:
    """Gradients are clipped while the GradScaler still has them multiplied.

    Why: they are up to 65,536 times too large then, so each step is cut to the limit and divided by the scale
    afterwards: what remains of the limit of 1.0 is 0.00002.
    Fix: call scaler.unscale_(optimizer) before the clipping.
    """
    for loop in training_loops(script.trace):
        for clip, step in _clipped(loop):
            scaled = [one for one in loop.backwards_of(step) if one.scaler is not None]
            if step.scaler is None or not scaled or not _enabled(step.scaler):
                continue
            undone = [one for one in loop.calls("unscale_", "unscale_gradients") if not opposed(one, clip)]
            if not undone or min(one.order for one in undone) > clip.order:
                yield Problem(
                    f"{clip.method} works on gradients that the scaler has multiplied at "
                    f"{line(scaled[0].call)}: no unscale_() comes before it",
                    where=str(clip.place),
                )


@rule("PYS212", Level.WARNING)
def clipping_without_effect(script: ScriptFacts) -> Iterator[Problem]:
    """Gradients are clipped where no step follows.

    Why: after step() they have done their work, and before backward() they are those of the round before or none.
    Fix: order them backward(), clip, step().
    """
    for loop in training_loops(script.trace):
        if len({root(one.optimizer) for one in loop.steps}) != 1:
            continue
        for clip in loop.calls(*_CLIPPING):
            steps = [one.call for one in loop.steps if not opposed(one.call, clip)]
            made = [one.call for one in loop.backwards if not opposed(one.call, clip)]
            later = sorted([one for one in (*steps, *made) if one.order > clip.order], key=lambda one: one.order)
            earlier = [one for one in made if one.order < clip.order]
            if steps and earlier and not any(one in steps for one in later):
                yield Problem(f"{clip.method} comes after step() at {line(steps[-1])}", where=str(clip.place))
            elif steps and not earlier and later and later[0] in made and steps[-1] in later:
                yield Problem(f"{clip.method} comes before backward() at {line(later[0])}", where=str(clip.place))


@rule("PYS213", Level.ERROR)
def scaler_never_updated(script: ScriptFacts) -> Iterator[Problem]:
    """scaler.step() is called on every batch, scaler.update() never.

    Why: the second batch ends with `RuntimeError: step() has already been called since the last update()`.
    Fix: call scaler.update() after scaler.step(optimizer).
    """
    for loop in training_loops(script.trace):
        for step in loop.steps:
            scaler = step.scaler
            if scaler is None or not _is_scaler(scaler) or not _enabled(scaler) or loop.batch not in step.call.loops:
                continue
            if not any(root(one.receiver) == root(scaler) for one in loop.calls("update") if one.receiver is not None):
                yield Problem("scaler.step() without scaler.update() in the same loop", where=str(step.call.place))


@rule("PYS214", Level.ERROR)
def loss_never_scaled(script: ScriptFacts) -> Iterator[Problem]:
    """scaler.step() is called, but nothing was ever scaled.

    Why: the first step ends with `AssertionError: Attempted unscale_ but _scale is None`.
    Fix: call scaler.scale(loss).backward() in place of loss.backward().
    """
    for loop in training_loops(script.trace):
        for step in loop.steps:
            scaler = step.scaler
            if scaler is None or not _is_scaler(scaler) or not _enabled(scaler):
                continue
            backwards = loop.backwards_of(step)
            scaled = any(root(one.receiver) == root(scaler) for one in script.trace.calls("scale") if one.receiver)
            if backwards and not scaled and all(one.by is None for one in backwards):
                yield Problem(
                    f"scaler.step(), but backward() at {line(backwards[0].call)} is called on the loss as it "
                    "is, and scaler.scale() nowhere",
                    where=str(step.call.place),
                )


@rule("PYS215", Level.WARNING)
def loss_of_the_loop_not_divided(script: ScriptFacts) -> Iterator[Problem]:
    """Gradients are gathered over several batches, and the loss is not divided by their number.

    Why: the gradients are added up, so that n batches give n times the gradient of one large batch; what is clipped or
    compared with a run without accumulation differs by that.
    Fix: loss = loss / accumulation_steps before backward().
    """
    for loop in training_loops(script.trace):
        found = accumulation(loop)
        if found is None or accumulates_itself(loop):
            continue
        step, condition, every = found
        gathers = (
            all((condition.place, condition.taken) in _sides(one) for one in clears_of(loop, step)) and loop.clears
        )
        backwards = loop.backwards_of(step)
        if gathers and backwards and all(_plain(one) for one in backwards) and not _divides_gradients(loop):
            many = "several" if every is None else f"{every:g}"
            yield Problem(
                f"gradients of {many} batches are added up before step() at {line(step.call)}, and the loss "
                "is not divided",
                where=str(backwards[0].call.place),
                also=(str(step.call.place),),
            )


def _sides(event: object) -> set[object]:
    return {(condition.place, condition.taken) for condition in event.conditions}  # type: ignore[attr-defined]


def _plain(backward: Backward) -> bool:
    """Whether the loss is surely what a model or a loss function gave, a mean over the batch."""
    if backward.loss is None:
        return False
    accelerator = call_of(root(backward.by)) if backward.by is not None else None
    if backward.by is not None and (accelerator is None or kind(backward.by) != "accelerator"):
        return False
    if accelerator is not None and (accelerator.open or accelerator.keywords.keys() & _COUNTS):
        return False
    return all(_is_mean(one) for one in alternatives(backward.loss))


_COUNTS = {"gradient_accumulation_steps", "gradient_accumulation_plugin", "deepspeed_plugin"}


def _is_mean(loss: Value) -> bool:
    """Whether a value is the loss of a model's output or of a loss function that averages."""
    if isinstance(loss, Part):
        first = isinstance(loss.index, Constant) and loss.index.value in (0, "loss")
        made = call_of(loss.of)
        called = made is not None and made.function_name == "" and made.receiver is not None
        return (loss.name == "loss" or first) and called and kind(made.receiver) == "model"  # type: ignore[union-attr,arg-type]
    made = call_of(loss)
    if made is None:
        return False
    if made.function_name == "" and made.receiver is not None and kind(made.receiver) == "loss":
        criterion = call_of(root(made.receiver))
        return (
            criterion is not None and not criterion.open and text(criterion.argument(None, "reduction")) not in _SUMMED
        )
    functional = made.function_name.startswith("torch.nn.functional.") and made.method.endswith(("entropy", "loss"))
    return functional and not made.open and text(made.argument(None, "reduction")) not in _SUMMED


def _divides_gradients(loop: TrainingLoop) -> bool:
    """Whether something in the loop changes gradients by hand."""
    for event in loop.events:
        if isinstance(event, SetAttribute) and event.name in ("grad", "data") and not isinstance(event.value, Constant):
            return True
        on = event.receiver if isinstance(event, Call) else None
        if isinstance(on, Part) and on.name in ("grad", "data") and event.method != "zero_":  # type: ignore[attr-defined]
            return True
    return False


@rule("PYS216", Level.WARNING)
def accumulation_cleared_each_batch(script: ScriptFacts) -> Iterator[Problem]:
    """step() comes every n batches, but the gradients are cleared on each.

    Why: only the last of the n batches is trained on; the others are computed and thrown away.
    Fix: call zero_grad() where step() is, behind it.
    """
    for loop in training_loops(script.trace):
        found = accumulation(loop)
        if found is None or accumulates_itself(loop):
            continue
        step, condition, every = found
        for clear in clears_of(loop, step):
            always = (condition.place, condition.taken) not in _sides(clear) and not opposed(clear, step.call)
            on = root(clear.receiver) if isinstance(clear, Call) and clear.receiver is not None else None
            own = on is not None and (on == root(step.optimizer) or on in loop.models)
            if own and always and all((c.place, c.taken) in _sides(step.call) for c in clear.conditions):
                many = "n" if every is None else f"{every:g}"
                yield Problem(
                    f"gradients are cleared on every batch, but step() at {line(step.call)} comes every {many} batches",
                    where=str(clear.place),
                    also=(str(step.call.place),),
                )
                break


@rule("PYS217", Level.NOTE)
def last_batches_never_applied(script: ScriptFacts) -> Iterator[Problem]:
    """With accumulation, the batches that are left at the end of an epoch wait for the next one, or are lost.

    Why: when the number of batches is no multiple of n, the last ones make gradients and no step follows: they leak
    into the next epoch's first step, and at the end of the run they are dropped.
    Fix: step also on the last batch: `if (step + 1) % n == 0 or step + 1 == len(loader)`.
    """
    for loop in training_loops(script.trace):
        found = accumulation(loop)
        if found is None or accumulates_itself(loop) or loop.batch.over is None:
            continue
        step, condition, every = found
        plain = isinstance(condition.test, Operation) and condition.test.operator in ("==", "not", "%")
        later = any(one.order > step.call.order and loop.batch not in one.loops for one in script.trace.calls("step"))
        alone = len({one.call.place for one in loop.steps}) == 1
        if plain and alone and not (later and _steps_after(script, step, loop)):
            many = "n" if every is None else f"{every:g}"
            yield Problem(
                f"step() comes every {many} batches, and not after the last ones of an epoch",
                where=str(step.call.place),
            )


def _steps_after(script: ScriptFacts, step: Step, loop: TrainingLoop) -> bool:
    """Whether the optimizer steps again behind the loop over batches."""
    return any(
        one.receiver is not None and root(one.receiver) == root(step.optimizer) and loop.batch not in one.loops
        for one in script.trace.calls("step")
    )


def _clipped(loop: TrainingLoop) -> Iterator[tuple[Call, Step]]:
    """The clippings by torch's own functions, each with the next step."""
    for clip in loop.calls(*_CLIPPING):
        steps = [one for one in loop.steps if one.call.order > clip.order and not opposed(one.call, clip)]
        if clip.receiver is None and steps:
            yield clip, steps[0]


def _is_scaler(value: Value) -> bool:
    """Whether it is a torch GradScaler that the script has made."""
    return library(root(value)).rpartition(".")[2] == "GradScaler"


def _enabled(scaler: Value) -> bool:
    """Whether the scaler is surely switched on."""
    made = call_of(root(scaler))
    if made is None:
        return True
    said = made.argument(None, "enabled")
    return (said is None or flag(said) is True) and not made.open


RULES: tuple[Rule, ...] = (
    clipping_before_unscale,
    clipping_without_effect,
    scaler_never_updated,
    loss_never_scaled,
    loss_of_the_loop_not_divided,
    accumulation_cleared_each_batch,
    last_batches_never_applied,
)
