"""A model being trained, asked and saved, and the folder that it leaves: Running, Done. Knows no task by name."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pretune.core.errors import UserError, did_you_mean
from pretune.draw.display import Displayed
from pretune.train import run_folder
from pretune.train.knocks import Knocks
from pretune.train.model import fitting, quiet
from pretune.train.page import Pages
from pretune.train.show import Bar
from pretune.train.trackers import Trackers
from pretune.train.watch import Watch, Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pretune.draw.table import Table
    from pretune.train.hooks import Trained
    from pretune.train.options import Options
    from pretune.train.recipe import Recipe
    from pretune.train.saving import Saver
    from pretune.train.tasks import Prepared, Scores, Task


@dataclass(slots=True, repr=False)
class Done(Displayed):
    """What a run came to.

    Attributes:
        folder: of the run.
        steps: optimizer steps made.
        main: the figure by which the best model is chosen.
        variant: whose figures these are; empty without a dev set.
        evaluations: (step, figures).
        best: the step of the model at the top of the folder.
        said: what the user should know, a line each.
        task: by its name in transformers (`question-answering`).
    """

    folder: Path
    steps: int = 0
    main: str = ""
    variant: str = ""
    evaluations: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    best: int | None = None
    said: list[str] = field(default_factory=list)
    task: str = ""
    part = "train"

    def _shown(self) -> tuple[Sequence[str], Sequence[Table]]:
        from pretune.train.show import table_of, verdict

        shown = table_of(self.evaluations, variant=self.variant, kept=self.best)
        return (*self.said, verdict(self)), () if shown is None else (shown,)


class Running(Watch):
    """A model being trained, asked and saved; it watches for the steps at which it was asked."""

    def __init__(
        self,
        recipe: Recipe,
        task: Task,
        prepared: Prepared,
        *,
        tokenizer: Any,
        model: Any,
        first: bool,
        tell: Callable[[str], None],
    ) -> None:
        self.recipe, self.task, self.model, self.tokenizer, self.first = recipe, task, model, tokenizer, first
        self.prepared, self.options, self.tell = prepared, recipe.options, tell
        self.train = fitting(prepared.train, model)
        self.dev = None if prepared.dev is None else fitting(prepared.dev, model)
        self.main = recipe.best_metric or task.main
        less = self.main.endswith(("loss", "mse")) if recipe.greater_is_better is None else not recipe.greater_is_better
        self.sign = -1 if less else 1
        self.done = Done(recipe.out, main=self.main, task=recipe.task)
        self.bar = Bar(sys.stderr)
        self.scores: Scores | None = None
        self.best = float("-inf")
        self.scored: int | None = None

    def evaluated(self, number: int, metrics: Mapping[str, float]) -> None:
        """Note at which step the figures were seen, and keep the predictions of the best."""
        if [step for step, _ in self.done.evaluations if step == number]:
            return
        self.done.evaluations.append((number, dict(metrics)))
        value = self.sign * metrics[self.main]
        if self.scores is not None and self.first and (value > self.best or len(self.done.evaluations) == 1):
            self._write_scores(number)
        self.best = max(self.best, value)

    def _write_scores(self, number: int) -> None:
        """The predictions of the model after a step."""
        if self.scores is not None:
            run_folder.write_scores(self.recipe.out, self.scores)
            self.scored = number

    def evaluate(self, model: Any) -> Mapping[str, float]:
        """The figures of the dev set; on every process the same."""
        from pretune.train import losses
        from pretune.train.dev_loss import dev_loss
        from pretune.train.predict import predict

        assert self.dev is not None
        outputs = predict(
            model,
            self.dev,
            self.options,
            outputs=self.task.outputs,
            each_token=self.task.each_token,
            told=self.bar.asking,
        )
        self.scores = self.prepared.score(outputs)
        self.done.variant = self.scores.variant
        found = dev_loss(
            self.dev,
            outputs,
            names=self.task.outputs,
            each_token=self.task.each_token,
            loss=getattr(losses, self.task.loss),
        )
        return {**self.scores.figures, **({} if found is None else {"loss": found})}

    def go(self, asked: Mapping[str, Any], saved: Path | None, *, record: Mapping[str, Any]) -> Done:
        """Train, and leave the folder as it should be."""
        from pretune.train import losses
        from pretune.train.faults import told
        from pretune.train.levers import prepare, restore
        from pretune.train.record import record_of
        from pretune.train.saving import Saver
        from pretune.train.stops import Stops

        recipe, out = self.recipe, self.recipe.out
        levers = prepare(self.model, recipe.options)
        self.options = levers.options
        for line in levers.said:
            self.tell(line)
        if self.dev is not None and _misses(self.options):
            self.tell(
                "not every model that is evaluated is saved: the best one is looked for among those that are"
                " (--save-strategy best saves each that is better than all before)"
            )
        saver = Saver(
            out,
            recipe=asked,
            keep=recipe.options.save_total_limit,
            metric=self.main if self.dev is not None else None,
            greater_is_better=self.sign > 0,
            only_best=recipe.options.save_strategy == "best",
            tokenizer=self.tokenizer,
            resumed=saved,
        )
        if saver.best is not None:
            self.best = self.sign * saver.best[1]
        watches: list[Watch] = [self]
        trackers = Trackers(recipe.report_to if recipe.engine == "loop" else (), out, asked)
        if self.first:
            out.mkdir(parents=True, exist_ok=True)
            run_folder.write_json(out / run_folder.RECIPE, run_folder.recipe_table(recipe))
            run_folder.write_json(out / run_folder.ENVIRONMENT, record_of(engine=recipe.engine, **record))
            log = run_folder.Log(out, resumed=int(saved.name.rpartition("-")[2]) if saved else 0)
            self.done.evaluations = [(row["step"], row["metrics"]) for row in log.kept if "metrics" in row]
            watches += [self.bar, log, trackers, Knocks(), Pages(out)]
        with quiet(), Stops() as stops, told(self.model, self.train, self.options, where=self.prepared.where):
            try:
                watch = Watches([*watches, stops])
                if recipe.eval_on_start and self.dev is not None and saved is None:
                    watch.evaluated(0, self.evaluate(self.model))
                trained = self._trained(losses, watch, saver, saved)
            finally:
                self.bar.close()
                trackers.close()
            self.done.steps = trained.steps
            if trained.stopped:
                self._write_metrics(trained, finished=False)
                stops.leave(saver.newest)
            if self.dev is not None and trained.steps not in trained.metrics:  # the same on every process
                watch.evaluated(trained.steps, self.evaluate(self.model))
            restore(self.model)
            if self.first:
                self._leave(saver, trained)
        return self.done

    def _trained(self, losses: Any, watch: Watch, saver: Saver, saved: Path | None) -> Trained:
        engine = import_module(f"pretune.train.{self.recipe.engine}")
        passed: dict[str, Any] = {}
        if self.recipe.engine == "trainer":
            passed = {**self.recipe.passed, "report_to": list(self.recipe.report_to)}
            if self.recipe.report_to:
                passed["trackers"] = self.recipe.out / run_folder.TRACKERS
        trained: Trained = engine.train(
            self.model,
            self.train,
            self.options,
            loss=getattr(losses, self.task.loss),
            watch=watch,
            evaluate=self.evaluate if self.dev is not None else None,
            save=saver,
            saved=saved,
            **passed,
        )
        return trained

    def _leave(self, saver: Saver, trained: Trained) -> None:
        """The model at the top of the folder: the best one that was saved, else the last one."""
        out = self.recipe.out
        best, value = saver.best or (None, 0.0)
        last = dict(self.done.evaluations).get(trained.steps, {}).get(self.main)
        if best is not None and last is not None and self.sign * last > self.sign * value:
            best = None  # the last model was evaluated after it was saved
        source = out / f"checkpoint-{best}" if best is not None else None
        if source is not None and source.is_dir():
            run_folder.take_model(source, out / run_folder.BEST)
            run_folder.take_model(source, out)
            self.done.best = best
        elif saver.newest is not None and saver.newest.name == f"checkpoint-{trained.steps}":
            run_folder.take_model(saver.newest, out)
            self.done.best = trained.steps
        else:
            run_folder.save_model(self.model, self.tokenizer, out)
            self.done.best = trained.steps
        if self.done.best == trained.steps != self.scored and trained.steps in dict(self.done.evaluations):
            self._write_scores(trained.steps)  # a better model was not saved: these are of the one that is
        self._write_metrics(trained, finished=True)

    def _write_metrics(self, trained: Trained, *, finished: bool) -> None:
        if not self.first:
            return
        tokens, seconds = sum(one.tokens for one in trained.log), sum(one.seconds for one in trained.log)
        run_folder.write_json(
            self.recipe.out / run_folder.METRICS,
            {
                "finished": finished,
                "steps": trained.steps,
                "variant": self.done.variant,
                "main": self.main if self.dev is not None else None,
                "model_of_step": self.done.best,
                "predictions_of_step": self.scored,
                "evaluations": [{"step": step, **metrics} for step, metrics in self.done.evaluations],
                "train": {
                    "loss": trained.log[-1].loss if trained.log else None,
                    "tokens": tokens,
                    "seconds": round(seconds, 3),
                },
            },
        )


def require_figure(name: str, task: Task, prepared: Prepared) -> None:
    """Stop before the model is loaded where the figure that shall choose the best model is none of the task's.

    Raises:
        UserError: so it is.
    """
    import numpy as np

    assert prepared.dev is not None
    rows = len(prepared.dev.ids) if task.each_token else len(prepared.dev)
    classes = len(task.config.get("id2label", ())) or task.config.get("num_labels", 0)
    nothing: Any = np.zeros((rows, classes) if classes else rows, np.float32)
    figures = [*prepared.score([nothing] * len(task.outputs)).figures, *(["loss"] if prepared.dev.labels else [])]
    if name not in figures:
        raise UserError(
            f"metric_for_best_model is {name}, expected one of: {', '.join(figures)}",
            hint=did_you_mean(name, figures),
        )


def _misses(options: Options) -> bool:
    """Whether models are evaluated that no checkpoint keeps."""
    if options.eval_strategy == "no" or options.save_strategy == "best":
        return False
    if options.eval_strategy == options.save_strategy == "steps":
        return (options.eval_steps or options.logging_steps) % options.save_steps != 0
    return options.eval_strategy != options.save_strategy


def to_device(model: Any) -> None:
    """Put the model where it is trained, as levers look at it there."""
    import torch

    if torch.cuda.is_available():
        model.to(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
