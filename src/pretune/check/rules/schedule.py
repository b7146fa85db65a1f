"""TRN: the length of the run against all that counts steps: warm-up, evaluation, logging, accumulation, schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pretune.check.finding import Level, Problem, rule
from pretune.check.rules.wording import number, percent, shown
from pretune.core.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pretune.check.facts.training import TrainingFacts
    from pretune.check.finding import Rule

WITHOUT_WARMUP = ("constant", "reduce_lr_on_plateau", "greedy")
"""Schedules that ignore warmup_steps: optimization.get_scheduler of transformers 5.23."""


@rule("TRN030", Level.WARNING)
def warmup_longer_than_run(training: TrainingFacts) -> Iterator[Problem]:
    """The learning rate is still rising when the run ends.

    Why: the peak is never reached, the decay never comes; a short run with the usual 500 warm-up steps hardly moves the
    model, and looks like a bad model or bad data.
    Fix: make the warm-up about a tenth of the run: warmup_steps = 0.1, or warmup_ratio before transformers 5.
    """
    longest, warmup = training.steps.at_most, training.warmup
    if warmup is None or longest is None or longest < 1 or training.text("lr_scheduler_type") in WITHOUT_WARMUP:
        return
    if warmup >= longest and warmup > 1:
        said = "warmup_ratio" if training.given("warmup_ratio") else "warmup_steps"
        total = training.steps.total
        run = f"the run has {number(longest)}" + ("" if total is not None else " at most")
        reached = percent(longest / warmup)
        yield Problem(
            f"the warm-up takes {number(warmup)} steps, {run}: the learning rate ends at {reached} of its peak",
            where=training.place(said),
        )


@rule("TRN031", Level.WARNING)
def warmup_said_twice(training: TrainingFacts) -> Iterator[Problem]:
    """Both warmup_steps and warmup_ratio are set, and only one counts.

    Why: before transformers 5 warmup_steps wins, from 5.0 to 5.14 warmup_ratio does.
    Fix: keep one.
    """
    steps, ratio = training.number("warmup_steps") or 0, training.number("warmup_ratio") or 0
    if steps > 0 and ratio > 0 and "warmup_ratio" in training.table.arguments:
        wins = f"warmup_ratio {ratio:g}" if training.at_least("5.0") else f"warmup_steps {steps:g}"
        message = f"warmup_steps is {steps:g} and warmup_ratio {ratio:g}: {training.release} takes {wins}"
        yield Problem(message, where=training.place("warmup_ratio"))


@rule("TRN032", Level.NOTE)
def warmup_without_effect(training: TrainingFacts) -> Iterator[Problem]:
    """A warm-up is set, but the schedule has none.

    Why: "constant" starts at the full learning rate, whatever warmup_steps says; so do "reduce_lr_on_plateau" and
    "greedy", which wait for a metric.
    Fix: use "constant_with_warmup", or leave the warm-up out.
    """
    schedule = training.text("lr_scheduler_type")
    for name in ("warmup_steps", "warmup_ratio"):
        value = training.number(name)
        if schedule in WITHOUT_WARMUP and training.given(name) and value is not None and value > 0:
            message = f'{name} is {value:g}, but lr_scheduler_type "{schedule}" has no warm-up'
            yield Problem(message, where=training.place(name))


@rule("TRN033", Level.WARNING)
def epochs_overridden(training: TrainingFacts) -> Iterator[Problem]:
    """Both num_train_epochs and max_steps are set; max_steps decides, and the epochs are ignored.

    Why: a max_steps left over from a smoke test ends the real run after minutes; Trainer says so at info level only.
    Fix: take max_steps out, or set it to -1; or take num_train_epochs out.
    """
    steps, epochs = training.number("max_steps"), training.number("num_train_epochs")
    if not (training.given("max_steps") and training.given("num_train_epochs") and steps and steps > 0 and epochs):
        return
    per_epoch = training.steps.per_epoch
    if per_epoch and abs(steps - epochs * per_epoch) <= 1:
        return
    really = f" is {steps / per_epoch:.2g} epochs of {number(per_epoch)} steps and" if per_epoch else ""
    message = f"max_steps {number(int(steps))}{really} overrides num_train_epochs {epochs:g}"
    yield Problem(message, where=training.place("max_steps"))


@rule("TRN034", Level.WARNING)
def interval_longer_than_run(training: TrainingFacts) -> Iterator[Problem]:
    """Evaluation or logging is due less often than the run has steps.

    Why: nothing is seen while it trains. Before transformers 5.4 there is no evaluation at all; later there is one, at
    the end, so that load_best_model_at_end has one checkpoint to choose from.
    Fix: evaluate and log by epoch, or every tenth of the run: eval_steps = 0.1, logging_steps = 0.1.
    """
    longest = training.steps.at_most
    if longest is None or longest < 1:
        return
    run = number(longest) if training.steps.total is not None else f"at most {number(longest)}"
    logs = training.number("logging_steps")
    if training.text("eval_strategy") == "steps":
        said = training.number("eval_steps")
        every = said or logs
        name = "eval_steps" if said else "logging_steps"
        if every and every > longest:
            once = training.at_least("5.4")
            best = training.flag("load_best_model_at_end")
            level = Level.WARNING if best or not once else Level.NOTE
            which = f"eval_steps is {every:g}" if said else f"eval_steps is left out and so logging_steps, {every:g},"
            then = "it is evaluated once, at the end" if once else "it is never evaluated"
            place = training.place(name if training.given(name) else "eval_strategy")
            yield Problem(f"{which} but the run has {run} steps: {then}", where=place, level=level)
    if training.given("logging_steps") and training.text("logging_strategy") == "steps" and logs and logs > longest:
        yield Problem(
            f"logging_steps is {logs:g} but the run has {run} steps: no loss is logged while it trains",
            where=training.place("logging_steps"),
        )


@rule("TRN035", Level.ERROR)
def empty_epoch(training: TrainingFacts) -> Iterator[Problem]:
    """The last, incomplete batch is dropped, and there is no other.

    Why: with fewer rows than a batch an epoch has none: `args.max_steps must be set to a positive value if dataloader
    does not have a length, was -1`, or, with max_steps, a run that ends at once and trains nothing.
    Fix: lower per_device_train_batch_size, or set dataloader_drop_last to false.
    """
    batch = training.number("per_device_train_batch_size")
    if training.flag("dataloader_drop_last") and training.steps.batches == 0 and training.rows and batch:
        yield Problem(
            f"dataloader_drop_last is true and {number(training.rows)} rows do not fill one batch of {batch:g}",
            where=training.place("dataloader_drop_last"),
        )


@rule("TRN036", Level.WARNING)
def accumulation_longer_than_epoch(training: TrainingFacts) -> Iterator[Problem]:
    """An epoch has fewer batches than are gathered for one step.

    Why: every epoch makes a single optimiser step, three in a usual run: the model is hardly trained.
    Fix: lower gradient_accumulation_steps.
    """
    accumulation, most = training.number("gradient_accumulation_steps"), training.steps.most_batches
    if accumulation and most and accumulation > most and accumulation > 1:
        has = f"{'' if training.steps.batches else 'at most '}{number(most)} {'batch' if most == 1 else 'batches'}"
        yield Problem(
            f"gradient_accumulation_steps is {accumulation:g} but an epoch has {has}: one step an epoch, "
            f"{number(training.steps.at_most or 1)} in all",
            where=training.place("gradient_accumulation_steps"),
        )


@rule("TRN037", Level.ERROR)
def schedule_options_refused(training: TrainingFacts) -> Iterator[Problem]:
    """lr_scheduler_kwargs holds what the schedule does not take, or lacks what it needs.

    Why: they are handed to the schedule's function inside train(), after the model is loaded and the data is tokenised;
    "constant" and "constant_with_warmup" drop them in silence.
    Fix: correct the name, or choose the schedule that takes it.
    """
    name, given = training.text("lr_scheduler_type"), training.values.get("lr_scheduler_kwargs")
    schedule = training.table.schedules.get(name)
    if schedule is None or schedule.takes is None or not isinstance(given, Mapping | None):
        return
    keys = [str(key) for key in given or ()]
    place = training.place("lr_scheduler_kwargs" if keys else "lr_scheduler_type")
    silent = name in ("constant", "constant_with_warmup")
    for key in keys:
        if key not in schedule.takes or silent:
            yield Problem(
                f'lr_scheduler_type "{name}" {"drops" if silent else "does not take"} {shown(key)}',
                where=f"{place}/{key}",
                help=did_you_mean(key, schedule.takes),
                level=Level.NOTE if silent else None,
            )
    missing = [need for need in schedule.needs if need not in keys]
    if name.endswith("with_min_lr") and not {"min_lr", "min_lr_rate"} & set(keys):
        missing.append("min_lr or min_lr_rate")
    for need in missing:
        yield Problem(f'lr_scheduler_type "{name}" needs {need} in lr_scheduler_kwargs', where=place)


@rule("TRN038", Level.ERROR)
def schedule_waits_for_evaluation(training: TrainingFacts) -> Iterator[Problem]:
    """The learning rate follows a metric, but nothing is evaluated.

    Why: "reduce_lr_on_plateau" and "greedy" step at evaluations only; TrainingArguments refuses them without.
    Fix: set eval_strategy to "epoch" or "steps".
    """
    name = training.text("lr_scheduler_type")
    if name in ("reduce_lr_on_plateau", "greedy") and training.text("eval_strategy") in ("", "no"):
        default = "" if training.given("eval_strategy") else " (the default)"
        message = f'lr_scheduler_type "{name}" needs evaluations, but eval_strategy is "no"{default}'
        yield Problem(message, where=training.place("lr_scheduler_type"))


@rule("TRN019", Level.WARNING)
def resumed_with_other_batches(training: TrainingFacts) -> Iterator[Problem]:
    """The run is resumed with batches of another size than the checkpoint was made with.

    Why: the number of steps in an epoch changes, so that the wrong rows are skipped and the schedule jumps; Trainer
    only logs a warning about the batch size.
    Fix: resume with the same batch size and accumulation, or start a new run from the checkpoint as a model.
    """
    resumed = training.resumed
    if resumed is None:
        return
    batch, per_epoch = training.number("per_device_train_batch_size"), training.steps.per_epoch
    if batch and resumed.batch and resumed.batch != batch:
        devices = (
            f", unless it ran on {resumed.batch / batch:g} GPUs in one process" if resumed.batch % batch == 0 else ""
        )
        yield Problem(
            f"the checkpoint was made with batches of {resumed.batch}, this run makes {batch:g}{devices}",
            where=training.place("per_device_train_batch_size"),
            level=Level.NOTE if devices else None,
        )
    elif per_epoch and resumed.step and resumed.epoch and resumed.step >= 10:
        before = resumed.step / resumed.epoch
        if abs(before - per_epoch) > max(1.0, 0.02 * per_epoch):
            yield Problem(
                f"the checkpoint was made with {before:.0f} steps an epoch, this run has {per_epoch} on one device: "
                "other data, accumulation or devices",
                where=training.place("resume_from_checkpoint"),
            )


@rule("TRN039", Level.WARNING)
def resumed_after_the_end(training: TrainingFacts) -> Iterator[Problem]:
    """The checkpoint to resume from has already made as many steps as this run has.

    Why: Trainer makes no further step, and reports and saves as after any run.
    Fix: raise num_train_epochs or max_steps above what the checkpoint has done.
    """
    resumed, total = training.resumed, training.steps.total
    if resumed is not None and resumed.step and total and resumed.step >= total:
        yield Problem(
            f"the checkpoint has made {number(resumed.step)} steps, and this run has {number(total)} in all",
            where=training.place("resume_from_checkpoint"),
        )


RULES: tuple[Rule, ...] = (
    warmup_longer_than_run,
    warmup_said_twice,
    warmup_without_effect,
    epochs_overridden,
    interval_longer_than_run,
    empty_epoch,
    accumulation_longer_than_epoch,
    schedule_options_refused,
    schedule_waits_for_evaluation,
    resumed_with_other_batches,
    resumed_after_the_end,
)
