"""Fine-tuning with transformers' Trainer, on the same batches and losses as loop.py: Trainer, train. The same numbers.

A thin subclass: each method that it overrides says why there. What it does not override is transformers'. It imports
transformers when it is imported, as a subclass must; import it where the engine is chosen.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import transformers

from pretune.core.errors import UserError
from pretune.train import rng, state
from pretune.train.batches import inputs as for_model
from pretune.train.faults import at
from pretune.train.hooks import State, Trained
from pretune.train.optimizer import require_float32
from pretune.train.plan import Plan
from pretune.train.processes import mean_of, require_processes
from pretune.train.stops import agreed
from pretune.train.tally import Tally
from pretune.train.trainer_arguments import arguments_of, refused
from pretune.train.trainer_batches import Asked, Batches
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.utils.data import DataLoader

    from pretune.train.examples import Examples
    from pretune.train.hooks import Evaluate, Save
    from pretune.train.losses import Loss
    from pretune.train.options import Options
    from pretune.train.watch import Step


class Trainer(transformers.Trainer):  # type: ignore[misc]
    """transformers' Trainer on the batches of a plan.

    Args:
        model: in float32, with its head.
        examples: tokenized.
        options: how.
        arguments: the same as TrainingArguments (`arguments_of`).
        loss: of losses.py.
        watch, evaluate, save: as for loop.train.
    """

    loss_is_scaled_for_ga = True
    """Of the Trainer: our loss is divided by the losses of the whole step already. Left to itself it takes that for
    granted of every model that accepts keywords, and multiplies the gradients of classifiers by the batches in a step
    (huggingface/transformers#47688)."""

    def __init__(
        self,
        model: Any,
        examples: Examples,
        options: Options,
        *,
        arguments: transformers.TrainingArguments,
        loss: Loss,
        watch: Watch,
        evaluate: Evaluate | None = None,
        save: Save | None = None,
    ) -> None:
        super().__init__(model, arguments, train_dataset=Asked(len(examples)), eval_dataset=Asked(0))
        if not hasattr(transformers.Trainer, "loss_is_scaled_for_ga"):  # as older versions are told the same
            self.compute_loss_func = loss
        self.plan = Plan(examples, options, arguments.world_size, arguments.process_index)
        self.loss, self.watch, self.asked, self.save = loss, watch, evaluate, save
        self.tally = Tally(mean_of(self.accelerator))
        self.entries: list[Step] = []
        self.metrics: dict[int, Mapping[str, float]] = {}
        self.tokens, self.norm = 0, None
        self.follow = _Follow(self)
        self.add_callback(self.follow)
        self.remove_callback(transformers.PrinterCallback)  # a watch shows the log

    def get_train_dataloader(self) -> DataLoader:
        """Here, because batches by tokens have no fixed size, so neither a sampler nor a collator can make them."""
        return Batches(self.plan, self.model)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Here, because the model's own loss is a mean over one batch, and counts pad positions when reading."""
        del num_items_in_batch
        self.tokens = inputs["tokens"]
        outputs = model(**for_model(inputs))
        summed, _ = self.loss(outputs, inputs)
        part = summed / inputs["divisor"]
        if inputs["idle"]:
            part = part * 0
        self.tally.add(self.state.global_step + 1, inputs["rows"], part)
        return (part, outputs) if return_outputs else part

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Here, because what breaks in forward or backward is told by the batch it broke in."""
        with at(self.state.global_step + 1, inputs["rows"]):
            return super().training_step(model, inputs, num_items_in_batch)

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Here, because the norm of every step is looked at, not only that of the steps that are logged."""
        norm = super()._get_grad_norm(model, grad_norm)
        self.norm = norm if self.accelerator.scaler is None else None
        return norm

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Here, because here the Trainer has just learned the numbers of a step, which a watch wants to know."""
        if "loss" in logs:
            entry = self.tally.entry(
                self.state.global_step,
                self.state.max_steps,
                epoch=self.state.epoch,
                learning_rate=logs["learning_rate"],
                gradient_norm=logs["grad_norm"],
            )
            if entry is not None:
                self.entries.append(entry)
                self.watch.step(entry)
                logs = {**logs, "loss": entry.loss}
        super().log(logs, start_time)

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Here, because a task is scored on answers, not batches; nor may it draw numbers that dropout gets next."""
        step = self.state.global_step
        self.tally.settle()
        self.tally.pause()
        if self.asked is not None and step not in self.metrics:
            self.model.eval()
            self.metrics[step] = self.asked(self.model)
            self.watch.evaluated(step, self.metrics[step])
        self.tally.proceed()
        named = {f"{metric_key_prefix}_{name}": value for name, value in self.metrics.get(step, {}).items()}
        self.log(dict(named))
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, named)
        return named

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Here, because the Trainer writes into the final folder: a crash meanwhile leaves half a checkpoint there."""
        del model, trial
        if self.save is None:
            return
        sums = self.tally.sums()
        self.tally.pause()
        step = self.state.global_step
        epoch, steps = divmod(step, self.plan.steps_in_epoch)
        batch = steps * self.args.gradient_accumulation_steps
        live = State(
            self.model,
            self.optimizer,
            self.lr_scheduler,
            self.accelerator.scaler,
            state.Position(step, epoch, batch, sums, self.args.world_size),
            self.metrics.get(step, {}),
            {"trainer_state.json": self.state.save_to_json},
        )
        if self.save(live, stopped=self.follow.stopped):
            self.watch.saved(step)
        self.tally.proceed()

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Here, because here model, optimizer and schedule are ready, which our checkpoints keep without pickles."""
        if checkpoint is not None:
            scaler = self.accelerator.scaler
            position = state.restore(Path(checkpoint), self.model, self.optimizer, self.lr_scheduler, scaler=scaler)
            self.tally = Tally(mean_of(self.accelerator), position.sums)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Here, because the Trainer calls it when it has skipped what was done, so that dropout goes on from there."""
        if checkpoint is not None:
            rng.restore((Path(checkpoint) / f"rng-{self.args.process_index}.safetensors").read_bytes())


class _Follow(transformers.TrainerCallback):  # type: ignore[misc]
    """Tells a watch what happens, and the Trainer when to log, save and stop beside what its arguments say."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self.stopped, self.begun = trainer, False, False

    def on_train_begin(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
        """The first step is about to be made; how often to log and save is as asked for now, not when it was saved."""
        state.compute_steps(args, state.max_steps)
        self.begun = True
        self.trainer.watch.start(state.max_steps, state.global_step)
        self.trainer.tally.proceed()

    def on_pre_optimizer_step(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """The gradients are there, the weights not changed yet."""
        self.trainer.tally.made(state.global_step + 1, self.trainer.tokens, self.trainer.norm)

    def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step was made; the Trainer has decided by now what it does after it."""
        trainer = self.trainer
        trainer.watch.passed(state.global_step)
        if state.global_step >= state.max_steps:
            control.should_log = True
        self.stopped = agreed(trainer.watch.should_stop())
        if self.stopped:
            control.should_save, control.should_evaluate, control.should_training_stop = True, False, True
        elif trainer.plan.options.save_strategy == "best" and control.should_evaluate:
            control.should_save = True

    def on_epoch_end(self, _args: Any, _state: Any, control: Any, **_: Any) -> None:
        """An epoch ended, or was left because the run was stopped: then all is saved already."""
        if self.stopped:
            control.should_save = control.should_evaluate = False
        elif self.trainer.plan.options.save_strategy == "best" and control.should_evaluate:
            control.should_save = True

    def on_train_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """No step comes any more."""
        self.trainer.watch.end(state.global_step)


def train(
    model: Any,
    examples: Examples,
    options: Options,
    *,
    loss: Loss,
    watch: Watch | None = None,
    evaluate: Evaluate | None = None,
    save: Save | None = None,
    saved: Path | None = None,
    trackers: Path | None = None,
    **passed: Any,
) -> Trained:
    """Train a model in place; all as for loop.train, and further arguments for TrainingArguments.

    Trackers put their files into `trackers`, a folder below the run's, after which they name the run; without it they
    are gone when training ends.

    Raises:
        NotFiniteError: a loss or a gradient is no number.
        UserError: the weights are not float32; accelerate launch started too few processes.
    """
    watch = watch or Watch()
    require_processes()
    require_float32(model)
    options = replace(
        options,
        eval_strategy=options.eval_strategy if evaluate else "no",
        save_strategy=options.save_strategy if save else "no",
    )
    with tempfile.TemporaryDirectory() as aside:  # the Trainer makes a folder, though it is `save` that writes
        with refused(passed):
            named = {} if trackers is None else {"run_name": trackers.parent.name}
            where = Path(passed.pop("output_dir", trackers or aside))
            arguments = arguments_of(options, where, **{**named, **passed})
            trainer = Trainer(
                model, examples, options, arguments=arguments, loss=loss, watch=watch, evaluate=evaluate, save=save
            )
        if saved is not None and not (saved / "trainer_state.json").exists():
            raise UserError(f"{saved} was written by the other engine", hint="resume with --engine loop")
        if saved is not None and state.read_position(saved).step >= trainer.plan.steps:
            return _finished(trainer, saved)
        with refused(passed, begun=lambda: trainer.follow.begun):
            trainer.train(resume_from_checkpoint=str(saved) if saved else None)
    trainer.accelerator.unwrap_model(trainer.model_wrapped, keep_fp32_wrapper=False)
    return Trained(trainer.state.global_step, tuple(trainer.entries), trainer.metrics, trainer.follow.stopped)


def _finished(trainer: Trainer, saved: Path) -> Trained:
    """A run that was killed after its last step: the Trainer would look whether it is done only after one more."""
    step = state.read_position(saved).step
    state.load_weights(trainer.model, saved)
    trainer.watch.start(step, step)
    trainer.state.global_step = step
    if trainer.plan.options.eval_strategy == "epoch":
        trainer.evaluate()
    trainer.watch.end(step)
    return Trained(step, (), trainer.metrics, stopped=False)
