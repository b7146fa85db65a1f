"""Fine-tuning in one loop that can be read in one sitting: train. The same numbers as trainer.py, bit for bit.

What a run is made of stands beside it: which examples are in a step (plan.py), their tensors (batches.py), how wrong
the model is (losses.py), AdamW (optimizer.py), the processes (processes.py). Knows no task.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pretune.train.batches import collate, first_position, inputs
from pretune.train.faults import at
from pretune.train.hooks import State, Trained
from pretune.train.optimizer import require_float32, schedule
from pretune.train.plan import Plan
from pretune.train.processes import accelerator_of, gradients_stay, mean_of, spread
from pretune.train.state import Position, restore
from pretune.train.stops import agreed
from pretune.train.tally import Tally
from pretune.train.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pretune.train.examples import Examples
    from pretune.train.hooks import Evaluate, Save
    from pretune.train.losses import Loss
    from pretune.train.options import Options
    from pretune.train.watch import Step


def train(  # noqa: PLR0915 - one function, to be read from top to bottom
    model: Any,
    examples: Examples,
    options: Options,
    *,
    loss: Loss,
    watch: Watch | None = None,
    evaluate: Evaluate | None = None,
    save: Save | None = None,
    saved: Path | None = None,
) -> Trained:
    """Train a model in place.

    Args:
        model: of transformers, in float32, with its head and the levers of options (levers.py) on it.
        examples: tokenized.
        options: how.
        loss: of losses.py.
        watch: sees what happens, and may ask to stop.
        evaluate: asked when options.eval_strategy says so.
        save: asked when options.save_strategy says so, and when the run is stopped.
        saved: the checkpoint to go on from; every later number is what it would have been.

    Raises:
        NotFiniteError: a loss is no number.
        UserError: the weights are not float32; accelerate launch started too few processes.
    """
    import torch
    from accelerate.utils import send_to_device, set_seed

    watch = watch or Watch()
    require_float32(model)
    accelerator = accelerator_of(options)
    set_seed(options.seed)
    first = first_position(model)
    plan = Plan(examples, options, accelerator.num_processes, accelerator.process_index)
    spread_model, optimizer = spread(accelerator, model, options)
    scheduler = schedule(optimizer, options, plan.steps)
    position = Position(processes=accelerator.num_processes)
    if saved is not None:
        position = restore(saved, model, optimizer, scheduler, scaler=accelerator.scaler)
    tally = Tally(mean_of(accelerator), position.sums)
    log: list[Step] = []
    metrics: dict[int, Mapping[str, float]] = {}
    step, stopped = position.step, False

    def write_log(epoch: float, rate: float, norm: Any) -> None:
        entry = tally.entry(step, plan.steps, epoch=epoch, learning_rate=rate, gradient_norm=norm)
        if entry is not None:
            log.append(entry)
            watch.step(entry)

    def look() -> None:
        if evaluate is None or step in metrics:
            return
        tally.settle()
        tally.pause()
        model.eval()
        metrics[step] = evaluate(model)
        model.train()
        watch.evaluated(step, metrics[step])
        tally.proceed()

    def keep(epoch: int, batch: int) -> None:
        if save is None:
            return
        sums = tally.sums()  # stops the run if a loss is no number: nothing broken is saved
        tally.pause()
        here = Position(step, epoch, batch, sums, accelerator.num_processes)
        live = State(model, optimizer, scheduler, accelerator.scaler, here, metrics.get(step, {}))
        if save(live, stopped=stopped):
            watch.saved(step)
        tally.proceed()

    watch.start(plan.steps, step)
    model.train()
    for epoch in range(position.epoch, plan.epochs):
        done = position.batch if epoch == position.epoch else 0
        if not done:
            # What iterating over a DataLoader draws: with it dropout is the same as in the Trainer.
            torch.empty((), dtype=torch.int64).random_()
        for share in plan.epoch(epoch, start=done) if step < plan.steps else ():
            for number, rows in enumerate(share.batches, 1):
                batch = send_to_device(collate(examples, rows, options, first_position=first), accelerator.device)
                last = number == len(share.batches)
                alone = nullcontext() if last else gradients_stay(spread_model, accelerator)
                with at(step + 1, batch["rows"]), alone:
                    summed, _ = loss(spread_model(**inputs(batch)), batch)
                    # Processes average their gradients, so each gives as many times its part of the step's mean.
                    part = summed / (share.count / accelerator.num_processes)
                    if number > len(share.batches) - share.idle:
                        part = part * 0
                    accelerator.backward(part)
                tally.add(step + 1, batch["rows"], part)
            norm = accelerator.clip_grad_norm_(spread_model.parameters(), options.max_grad_norm or math.inf)
            tally.made(step + 1, share.tokens, norm if accelerator.scaler is None else None)
            optimizer.step()
            rate = scheduler.get_last_lr()[0]
            if not optimizer.step_was_skipped:  # by fp16, whose gradients were too large
                scheduler.step()
            optimizer.zero_grad()
            step += 1
            done += len(share.batches)
            watch.passed(step)

            passes = epoch + done / plan.batches
            end = step == plan.steps
            if step % options.logging_steps == 0 or end:
                write_log(passes, rate, norm)
            stopped = agreed(watch.should_stop())
            if (
                options.eval_strategy == "steps"
                and not stopped
                and (end or step % (options.eval_steps or options.logging_steps) == 0)
            ):
                look()
                if options.save_strategy == "best":
                    keep(epoch, done)
            if stopped or (options.save_strategy == "steps" and (end or step % options.save_steps == 0)):
                keep(epoch, done)
            if end or stopped:
                break
        if stopped:
            break
        if options.eval_strategy == "epoch":
            look()
        if options.save_strategy == "epoch" or (options.save_strategy == "best" and options.eval_strategy == "epoch"):
            keep(epoch + 1, 0)
    accelerator.unwrap_model(spread_model, keep_fp32_wrapper=False)
    watch.end(step)
    return Trained(step, tuple(log), metrics, stopped)
