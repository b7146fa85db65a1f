"""PYS2: the optimizer of a loop of the script's own: whose parameters it has, and in which precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pretune.check.facts.script_flow import call_of, flag, forwards, library, line, lineage, opposed, text
from pretune.check.facts.script_loops import training_loops
from pretune.check.finding import Level, Problem, rule
from pretune.script.kinds import kind, root
from pretune.script.trace import Call, SetAttribute
from pretune.script.values import Instance, Made, Operation, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.script import ScriptFacts
    from pretune.check.facts.script_loops import Step, TrainingLoop
    from pretune.check.finding import Rule
    from pretune.script.trace import Event, Loop, Trace
    from pretune.script.values import Value

_ADAPTING = (
    "get_peft_model",
    "add_adapter",
    "inject_adapter_in_model",
    "load_adapter",
    "prepare_model_for_kbit_training",
)
_HALF = {"torch.float16", "torch.half"}


@rule("PYS231", Level.ERROR)
def parameters_made_after_the_optimizer(script: ScriptFacts) -> Iterator[Problem]:
    """The model gets new parameters after the optimizer was made.

    Why: the optimizer has the old ones: a new head, resized embeddings or LoRA weights get gradients and no step, and
    stay as they were drawn.
    Fix: make the optimizer when the model is complete.
    """
    for loop, step, made in _with_optimizer(script.trace):
        for event, what in _new_parameters(script.trace):
            of = event.of if isinstance(event, SetAttribute) else _subject(event)
            between = made.order < event.order < step.call.order and not opposed(event, made)
            if between and of is not None and _owner(of) in [_owner(model) for model in loop.models]:
                yield Problem(
                    f"{what} after the optimizer at {line(made)} was given the model's parameters: it has none of the "
                    "new ones",
                    where=str(event.place),
                    also=(str(made.place),),
                )


def _with_optimizer(trace: Trace) -> Iterator[tuple[TrainingLoop, Step, Call]]:
    """Training loops with the first step of each optimizer and the call that made it."""
    for loop in training_loops(trace):
        seen: set[int] = set()
        for step in loop.steps:
            made = call_of(root(step.optimizer))
            if made is not None and id(made) not in seen and not opposed(made, step.call):
                seen.add(id(made))
                yield loop, step, made


def _new_parameters(trace: Trace) -> Iterator[tuple[Call | SetAttribute, str]]:
    """The events that give a model new parameters, and what they do."""
    grows = any(True for _ in trace.calls("add_tokens", "add_special_tokens"))
    for event in trace.events:
        if isinstance(event, SetAttribute):
            name = library(event.value)
            if name.startswith("torch.nn.") and name.rpartition(".")[2][:1].isupper():
                yield event, f"{event.name} is replaced by a new {name.rpartition('.')[2]}"
        elif isinstance(event, Call) and event.method == "resize_token_embeddings" and grows:
            yield event, "the embeddings are resized"
        elif isinstance(event, Call) and event.method in _ADAPTING[:3]:
            yield event, f"{event.method} adds the adapter's weights"


def _subject(call: Call) -> Value | None:
    """The model that a call is about: what it is called on, or its first argument."""
    return call.argument(0, "model") if call.method == "get_peft_model" else call.receiver


def _owner(value: Value) -> Value:
    """The object that a part belongs to: of `model.bert.encoder` the model."""
    found = root(value)
    while isinstance(found, Part) and found.name is not None:
        found = root(found.of)
    return found


@rule("PYS232", Level.ERROR)
def loss_from_another_model(script: ScriptFacts) -> Iterator[Problem]:
    """The loss comes from one model, and the optimizer has the parameters of another.

    Why: the other model gets no gradients and the one in use no steps: nothing is trained. It happens when a cell that
    loads the model is run again, or a model is made anew in each fold and the optimizer is not.
    Fix: make the optimizer from the parameters of the model that is called.
    """
    for loop, step, made in _with_optimizer(script.trace):
        owners = [_owner(model) for model in loop.models]
        if len({root(one.optimizer) for one in loop.steps}) != 1 or not owners:
            continue
        if not all(isinstance(one, Made | Instance) and kind(one) == "model" for one in owners):
            continue
        own = [event for model in owners for event in forwards(script.trace, model)]
        if any(event in loop.events for event in own) or any(isinstance(one, Instance) for one in owners):
            continue
        for backward in loop.backwards_of(step):
            used = [] if backward.loss is None else [_called(one) for one in lineage(backward.loss)]
            others = [one for one in used if one is not None and _owner(one) not in owners]
            if others and call_of(others[-1]) is not None:
                model = call_of(others[-1])
                yield Problem(
                    f"the loss comes from the model of {line(model) if model else ''}, but the optimizer at "
                    f"{line(made)} has the parameters of another",
                    where=str(backward.call.place),
                    also=(str(made.place),),
                )
                break


def _called(value: Value) -> Value | None:
    """The model whose output a value is; None: it is no output of one."""
    call = call_of(value)
    if call is None or call.function_name != "" or call.receiver is None:
        return None
    model = root(call.receiver)
    return model if isinstance(model, Made) and kind(model) == "model" else None


@rule("PYS233", Level.ERROR)
def every_parameter_frozen(script: ScriptFacts) -> Iterator[Problem]:
    """All parameters of a model are frozen, its head too, and then it is trained.

    Why: `RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn`.
    Fix: freeze the body alone: `for p in model.base_model.parameters(): p.requires_grad = False`.
    """
    for event, model in _freezes(script.trace):
        later = [one for one in script.trace.events if one.order > event.order]
        if any(_thaws(one, model) for one in later):
            continue
        for loop in training_loops(script.trace):
            if loop.models == (model,) and loop.backwards[0].call.order > event.order and not _mixed(loop, model):
                yield Problem(
                    f"every parameter of the model is frozen, and the loop at {line(loop.batch)} trains it",
                    where=str(event.place),
                    also=(str(loop.batch.place),),
                )
                break
        for call in script.trace.calls("train"):
            made = call_of(root(call.receiver)) if call.receiver is not None else None
            given = made.argument(0, "model") if made is not None and kind(call.receiver) == "trainer" else None  # type: ignore[arg-type]
            if given is not None and root(given) == model and call.order > event.order:
                yield Problem("every parameter of the model is frozen, and a Trainer trains it", where=str(event.place))
                break


def _freezes(trace: Trace) -> Iterator[tuple[Event, Value]]:
    """The events that surely freeze all of a model, and the model."""
    for event in trace.events:
        target: Value | None = None
        if isinstance(event, SetAttribute) and event.name == "requires_grad" and flag(event.value) is False:
            over = event.loops[-1] if event.loops else None
            listed = call_of(over.over, "parameters", "named_parameters") if over is not None else None
            inside = [c for c in event.conditions if over is not None and c.place.line >= over.place.line]
            target = listed.receiver if listed is not None and not inside and _is_item(event.of) else None
        elif isinstance(event, Call) and event.method == "requires_grad_" and event.receiver is not None:
            target = event.receiver if flag(event.argument(0, "requires_grad")) is False else None
        if target is not None and not event.conditions and event.entry is None:
            model = root(target)
            if isinstance(model, Made) and kind(model) == "model":
                yield event, model


def _is_item(value: Value) -> bool:
    found = value.of if isinstance(value, Part) else value
    return isinstance(found, Operation) and found.operator == "iterate"


def _thaws(event: Event, model: Value) -> bool:
    """Whether an event could give the model something to train again."""
    if isinstance(event, SetAttribute):
        if event.name == "requires_grad":
            return flag(event.value) is not False
        return _owner(event.of) == model
    if not isinstance(event, Call):
        return False
    if event.method in _ADAPTING or event.method == "add_module":
        return True
    if event.method == "requires_grad_":
        return flag(event.argument(0, "requires_grad")) is not False
    passes = ("Trainer", "prepare", "DataParallel", "DistributedDataParallel", "compile", "print", "summary", "watch")
    given = any(root(one) == model for one in (*event.arguments, *event.keywords.values()))
    return given and not event.method.endswith(passes)


def _mixed(loop: TrainingLoop, model: Value) -> bool:
    """Whether the loss goes through something beside the model that could have weights."""
    for backward in loop.backwards:
        for one in lineage(backward.loss) if backward.loss is not None else ():
            call = call_of(one)
            on = root(call.receiver) if call is not None and call.function_name == "" and call.receiver else None
            if (
                on is not None
                and on != model
                and (kind(on) == "model" or library(on).endswith(("Linear", "Sequential")))
            ):
                return True
    return False


@rule("PYS234", Level.WARNING)
def half_weights_trained(script: ScriptFacts) -> Iterator[Problem]:
    """A model's weights are turned into float16, and then all are trained.

    Why: updates smaller than a thousandth of a weight are lost, and Adam's epsilon of 1e-8 is 0 in float16, so that
    the loss becomes nan; with a GradScaler: `ValueError: Attempting to unscale FP16 gradients`.
    Fix: keep the weights in float32 and compute under torch.autocast.
    """
    if any(True for _ in script.trace.calls(*_ADAPTING)):
        return
    for loop in training_loops(script.trace):
        for event, model in _halved(script.trace):
            back = any(
                one.receiver is not None and root(one.receiver) == model and one.order > event.order
                for one in script.trace.calls("float", "bfloat16")
            )
            first = loop.backwards[0].call
            if model in loop.models and not back and event.order < first.order and not opposed(event, first):
                scaled = any(step.scaler is not None for step in loop.steps)
                rest = ", and a GradScaler refuses float16 gradients" if scaled else ""
                yield Problem(
                    f"the weights are float16 where the loop at {line(loop.batch)} trains them{rest}",
                    where=str(event.place),
                    level=Level.ERROR if scaled and not event.conditions else None,
                )
                break


def _halved(trace: Trace) -> Iterator[tuple[Call, Value]]:
    """The calls that make a model float16, and the model."""
    for call in trace.calls("half", "to", "from_pretrained"):
        if call.method == "from_pretrained":
            if _is_half(call.argument(None, "torch_dtype")) or _is_half(call.argument(None, "dtype")):
                yield call, Made(call)
        elif call.receiver is not None and (call.method == "half" or any(_is_half(one) for one in call.arguments)):
            model = root(call.receiver)
            if kind(model) == "model":
                yield call, model


def _is_half(value: Value | None) -> bool:
    return library(value) in _HALF or text(value) in ("float16", "torch.float16")


@rule("PYS235", Level.WARNING)
def optimizer_made_every_epoch(script: ScriptFacts) -> Iterator[Problem]:
    """The optimizer is made anew in each epoch for the same model.

    Why: Adam's averages begin at nothing each time, and what follows the optimizer, a schedule with its warm-up, begins
    again too.
    Fix: make the optimizer once, before the loop over epochs.
    """
    for loop, _, made in _with_optimizer(script.trace):
        if loop.epoch is None or loop.epoch not in made.loops or not loop.models:
            continue
        if not any(_made_in(model, loop.epoch) for model in loop.models):
            inside = loop.batch if loop.batch in made.loops else loop.epoch
            many = "batch" if inside is loop.batch else "round"
            yield Problem(
                f"the optimizer is made again in each {many} of the loop at {line(inside)}, for the same model",
                where=str(made.place),
            )


def _made_in(model: Value, loop: Loop) -> bool:
    """Whether a model is made anew in a loop, or it is not known where it is made."""
    if isinstance(model, Instance):
        inside = loop.place.line <= model.place.line <= max(loop.place.end, loop.place.line)
        return inside and (model.place.file, model.place.cell) == (loop.place.file, loop.place.cell)
    made = call_of(model)
    return made is None or loop in made.loops


RULES: tuple[Rule, ...] = (
    parameters_made_after_the_optimizer,
    loss_from_another_model,
    every_parameter_frozen,
    half_weights_trained,
    optimizer_made_every_epoch,
)
